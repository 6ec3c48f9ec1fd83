"""What stands between a route of the API and its handler: reads what the operation declares, and answers in JSON.

A request that does not fit is refused here, with the field by name. Called by `webui.routes` for each route that has an
operation.
"""

import re
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

import msgspec
from aiohttp import web

from ipc.errors import CallError, Code
from webui.api.operation import JSON, Operation
from webui.forms import id_of
from webui.negotiation import json_response

PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?P<place>[^`]*)`)?", re.DOTALL)
UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")


def handler(operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """What answers for an operation; its module is imported with the first request."""
    module, _, function = operation.handler.partition(":")

    async def handle(request: web.Request) -> web.StreamResponse:
        found: Callable[..., Awaitable[Any]] = getattr(import_module(f"webui.{module}"), function)
        if operation.raw:
            answer: web.StreamResponse = await found(request)
            return answer
        reply = await found(request, **await _given(request, operation))
        if operation.reply is None:
            return web.Response(status=operation.status)
        return json_response(reply, status=operation.status)

    return handle


async def _given(request: web.Request, operation: Operation) -> dict[str, Any]:
    """What the handler is called with. CallError `invalid` names the field; HTTPUnsupportedMediaType."""
    given: dict[str, Any] = {}
    if "id" in operation.parameters:
        given["id_"] = id_of(request)
    if operation.query is not None:
        given["query"] = read_query(request, operation.query)
    if operation.body is not None:
        given["body"] = await read_body(request, operation.body, optional=operation.optional)
    return given


def read_query(request: web.Request, kind: type[msgspec.Struct]) -> Any:
    """The parameters behind the question mark; an empty one is none."""
    given = {name: value for name, value in request.query.items() if value}
    for name in given:
        if len(request.query.getall(name)) > 1:
            raise CallError(Code.INVALID, f"{name[:60]}: it is given twice.")
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise CallError(Code.INVALID, told(error, kind)) from error


async def read_body(request: web.Request, kind: type[msgspec.Struct], *, optional: bool = False) -> Any:
    """The JSON object that was sent."""
    body = await request.read()
    if optional and not body:
        return kind()
    if request.content_type != JSON:
        raise web.HTTPUnsupportedMediaType(text=f"Send JSON, with the header Content-Type: {JSON}.")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise CallError(Code.INVALID, told(error, kind)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallError(Code.INVALID, f"The body is no JSON: {error}") from error


def told(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> str:
    """What is wrong, with the field's name at the front."""
    found = PLACE.fullmatch(str(error))
    what, place = (found["what"], found["place"] or "") if found else (str(error), "")
    if unknown := UNKNOWN.fullmatch(what):
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(kind)) or "nothing"
        return f"{unknown['name'][:60]}: it can't be given here; what can: {known}."
    if missing := MISSING.fullmatch(what):
        return f"{missing['name']}: it is missing."
    if "matching regex" in what:
        what = "It is empty, or has characters that can't be there"
    field = place.removeprefix("$").removeprefix(".")
    if field == "offset" and "<=" in what and "before" in kind.__struct_fields__:
        what += "; to go further, give the last id that you have seen as before"
    # A key that is no field's, in a query, has no name in the message.
    return f"{field}: {what[:1].lower()}{what[1:].replace('`', '')}." if field and field != "[...]" else f"{what}."
