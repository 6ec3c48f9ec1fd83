"""Long output cut to its head and tail, as the rows of a transcript show it. Pure."""

import json
from typing import Any, NamedTuple

from markupsafe import Markup

from webui.pages import ansi

HEAD_LINES = 10
TAIL_LINES = 10
SLACK_LINES = 2  # so few lines are not worth a fold
LINE_CHARS = 2000


class Block(NamedTuple):
    """One box of output. `hidden` lines between head and tail are left out; `href` leads to all of them."""

    label: str
    head: Markup
    tail: Markup
    hidden: int
    href: str | None
    tone: str


def fold(text: str, *, label: str = "", href: str | None = None, tone: str = "") -> Block:
    """The first and last lines of `text`; very long lines are cut with a visible mark."""
    lines = text.rstrip("\n").split("\n")
    hidden = len(lines) - HEAD_LINES - TAIL_LINES
    if hidden <= SLACK_LINES:
        return Block(label, _html(lines), Markup(), 0, href, tone)
    return Block(label, _html(lines[:HEAD_LINES]), _html(lines[-TAIL_LINES:]), hidden, href, tone)


def _html(lines: list[str]) -> Markup:
    return ansi.html("\n".join(clip(line, LINE_CHARS) for line in lines))


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, and how many more there are."""
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text) - limit} more characters)"


def as_json(value: Any) -> str:
    """A value as indented JSON, for what has no form of its own."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def line_count(text: str) -> int:
    """Lines as people count them."""
    return len(text.rstrip("\n").split("\n")) if text.strip("\n") else 0
