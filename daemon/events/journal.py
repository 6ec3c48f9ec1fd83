"""Events in the database: what a session said, and what the daemon says itself. Told to whoever listens once stored.

`add` stands within somebody's transaction, who publishes `said` of it once that is committed; `Events` does both.
Built by `daemon.parts`; `daemon.sessions.said` adds what sessions say.
"""

from typing import Any

import msgspec

from daemon.notifications import outbox
from daemon.store import Store
from ipc.messages.knowledge import EventSaid, ListEvents
from ipc.server import Publisher
from schema import timestamps
from schema.database import Database
from schema.knowledge import Event, Level
from schema.notifications import Kind

LIMIT_MAX = 1000
NEWEST = 2**62


def add(
    db: Database,
    level: Level,
    message: str,
    *,
    service: str | None = None,
    session_id: int | None = None,
    at: str | None = None,
    kind: Kind = Kind.EVENT,
) -> Event:
    """Stores an event, and has people told it as `kind`. `at`: a stored time, else now. The text is free of secrets."""
    values = {
        "session_id": session_id,
        "level": level.value,
        "service": service,
        "message": message,
        "created_at": at or timestamps.now(),
    }
    event = msgspec.convert(db.one("events.add", **values), Event)
    outbox.note_event(db, event, kind)
    return event


def said(event: Event) -> EventSaid:
    """What is published of an event."""
    return EventSaid(id=event.id, level=event.level, service=event.service, session_id=event.session_id)


class Events:
    """The journal as parts of the daemon and handlers use it."""

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher

    async def add(
        self, level: Level, message: str, *, service: str | None = None, session_id: int | None = None
    ) -> Event:
        """An event that the daemon says, stored and published. DatabaseError."""
        event = await self._store.write(lambda db: add(db, level, message, service=service, session_id=session_id))
        self._publisher.publish(said(event))
        return event

    async def page(self, request: ListEvents) -> list[Event]:
        """A page of events, newest first: by session, service and level, or by any of them."""
        level = None if request.level is None else request.level.value
        values: dict[str, Any] = {"before": request.before or NEWEST, "limit": max(1, min(request.limit, LIMIT_MAX))}
        if request.session_id is not None:
            name = "events.page_by_session"
            values |= {"session_id": request.session_id, "service": request.service or None, "level": level}
        elif request.service:
            name, values = "events.page_by_service", {**values, "service": request.service, "level": level}
        elif level is not None:
            name, values = "events.page_by_level", {**values, "level": level}
        else:
            name = "events.page"
        rows = await self._store.read(lambda db: db.rows(name, **values))
        return msgspec.convert(rows, list[Event])
