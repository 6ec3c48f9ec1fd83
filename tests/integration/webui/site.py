"""The dashboard over a stand-in worker, on a real socket; and browsers of people who are signed in to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from schema.configuration import DECLARATIONS
from schema.settings import Settings
from tests.integration.webui.stand_in import StandIn
from webui.app import build
from webui.parts import PARTS, Parts

CSRF = "c" * 43


class Site:
    """The running dashboard."""

    def __init__(self, server: TestServer, worker: StandIn, application: web.Application) -> None:
        self.server = server
        self.worker = worker
        self.parts: Parts = application[PARTS]
        self.application = application
        self._browsers: list[aiohttp.ClientSession] = []

    @property
    def origin(self) -> str:
        """As a browser names it."""
        return f"http://127.0.0.1:{self.server.port}"

    def browser(self, role: str | None = "admin", **more: Any) -> aiohttp.ClientSession:
        """A browser; of somebody signed in, unless `role` is None."""
        cookies = {}
        if role is not None:
            token = f"token-of-{role}-{len(self._browsers)}"
            known = self.worker.database.one("users.by_name", name=role)
            self.worker.signed_in(known["id"] if known else self.worker.user(role, role), token, CSRF)
            cookies["claudeops"] = token
        jar = aiohttp.CookieJar(unsafe=True)
        made = aiohttp.ClientSession(
            self.origin, cookies=cookies, cookie_jar=jar, headers={"Accept": "text/html", **more.pop("headers", {})}
        )
        self._browsers.append(made)
        return made

    async def close(self) -> None:
        """Ends the browsers."""
        for browser in self._browsers:
            await browser.close()


@contextlib.asynccontextmanager
async def open_site(directory: Path, *, start_worker: bool = True, **settings: Any) -> AsyncIterator[Site]:
    """A dashboard over its own state."""
    worker = StandIn(directory)
    worker.environ = {DECLARATIONS[name].env: str(value) for name, value in settings.items()}
    chosen = Settings(
        state_dir=str(worker.state), results_dir=str(worker.results), runtime_dir=str(worker.runtime), **settings
    )
    if start_worker:
        await worker.start()
    application = build(chosen)
    server = TestServer(application, host="127.0.0.1")
    await server.start_server()
    site = Site(server, worker, application)
    async with asyncio.timeout(10):
        while start_worker and not site.parts.worker.known:
            await asyncio.sleep(0.01)
    try:
        yield site
    finally:
        await site.close()
        await site.parts.streams.close(0.2)
        await server.close()
        await worker.close()
