"""Maintenance windows: kept, and asked with each finding whether one is going on for a service.

Built by `daemon.services.services`. All windows are few and lie in memory; the database has them for a restart.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from daemon import audit
from daemon.services import stored
from daemon.services.rules import windows
from daemon.services.rules.definitions import Problem
from daemon.services.stored import WINDOWS_MAX
from daemon.store import Store
from ipc.errors import CallError, Code
from ipc.messages.incidents import AddWindow, RemoveWindow, WindowReply, WindowsReply
from schema import timestamps
from schema.audit_actions import Action
from schema.database import Database, Row
from schema.definitions import Definition, Window
from schema.monitored import PlannedWindow

EVERY = "*"  # the tag of all
AFTER_ALL = "~"  # after every stored time


class Maintenance:
    """All windows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._windows: dict[int, Window] = {}

    async def load(self) -> bool:
        """Reads what is stored; whether it is another than before. DatabaseError."""
        rows = await self._store.read(lambda db: db.rows("windows.all", limit=WINDOWS_MAX))
        before, self._windows = self._windows, {row["id"]: _window(row) for row in rows}
        return self._windows != before

    def holds(self, definition: Definition, now: datetime) -> bool:
        """Whether a service is in a window."""
        return any(_for(window, definition) and windows.active(window, now) for window in self._windows.values())

    async def listing(self, *, over: bool = False) -> WindowsReply:
        """All windows, those that go on first, then by when they begin; those that are over last, or left out."""
        rows = await self._store.read(lambda db: db.rows("windows.all", limit=WINDOWS_MAX))
        now = datetime.now(UTC)
        shown = [_shown(row["id"], _window(row), row["created_by"], now) for row in rows]
        kept = [one for one in shown if over or one.active or one.next_at]
        return WindowsReply(windows=sorted(kept, key=lambda one: (not one.active, one.next_at or AFTER_ALL)))

    async def add(self, request: AddWindow, by: str, request_id: str) -> WindowReply:
        """A window, that holds once all are loaded. CallError `invalid` names the field."""
        moment = datetime.now(UTC)
        window = request.window
        if not window.starts_at and not window.cron:
            window = msgspec.structs.replace(window, starts_at=timestamps.stamp(moment))
        found = windows.problem(window)
        if not found and windows.over(window, moment):
            found = "starts_at", f"it would be over already; {timestamps.stamp(moment)} is now"
        stored.refuse([Problem(*found)] if found else [])

        def write(db: Database) -> WindowReply:
            stored.refuse([*_unknown(db, window)])
            if len(db.rows("windows.all", limit=WINDOWS_MAX)) >= WINDOWS_MAX:
                raise CallError(Code.TOO_LARGE, f"there are {WINDOWS_MAX} windows; remove some")
            id_ = db.value(
                "windows.add",
                title=window.title,
                definition=msgspec.json.encode(window).decode(),
                now=timestamps.stamp(moment),
                by=by,
            )
            audit.add(db, actor=by, action=Action.MAINTENANCE_ADDED, subject=window.title, at=moment)
            return stored.answer(db, WindowReply(window=_shown(id_, window, by, moment)), request_id, moment)

        return await self._store.write(write)

    async def remove(self, request: RemoveWindow, by: str) -> None:
        """Ends a window, or takes it back, once all are loaded. CallError `not_found`."""
        moment = datetime.now(UTC)

        def write(db: Database) -> None:
            row = db.one("windows.one", id=request.id)
            if row is None:
                raise CallError(Code.NOT_FOUND, f"there is no maintenance window {request.id}")
            db.change("windows.remove", id=request.id)
            audit.add(db, actor=by, action=Action.MAINTENANCE_REMOVED, subject=row["title"], at=moment)

        await self._store.write(write)


def _unknown(db: Database, window: Window) -> Iterator[Problem]:
    """What a window names and is not there: it would be for nothing, and nobody would notice."""
    for name in window.services:
        if db.one("definitions.by_name", name=name) is None:
            yield Problem("services", f"there is no service {name!r}; `claudeopsctl services list` shows them")
    for tag in window.tags:
        if tag != EVERY and db.one("definitions.tagged", tag=tag) is None:
            yield Problem("tags", f"no service has the tag {tag!r}; `claudeopsctl services list` shows them")


def _for(window: Window, definition: Definition) -> bool:
    if EVERY in window.tags or definition.name.casefold() in {name.casefold() for name in window.services}:
        return True
    return not {tag.casefold() for tag in window.tags}.isdisjoint(tag.casefold() for tag in definition.tags)


def _window(row: Row) -> Window:
    return msgspec.json.decode(row["definition"], type=Window)


def _shown(id_: int, window: Window, by: str, now: datetime) -> PlannedWindow:
    following, ends = windows.next_start(window, now), windows.end(window, now)
    return PlannedWindow(
        id=id_,
        window=window,
        active=ends is not None,
        ends_at=timestamps.stamp(ends) if ends else None,
        next_at=timestamps.stamp(following) if following else None,
        created_by=by,
    )
