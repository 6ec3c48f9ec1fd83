"""Services on a real database, probed at a target of the test's own; what they say is read from the database."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from daemon.services import handlers
from daemon.services.services import Services
from ipc.messages.envelope import Request
from ipc.messages.services import AddService, ServiceReply, ShowService
from ipc.server import Call, Handler, Peer
from schema.database import Row
from schema.definitions import Definition
from schema.monitored import Monitored
from tests.fakes.target import Target
from tests.integration.knowledge.place import Place


class World:
    """The worker's part for services, and the target that they are probed at."""

    def __init__(self, directory: Path, target: Target, **environ: str) -> None:
        self.place = Place(directory)
        self.target = target
        self.settings = self.place.settings(**environ)
        self._failed: list[BaseException] = []
        self._start()
        self._calls = 0

    def _start(self) -> None:
        self.services = Services(self.place.store, self.settings, self.place.heard, self._ended)
        self._table: dict[type, Handler] = handlers.handlers(self.services, self.place.store)
        self._task = asyncio.create_task(self.services.run())

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed.append(error)

    async def again(self) -> None:
        """The worker's part is stopped and built anew, as after a restart."""
        await self.rest()
        self._start()

    async def rest(self) -> None:
        """Nothing is probed or summed up any more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def close(self) -> None:
        """Stops all. A probe that failed by our own fault fails the test."""
        await self.rest()
        await self.place.store.close()
        if self._failed:
            raise self._failed[0]

    async def ask(self, request: Request) -> Any:
        """Sends a request to its handler."""
        self._calls += 1
        return await self._table[type(request)](Call(f"id-{self._calls}", Peer(0, 0, 0), 0.0, ""), request)

    async def add(self, name: str, path: str = "/", **more: Any) -> Monitored:
        """A service that is probed every 0.2 s or so, unless the test says otherwise."""
        wanted = {"interval": 1.0, "timeout": 0.5, "url": self.target.url(path), **more}
        reply: ServiceReply = await self.ask(AddService(definition=Definition(name=name, **wanted), by="ada"))
        return reply.service

    async def show(self, service: Monitored) -> Monitored:
        """How it stands now."""
        reply: ServiceReply = await self.ask(ShowService(id=service.id))
        return reply.service

    async def until(
        self, service: Monitored, wanted: str | Callable[[Monitored], bool], within: float = 8.0
    ) -> Monitored:
        """Waits for a status, or for anything else about it."""
        end = time.monotonic() + within
        while True:
            found = await self.show(service)
            if found.status == wanted if isinstance(wanted, str) else wanted(found):
                return found
            assert time.monotonic() < end, f"still {found.status}: {found.detail}"
            await asyncio.sleep(0.02)

    async def told(self) -> list[str]:
        """The titles of what people are told, the first first."""
        return [row["title"] for row in await self.place.rows("SELECT title FROM notifications ORDER BY id")]

    async def rows(self, query: str) -> list[Row]:
        """The rows of an ad-hoc query."""
        return await self.place.rows(query)
