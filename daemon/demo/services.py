"""Three small services on loopback for the demo's sessions: one healthy, one slow, one that breaks again and again.

Run by the demo's stage. Each listens on a port of its own and answers GET /health with a JSON body. What mends the
broken one is a restart, which `daemon.demo.engine` carries out; whoever can't wait breaks it with POST /break.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

SLOW_S = 0.8
RESTARTED_S = 50.0
REDEPLOYED_S = 240.0
"""How long the breaking service is well after a restart, and in a new container. The latter outlasts two checks."""


@dataclass(frozen=True)
class Service:
    """A service as sessions know it."""

    name: str
    url: str


class Container:
    """What a container engine knows of one service: when it was started, when it fails, what it logs."""

    def __init__(self, name: str, *, breaks: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """One that `breaks` is broken from the beginning, and some time after each start."""
        self.name = name
        self._breaks = breaks
        self._clock = clock
        self._started = self._fails_at = clock()
        self._log: list[tuple[float, str]] = [(self._started, f"{name} started")]
        self.fail_after(0)

    @property
    def is_down(self) -> bool:
        """Whether it fails now."""
        return self._breaks and self._clock() >= self._fails_at

    @property
    def up_s(self) -> float:
        """Seconds since its start."""
        return self._clock() - self._started

    def start(self, holds_s: float) -> None:
        """A start: it is well for `holds_s` from now on, if it is one that breaks."""
        self._started = self._clock()
        self._log.append((self._started, f"{self.name} started"))
        self.fail_after(holds_s)

    def fail_after(self, seconds: float) -> None:
        """Loses its connection that long from now."""
        if self._breaks:
            now = self._clock()
            self._fails_at = now + seconds
            # What was to happen later does not happen any more.
            self._log = [line for line in self._log if line[0] <= now]
            self._log.append((self._fails_at, "ERROR connection to ledger:5432 lost, and not opened again"))

    def log(self) -> list[tuple[float, str]]:
        """What it has logged, oldest first: how many seconds ago, and the line."""
        now = self._clock()
        return [(now - at, line) for at, line in self._log if at <= now]


class Services:
    """The three services. `start` returns them with their addresses; `containers` are what holds them, by name."""

    def __init__(self) -> None:
        self.containers = {name: Container(name, breaks=name == "payments") for name in ("shop", "search", "payments")}
        self._runners: list[web.AppRunner] = []

    async def start(self) -> list[Service]:
        """Listens on three free ports of 127.0.0.1."""
        handlers = {"shop": self._shop, "search": self._search, "payments": self._payments}
        found = []
        for name, handler in handlers.items():
            app = web.Application()
            app.router.add_get("/health", handler)
            if name == "payments":
                app.router.add_post("/break", self._break)
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
        if self.containers["payments"].is_down:
            body = {"service": "payments", "status": "error", "cause": "no connection to ledger:5432"}
            return web.json_response(body, status=503)
        return web.json_response({"service": "payments", "status": "ok", "ledger": "connected"})

    async def _break(self, request: web.Request) -> web.Response:
        self.containers["payments"].fail_after(0)
        return web.json_response({"service": "payments", "status": "broken"})
