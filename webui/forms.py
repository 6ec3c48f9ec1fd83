"""What a POST carries: form fields, or a JSON object of texts and numbers. Read once a request."""

import uuid

import msgspec
from aiohttp import web

from ipc.errors import CallError, Code

FIELDS: web.RequestKey[dict[str, str]] = web.RequestKey("form_fields", dict)
DIGITS_MAX = 18


def id_of(request: web.Request) -> int:
    """The number in the address. CallError `not_found` for one that is longer than any."""
    text: str = request.match_info["id"]
    if len(text) > DIGITS_MAX:
        raise CallError(Code.NOT_FOUND, f"There is no {text[:DIGITS_MAX]}…: no number is that long.")
    return int(text)


async def read_form(request: web.Request) -> dict[str, str]:
    """The fields by name. CallError `invalid` for what is neither form nor JSON object; 413 for what is too large."""
    if FIELDS not in request:
        if request.content_type == "application/json":
            request[FIELDS] = _fields(await request.read())
        else:
            request[FIELDS] = await _of_form(request)
    return request[FIELDS]


async def _of_form(request: web.Request) -> dict[str, str]:
    try:
        given = await request.post()
    except (ValueError, LookupError) as error:  # parts without an end, bytes and encodings that are none
        raise CallError(Code.INVALID, f"The form can't be read: {error}") from error
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _fields(body: bytes) -> dict[str, str]:
    try:
        given = msgspec.json.decode(body, type=dict[str, str | int | float | bool | None])
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise CallError(Code.INVALID, f"The body is no JSON object of texts and numbers: {error}") from error
    return {name: str(value) for name, value in given.items() if value is not None}


async def read_body(request: web.Request, most: int) -> bytes:
    """The body of a program, as it came. CallError `too_large`. Read once a request."""
    if (request.content_length or 0) <= most:
        body = await request.read()
        if len(body) <= most:
            return body
    raise CallError(Code.TOO_LARGE, f"The body is too large; it may have {most // 1024} KiB.")


KEY_MAX = 64


def form_key(fields: dict[str, str]) -> str:
    """What makes a form that is sent twice one action; a new one where the form brings none that is fit."""
    key = fields.get("key", "")
    return key if 8 <= len(key) <= KEY_MAX and key.isascii() and key.isalnum() else uuid.uuid4().hex
