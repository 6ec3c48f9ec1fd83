"""Signing in and out, and the setup link that makes the first administrator.

The web process verifies and hashes passwords; rows change in the worker. Failures are counted there, so a restart of
this process forgives nobody.
"""

import math
import time
from datetime import UTC, datetime
from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.envelope import Done
from ipc.messages.users import SetUp, SignIn, SignInFailed, SignInReply, SignOut
from schema import timestamps
from schema.access import digest, name_mark
from schema.access import new_secret as new_token
from schema.database import Database
from webui import shell
from webui.auth import known_browsers, rules
from webui.auth.client import client_address
from webui.auth.passwords import Verdict
from webui.auth.rules import Failures
from webui.auth.sign_ins import COOKIE, TOKEN_MAX
from webui.forms import read_form
from webui.parts import parts, signed_in

WRONG = "Name or password is wrong."
SLOWED = "Too many wrong passwords."
NO_USERS = "Nobody has an account yet. The console and `claudeopsctl setup-link` show the link that makes the first."
LINK_OVER = "This setup link was used or has expired. `claudeopsctl setup-link` makes a new one."


class SignInPage(NamedTuple):
    """The sign-in form's context."""

    shell: shell.Shell
    error: str | None
    name: str
    retry_after: int | None
    next: str


class SetupPage(NamedTuple):
    """The setup form's context. `first`: nobody has an account yet."""

    shell: shell.Shell
    token: str
    error: str | None
    name: str
    first: bool


class Standing(NamedTuple):
    """What the database knows before a sign-in is judged. `counted`: in the place of which address it counts."""

    user_id: int | None
    name: str
    password_hash: str | None
    counted: str
    delay: float


def _form(request: web.Request, error: str | None, name: str, target: str, *, wait: float = 0.0) -> web.Response:
    status = 200 if error is None else 429 if wait else 401
    retry = max(1, math.ceil(wait)) if wait else None
    context = SignInPage(shell.build(request, "Sign in"), error, name, retry, target)
    response = shell.page(request, "sign_in.html", context, status=status)
    if retry:
        response.headers["Retry-After"] = str(retry)
    return response


async def show(request: web.Request) -> web.StreamResponse:
    """GET /sign-in."""
    here = parts(request)
    target = rules.local_target(request.query.get("next", "/"))
    if await here.sign_ins.find(request) is not None:
        return web.Response(status=303, headers={"Location": target})
    nobody = await _nobody(request)
    context = SignInPage(shell.build(request, "Sign in"), NO_USERS if nobody else None, "", None, target)
    return shell.page(request, "sign_in.html", context)


def _standing(database: Database, name: str, address: str, known: str) -> Standing:
    """`known`: the cookie of a browser in which somebody has signed in before."""
    user = database.one("users.by_name", name=name)
    if user is None or user["disabled_at"]:
        return Standing(None, name, None, address, _delay(database, name, address))
    hash_ = user["password_hash"] or None
    counted = known_browsers.counted_as(known, user["id"], hash_) or address
    return Standing(user["id"], user["name"], hash_, counted, _delay(database, name, counted))


def _delay(database: Database, name: str, address: str) -> float:
    now = time.time()
    since = timestamps.at(now - rules.WINDOW_SECONDS)

    def failures(query: str, **values: str) -> Failures:
        row = database.one(f"users.failures_of_{query}", since=since, **values) or {}
        count, last = tuple(row.values())
        return Failures(count, now - timestamps.parse(last).timestamp() if last else rules.WINDOW_SECONDS)

    mark = name_mark(name)
    return rules.sign_in_delay(
        failures("pair", name=mark, address=address), failures("address", address=address), failures("name", name=mark)
    )


async def sign_in(request: web.Request) -> web.StreamResponse:
    """POST /sign-in."""
    here = parts(request)
    fields = await read_form(request)
    name, password = fields.get("name", "").strip()[: rules.NAME_MAX], fields.get("password", "")
    target = rules.local_target(fields.get("next", "/"))
    if not name or not password or len(password) > rules.PASSWORD_MAX:
        return _form(request, WRONG, name, target)
    address, known = client_address(request, here.trusted), request.cookies.get(known_browsers.COOKIE, "")
    # Before the queue too, so that whoever is slowed down does not hold others up.
    standing = await here.state.read(lambda database: _standing(database, name, address, known))
    if standing.delay > 0:
        return _form(request, SLOWED, name, target, wait=standing.delay)
    async with here.passwords.turn():
        standing = await here.state.read(lambda database: _standing(database, name, address, known))
        if standing.delay > 0:
            return _form(request, SLOWED, name, target, wait=standing.delay)
        verdict = await here.passwords.verify(standing.password_hash, password)
        if not verdict.right or standing.user_id is None:
            await here.worker.call(SignInFailed(name=name, address=address, counted=standing.counted), Done)
            return _form(request, WRONG, name, target)
        return await _admit(request, standing, verdict, address, target)


