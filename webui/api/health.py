"""Whether this process serves (/healthz), and whether the daemon can be used (/readyz). For probes; no sign-in."""

import asyncio

from aiohttp import web

from ipc.errors import CallError
from webui.api.answered import HealthReply
from webui.negotiation import json_response
from webui.parts import parts

PATIENCE = 2.0


async def alive(request: web.Request) -> web.StreamResponse:
    """GET /healthz: 200 as long as this process answers."""
    return json_response({"status": "ok", "version": parts(request).version})


async def ready(request: web.Request) -> web.StreamResponse:
    """GET /readyz: 200 if the worker is heard and the database can be read, else 503 with the reasons."""
    here = parts(request)
    reasons = []
    if not here.worker.ok or not here.worker.known:
        reasons.append("the worker is not answering")
    try:
        async with asyncio.timeout(PATIENCE):
            await here.state.read(lambda database: database.value("users.count"))
    except CallError as error:
        reasons.append(error.message)
    except TimeoutError:
        reasons.append("the database does not answer")
    if here.streams.closing:
        reasons.append("stopping")
    return json_response(
        {"status": "unavailable" if reasons else "ok", "reasons": reasons}, status=503 if reasons else 200
    )


async def serves(request: web.Request) -> HealthReply:
    """GET /api/v1/health: the same as /healthz, as programs of the existing program know it."""
    return HealthReply()
