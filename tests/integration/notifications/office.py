"""The outbox at work in a test: a store on a real database, `Notifications` as a task, and ways to look at both."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from daemon.notifications import outbox
from daemon.notifications.notifications import Notifications
from daemon.notifications.routing import Trouble
from daemon.notifications.rules import Pace
from daemon.settings.live import LiveSettings
from daemon.store import Store
from schema.database import Database
from schema.knowledge import Level
from schema.notifications import Kind
from tests.fixtures import databases

QUICK = Pace(first=0.2, longest=0.5, give_up=3600.0)


class Office:
    """One worker's part. `again` is the worker that comes after it was killed: nothing but the database stays."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "claudeops.db"
        self.directory = directory
        self._open()
        self.troubles: list[Trouble] = []
        self.blocked: list[str] = []
        self.task: asyncio.Task[None] | None = None

    def _open(self) -> None:
        self.store = Store(self.path, databases.opened(self.path))

    async def work(self, *urls: str, pace: Pace = QUICK, **environ: str) -> Notifications:
        """Begins to send."""
        given = {"CLAUDEOPS_STATE_DIR": str(self.directory), "CLAUDEOPS_APPRISE_URLS": ",".join(urls), **environ}
        self.settings = LiveSettings(given, self.store)
        await self.settings.read_overrides()
        self.found = Notifications(
            self.store, self.settings, lambda: self.troubles, self._blocked, lambda task: None, pace
        )
        self.task = asyncio.create_task(self.found.run())
        return self.found

    async def _blocked(self) -> list[str]:
        return self.blocked

    async def rest(self) -> None:
        """Stops sending."""
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task
            self.task = None

    async def again(self) -> None:
        """The next worker's database, after this one."""
        await self.close()
        self._open()

    async def close(self) -> None:
        """Ends it."""
        await self.rest()
        await self.store.close()

    async def say(
        self, *titles: str, level: Level = Level.WARNING, kind: Kind = Kind.EVENT, told_as: Level | None = None
    ) -> None:
        """Puts these into the outbox."""

        def add(db: Database) -> None:
            for title in titles:
                outbox.add(db, kind, level, title, body="what happened", told_as=told_as)

        await self.store.write(add)
        if self.task is not None:
            self.found.wake.set()

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of an ad-hoc query."""

        def read(db: Database) -> list[dict[str, Any]]:
            cursor = db._connection.execute(query)
            found = []
            for row in cursor:
                found.append(dict(zip((column[0] for column in cursor.get_description()), row, strict=True)))
            return found

        return await self.store.read(read)

    async def until_statuses(self, *wanted: str) -> None:
        """Waits until the deliveries stand so: that a message was sent is noted a moment after its receiver has it."""
        end = time.monotonic() + 10
        while (found := await self.statuses()) != list(wanted):
            assert time.monotonic() < end, found
            await asyncio.sleep(0.02)

    async def statuses(self) -> list[str]:
        """The deliveries' statuses, in order."""
        return [row["status"] for row in await self.rows("SELECT status FROM deliveries ORDER BY notification_id")]

    async def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        """Waits for something; AssertionError if it does not come."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds} s"
            await asyncio.sleep(0.02)

    async def until_all(self, status: str, seconds: float = 20.0) -> None:
        """Waits until every delivery has a status."""
        end = time.monotonic() + seconds
        while set(found := await self.statuses()) != {status}:
            assert time.monotonic() < end, f"not all {status} within {seconds} s: {found[:20]}"
            await asyncio.sleep(0.05)
