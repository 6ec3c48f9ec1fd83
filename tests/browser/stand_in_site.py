"""The dashboard over a stand-in worker, in a thread of its own, for browsers: pages with whatever rows a test wants.

Playwright keeps an event loop in the test's thread, so the site's loop is elsewhere; `ask` carries calls over to it.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.integration.webui.site import Site, open_site
from tests.integration.webui.stand_in import StandIn

T = TypeVar("T")


class StandInSite:
    """The running dashboard. `role`: as whom `sign_in` signs in."""

    def __init__(self, site: Site, loop: asyncio.AbstractEventLoop) -> None:
        self.cookie = ""
        self.role = "admin"
        self._site = site
        self._loop = loop

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self._site.server.port or 0)

    def sign_in(self, role: str = "") -> "StandInSite":
        """Makes the cookie of somebody of that role."""
        self.role = role or self.role
        self.cookie = self.ask(lambda _: self._cookie())
        return self

    def _cookie(self) -> str:
        browser = self._site.browser(self.role)
        return next(f"claudeops={cookie.value}" for cookie in browser.cookie_jar if cookie.key == "claudeops")

    def ask(self, question: Callable[[StandIn], T]) -> T:
        """Has the worker do something, in its own thread."""

        async def do() -> T:
            return question(self._site.worker)

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result(20)


@contextlib.contextmanager
def stand_in_site(directory: Path, **settings: Any) -> Iterator[StandInSite]:
    """A dashboard that is signed in to as an admin."""
    ready: list[StandInSite] = []
    opened, over = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    async def serve() -> None:
        async with open_site(directory, **settings) as site:
            ready.append(StandInSite(site, asyncio.get_running_loop()))
            opened.set()
            await asyncio.to_thread(over.wait)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failed.append(error)
        opened.set()

    thread = threading.Thread(target=run, name="site")
    thread.start()
    opened.wait(20)
    try:
        if failed:
            raise failed[0]
        yield ready[0].sign_in()
    finally:
        over.set()
        thread.join(20)
        if failed:
            raise failed[0]
