"""What a session says to the daemon: markers in its words, and the same in its structured output. Pure.

A marker stands anywhere in a line of an assistant's text: `[EVENT:level:service] text`,
`[MEMORY:category:service] text`, `[COOLDOWN:restart:service] success - text`. Called by `daemon.sessions.progress`;
`daemon.sessions.said` stores what was said.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from daemon.memories.rules import category_of
from schema.knowledge import Level

EVENT = re.compile(r"\[EVENT:([a-zA-Z0-9_-]+)(?::([a-zA-Z0-9_-]+))?\]\s*(.+)", re.ASCII)
MEMORY = re.compile(r"\[MEMORY:([a-z]+)(?::([a-zA-Z0-9_-]+))?\]\s*(.+)", re.ASCII)
COOLDOWN = re.compile(
    r"\[COOLDOWN:(restart|redeployment):([a-zA-Z0-9_-]+)\]\s*(success|failure)\s*[—–-]\s*(.+)", re.ASCII
)
LEVELS = {
    **dict.fromkeys(("warning", "warn", "degraded"), Level.WARNING),
    **dict.fromkeys(("critical", "error", "err", "fatal", "failure", "failed"), Level.CRITICAL),
}
STATUSES = ("healthy", "degraded", "down", "unreachable")  # from best to worst
TEXT_MAX = 2000
NAME_MAX = 100
# Controls, halves of characters, and what turns the direction of writing: a line that is stored shows what it says.
UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


class SaidEvent(NamedTuple):
    """Something worth knowing."""

    level: Level
    service: str | None
    message: str

    @property
    def key(self) -> str:
        """The same for the same event said again."""
        return _key(self.level, self.service, self.message)


class SaidMemory(NamedTuple):
    """Something worth keeping; an unknown category is `behavior`."""

    category: str
    service: str | None
    observation: str

    @property
    def key(self) -> str:
        """The same for the same memory said again."""
        return memory_key(self.service, self.category, self.observation)


class SaidCooldown(NamedTuple):
    """How a restart or redeployment went."""

    action: str
    service: str
    success: bool
    text: str

    @property
    def key(self) -> str:
        """The same for the same words said again."""
        return _key(self.action, self.service, self.success, self.text)


class SaidCheck(NamedTuple):
    """How a service was found."""

    service: str
    status: str
    detail: str | None

    @property
    def key(self) -> str:
        """The same for the same service: one check counts, however often it is reported."""
        return _key(self.service)


Saying = SaidEvent | SaidMemory | SaidCooldown | SaidCheck
KINDS: Mapping[type[Saying], str] = {
    SaidEvent: "event",
    SaidMemory: "memory",
    SaidCooldown: "cooldown",
    SaidCheck: "health",
}


class Spoken(NamedTuple):
    """Something said, and when: a stored time."""

    at: str
    what: Saying


def memory_key(service: str | None, category: str, observation: str) -> str:
    """By what a memory is known to have been said."""
    return _key(category, service, observation)


def _key(*parts: object) -> str:
    """A hash of words, whatever their case and the space between them."""
    plain = "\0".join(" ".join(str("" if part is None else part).split()).casefold() for part in parts)
    return hashlib.blake2b(plain.encode(), digest_size=16).hexdigest()


def level_of(word: str) -> Level:
    """A level as it is stored; any word that is not known means `info`."""
    return LEVELS.get(word.lower(), Level.INFO)


def clean(text: object, limit: int = TEXT_MAX) -> str:
    """One line of at most `limit` characters, without controls; empty for what is no text."""
    if not isinstance(text, str):
        return ""
    # What is far too long is cut before it is looked through.
    plain = UNWANTED.sub(" ", text[: 8 * limit]).strip()
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def read_text(text: str) -> Iterator[Saying]:
    """What the lines of an assistant's text say, in order. Of several markers of a kind on a line the first counts."""
    for line in text.split("\n"):
        if "[" not in line:
            continue
        trimmed = line.strip()
        if (found := EVENT.search(trimmed)) and (message := clean(found[3])):
            yield SaidEvent(level_of(found[1]), _service(found[2]), message)
        if (found := MEMORY.search(trimmed)) and (observation := clean(found[3])):
            yield SaidMemory(category_of(found[1]), _service(found[2]), observation)
        if (found := COOLDOWN.search(trimmed)) and (words := clean(found[4])):
            yield SaidCooldown(found[1], clean(found[2], NAME_MAX), found[3] == "success", words)


def read_structured(output: Mapping[str, Any]) -> Iterator[Saying]:
    """What a structured output says: events, memories, services checked. What does not fit is passed over."""
    for item in _items(output, "events"):
        if message := clean(item.get("message")):
            yield SaidEvent(level_of(clean(item.get("level"))), _service(item.get("service")), message)
    for item in _items(output, "memories"):
        if observation := clean(item.get("value")):
            service, category = read_key(clean(item.get("key"), 2 * NAME_MAX))
            yield SaidMemory(category, _service(service), observation)
    yield from _checks(output)


def read_key(key: str) -> tuple[str, str]:
    """(service, category) of `service:category` or `category`; turned round where only that makes sense."""
    service, _, category = (part.strip() for part in key.rpartition(":"))
    first, _, rest = (part.strip() for part in key.partition(":"))
    if rest and category_of(category) != category.lower() and category_of(first) == first.lower():
        return rest, category_of(first)
    return service, category_of(category)


def _checks(output: Mapping[str, Any]) -> Iterator[SaidCheck]:
    """One check a service; the worst counts where one is listed more than once."""
    found: dict[str, SaidCheck] = {}
    for item in _items(output, "services_checked"):
        service, status = clean(item.get("name"), NAME_MAX), clean(item.get("status")).lower()
        # A status that is not known says nothing that could be counted.
        if not service or status not in STATUSES:
            continue
        known = found.get(service)
        if known is None or STATUSES.index(status) > STATUSES.index(known.status):
            found[service] = SaidCheck(service, status, clean(item.get("detail")) or None)
    yield from found.values()


def _service(name: object) -> str | None:
    return clean(name, NAME_MAX) or None


def _items(output: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = output.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
