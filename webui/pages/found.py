"""What the rules saw in a call, in words: for approval cards and for the verdicts in a transcript. Pure.

Text that a session wrote is shown so that nothing in it can hide: what does not print becomes visible, hosts and `sudo`
are marked.
"""

import re
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

import msgspec
from markupsafe import Markup, escape

from schema.limits import FoundCommand
from webui.pages.ansi import plain
from webui.pages.folding import as_json

KINDS = {
    "read": "reads",
    "restart": "restarts",
    "redeployment": "redeploys",
    "change": "changes",
    "write": "writes files",
    "package": "changes packages",
    "host": "changes the machine",
    "destroy": "can’t be taken back",
    "secret": "reads a secret",
    "unknown": "not understood",
}
HARMLESS = frozenset({"read"})
MARK = Markup("<mark>{}</mark>")
RISING = re.compile(r"\b(?:sudo|doas|su|pkexec)\b")


class Saw(NamedTuple):
    """One thing that a call does. `action`: what counts towards a limit, "" for none."""

    does: str
    text: str
    target: str
    host: str
    through: str
    reason: str
    action: str
    harmless: bool


def read(found: str) -> list[FoundCommand]:
    """What is stored in a row's `found`; nothing for what has not its shape."""
    try:
        return msgspec.json.decode(found, type=list[FoundCommand])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []


def saw(commands: Iterable[FoundCommand]) -> list[Saw]:
    """The same in words, what changes something before what only reads."""
    listed = [
        Saw(
            does=KINDS.get(command.kind, command.kind),
            text=visible_text(command.text),
            target=visible_text(command.target or ""),
            host=visible_text(command.host or ""),
            through=visible_text(" › ".join(command.through)),
            reason=plain(command.reason),
            action=command.kind if command.kind in ("restart", "redeployment") else "",
            harmless=command.kind in HARMLESS,
        )
        for command in commands
    ]
    return sorted(listed, key=lambda one: one.harmless)


def call_text(tool: str, given: str) -> str:
    """A call, whole: a command as it would be typed with its other fields below, any other input as JSON."""
    try:
        fields = msgspec.json.decode(given)
    except msgspec.DecodeError:
        return given
    if not isinstance(fields, dict):
        return as_json(fields)
    if tool == "Bash" and isinstance(fields.get("command"), str):
        # What the agent says of its command is no part of it; the card shows it as the agent's words.
        others = {name: value for name, value in fields.items() if name not in ("command", "description")}
        more = "".join(f"\n{name}: {as_json(value)}" for name, value in others.items())
        return f"{fields['command']}{more}"
    return as_json(fields)


def said_of(given: str) -> str:
    """What the agent says of its own call: a command's description."""
    try:
        fields = msgspec.json.decode(given)
    except msgspec.DecodeError:
        return ""
    said = fields.get("description") if isinstance(fields, dict) else None
    return plain(said) if isinstance(said, str) else ""


def visible_text(text: str) -> str:
    """The text with whatever does not print made visible, but for line ends and tabs."""
    if text.isprintable():
        return text
    return "".join(one if _shows(one) else _code(one) for one in text)


def _shows(character: str) -> bool:
    return character.isprintable() or character in "\n\t"


def _code(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def marked(text: str, hosts: Iterable[str]) -> Markup:
    """A call with its hosts, `sudo` and what does not print marked; nothing is cut."""
    names = sorted({re.escape(host) for host in hosts if host}, key=len, reverse=True)
    words = [rf"(?<![\w.-])(?:{'|'.join(names)})(?![\w-])"] if names else []
    pattern = re.compile("|".join(f"(?:{part})" for part in (*words, RISING.pattern)))
    pieces: list[Markup] = []
    at = 0
    for match in pattern.finditer(text):
        pieces += [_plain(text[at : match.start()]), MARK.format(visible_text(match[0]))]
        at = match.end()
    return Markup("").join([*pieces, _plain(text[at:])])


def _plain(text: str) -> Markup:
    """Words as they are, and marked what would not be seen."""
    groups = ((shows, "".join(some)) for shows, some in groupby(text, _shows))
    return Markup("").join(escape(some) if shows else MARK.format(visible_text(some)) for shows, some in groups)
