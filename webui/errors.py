"""Every failure as a page, or as JSON in the shape of the address: see `webui.negotiation`. The outermost middleware.

A `CallError` says what to do next and brings its status; anything unforeseen is logged whole and shown in short.
"""

import sys
import traceback
from typing import NamedTuple

import jinja2
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from ipc.errors import CallError, Code
from webui import shell
from webui.api import shapes
from webui.negotiation import failure, is_json

TITLES = {
    400: "That request makes no sense",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible",
    409: "Not now",
    413: "Too large",
    421: "Another name",
    422: "Not possible",
    429: "Too fast",
    500: "Something broke",
    503: "Not available now",
    504: "No answer in time",
    507: "The disk is full",
}
WORDS = {
    404: "There is nothing at this address.",
    405: "This address can't be asked like that.",
    413: "What was sent is too large; a prompt may have about 1 MB.",
}
CODES = {
    400: Code.INVALID,
    401: Code.FORBIDDEN,
    403: Code.FORBIDDEN,
    404: Code.NOT_FOUND,
    413: Code.INVALID,
    429: Code.OVERLOADED,
    503: Code.UNAVAILABLE,
}
RETRY_AFTER = 2  # seconds, where the failure does not say
BROKEN = "The body of the request can't be read: it is encoded otherwise than its headers say, or it is cut off."
INTERNAL = "This is a fault of the dashboard; the daemon's log has the details. Sessions go on."


class ErrorPage(NamedTuple):
    """The error page's context."""

    shell: shell.Shell
    status: int
    title: str
    text: str
    hint: str


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into an answer."""
    try:
        return await handler(request)
    except CallError as error:
        response = answer(request, shapes.status(request.path, error), error.code.value, error.message)
        if response.status in (429, 503):
            response.headers["Retry-After"] = str(error.data.get("retry_after", RETRY_AFTER))
        return response
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = "unauthorized" if error.status == 401 else CODES.get(error.status, Code.INVALID).value
        # aiohttp's own text is only the reason again.
        told = error.text if error.text and not error.text.startswith(str(error.status)) else ""
        response = answer(request, error.status, code, WORDS.get(error.status) or told or error.reason)
        for name in ("Retry-After", "Allow", "WWW-Authenticate"):
            if name in error.headers:
                response.headers[name] = error.headers[name]
        return response
    except (HttpProcessingError, web.RequestPayloadError):
        return answer(request, 400, Code.INVALID.value, BROKEN)
    except ConnectionError:
        raise  # the reader has gone: aiohttp closes the connection
    except Exception:  # noqa: BLE001 - the boundary: logged whole, told in short
        # The path of a setup link is a secret, so only the route is named.
        resource = request.match_info.route.resource
        print(f"web: {request.method} {resource.canonical if resource else '?'} failed", file=sys.stderr)
        traceback.print_exc(file=sys.stderr)
        return answer(request, 500, Code.INTERNAL.value, INTERNAL)


def answer(request: web.Request, status: int, code: str, message: str) -> web.StreamResponse:
    """The failure in the form that the request wants."""
    streams = "text/event-stream" in request.headers.get("Accept", "")
    if is_json(request) or streams or shapes.is_for_programs(request.path):
        return failure(request, status, code, message)
    hint = "Try again in a moment." if status in (503, 504) else ""
    title = TITLES.get(status, "That did not work")
    try:
        context = ErrorPage(shell.build(request, title), status, title, message, hint)
        return shell.page(request, "error.html", context, status=status)
    except (jinja2.TemplateError, LookupError):
        traceback.print_exc(file=sys.stderr)
        return web.Response(text=f"{status} {title}\n{message}\n", status=status)
