"""Settings as the configuration page shows them: a row, a section, the form of one, made from its declaration. Pure."""

import re
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from ipc.messages.settings import SettingValue
from schema.configuration import DECLARATIONS, Declaration
from webui.pages import formats, keyed
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.keyed import Choice

SHOWN = [
    Choice("set", "Set by somebody"),
    Choice("override", "Overrides"),
    Choice("live", "Changed without a restart"),
    Choice("restart", "Changed with a restart"),
]
# What the existing program's own page sets, and what one changes most.
EVERYDAY = ("interval", "tier1_model", "tier2_model", "tier3_model", "dry_run")
LONG = 60  # characters of a default that asks for more than one line
SWITCH = [Choice("true", "on"), Choice("false", "off")]


class SettingRow(NamedTuple):
    """One setting. `value` is as stored, `human` the same in words or empty; `href` leads to its own page."""

    name: str
    env: str
    value: str
    unit: str
    human: str
    default: str
    source: str
    live: bool
    secret: bool
    doc: str
    changed: At | None
    href: str


class Section(NamedTuple):
    """Settings that belong together; `id` is its anchor."""

    name: str
    id: str
    rows: list[SettingRow]


class Field(NamedTuple):
    """What a setting is typed into. `kind`: number, choice, model, lines or line; `seen` is the value it had."""

    name: str
    label: str
    kind: str
    value: str
    seen: str
    unit: str
    low: str
    high: str
    step: str
    choices: list[Choice]
    hint: str


class Filters(NamedTuple):
    """Which settings are shown."""

    q: str
    shown: str


def read_filters(query: Any) -> Filters:
    """The filters in an address. CallError for what is none."""
    return Filters(keyed.words(query, "q"), keyed.one_of(query, "shown", SHOWN))


def matching(values: list[SettingValue], filters: Filters) -> list[SettingValue]:
    """Those that the filters let in; each word has to stand in the name, the variable or the sentence."""
    words = filters.q.lower().split()
    found = [
        one for one in values if all(word in f"{one.name} {one.env} {one.section} {one.doc}".lower() for word in words)
    ]
    return [one for one in found if _shown(one, filters.shown)]


def _shown(one: SettingValue, shown: str) -> bool:
    match shown:
        case "set":
            return one.source != "default"
        case "override":
            return one.source == "override"
        case "live" | "restart":
            return one.live == (shown == "live")
    return True


def row(one: SettingValue, now: datetime) -> SettingRow:
    """A setting as it is shown; of a secret only whether it is set."""
    human = ""
    if one.value and one.unit in ("s", "B"):
        number = float(one.value)
        if one.unit == "s" and number >= 60:
            human = formats.span(int(number))
        elif one.unit == "B" and number >= 1024:
            human = formats.size(int(number))
    return SettingRow(
        name=one.name,
        env=one.env,
        value=plain(one.value),
        unit=one.unit,
        human=human,
        default=plain(one.default),
        source=one.source,
        live=one.live,
        secret=one.secret,
        doc=one.doc,
        changed=formats.ago(one.changed_at, now) if one.changed_at else None,
        href=f"/config/{one.name}",
    )


def sections(values: Iterable[SettingValue], now: datetime) -> list[Section]:
    """Settings by section, in the order of their declaration."""
    found: dict[str, list[SettingRow]] = {}
    for value in values:
        found.setdefault(value.section, []).append(row(value, now))
    return [Section(name, f"section-{name.lower().replace(' ', '-')}", rows) for name, rows in found.items()]


def field(one: SettingValue, typed: str | None = None, *, alone: bool = False) -> Field:
    """What a live setting is changed with; `typed` stands in it instead of the value. `alone`: on its own page."""
    declared = DECLARATIONS.get(one.name)
    kind, choices = ("line", []) if declared is None else _kind(declared)
    meta = declared.meta if declared else None
    whole = declared is not None and declared.kind is int
    hints = []
    if meta and meta.low is not None and meta.high is not None:
        hints.append(f"From {meta.low:g} to {meta.high:g}.")
    elif meta and meta.low is not None:
        hints.append(f"{meta.low:g} or more.")
    if meta and meta.example:
        hints.append(f"Such as {meta.example}.")
    if alone and kind in ("line", "lines", "model"):
        hints.append("Empty takes the override away.")
    return Field(
        name=one.name,
        label=re.sub(r"(\d) ", r" \1 ", one.name.replace("_", " ")).capitalize(),
        kind=kind,
        value=plain(one.value if typed is None else typed),
        seen=one.value,
        unit=one.unit,
        low=f"{meta.low:g}" if meta and meta.low is not None else "",
        high=f"{meta.high:g}" if meta and meta.high is not None else "",
        step="1" if whole else "any",
        choices=choices,
        hint=" ".join(hints),
    )


def _kind(declared: Declaration) -> tuple[str, list[Choice]]:
    if declared.kind is bool:
        return "choice", SWITCH
    if declared.meta.choices:
        return "choice", [Choice(choice, choice) for choice in declared.meta.choices]
    if declared.kind in (int, float):
        return "number", []
    if declared.name.endswith("_model"):
        return "model", []
    return ("lines" if len(declared.default) > LONG or "prompt" in declared.name else "line"), []


def new_key() -> str:
    """What makes a form that is sent twice one action."""
    return uuid.uuid4().hex
