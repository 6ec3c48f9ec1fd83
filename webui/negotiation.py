"""Whether a request wants JSON or a page, by the `.json` suffix or by Accept. For handlers, guard and error pages."""

from typing import Any

import msgspec
from aiohttp import web


def is_json(request: web.Request) -> bool:
    """Whether the answer is JSON. A browser asks for HTML, a program for JSON or for nothing in particular."""
    accept = request.headers.get("Accept", "")
    return request.path.endswith(".json") or ("application/json" in accept and "text/html" not in accept)


def json_response(value: Any, *, status: int = 200) -> web.Response:
    """A value, such as a struct or a list of them, as JSON."""
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers={"Vary": "Accept"},
    )
