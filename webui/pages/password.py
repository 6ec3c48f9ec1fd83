"""The link with which one person sets a password: GET /password/{token}, POST /password. No sign-in; it works once."""

from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.access import SetPassword
from ipc.messages.users import SignInReply
from schema import timestamps
from schema.access import digest, new_secret
from webui import shell
from webui.auth import rules
from webui.auth.client import client_address
from webui.auth.sign_ins import TOKEN_MAX
from webui.forms import read_form
from webui.pages.ansi import plain
from webui.pages.sign_in import let_in
from webui.parts import parts

OVER = "This link was used or has expired. An admin makes a new one at /users, or by `claudeopsctl users`."


class PasswordPage(NamedTuple):
    """The form's context."""

    shell: shell.Shell
    token: str
    name: str
    error: str | None


async def _whose(request: web.Request, token: str) -> str:
    """The name of the person whose password a link sets. CallError `forbidden` for one that no longer counts."""
    row = None
    if token and len(token) <= TOKEN_MAX:
        row = await parts(request).state.read(
            lambda database: database.one("users.password_link", token_hash=digest(token), now=timestamps.now())
        )
    if row is None:
        raise CallError(Code.FORBIDDEN, OVER)
    return str(row["name"])


def _form(request: web.Request, token: str, name: str, error: str | None) -> web.Response:
    context = PasswordPage(shell.build(request, "Set a password"), token, plain(name), error)
    return shell.page(request, "password.html", context, status=200 if error is None else 422)


async def show(request: web.Request) -> web.StreamResponse:
    """GET /password/{token}."""
    token = request.match_info["token"]
    return _form(request, token, await _whose(request, token), None)


async def set_password(request: web.Request) -> web.StreamResponse:
    """POST /password: fields token, password, password_again. Signs in."""
    here = parts(request)
    fields = await read_form(request)
    token, password = fields.get("token", ""), fields.get("password", "")
    name = await _whose(request, token)
    if problem := rules.password_problem(password, fields.get("password_again", ""), name):
        return _form(request, token, name, problem)
    async with here.passwords.turn():
        hashed = await here.passwords.hash(password)
    cookie = new_secret()
    message = SetPassword(
        link_hash=digest(token),
        password_hash=hashed,
        sign_in_hash=digest(cookie),
        csrf=new_secret(),
        address=client_address(request, here.trusted),
    )
    reply = await here.worker.call(message, SignInReply)
    here.sign_ins.forget()  # a password that was set anew ends that person's sign-ins
    return await let_in(request, cookie, reply.user_id, hashed)
