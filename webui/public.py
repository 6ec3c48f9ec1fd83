"""Status pages for people without a sign-in: which are published, and what each shows, made anew every few seconds.

Whoever asks, and however often: the database is read once in a while, and the worker is asked as seldom. Built by
`webui.app`; used by `webui.pages.public_status`.
"""

import asyncio
import contextlib
import time

from ipc.errors import CallError
from ipc.messages.incidents import ListWindows, WindowsReply
from schema.database import Database
from schema.monitored import PlannedWindow
from schema.status_pages import Page
from webui.pages import formats, public_read
from webui.pages.public_read import Snapshot
from webui.rates import Rate
from webui.state import State
from webui.worker import Worker

KEPT_SECONDS = 10.0
WORKER_SECONDS = 2.0
TIMES_A_MINUTE = 300


class PublicPages:
    """What is known of status pages."""

    def __init__(self, state: State, worker: Worker) -> None:
        self._state, self._worker = state, worker
        self.rate = Rate(TIMES_A_MINUTE, 60.0)
        self._published: tuple[float, dict[str, Page]] = (float("-inf"), {})
        self._windows: tuple[float, list[PlannedWindow]] = (float("-inf"), [])
        self._known: dict[str, tuple[float, Snapshot]] = {}
        self._one = asyncio.Lock()

    def forget(self) -> None:
        """What is published has changed: nothing that was made before counts."""
        self._published = (float("-inf"), {})
        self._known.clear()

    async def find(self, slug: str) -> Snapshot | None:
        """What a published page shows, some seconds old at most; None for a slug that is none, or is not published."""
        async with self._one:  # what many ask for is read once
            page = (await self._pages()).get(slug)
            if page is None:
                return None
            made_at, found = self._known.get(slug, (float("-inf"), None))
            if found is None or time.monotonic() - made_at > KEPT_SECONDS:
                found = await self.make(page)
                self._known[slug] = (time.monotonic(), found)
            return found

    async def make(self, page: Page) -> Snapshot:
        """What a page shows now."""
        windows, now = await self._planned(), formats.now()
        return await self._state.read(lambda database: public_read.read(database, page, windows, now))

    async def _pages(self) -> dict[str, Page]:
        read_at, found = self._published
        if time.monotonic() - read_at > KEPT_SECONDS:
            found = await self._state.read(_published)
            self._published = (time.monotonic(), found)
            self._known = {slug: made for slug, made in self._known.items() if slug in found}
        return found

    async def _planned(self) -> list[PlannedWindow]:
        """The windows; while the worker does not answer, those that were known last."""
        asked_at, found = self._windows
        if self._worker.ok and time.monotonic() - asked_at > KEPT_SECONDS:
            # Where it does not answer, those that were known last stand in; it is asked again a little later.
            with contextlib.suppress(CallError):
                found = (await self._worker.call(ListWindows(), WindowsReply, timeout=WORKER_SECONDS)).windows
            self._windows = (time.monotonic(), found)
        return found


def _published(database: Database) -> dict[str, Page]:
    return {found.page.slug: found.page for found in public_read.stored(database) if found.page.published}
