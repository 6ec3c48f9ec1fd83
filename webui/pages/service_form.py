"""The form of a service: its fields in one table, what they say as a definition, and back. Pure.

Used by the pages that add and change services. What can't be so is judged by the worker, which names the fields.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from ipc.errors import CallError, Code
from schema.definitions import KINDS, Definition
from webui.pages.keyed import Choice

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
TIME = re.compile(r"(\d+(?:[.]\d+)?)\s*(ms|s|min|m|h|d)?")
NO_NUMBER = -1.0  # the worker refuses it, in its own words and with the bounds
MAYBE = "as its tags or the settings say"
TIERS = (Choice("", MAYBE), Choice("0", "none"), *(Choice(str(tier), f"tier {tier}") for tier in (1, 2, 3)))
TOLD_FROM = (Choice("", MAYBE), Choice("critical", "failures alone"), Choice("warning", "what is degraded, too"))
YES_NO = (Choice("yes", "yes"), Choice("no", "no"))
METHODS = tuple(Choice(name, name) for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
FAMILIES = (Choice("0", "any"), Choice("4", "IPv4"), Choice("6", "IPv6"))


class NotAFieldError(ValueError):
    """A text of the form that says nothing of its kind; the message is for the person."""


class Way(NamedTuple):
    """How a kind of value is written in a field, and read from it."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


class Declared(NamedTuple):
    """A field. `way` is a key of WAYS; `more`: it is folded away."""

    name: str
    label: str
    way: str
    hint: str = ""
    more: bool = False
    choices: tuple[Choice, ...] = ()
    rows: int = 3


class Field(NamedTuple):
    """A field as a template shows it. `kind`: text, lines or choice."""

    name: str
    label: str
    kind: str
    value: str
    hint: str
    error: str
    choices: tuple[Choice, ...]
    rows: int
    required: bool
    more: bool


class Form(NamedTuple):
    """The whole of it. `error`: what is wrong with none of its fields in particular; `refused` begins that sentence."""

    fields: list[Field]
    error: str
    refused: str
    open: bool


def seconds(text: str) -> float | None:
    """Seconds of `90`, `30s`, `5m`, `1 h`; None for an empty field, NO_NUMBER for what is no time."""
    if not text:
        return None
    match = TIME.fullmatch(text)
    return float(match[1]) * UNITS[match[2] or "s"] if match else NO_NUMBER


def _written_seconds(value: float | None) -> str:
    if value is None:
        return ""
    for unit in ("d", "h", "m"):
        if value >= UNITS[unit] and value % UNITS[unit] == 0:
            return f"{value / UNITS[unit]:g}{unit}"
    return f"{value:g}s"


def _headers(text: str) -> dict[str, str]:
    found = {}
    for line in _lines(text):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise NotAFieldError(f"{line!r} is no header: write Name: value")
        found[name.strip()] = value.strip()
    return found


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in re.split(r"[\s,]+", text) if word))


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else int(NO_NUMBER)


