"""The one door: every request passes here before its handler. Host, sign-in or API token, role, Origin, CSRF token.

What a route asks for stands in `webui.routes`; what no route names asks for a sign-in too.
"""

import hmac
import math
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from ipc.errors import CallError, Code
from schema.access import PREFIX
from webui.auth import rules
from webui.auth.client import asker, client_address, is_passed_on
from webui.auth.rules import Access, Door
from webui.auth.sign_ins import COOKIE, FORM_COOKIE, SIGNED_IN, SignedIn
from webui.auth.tokens import Refused, bearer, missing_scope
from webui.forms import read_form
from webui.needs import NEEDS, look
from webui.negotiation import failure, is_json
from webui.parts import PARTS, Parts

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
GRANTS = (
    "A token that ends, or has not every scope, makes no people, links or tokens, and gives nobody a role: take one"
    " that has no such bounds, or sign in."
)
FORGED = "The form was not sent from this dashboard, or it is too old. Load the page again and repeat."


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets a request through to its handler, or answers itself."""
    parts = request.app[PARTS]
    parts.proxies.note(request)
    access, door = _access(request, parts), parts.doors.get(_address(request), Door.NONE)
    if door is Door.ADDRESS:
        # A job has neither cookie nor form, comes by any name, and whoever made it ask was told the address.
        return await handler(request)
    token = bearer(request)
    if door is not Door.NONE and (token is not None or COOKIE not in request.cookies):
        # Whom a key lets in may come by any name, from a page of any origin: no browser adds a key by itself.
        return await _by_key(request, handler, access, door, token)
    # Probes come by address, from the container's or the cluster's own network.
    if request.path not in PROBES and not rules.host_allowed(
        asker(request, parts.trusted).host, parts.settings.public_url
    ):
        raise web.HTTPMisdirectedRequest(text="This dashboard has another name: see CLAUDEOPS_PUBLIC_URL.")
    unsafe = request.method not in rules.SAFE_METHODS
    if unsafe and not _same_origin(request, parts):
        raise CallError(Code.FORBIDDEN, FORGED)
    if token is not None and access is not Access.PUBLIC:
        return await _by_token(request, handler, access, token)
    if access is Access.PUBLIC or (access is Access.SCRAPE and _is_local_program(request)):
        if unsafe and not await _has_form_cookie(request):
            raise CallError(Code.FORBIDDEN, FORGED)
        return await handler(request)
    person = await parts.sign_ins.find(request)
    if person is None:
        return _to_sign_in(request)
    request[SIGNED_IN] = person
    if unsafe and not await _has_token(request, person):
        raise CallError(Code.FORBIDDEN, FORGED)
    if not rules.may(person.role, access):
        raise CallError(Code.FORBIDDEN, f"This needs the role {access.value}; you are {person.role.value}.")
    await _look(request, parts)
    response = await handler(request)
    if not response.prepared and parts.sign_ins.is_stale(person):
        parts.sign_ins.renew(person)
        if COOKIE not in response.cookies:
            parts.sign_ins.set_cookie(request, response, request.cookies[COOKIE])
    return response


async def _by_key(
    request: web.Request, handler: Handler, access: Access, door: Door, token: str | None
) -> web.StreamResponse:
    """A program at an address that takes the chat key, or a signed body, in the place of an operator's token."""
    if token is not None and token.startswith(PREFIX):
        return await _by_token(request, handler, access, token)
    request[SIGNED_IN] = await request.app[PARTS].keys.find(request, door, token)
    return await handler(request)


async def _by_token(request: web.Request, handler: Handler, access: Access, token: str) -> web.StreamResponse:
    """The same for a program: whatever cookie comes along, and without a CSRF token, for no page can send a bearer."""
    parts = request.app[PARTS]
    try:
        found = await parts.tokens.find(token, client_address(request, parts.trusted))
    except CallError as error:
        return _refusal(request, error.http_status, error.message, error.code.value)
    if isinstance(found, Refused):
        return _no_token(request, found)
    request[SIGNED_IN] = found
    unsafe = request.method not in rules.SAFE_METHODS
    if not rules.may(found.role, access):
        return _refusal(request, 403, f"This needs the role {access.value}; the token's is {found.role.value}.")
    missing = missing_scope(found, unsafe=unsafe, scrape=access is Access.SCRAPE)
    if missing is not None:
        return _refusal(request, 403, f"This needs the scope {missing.value}, which the token does not have.")
    if _address(request) in parts.granting and not rules.may_grant(found.scopes, found.expires_at):
        return _refusal(request, 403, GRANTS)
    await _look(request, parts)
    return await handler(request)


def _no_token(request: web.Request, refused: Refused) -> web.Response:
    if refused.wait > 0:
        response = _refusal(request, 429, refused.text, Code.OVERLOADED.value)
        response.headers["Retry-After"] = str(max(1, math.ceil(refused.wait)))
        return response
    response = _refusal(request, 401, refused.text, "unauthorized")
    response.headers["WWW-Authenticate"] = 'Bearer realm="claudeops", error="invalid_token"'
    return response


def _refusal(request: web.Request, status: int, text: str, code: str = Code.FORBIDDEN.value) -> web.Response:
    """Always as JSON: who shows a token is a program."""
    return failure(request, status, code, text)


async def _look(request: web.Request, parts: Parts) -> None:
    """What the frame of a page shows."""
    if not is_json(request) and "text/event-stream" not in request.headers.get("Accept", ""):
        request[NEEDS] = await look(parts)


def _address(request: web.Request) -> tuple[str, str]:
    """Method and path as the table has them; none of the table's where there is no such address."""
    # The route's method, for one that takes any has `*`.
    method, resource = request.match_info.route.method, request.match_info.route.resource
    return "GET" if method == "HEAD" else method, "" if resource is None else resource.canonical


def _access(request: web.Request, parts: Parts) -> Access:
    return parts.access.get(_address(request), Access.VIEWER)


def _same_origin(request: web.Request, parts: Parts) -> bool:
    headers = request.headers
    return rules.origin_allowed(
        headers.get("Origin"),
        headers.get("Sec-Fetch-Site"),
        asker(request, parts.trusted).host,
        parts.settings.public_url,
    )


def _is_local_program(request: web.Request) -> bool:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return peer is not None and rules.is_loopback(peer[0]) and not is_passed_on(request)


async def _token(request: web.Request) -> str:
    return request.headers.get("X-CSRF-Token") or (await read_form(request)).get("csrf", "")


async def _has_token(request: web.Request, person: SignedIn) -> bool:
    return hmac.compare_digest((await _token(request)).encode(), person.csrf.encode())


async def _has_form_cookie(request: web.Request) -> bool:
    """Before a sign-in there is nothing to tie a token to but the browser: cookie and field must agree."""
    cookie = request.cookies.get(FORM_COOKIE, "")
    return len(cookie) >= 20 and hmac.compare_digest((await _token(request)).encode(), cookie.encode())


def _to_sign_in(request: web.Request) -> web.StreamResponse:
    streams = "text/event-stream" in request.headers.get("Accept", "")
    if is_json(request) or streams or request.method not in rules.SAFE_METHODS:
        raise web.HTTPUnauthorized(text="Sign in first.")
    address = f"/sign-in?next={quote(request.path_qs, safe='/')}"
    if request.path == "/":
        address = "/sign-in"
    return web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
