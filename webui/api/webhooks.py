"""POST /api/v1/webhook and /api/v1/webhooks/{source}: alerts of other programs, answered 202 once they are queued.

The body goes to the worker as it came: that reads it, and stores what it says before anything is answered here. While a
worker is being replaced the same request is sent again, with the same id, so that it counts once.
"""

import asyncio
import hashlib
import uuid
from typing import Any

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.alerts import AlertsReply, TakeAlerts, Taken
from webui.auth.keys import BY_SIGNATURE, SIGNED_MAX
from webui.forms import read_body
from webui.negotiation import json_response
from webui.parts import parts, signed_in
from webui.worker import Worker

GENERIC = "generic"
CALL_SECONDS = 4.0
PERSIST_SECONDS = 8.0
PAUSE_SECONDS = 0.25


async def take(request: web.Request) -> web.StreamResponse:
    """202 with what became of each alert; 400 for a body that is none, 413, 429 where too many wait."""
    body = await read_body(request, SIGNED_MAX)
    person = signed_in(request)
    source = request.match_info.get("source", GENERIC)
    message = TakeAlerts(source=source, body=body, tier=_tier(request), by=person.name)
    id_ = uuid.uuid4().hex
    if person.name == BY_SIGNATURE:
        # A signed body that comes again is the same delivery: sent twice, or replayed by somebody who saw it.
        id_ = "signed-" + hashlib.sha256(f"{source}\0".encode() + body).hexdigest()[:48]
    return json_response(_told(await _stored(parts(request).worker, message, id_)), status=202)


def _tier(request: web.Request) -> int:
    text = request.query.get("tier", "")
    if text and text not in ("1", "2", "3"):
        raise CallError(Code.INVALID, f"tier: {text[:20]!r} is no tier; choose 1, 2 or 3, or leave it out")
    return int(text or 0)


async def _stored(worker: Worker, message: TakeAlerts, id_: str) -> AlertsReply:
    """The worker's reply. CallError, after some seconds, where it is away."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PERSIST_SECONDS
    while True:
        try:
            return await worker.call(message, AlertsReply, timeout=CALL_SECONDS, id_=id_)
        except CallError as error:
            if error.code not in (Code.UNAVAILABLE, Code.DEADLINE):
                raise
            if loop.time() > end:
                raise CallError(Code.UNAVAILABLE, f"{error.message} Nothing was taken; send it again.") from error
        await asyncio.sleep(PAUSE_SECONDS)


def _told(reply: AlertsReply) -> dict[str, Any]:
    """`session_id` is there for senders that know it: a session starts when its tier is free, so it is null."""
    begun = [alert for alert in reply.alerts if alert.status is not Taken.RESOLVED]
    return {
        "session_id": None,
        "status": "triggered" if begun else "acknowledged",
        "tier": begun[0].tier if begun else None,
        "trigger_id": begun[0].trigger_id if begun else None,
        "alerts": reply.alerts,
    }
