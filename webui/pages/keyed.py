"""Lists that are paged by id, newest first: numbers and filters in the address, and the link to what is older. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from ipc.errors import CallError, Code

PAGE = 50
FAR = 1 << 62
WORDS_MAX = 200
# A search with no index of its own looks through so many rows at a time; the next page goes on from there.
SEARCHED = 20_000


class Choice(NamedTuple):
    """One value of a filter."""

    value: str
    label: str


def number(query: Any, name: str) -> int | None:
    """A number in the address; None without it. CallError for what is none."""
    text = query.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise CallError(Code.INVALID, f"{name}={text[:40]!r} is no number; clear the filter.")
    return int(text)


def words(query: Any, name: str) -> str:
    """A text in the address."""
    return str(query.get(name, "")).strip()[:WORDS_MAX]


def one_of(query: Any, name: str, choices: list[Choice]) -> str:
    """A chosen value in the address; empty is any. CallError for what is no choice."""
    value = words(query, name)
    if value and value not in [choice.value for choice in choices]:
        raise CallError(Code.INVALID, f"{value!r} is no {name}; clear the filter.")
    return value


def address(path: str, given: Mapping[str, Any], **more: Any) -> str:
    """The address of a list; empty filters stay out of it."""
    kept = {name: value for name, value in {**given, **more}.items() if value not in ("", None)}
    return f"{path}?{urlencode(kept)}" if kept else path
