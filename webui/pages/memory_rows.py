"""Memories as the list shows them, by service, and as Markdown. Pure but for `find`, which reads the database."""

from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from schema.database import Database
from schema.knowledge import Memory
from webui.pages import formats
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.keyed import Choice, one_of, words

MOST = 2000
SHOWN = [Choice("active", "active"), Choice("all", "all"), Choice("inactive", "inactive")]
GENERAL = "All services"


class Filters(NamedTuple):
    """What the list is narrowed to; empty text is any. `shown`: active (the default), all, inactive."""

    service: str = ""
    category: str = ""
    shown: str = ""


class MemoryRow(NamedTuple):
    """One memory. `percent`: how certain it is."""

    id: int
    category: str
    observation: str
    percent: int
    active: bool
    tier: int
    updated: At
    session_id: int | None


class Group(NamedTuple):
    """The memories of one service."""

    service: str
    rows: list[MemoryRow]


def read_filters(query: Any) -> Filters:
    """The filters of an address. CallError names a value that is none."""
    return Filters(words(query, "service"), words(query, "category"), one_of(query, "shown", SHOWN))


def from_row(row: dict[str, Any]) -> Memory:
    """A row of the table as a value."""
    return msgspec.convert({**row, "active": bool(row["active"])}, Memory)


def find(database: Database) -> list[Memory]:
    """All of them, the newest MOST."""
    return [from_row(row) for row in database.rows("pages.memories", limit=MOST)]


def matching(memories: list[Memory], filters: Filters) -> list[Memory]:
    """Those that the filters let in; by service, the most certain first."""
    shown = filters.shown or "active"
    found = [
        memory
        for memory in memories
        if (not filters.service or memory.service == filters.service)
        and (not filters.category or memory.category == filters.category)
        and (shown == "all" or memory.active == (shown == "active"))
    ]
    return sorted(found, key=lambda memory: (memory.service or "", not memory.active, -memory.confidence, memory.id))


def names(memories: list[Memory]) -> tuple[list[str], list[str]]:
    """The services and the categories that there are."""
    return (
        sorted({memory.service for memory in memories if memory.service}),
        sorted({memory.category for memory in memories}),
    )


def groups(memories: list[Memory], now: datetime) -> list[Group]:
    """Memories, which come by service, as the list shows them."""
    by_service = groupby(memories, key=lambda memory: memory.service or "")
    return [Group(plain(service) or GENERAL, [row(memory, now) for memory in some]) for service, some in by_service]


def row(memory: Memory, now: datetime) -> MemoryRow:
    """One memory, seen at `now`."""
    return MemoryRow(
        id=memory.id,
        category=plain(memory.category),
        observation=plain(memory.observation),
        percent=round(memory.confidence * 100),
        active=memory.active,
        tier=memory.tier,
        updated=formats.ago(memory.updated_at, now),
        session_id=memory.session_id,
    )


def markdown(memories: list[Memory]) -> str:
    """Memories, which come by service, as a document."""
    lines = ["# Operational memory", ""]
    for service, some in groupby(memories, key=lambda memory: memory.service or ""):
        lines += [f"## {_line(service) or GENERAL}", ""]
        for memory in some:
            off = "" if memory.active else ", inactive"
            lines.append(f"- **{_line(memory.category)}**: {_line(memory.observation)} ({memory.confidence:.0%}{off})")
        lines.append("")
    return "\n".join(lines)


def _line(text: str) -> str:
    return " ".join(plain(text).split())
