"""Whether a request wants JSON, a page or a part of one, and failures in the shape that belongs to the address.

For handlers, guard and error pages. JSON comes at addresses of the API, by the `.json` suffix, or by Accept; a page's
content without its frame for htmx, as the existing program gives it.
"""

from typing import Any

import msgspec
from aiohttp import web

from webui.api import shapes

JSON = "application/json"
HTML = "text/html"
API = "/api/"
VIEWER = "/api/docs"
PARTIAL = "HX-Request"


def is_api(request: web.Request) -> bool:
    """Whether the address is one for programs alone, whose failures are `{"error": sentence}`."""
    return request.path.startswith(API) and not request.path.startswith(VIEWER)


def is_json(request: web.Request) -> bool:
    """Whether the answer is JSON. A browser asks for HTML, a program for JSON or for nothing in particular."""
    return is_api(request) or request.path.endswith(".json") or prefers_json(request.headers.get("Accept", ""))


def is_partial(request: web.Request) -> bool:
    """Whether htmx asks for something to put into a page that stands: the content without its frame.

    What it asks for when its own history has lost a page is that page, whole.
    """
    headers = request.headers
    return headers.get(PARTIAL) == "true" and headers.get("HX-History-Restore-Request") != "true"


def is_form_of_a_browser(request: web.Request) -> bool:
    """Whether what comes back is looked at: a browser that sends a form accepts HTML by name, a script does not."""
    return not is_partial(request) and HTML in _weights(request.headers.get("Accept", ""))


def prefers_json(accept: str) -> bool:
    """Whether an Accept header names JSON, and HTML either not at all or with less weight."""
    weights = _weights(accept)
    json, html = weights.get(JSON, 0.0), weights.get(HTML, 0.0)
    return json > 0 and json > html


def _weights(accept: str) -> dict[str, float]:
    """The media types that a header names, with their weights; one that can't be read counts as 1."""
    found: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 1.0
        found[kind] = max(weight, found.get(kind, 0.0))
    return found


def json_response(value: Any, *, status: int = 200) -> web.Response:
    """A value, such as a struct or a list of them, as JSON."""
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type=JSON,
        headers={"Vary": "Accept"},
    )


def failure(request: web.Request, status: int, code: str, message: str) -> web.Response:
    """A failure as JSON. What an API route calls bad input is 400, as programs of the existing program know it."""
    if (shaped := shapes.failure(request.path, status, code, message)) is not None:
        return json_response(shaped, status=status)
    if is_api(request):
        return json_response({"error": message}, status=400 if status == 422 else status)
    return json_response({"error": {"code": code, "message": message}}, status=status)
