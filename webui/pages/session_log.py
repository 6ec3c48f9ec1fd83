"""The raw log of a session: the whole file as it is, or all of one line's output that a row shows folded.

GET /sessions/{id}/log streams the file for download; with `?at=<offset>` the texts of the line there.
"""

import asyncio
import os
from pathlib import Path

from aiohttp import web

from ipc.errors import CallError, Code
from schema.logline import read_lines, split
from schema.sessions import log_path
from schema.transcript import events
from schema.transcript.parse import parse
from webui.forms import id_of
from webui.pages.folding import as_json
from webui.pages.session import read
from webui.pages.session_view import removed
from webui.parts import parts

CHUNK = 256 * 1024
GONE = "The log file of session {} is not there; somebody may have tidied {}."


async def download(request: web.Request) -> web.StreamResponse:
    """GET /sessions/{id}/log."""
    here = parts(request)
    session = (await read(here, id_of(request))).session
    path = log_path(session, here.settings.results_dir)
    gone = CallError(Code.NOT_FOUND, removed(session) or GONE.format(session.id, here.settings.results_dir))
    if path is None:
        raise gone
    at = request.query.get("at", "")
    try:
        if at:
            return await _one(path, at)
        # What is there now: a log that grows is cut at this length, or the answer would never end.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise gone from None
    try:
        return await _whole(request, descriptor, path.name)
    finally:
        os.close(descriptor)


async def _whole(request: web.Request, descriptor: int, name: str) -> web.StreamResponse:
    size = os.fstat(descriptor).st_size
    safe = "".join(character if character.isalnum() or character in "-_." else "_" for character in name)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{safe}"',
            "Content-Length": str(size),
        }
    )
    await response.prepare(request)
    position = 0
    while position < size:
        chunk = await asyncio.to_thread(os.pread, descriptor, min(CHUNK, size - position), position)
        if not chunk:
            raise OSError(f"{name} became shorter while it was sent")
        await response.write(chunk)
        position += len(chunk)
    await response.write_eof()
    return response


async def _one(path: Path, at: str) -> web.Response:
    if not (at.isascii() and at.isdigit() and len(at) < 19):
        raise CallError(Code.INVALID, f"at={at!r} is no offset in a log.")
    lines, _ = await asyncio.to_thread(read_lines, path, int(at))
    if not lines:
        raise CallError(Code.NOT_FOUND, f"No line of the log begins at {at}.")
    found = split(lines[0].data)
    texts = [_text(event) for event in parse(found.text, found.stream, lines[0].cut)]
    return web.Response(text="\n".join(text for text in texts if text), content_type="text/plain", charset="utf-8")


def _text(event: events.Event) -> str:
    """All that an event says, unfolded."""
    match event:
        case events.ToolUse():
            return as_json(event.input)
        case events.Hook():
            return f"{event.stdout}{event.stderr}"
        case events.Init() | events.SystemNote() | events.Unknown() | events.ApiRetry():
            return as_json(_fields(event))
        case events.Result() if event.structured is not None:
            return as_json(event.structured)
        case events.Cut():
            return f"{event.text}\n… {event.missing} more bytes are in the log file."
        case _:
            return str(getattr(event, "text", ""))


def _fields(event: events.Event) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__ if name != "parent"}
