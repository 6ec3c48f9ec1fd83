"""Where jobs tell of themselves: GET, HEAD or POST /heartbeat/{token}, and /start, /fail or an exit code below it.

The address is the secret, so there is no sign-in; its end goes to the worker as a hash alone. A worker that is being
replaced is asked again for some seconds with the same id: a job tells once, and doesn't look whether it was heard. So
no sign of life is lost over what comes along with it: a slash at the end, a long output, one that stalls.
"""

import asyncio
import math
import uuid

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.envelope import Done
from ipc.messages.services import HearService, Said
from schema.access import digest
from webui.parts import parts
from webui.worker import Worker

TOKEN_MAX = 100
TOOK_MAX_MS = 1e9
TEXT_MAX = 10_000
# Of a longer output the rest is read and dropped, for some senders take no answer before they have sent all of it.
BODY_MAX = 8 * 1024 * 1024
BODY_SECONDS = 8.0
CALL_SECONDS = 4.0
PERSIST_SECONDS = 8.0
PAUSE_SECONDS = 0.25
AT_ONCE = 50
GONE = "There is no such heartbeat.\n"
NO_CODE = "After a heartbeat's address comes nothing, /start, /fail or an exit code.\n"
METHODS = ("GET", "HEAD", "POST")
# Strangers may ask this, so they may not fill the worker's desk.
_room = asyncio.Semaphore(AT_ONCE)


async def succeeded(request: web.Request) -> web.StreamResponse:
    """The job has ended well, unless a query as Uptime Kuma's monitors send it says otherwise."""
    up = request.query.get("status", "").lower() in ("", "up")
    return await _hear(request, Said.SUCCESS if up else Said.FAIL)


async def begun(request: web.Request) -> web.StreamResponse:
    """The job has begun."""
    return await _hear(request, Said.START)


async def failed(request: web.Request) -> web.StreamResponse:
    """The job has failed."""
    return await _hear(request, Said.FAIL)


async def ended(request: web.Request) -> web.StreamResponse:
    """The job has ended with an exit code, as a shell's `$?` has it."""
    code = request.match_info["code"]
    if not (code.isascii() and code.isdigit() and len(code) < 6):
        return web.Response(text=NO_CODE, status=404)
    return await _hear(request, Said.SUCCESS, int(code))


async def refused(request: web.Request) -> web.StreamResponse:
    """Whatever else is asked below /heartbeat/: a sign-in would look like a success to a job, and show the address."""
    if request.method not in METHODS:
        allowed = f"A heartbeat is told by {', '.join(METHODS)}.\n"
        raise web.HTTPMethodNotAllowed(request.method, METHODS, text=allowed)
    return web.Response(text=NO_CODE, status=404)


async def _hear(request: web.Request, said: Said, exit_code: int = 0) -> web.Response:
    token = request.match_info["token"]
    if len(token) > TOKEN_MAX or not token.isascii():
        return web.Response(text=GONE, status=404)
    body = await _begin_of_body(request) if request.method == "POST" else b""
    text = body.decode("utf-8", "replace").strip() or request.query.get("msg", "")[:TEXT_MAX].strip()
    message = HearService(
        token_hash=digest(token),
        said=said,
        exit_code=exit_code,
        # A byte of an address that is no UTF-8 is a surrogate here, which can't be sent on.
        text=text.encode("utf-8", "replace").decode(),
        took_ms=_milliseconds(request.query.get("ping", "")),
    )
    try:
        async with _room:
            await _stored(parts(request).worker, message)
    except CallError as error:
        if error.code is not Code.NOT_FOUND:
            raise
        return web.Response(text=GONE, status=404)
    return web.Response(text="OK\n", headers={"Cache-Control": "no-store"})


async def _begin_of_body(request: web.Request) -> bytes:
    """What is kept of the output. One that stalls or has no end is taken as far as it came."""
    kept, size = bytearray(), 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while size < BODY_MAX and (part := await request.content.readany()):
                kept += part[: TEXT_MAX - len(kept)]
                size += len(part)
    except (TimeoutError, OSError, web.RequestPayloadError):
        return bytes(kept)  # that the job told of itself counts, not what it had to say
    return bytes(kept)


def _milliseconds(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and 0 <= found < TOOK_MAX_MS else None


async def _stored(worker: Worker, message: HearService) -> None:
    """Once the worker has it. CallError, after some seconds, where it is away."""
    loop, id_ = asyncio.get_running_loop(), uuid.uuid4().hex
    end = loop.time() + PERSIST_SECONDS
    while True:
        try:
            await worker.call(message, Done, timeout=CALL_SECONDS, id_=id_)
        except CallError as error:
            if error.code not in (Code.UNAVAILABLE, Code.DEADLINE) or loop.time() > end:
                raise
        else:
            return
        await asyncio.sleep(PAUSE_SECONDS)
