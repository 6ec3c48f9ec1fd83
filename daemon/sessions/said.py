"""Stores what a session says, within the transaction that moves its log's offset: each thing once, whatever is killed.

Called by `daemon.sessions.follow`. What was said before, in words or in the structured output, is known by its hash
and passed over; beyond its bounds a session is not listened to any more, which one event tells.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from daemon.events import journal
from daemon.health import checks
from daemon.memories import rules, stored
from daemon.sessions.markers import (
    KINDS,
    SaidCheck,
    SaidCooldown,
    SaidEvent,
    SaidMemory,
    Spoken,
    memory_key,
)
from daemon.store import Store
from ipc.messages.knowledge import EventSaid, KnowledgeChanged
from schema.database import Database
from schema.knowledge import Event, Level
from schema.sessions import Session

LIMITS = {"event": 500, "memory": 200, "cooldown": 50, "health": 300}
NAMES = {"event": "events", "memory": "memories", "cooldown": "cooldown marks", "health": "checked services"}


class Told(NamedTuple):
    """What was stored, to be published once that is committed."""

    events: list[Event]
    changed: list[str]

    def publications(self) -> Iterator[EventSaid | KnowledgeChanged]:
        """What others are told of it."""
        yield from (journal.said(event) for event in self.events)
        yield from (KnowledgeChanged(what=what) for what in self.changed)


class Listener:
    """One batch of one session's words, within a transaction."""

    def __init__(self, db: Database, session: Session, healthy_checks: int) -> None:
        self._db = db
        self._session = session
        self._healthy_checks = healthy_checks
        self._counts: dict[str, int] = {}
        self.events: list[Event] = []
        self.changed: set[str] = set()

    def hear(self, spoken: Spoken) -> None:
        """Stores one thing, if it is new and within bounds."""
        what, at = spoken.what, spoken.at
        kind = KINDS[type(what)]
        if self._count(kind) >= LIMITS[kind]:
            self._leave_out(kind, at)
            return
        new = self._note(kind, what.key)
        if isinstance(what, SaidCooldown):
            self._mark(what, at, repeated=not new)
        elif new and isinstance(what, SaidEvent):
            self._event(what.level, what.message, what.service, at)
        elif new and isinstance(what, SaidMemory):
            self._remember(what, at)
        elif new and isinstance(what, SaidCheck):
            self._check(what, at)

    def _count(self, kind: str) -> int:
        if kind not in self._counts:
            self._counts[kind] = int(self._db.value("said.count", session_id=self._session.id, kind=kind))
        return self._counts[kind]

    def _note(self, kind: str, key: str) -> bool:
        new = bool(self._db.change("said.add", session_id=self._session.id, kind=kind, key=key))
        self._counts[kind] = self._counts.get(kind, 0) + new
        return new

    def _leave_out(self, kind: str, at: str) -> None:
        if self._note("left out", kind):
            told = f"It says more than {LIMITS[kind]} {NAMES[kind]}; the others are left out here and stand in its log."
            self._event(Level.WARNING, told, None, at)

    def _event(self, level: Level, message: str, service: str | None, at: str) -> None:
        added = journal.add(self._db, level, message, service=service, session_id=self._session.id, at=at)
        self.events.append(added)

    def _remember(self, said: SaidMemory, at: str) -> None:
        known = stored.alike(self._db, said.service, said.category)
        # What a session says stands side by side: only what others said is contradicted by it.
        keys = {memory.id: memory_key(memory.service, memory.category, memory.observation) for memory in known}
        beside = {id_ for id_, key in keys.items() if self._has("memory", key)}
        same = rules.known(known, said.observation)
        if same is not None and keys[same.id] != said.key:
            if same.id in beside:
                return  # its own sentence, in other words
            self._note("memory", keys[same.id])
        stored.remember(
            self._db,
            service=said.service,
            category=said.category,
            observation=said.observation,
            at=at,
            session_id=self._session.id,
            tier=self._session.tier,
            known=known,
            beside=beside,
        )
        self.changed.add("memories")

    def _has(self, kind: str, key: str) -> bool:
        return bool(self._db.value("said.has", session_id=self._session.id, kind=kind, key=key))

    def _check(self, said: SaidCheck, at: str) -> None:
        cleared = checks.check(
            self._db,
            self._session,
            service=said.service,
            status=said.status,
            detail=said.detail,
            at=at,
            healthy_checks=self._healthy_checks,
        )
        self.changed.add("health")
        if cleared:
            self.changed.add("cooldowns")

    def _mark(self, said: SaidCooldown, at: str, *, repeated: bool) -> None:
        if checks.mark(
            self._db,
            self._session,
            action=said.action,
            service=said.service,
            success=said.success,
            text=said.text,
            at=at,
            repeated=repeated,
        ):
            self.changed.add("cooldowns")


def store(db: Database, session: Session, batch: Iterable[Spoken], healthy_checks: int) -> Told:
    """Within a transaction: stores what is new of a batch. `healthy_checks` in a row clear a service's cooldowns."""
    listener = Listener(db, session, healthy_checks)
    for spoken in batch:
        listener.hear(spoken)
    return Told(listener.events, sorted(listener.changed))


async def keep_house(store: Store) -> None:
    """Forgets what was said by sessions that can't say it again. DatabaseError."""
    await store.write(lambda db: db.change("said.forget"))
