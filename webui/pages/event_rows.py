"""Events as the list shows them, and how they are found: for the page and for its live stream."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from schema.database import Database
from schema.knowledge import Event, Level
from webui.needs import calls_for_a_person
from webui.pages import formats
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.keyed import FAR, PAGE, SEARCHED, Choice, number, one_of, words
from webui.pages.session_rows import Look
from webui.parts import Parts

LOOKS = {
    Level.INFO: Look("info", "info", "info"),
    Level.WARNING: Look("warn", "triangle-alert", "warning"),
    Level.CRITICAL: Look("bad", "octagon-x", "critical"),
}
LEVELS = [Choice(level.value, LOOKS[level].word) for level in Level]
OTHER = Look("neutral", "circle-question-mark", "")


class Filters(NamedTuple):
    """What the list is narrowed to; empty text and None are any."""

    level: str = ""
    service: str = ""
    session: int | None = None


class EventRow(NamedTuple):
    """One event in a list."""

    id: int
    tone: str
    icon: str
    word: str
    service: str
    message: str
    session_id: int | None
    at: At
    for_you: bool


class Found(NamedTuple):
    """A page of events; `older` is the id that the next goes on below."""

    events: list[Event]
    older: int | None
    newest: int


def read_filters(query: Any) -> Filters:
    """The filters of an address. CallError names a value that is none."""
    return Filters(one_of(query, "level", LEVELS), words(query, "service"), number(query, "session"))


def matches(event: Event, filters: Filters) -> bool:
    """Whether an event belongs in a filtered list; as the queries judge it."""
    return (
        (not filters.level or event.level == filters.level)
        and (not filters.service or event.service == filters.service)
        and (filters.session is None or event.session_id == filters.session)
    )


def find(database: Database, filters: Filters, before: int | None) -> Found:
    """A page below an id."""
    newest = int(database.value("pages.newest_event") or 0)
    values: dict[str, Any] = {"level": filters.level or None, "service": filters.service or None, "limit": PAGE + 1}
    values["before"] = before or FAR
    edge = None
    if filters.session is not None:
        rows = database.rows("pages.events_of_session", session_id=filters.session, **values)
    else:
        floor = max(1, min(before or FAR, newest + 1) - SEARCHED)
        rows = database.rows("pages.events", floor=floor, **values)
        edge = floor if floor > 1 else None
    events = [msgspec.convert(row, Event) for row in rows]
    return Found(events[:PAGE], events[PAGE - 1].id if len(events) > PAGE else edge, newest)


async def after(here: Parts, above: int, most: int) -> list[Event]:
    """Events that were said since, oldest first."""
    rows = await here.state.read(lambda database: database.rows("pages.events_after", after=above, limit=most))
    return [msgspec.convert(row, Event) for row in rows]


def row(event: Event, now: datetime) -> EventRow:
    """The row of an event, seen at `now`."""
    look = LOOKS[Level(event.level)] if event.level in set(Level) else OTHER._replace(word=event.level[:20])
    return EventRow(
        id=event.id,
        tone=look.tone,
        icon=look.icon,
        word=look.word,
        service=plain(event.service or ""),
        message=plain(event.message),
        session_id=event.session_id,
        at=formats.ago(event.created_at, now),
        for_you=calls_for_a_person(event.message),
    )
