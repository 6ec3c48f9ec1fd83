"""Memories as the list shows them, by service, and as Markdown. Pure but for what takes the database."""

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

    @property
    def actives(self) -> tuple[bool, ...]:
        """Which are wanted: those that are active, those that aren't."""
        return {"all": (True, False), "inactive": (False,)}.get(self.shown, (True,))


class Listed(NamedTuple):
    """What the list shows: the newest MOST that the filters let in, whether there are more, and what can be chosen."""

    memories: list[Memory]
    cut: bool
    services: list[str]
    categories: list[str]


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


def find(database: Database, filters: Filters) -> Listed:
    """The newest that the filters let in."""
    actives = filters.actives
    rows = database.rows(
        "pages.memories",
        service=filters.service or None,
        category=filters.category or None,
        active=int(actives[0]) if len(actives) == 1 else None,
        limit=MOST + 1,
    )
    found = [from_row(row) for row in rows[:MOST]]
    categories = [str(row["category"]) for row in database.rows("pages.memory_categories")]
    return Listed(found, len(rows) > MOST, [name for name in services(database) if name], categories)


def _order(memory: Memory) -> tuple[str, bool, float, int]:
    return memory.service or "", not memory.active, -memory.confidence, memory.id


def services(database: Database) -> list[str]:
    """Every service that there is a memory of; an empty one stands for none, too."""
    return [str(row["service"]) for row in database.rows("pages.memory_services")]


def groups(memories: list[Memory], now: datetime) -> list[Group]:
    """Memories as the list shows them: by service, the most certain first."""
    by_service = groupby(sorted(memories, key=_order), key=lambda memory: memory.service or "")
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


def heading(memory: Memory) -> str:
    """The heading of the memories of its service, in a Markdown document."""
    return f"## {_line(memory.service or '') or GENERAL}"


def item(memory: Memory) -> str:
    """A memory as a line of that document."""
    off = "" if memory.active else ", inactive"
    return f"- **{_line(memory.category)}**: {_line(memory.observation)} ({memory.confidence:.0%}{off})"


def _line(text: str) -> str:
    return " ".join(plain(text).split())
