"""Starts a session of tier 1 when the interval has passed since the last one ended.

All waiting is on the monotonic clock. The due date is a row, so a replaced worker neither forgets it nor fires twice.
Runs as one task of the worker.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from daemon.sessions import rules
from daemon.sessions.lifecycle import Sessions
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.errors import CallError, Code
from ipc.messages.system import StateChanged
from ipc.server import Publisher
from schema import timestamps
from schema.database import DatabaseError
from schema.states import Trigger

NAME = "tier1"
RETRY_SECONDS = 30.0


class Scheduler:
    """The schedule of tier 1. `problem` is why the last attempt did not start, if it did not."""

    def __init__(
        self, store: Store, settings: LiveSettings, sessions: Sessions, publisher: Publisher, boot: str
    ) -> None:
        self._store = store
        self._settings = settings
        self._sessions = sessions
        self._publisher = publisher
        self._boot = boot
        self._due: float | None = None
        self._changed = asyncio.Event()
        self._interval = settings.current.interval
        self.problem: str | None = None
        settings.on_change.append(self._on_change)

    def next_run_at(self) -> str | None:
        """When the next session starts, on the wall clock as it is now; None while one runs or the schedule is off."""
        if self._due is None or not self._settings.current.schedule_enabled:
            return None
        return timestamps.stamp(datetime.now(UTC) + timedelta(seconds=max(0.0, self._due - time.monotonic())))

    def _on_change(self) -> None:
        interval = self._settings.current.interval
        if self._due is not None and interval != self._interval:
            self._due = rules.due_after_change(self._due, self._interval, interval, time.monotonic())
        self._interval = interval
        self._changed.set()

    async def run(self) -> None:
        """Waits, starts, waits for the end; until cancelled."""
        row = await self._store.read(lambda db: db.one("schedules.by_name", name=NAME))
        stored = rules.Due(row["boot"], row["due_mono"]) if row else None
        due = rules.due_at_start(stored, self._boot, time.monotonic())
        while True:
            await self._sessions.idle(1)
            await self._set(due)
            await self._wait()
            if not self._sessions.is_idle(1):
                due = time.monotonic()  # a manual session came first: this one starts when it has ended
                continue
            due = rules.due_after(time.monotonic(), await self._start())

    async def _start(self) -> float:
        """Starts a session and waits for its end; how long to wait before the next."""
        self._due = None
        try:
            await self._sessions.start(tier=1, prompt="", trigger=Trigger.SCHEDULED, by="schedule")
        except (CallError, DatabaseError, OSError) as error:
            if isinstance(error, CallError) and error.code is Code.BUSY:
                return 0.0
            self.problem = f"the scheduled session did not start: {error}"
            return min(RETRY_SECONDS, self._interval)
        self.problem = None
        await self._sessions.idle(1)
        return self._interval

    async def _set(self, due: float) -> None:
        self._due = due
        at = self.next_run_at() or timestamps.now()
        try:
            await self._store.write(
                lambda db: db.change("schedules.set", name=NAME, boot=self._boot, due_mono=due, due_at=at)
            )
        except DatabaseError as error:
            self.problem = f"the schedule could not be stored: {error}"
        self._publisher.publish(StateChanged(what="schedule"))

    async def _wait(self) -> None:
        while True:
            self._changed.clear()
            left = (self._due or 0.0) - time.monotonic()
            enabled = self._settings.current.schedule_enabled
            if enabled and left <= 0:
                return
            try:
                async with asyncio.timeout(left if enabled else None):
                    await self._changed.wait()
            except TimeoutError:
                continue