async def _admit(request: web.Request, standing: Standing, verdict: Verdict, address: str, target: str) -> web.Response:
    here = parts(request)
    token = new_token()
    message = SignIn(
        user_id=standing.user_id or 0,
        name=standing.name,
        address=address,
        counted=standing.counted,
        sign_in_hash=digest(token),
        csrf=new_token(),
        verified=digest(standing.password_hash or ""),
        rehash=verdict.rehash,
    )
    await here.worker.call(message, SignInReply)
    hash_ = verdict.rehash or standing.password_hash or ""
    return await let_in(request, token, message.user_id, hash_, target)


async def let_in(request: web.Request, cookie: str, user_id: int, hash_: str, target: str = "/") -> web.Response:
    """The answer to a browser that has just signed in as somebody; its old sign-in is given up."""
    if old := request.cookies.get(COOKIE):
        await _end(request, digest(old))
    sign_ins = parts(request).sign_ins
    response = web.Response(status=303, headers={"Location": target})
    sign_ins.set_cookie(request, response, cookie)
    known_browsers.remember(request, response, sign_ins, user_id, hash_)
    return response


async def _end(request: web.Request, token_hash: str) -> None:
    here = parts(request)
    await here.worker.call(SignOut(sign_in_hash=token_hash), Done)
    here.sign_ins.forget(token_hash)
    here.streams.end_sign_in(token_hash)


async def sign_out(request: web.Request) -> web.StreamResponse:
    """POST /sign-out."""
    if signed_in(request).token_id:
        raise CallError(Code.INVALID, "A token has no sign-in to end; an admin revokes it at /users.")
    await _end(request, signed_in(request).token_hash)
    response = web.Response(status=303, headers={"Location": "/sign-in"})
    response.del_cookie(COOKIE)
    # What the browser keeps of the dashboard goes with the sign-in; its next one installs the service worker anew.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


async def _counts(request: web.Request, token: str) -> bool:
    """Whether a setup link still counts."""
    if not token or len(token) > TOKEN_MAX:
        return False
    now = timestamps.stamp(datetime.now(UTC))
    row = await parts(request).state.read(
        lambda database: database.one("users.setup_link", token_hash=digest(token), now=now)
    )
    return row is not None


async def _nobody(request: web.Request) -> bool:
    """Whether there is no user yet."""
    return not await parts(request).state.read(lambda database: database.value("users.count"))


async def _setup_form(request: web.Request, token: str, error: str | None, name: str) -> web.Response:
    context = SetupPage(shell.build(request, "Set up"), token, error, name, await _nobody(request))
    return shell.page(request, "setup.html", context, status=200 if error is None else 422)


async def show_setup(request: web.Request) -> web.StreamResponse:
    """GET /setup/{token}."""
    token = request.match_info["token"]
    if not await _counts(request, token):
        raise CallError(Code.FORBIDDEN, LINK_OVER)
    return await _setup_form(request, token, None, "")


async def set_up(request: web.Request) -> web.StreamResponse:
    """POST /setup: makes the administrator and signs in."""
    here = parts(request)
    fields = await read_form(request)
    token, name, password = fields.get("token", ""), fields.get("name", "").strip(), fields.get("password", "")
    if not await _counts(request, token):
        raise CallError(Code.FORBIDDEN, LINK_OVER)
    problem = rules.name_problem(name) or rules.password_problem(password, fields.get("password_again", ""), name)
    if problem:
        return await _setup_form(request, token, problem, name)
    async with here.passwords.turn():
        hashed = await here.passwords.hash(password)
    cookie = new_token()
    message = SetUp(
        token_hash=digest(token),
        name=name,
        password_hash=hashed,
        sign_in_hash=digest(cookie),
        csrf=new_token(),
        address=client_address(request, here.trusted),
    )
    reply = await here.worker.call(message, SignInReply)
    here.sign_ins.forget()  # a password that was set anew ends that person's sign-ins
    return await let_in(request, cookie, reply.user_id, hashed)