WAYS: Mapping[str, Way] = {
    "text": Way(str, str),
    "body": Way(str, lambda text: text.replace("\r\n", "\n")),
    "seconds": Way(_written_seconds, seconds),
    "whole": Way(str, _whole),
    "maybe": Way(lambda value: "" if value is None else str(value), lambda text: _whole(text) if text else None),
    "lines": Way("\n".join, _lines),
    "words": Way(" ".join, _words),
    "headers": Way(lambda value: "\n".join(f"{name}: {one}" for name, one in value.items()), _headers),
    "yes": Way(lambda value: "yes" if value else "no", lambda text: text in ("yes", "1", "on", "true", "True")),
    "method": Way(str, str.upper),
    "family": Way(str, _whole),
}
TIMES = "Seconds, or such as 500ms, 30s, 5m, 1h."
FIELDS = (
    Declared("name", "Name", "text"),
    Declared("url", "URL", "text", "Its scheme says how it is probed: "
             + ", ".join(dict.fromkeys(probed.schemes[0] for probed in KINDS.values())) + "."),
    Declared("interval", "Every", "seconds", TIMES),
    Declared("timeout", "Timeout", "seconds", "No answer within this time is a timeout."),
    Declared("retries", "Retries", "whole", "So many failures in a row are tried again before anybody is told."),
    Declared("conditions", "Conditions, one a line", "lines",
             "All have to hold. Empty: what is usual of its kind, such as [STATUS] < 400."),
    Declared("warnings", "Warnings, one a line", "lines", "It is degraded where one does not hold: "
             "[RESPONSE_TIME] < 300, [CERTIFICATE_EXPIRATION] > 14d.", rows=2),
    Declared("tags", "Tags", "words", "Apart by blanks."),
    Declared("description", "Description", "text", more=True),
    Declared("group", "Group", "text", more=True),
    Declared("needs", "Depends on, a service a line", "lines", "While one of these is down, nobody is told of it.",
             more=True, rows=2),
    Declared("retry_interval", "Time between retries", "seconds", "Empty: a fifth of the interval.", more=True),
    Declared("method", "Method", "method", "HTTP.", more=True, choices=METHODS),
    Declared("headers", "Headers, one a line", "headers", "Name: value. Secret values are kept apart and shown as ***.",
             more=True),
    Declared("body", "Body", "body", more=True),
    Declared("redirects", "Follows redirects", "yes", more=True, choices=YES_NO),
    Declared("proxy", "Proxy", "text", "Such as http://proxy.example.org:3128.", more=True),
    Declared("verify", "Certificates have to be valid", "yes", more=True, choices=YES_NO),
    Declared("family", "Addresses", "family", more=True, choices=FAMILIES),
    Declared("server_name", "Server name", "text", "TLS: the name in the certificate, if it is another.", more=True),
    Declared("ca_file", "File with its authorities", "text", "TLS, PEM.", more=True),
    Declared("certificate_file", "File with the client certificate", "text", "TLS, PEM.", more=True),
    Declared("key_file", "File with the client’s key", "text", "TLS, PEM.", more=True),
    Declared("grace", "Grace", "seconds", "Heartbeats: how late a sign of life may be.", more=True),
    Declared("cron", "Cron expression", "text", "Heartbeats: when the job runs, if at no plain interval.", more=True),
    Declared("zone", "Time zone", "text", "Of the cron expression.", more=True),
    Declared("session_tier", "An incident starts a session of", "maybe", more=True, choices=TIERS),
    Declared("session_after", "That session starts after", "maybe", "Failures in a row. Empty: " + MAYBE + ".",
             more=True),
    Declared("session_cooldown", "The next one not before", "seconds", "After the end of the last session for it.",
             more=True),
    Declared("remind", "People are told again every", "seconds",
             "While nobody looks after it; 0s never. Empty: " + MAYBE + ".", more=True),
    Declared("mute", "Nobody is told of it", "yes", more=True, choices=YES_NO),
    Declared("notify", "Channels that are told", "words", "Names or kinds: slack ntfy. Empty: by their own rules.",
             more=True),
    Declared("notify_from", "They are told of", "text", more=True, choices=TOLD_FROM),
    Declared("command", "Command, a word a line", "lines", "With the URL command: – its exit code is [STATUS].",
             more=True),
)  # fmt: skip
# Without a value, others say it.
OPEN = frozenset({"retry_interval", "session_tier", "session_after", "session_cooldown", "remind"})
REQUIRED = frozenset({"name", "url"})
NEW = Definition(name="", url="")


def texts(definition: Definition) -> dict[str, str]:
    """What stands in the fields of a definition."""
    return {field.name: WAYS[field.way].write(getattr(definition, field.name)) for field in FIELDS}


def read(given: Mapping[str, str], before: Definition) -> tuple[Definition, dict[str, str]]:
    """What the fields say, and what is wrong with any by its name. Fields that did not come stay as they were."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in FIELDS:
        if field.name not in given:
            continue
        text = given[field.name]
        try:
            value = WAYS[field.way].read(text if field.way == "body" else text.strip())
        except NotAFieldError as error:
            wrong[field.name] = str(error)
            continue
        if value is None and field.name not in OPEN:
            value = NO_NUMBER
        values[field.name] = value
    return msgspec.structs.replace(before, **values), wrong


def form(
    values: Mapping[str, str], wrong: Mapping[str, str] | None = None, error: str = "", refused: str = "Not added."
) -> Form:
    """The form with these texts, and with what is wrong beside each."""
    wrong = dict(wrong or {})
    fields = [
        Field(
            field.name,
            field.label,
            "choice" if field.choices else "lines" if field.way in ("lines", "headers", "body") else "text",
            values.get(field.name, ""),
            field.hint,
            wrong.get(field.name, ""),
            field.choices,
            field.rows,
            field.name in REQUIRED,
            field.more,
        )
        for field in FIELDS
    ]
    names = {field.name for field in FIELDS}
    rest = "; ".join(f"{name}: {text}" for name, text in wrong.items() if name not in names)
    said = error or rest or ("Some fields can’t be so; each says why." if wrong else "")
    return Form(fields, said, refused, any(field.error for field in fields if field.more))


def refuse(wrong: Mapping[str, str]) -> None:
    """CallError `invalid` with what is wrong by its field, if there is anything."""
    if wrong:
        text = "; ".join(f"{name}: {said}" for name, said in wrong.items())
        raise CallError(Code.INVALID, text, {"fields": dict(wrong)})


def wrong_fields(error: CallError) -> dict[str, str]:
    """What the worker says is wrong, by field."""
    found = error.data.get("fields")
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}
