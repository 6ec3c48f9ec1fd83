"""The API's services as a file: all of them are given, and a file is taken, as `claudeopsctl services` does.

The file goes to the worker as it came, which reads it and takes all of it or nothing.
"""

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.services import ExportedReply, ExportServices, ImportedReply, ImportServices
from webui.api.call import read_query
from webui.api.service_types import ImportQuery, ServicesImported
from webui.negotiation import json_response
from webui.parts import parts, signed_in

SECONDS = 60.0
YAML = "application/yaml"
# An empty file is one without services: with prune, all of them would go.
EMPTY = "The body is empty; send the file as it is. One without services is: services: []"
NO_TEXT = "The body is no text in UTF-8; send the file as it is."


async def export(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/services/export."""
    reply = await parts(request).worker.call(ExportServices(), ExportedReply, timeout=SECONDS)
    return web.Response(text=reply.text, content_type=YAML)


async def take(request: web.Request) -> web.StreamResponse:
    """POST /api/v1/services/import: 400 for a file with mistakes, which names them all."""
    query: ImportQuery = read_query(request, ImportQuery)
    try:
        text = (await request.read()).decode()
    except UnicodeDecodeError as error:
        raise CallError(Code.INVALID, NO_TEXT) from error
    if not text.strip():
        raise CallError(Code.INVALID, EMPTY)
    message = ImportServices(
        text=text, file=query.file, dry_run=query.dry_run, prune=query.prune, by=signed_in(request).name
    )
    reply = await parts(request).worker.call(message, ImportedReply, timeout=SECONDS)
    done = ServicesImported(
        added=reply.added,
        changed=reply.changed,
        removed=reply.removed,
        unchanged=reply.unchanged,
        errors=reply.errors,
        dry_run=reply.dry_run,
        error=_refused(reply),
    )
    return json_response(done, status=400 if reply.errors else 200)


def _refused(reply: ImportedReply) -> str:
    if not reply.errors:
        return ""
    first = reply.errors[0]
    more = f" (and {len(reply.errors) - 1} more in errors)" if len(reply.errors) > 1 else ""
    return f"{first.file}:{first.line}:{first.column}: {first.message}{more}; nothing was changed."
