"""What stands behind the demo's `docker`: a small HTTP API on loopback over the containers of `daemon.demo.services`.

Run by the demo's stage, asked by `daemon.demo.docker`. Every answer is the text that `docker` prints; a status of 400
and above means that it failed.
"""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from daemon.demo.services import REDEPLOYED_S, RESTARTED_S, Container

STOPS_S = 0.6
PULLS_S = 1.5
ROW = "{:<12}{:<34}{}\n"


class Engine:
    """The API. `start` returns its base URL."""

    def __init__(self, containers: Mapping[str, Container]) -> None:
        self._containers = containers
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listens on a free port of 127.0.0.1."""
        app = web.Application()
        app.router.add_get("/containers", self._list)
        app.router.add_get("/containers/{name}/logs", self._logs)
        app.router.add_post("/containers/{name}/restart", self._restart)
        app.router.add_post("/containers/{name}/up", self._up)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _named(self, request: web.Request) -> Container:
        name = request.match_info["name"]
        if name not in self._containers:
            raise web.HTTPNotFound(text=f"Error: no such container: {name}\n")
        return self._containers[name]

    async def _list(self, request: web.Request) -> web.Response:
        rows = [ROW.format("NAME", "STATUS", "IMAGE")]
        for name, container in self._containers.items():
            health = "unhealthy" if container.is_down else "healthy"
            rows.append(ROW.format(name, f"Up {ago(container.up_s)} ({health})", f"demo/{name}:4.2"))
        return web.Response(text="".join(rows))

    async def _logs(self, request: web.Request) -> web.Response:
        lines = [f"{ago(seconds)} ago  {line}\n" for seconds, line in self._named(request).log()]
        return web.Response(text="".join(lines[-int(request.query.get("tail", "100")) :]))

    async def _restart(self, request: web.Request) -> web.Response:
        container = self._named(request)
        await asyncio.sleep(STOPS_S)
        container.start(RESTARTED_S)
        return web.Response(text=f"{container.name}\n")

    async def _up(self, request: web.Request) -> web.Response:
        container = self._named(request)
        await asyncio.sleep(PULLS_S)
        container.start(REDEPLOYED_S)
        return web.Response(text=f" Container {container.name}  Recreated\n Container {container.name}  Started\n")


def ago(seconds: float) -> str:
    """A duration as `docker ps` tells it."""
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
