"""Three small services on loopback for the demo's sessions: one healthy, one slow, one that breaks and recovers.

Run by the demo's stage. Each listens on a port of its own and answers GET /health with a JSON body.
"""

import asyncio
import time
from dataclasses import dataclass

from aiohttp import web

SLOW_S = 0.8


@dataclass(frozen=True)
class Service:
    """A service as sessions know it."""

    name: str
    url: str


@dataclass(frozen=True)
class Cycle:
    """When the breaking service is down: first for `down_s`, then up for `up_s`, and so on."""

    down_s: float = 35.0
    up_s: float = 75.0

    def is_down(self, elapsed_s: float) -> bool:
        """Whether it is down that long after its start."""
        return elapsed_s % (self.down_s + self.up_s) < self.down_s


class Services:
    """The three services. `start` returns them with their addresses."""

    def __init__(self, cycle: Cycle | None = None) -> None:
        self._cycle = cycle or Cycle()
        self._since = time.monotonic()
        self._runners: list[web.AppRunner] = []

    async def start(self) -> list[Service]:
        """Listens on three free ports of 127.0.0.1."""
        self._since = time.monotonic()
        handlers = {"shop": self._shop, "search": self._search, "payments": self._payments}
        found = []
        for name, handler in handlers.items():
            app = web.Application()
            app.router.add_get("/health", handler)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            self._runners.append(runner)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            found.append(Service(name, f"http://127.0.0.1:{runner.addresses[0][1]}/health"))
        return found

    async def stop(self) -> None:
        """Stops listening."""
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def _shop(self, request: web.Request) -> web.Response:
        return web.json_response({"service": "shop", "status": "ok", "version": "4.2.0"})

    async def _search(self, request: web.Request) -> web.Response:
        await asyncio.sleep(SLOW_S)
        return web.json_response({"service": "search", "status": "ok", "index": "rebuilding"})

    async def _payments(self, request: web.Request) -> web.Response:
        if self._cycle.is_down(time.monotonic() - self._since):
            body = {"service": "payments", "status": "error", "cause": "no connection to ledger:5432"}
            return web.json_response(body, status=503)
        return web.json_response({"service": "payments", "status": "ok", "ledger": "connected"})
