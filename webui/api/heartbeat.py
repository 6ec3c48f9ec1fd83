"""Where jobs tell of themselves: GET, HEAD or POST /heartbeat/{token}, and /start, /fail or an exit code below it.

The address is the secret, so there is no sign-in; its end goes to the worker as a hash alone. A worker that is being
replaced is asked again for some seconds with the same id: a job tells once, and doesn't look whether it was heard.
"""

import asyncio
import uuid

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.envelope import Done
from ipc.messages.services import HearService, Said
from schema.access import digest
from webui.forms import read_body
from webui.parts import parts
from webui.worker import Worker

TOKEN_MAX = 100
TEXT_MAX = 10_000
CALL_SECONDS = 4.0
PERSIST_SECONDS = 8.0
PAUSE_SECONDS = 0.25
AT_ONCE = 50
GONE = "There is no such heartbeat.\n"
NO_CODE = "After a heartbeat's address comes nothing, /start, /fail or an exit code.\n"
# Strangers may ask this, so they may not fill the worker's desk.
_room = asyncio.Semaphore(AT_ONCE)


async def succeeded(request: web.Request) -> web.StreamResponse:
    """The job has ended well."""
    return await _hear(request, Said.SUCCESS)


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


async def _hear(request: web.Request, said: Said, exit_code: int = 0) -> web.Response:
    token = request.match_info["token"]
    if len(token) > TOKEN_MAX:
        return web.Response(text=GONE, status=404)
    body = await read_body(request, TEXT_MAX) if request.method == "POST" else b""
    message = HearService(
        token_hash=digest(token), said=said, exit_code=exit_code, text=body.decode("utf-8", "replace").strip()
    )
    try:
        async with _room:
            await _stored(parts(request).worker, message)
    except CallError as error:
        if error.code is not Code.NOT_FOUND:
            raise
        return web.Response(text=GONE, status=404)
    return web.Response(text="OK\n", headers={"Cache-Control": "no-store"})


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
