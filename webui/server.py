"""Runs the web process: serves on the socket that the supervisor listens on, beats, and ends when it is told to.

A worker that is away, a database that is not there or damaged, never end it; a neighbour of another protocol does, with
exit code 76, so that it is started anew from the code that lies there now.
"""

import asyncio
import gc
import socket
import sys
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from ipc import ending
from ipc.control import Control, descriptors, short_of_descriptors
from schema.settings import Settings
from webui.app import STREAMS_GRACE, build
from webui.door import Door
from webui.parts import PARTS, Parts
from webui.tls import TLS, Tls

STOP_SECONDS = 3.0
EXIT_PROTOCOL = 76
BACKLOG = 1024
SETTLED_SECONDS = 3.0  # after the start, when those who came back have their page
IDLE_SECONDS = 75.0  # that a connection may wait for its next request


def _listening(environ: Mapping[str, str], settings: Settings) -> socket.socket:
    """The socket that the supervisor handed over; by hand, without a supervisor, one of our own."""
    descriptor = environ.get("CLAUDEOPS_HTTP_FD")
    if descriptor:
        return socket.socket(fileno=int(descriptor))
    return socket.create_server((settings.dashboard_host, settings.dashboard_port), backlog=BACKLOG)


async def serve(environ: Mapping[str, str], settings: Settings) -> int:
    """Serves until told to stop; the exit code."""
    loop = asyncio.get_running_loop()
    stopping: asyncio.Future[int] = loop.create_future()

    def stop(code: int = 0) -> None:
        if not stopping.done():
            stopping.set_result(code)

    ending.on_signal(stop)
    app = build(settings)
    here = app[PARTS]
    tls = Tls(settings.tls_cert, settings.tls_key) if settings.tls_cert else None
    if tls is not None:
        app[TLS] = tls
    here.worker.unsupported.add_done_callback(lambda future: _protocol(future, stop))
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=1.0, handler_cancellation=True, keepalive_timeout=IDLE_SECONDS
    )
    await runner.setup()
    listening = _listening(environ, settings)
    listening.setblocking(False)
    door = _open(runner, listening, tls)
    watching = asyncio.create_task(tls.watch(), name="certificate") if tls is not None else None
    control = await _open_control(environ, here, stop, tls)
    loop.call_later(SETTLED_SECONDS, _settle)
    code = await stopping
    if watching is not None:
        watching.cancel()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            door.close()
            await here.streams.close(STREAMS_GRACE)
            await runner.cleanup()
    except TimeoutError:
        print(f"web: not everything had ended after {STOP_SECONDS:g} s", file=sys.stderr)
    if control is not None:
        control.close()
    ending.deaf()
    return code


def _settle() -> None:
    """Drops what importing has left, 0.3 MiB; all else stays, and the collector need not look at it again."""
    gc.collect()
    gc.freeze()


def _open(runner: web.AppRunner, listening: socket.socket, tls: Tls | None) -> Door:
    """Begins to serve."""
    assert runner.server is not None  # noqa: S101 - the runner was set up
    door = Door(listening, runner.server, tls)
    door.open()
    return door


def _protocol(future: "asyncio.Future[str]", stop: Any) -> None:
    if not future.cancelled():
        print(f"web: {future.result()}; starting anew", file=sys.stderr)
        stop(EXIT_PROTOCOL)


async def _open_control(environ: Mapping[str, str], here: Parts, stop: Any, tls: Tls | None) -> Control | None:
    descriptor = environ.get("CLAUDEOPS_CONTROL_FD")
    if not descriptor:
        return None

    def note() -> dict[str, Any]:
        known = descriptors()
        told = tls.warnings() if tls is not None else []
        return {
            "live": len(here.streams),
            "fds": known[0],
            "warnings": [*told, *short_of_descriptors("the web process", *known)],
            "proxy": here.proxies.problem(),
        }

    def on_message(message: dict[str, Any]) -> None:
        if message.get("command") == "stop":
            stop()
        elif message.get("command") == "reload" and tls is not None:
            tls.load()

    control = Control(int(descriptor), note, on_message)
    await control.open()
    control.ready(here.version)
    return control
