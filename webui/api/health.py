"""Whether this process serves (/healthz), and whether the daemon can be used (/readyz). For probes; no sign-in.

Both say what keeps the daemon from its work, such as a full disk, by the worker's last beat.
"""

import asyncio

from aiohttp import web

from ipc.errors import CallError
from webui.api.answered import HealthReply
from webui.negotiation import json_response
from webui.parts import parts
from webui.worker import SILENCE

PATIENCE = 2.0


async def alive(request: web.Request) -> web.StreamResponse:
    """GET /healthz: 200 as long as this process answers; what keeps the daemon from its work is in the body."""
    here = parts(request)
    trouble = here.worker.trouble
    told = {"status": "degraded", "reason": trouble} if trouble else {"status": "ok"}
    return json_response({**told, "version": here.version})


async def ready(request: web.Request) -> web.StreamResponse:
    """GET /readyz: 200 if the worker is heard and the database can be used, else 503 with the reasons.

    A daemon that is degraded can be used, and restarting it, or sending readers elsewhere, mends nothing: 200, and why.
    A lock that another process holds is let go again, and nothing that is asked for meanwhile can be stored.
    """
    here = parts(request)
    reasons = []
    trouble = here.worker.trouble
    if not here.worker.ok or not here.worker.known:
        reasons.append(SILENCE)
    elif here.worker.locked and trouble:
        reasons.append(trouble)
    try:
        async with asyncio.timeout(PATIENCE):
            await here.state.read(lambda database: database.value("users.count"))
    except CallError as error:
        reasons.append(error.message)
    except TimeoutError:
        reasons.append("the database does not answer")
    if here.streams.closing:
        reasons.append("stopping")
    if reasons:
        return json_response({"status": "unavailable", "reasons": reasons}, status=503)
    return json_response({"status": "degraded" if trouble else "ok", "reasons": [trouble] if trouble else []})


async def serves(request: web.Request) -> HealthReply:
    """GET /api/v1/health: that this process answers, as programs of the existing program know it."""
    return HealthReply()
