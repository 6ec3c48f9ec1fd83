"""One alert as every source comes to it, and how texts of strangers are made fit to be kept.

Used by the modules of `daemon.alerts.sources`, which read bodies, and by `daemon.alerts.rules`. Pure.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

TITLE_MAX = 200
WORD_MAX = 100
TEXT_MAX = 8000
KEY_MAX = 150  # below what a trigger's key may have, with the source before it
RESOLVED = frozenset(
    {"resolved", "resolve", "ok", "okay", "up", "recovered", "recovery", "closed", "normal", "inactive"}
)
BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")


class Alert(NamedTuple):
    """What happened. `key` makes two tellings of one thing the same; `tier` is 0 where nothing was asked for."""

    source: str
    key: str
    title: str
    text: str = ""
    service: str = ""
    severity: str = ""
    resolved: bool = False
    tier: int = 0


class BodyError(ValueError):
    """A body that can't be read; the message names the field."""


def make(source: str, key: str, title: str, **facts: Any) -> Alert:
    """An alert of bounded texts on clean lines."""
    facts["text"] = block(facts.get("text", ""))
    for name in ("service", "severity"):
        facts[name] = line(facts.get(name, ""), WORD_MAX)
    return Alert(source, short_key(key), line(title, TITLE_MAX) or f"an alert from {source}", **facts)


def line(text: str, most: int) -> str:
    """One line without control characters, cut with a mark."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in BREAKS.sub(" ", text)).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def block(text: str) -> str:
    """Lines without control characters, cut with a mark."""
    rows = (BREAKS.sub("", row) for row in text.replace("\r\n", "\n").replace("\t", "    ").split("\n"))
    plain = "\n".join("".join(sign if sign.isprintable() else " " for sign in row).rstrip() for row in rows).strip()
    return plain if len(plain) <= TEXT_MAX else plain[: TEXT_MAX - 1] + "…"


def short_key(key: str) -> str:
    """The key itself, or its fingerprint where it is long or not of one line."""
    if 0 < len(key) <= KEY_MAX and key.isprintable():
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def fields(named: Mapping[str, str]) -> str:
    """Names and values, one a line, without those that say nothing."""
    return "\n".join(f"{name}: {value}" for name, value in named.items() if value)


def first(named: Mapping[str, str], *names: str) -> str:
    """The first of these that says something."""
    return next((named[name] for name in names if named.get(name)), "")
