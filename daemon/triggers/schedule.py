"""The schedule of tier 1: puts a trigger into the queue when the interval has passed since the last chain ended, or
when the cron expression says so.

The interval is waited for on the monotonic clock, a cron date on the wall clock. The due date is a row, so a replaced
worker neither forgets it nor fires twice. What was missed while nobody was there is made up for by one session: at
each start of the daemon with an interval, and where a date passed with a cron expression. Runs as a task of the worker.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from daemon.sessions.lifecycle import Sessions
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.triggers import rules
from daemon.triggers.queue import Asked, Queue
from ipc.errors import CallError
from ipc.messages.system import StateChanged
from ipc.server import Publisher
from schema import actors, timestamps
from schema.database import Database, DatabaseError
from schema.states import Trigger

T = TypeVar("T")
NAME = "tier1"
RETRY_SECONDS = 30.0
LOOK_SECONDS = 15.0
SETTLE_SECONDS = 2.0
FIRED = Asked(Trigger.SCHEDULED, 1, key="schedule", by=actors.SCHEDULE)


class Schedule:
    """The schedule. `problem` is why the last attempt did not work, if it did not."""

    def __init__(
        self,
        store: Store,
        settings: LiveSettings,
        sessions: Sessions,
        queue: Queue,
        publisher: Publisher,
        boot: str,
    ) -> None:
        self._store = store
        self._settings = settings
        self._queue = queue
        self._publisher = publisher
        self._boot = boot
        self._due: float | None = None  # monotonic
        self._date: datetime | None = None  # local, with a cron expression
        self._changed = asyncio.Event()
        self._interval = settings.current.interval
        self.problem: str | None = None
        self._moved = asyncio.Event()
        settings.on_change.append(self._on_change)
        settings.checks["schedule_cron"] = lambda text: rules.next_date(text, datetime.now().astimezone())
        sessions.on_change.append(self._moved.set)

    def next_run_at(self) -> str | None:
        """When the next session starts, on the wall clock as it is now; None while one runs or the schedule is off."""
        left = self._left()
        if left is None or not self._settings.current.schedule_enabled:
            return None
        return timestamps.stamp(datetime.now(UTC) + timedelta(seconds=max(0.0, left)))

    def _left(self) -> float | None:
        if self._date is not None:
            return (self._date - datetime.now().astimezone()).total_seconds()
        return None if self._due is None else self._due - time.monotonic()

    def _on_change(self) -> None:
        interval = self._settings.current.interval
        if self._due is not None and interval != self._interval:
            self._due = rules.due_after_change(self._due, self._interval, interval, time.monotonic())
        self._interval = interval
        self._changed.set()

    async def run(self) -> None:
        """Waits, fires, waits for the end of the chain; until cancelled."""
        due = await self._first()
        while True:
            await self._set(due)
            await self._wait()
            self._due = self._date = None
            try:
                await self._fire()
            except (CallError, DatabaseError) as error:
                self.problem = f"the schedule could not put its trigger into the queue: {error}"
                due = time.monotonic() + RETRY_SECONDS
                continue
            self.problem = None
            await self._settled()
            due = rules.due_after(time.monotonic(), self._settings.current.interval)

    async def _first(self) -> float:
        """When to fire first, on the monotonic clock."""
        row = await self._surely(lambda: self._store.read(lambda db: db.one("schedules.by_name", name=NAME)))
        if await self._unsettled():
            await self._settled()
            return rules.due_after(time.monotonic(), self._settings.current.interval)
        stored = rules.Due(row["boot"], row["due_mono"]) if row else None
        if self._settings.current.schedule_cron and row:
            return 0.0 if rules.missed(timestamps.parse(row["due_at"]), datetime.now(UTC)) else time.monotonic()
        return rules.due_at_start(stored, self._boot, time.monotonic())

    async def _fire(self) -> None:
        """Puts the trigger into the queue; meanwhile the next date is one interval on, whatever is killed."""
        await self._store_due(time.monotonic() + self._settings.current.interval)
        await self._queue.add(FIRED)

    async def _unsettled(self) -> bool:
        """Whether the chain that was fired last still waits or runs. One that waits for a person does not count."""

        def read(db: Database) -> bool:
            trigger = db.one("triggers.last_of_kind", kind=Trigger.SCHEDULED.value)
            if trigger is None or trigger["status"] not in ("waiting", "started"):
                return False
            if trigger["status"] == "waiting":
                return True
            chain = trigger["session_id"]
            return bool(
                db.one("sessions.running_in_chain", chain=chain) or db.one("triggers.waits_in_chain", chain=chain)
            )

        return await self._surely(lambda: self._store.read(read))

    async def _settled(self) -> None:
        while await self._unsettled():
            self._moved.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_SECONDS):
                    await self._moved.wait()

    async def _set(self, due: float) -> None:
        expression = self._settings.current.schedule_cron
        self._due, self._date = due, None
        if expression:
            self._date = self._next_date(expression, due)
        await self._surely(lambda: self._store_due(due))
        self._publisher.publish(StateChanged(what="schedule"))

    def _next_date(self, expression: str, due: float) -> datetime | None:
        now = datetime.now().astimezone()
        if due == 0.0:
            return now  # a date that was missed
        try:
            date = rules.next_date(expression, now)
        except ValueError as error:
            self.problem = f"{error}; no session starts by the schedule"
            return None
        self.problem = None
        return date

    async def _store_due(self, due: float) -> None:
        at = self.next_run_at() or timestamps.stamp(
            datetime.now(UTC) + timedelta(seconds=max(0.0, due - time.monotonic()))
        )
        await self._store.write(
            lambda db: db.change("schedules.set", name=NAME, boot=self._boot, due_mono=due, due_at=at)
        )

    async def _surely(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What `attempt` gives; tried until the database takes it, for no task of the worker's may end."""
        failed = False
        while True:
            try:
                found = await attempt()
            except (CallError, DatabaseError) as error:
                failed = True
                self.problem = f"the schedule can't be read or stored: {error}"
                await asyncio.sleep(SETTLE_SECONDS)
                continue
            if failed:
                self.problem = None
            return found

    async def _wait(self) -> None:
        """Until it is due, and the schedule is on."""
        expression = self._settings.current.schedule_cron
        while True:
            self._changed.clear()
            settings = self._settings.current
            if settings.schedule_cron != expression:
                expression = settings.schedule_cron
                await self._set(rules.due_after(time.monotonic(), settings.interval))
            left = self._left()
            ready = settings.schedule_enabled and not (expression and self._date is None)
            if ready and left is not None and left <= 0:
                return
            try:
                # The wall clock may be set meanwhile, so a date is looked at again and again.
                async with asyncio.timeout(None if not ready else min(left or 0.0, LOOK_SECONDS)):
                    await self._changed.wait()
            except TimeoutError:
                continue
