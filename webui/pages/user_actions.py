"""What admins do with people and API tokens: POST /users and below, each sent on to the worker.

A new token, or the token of a link, is made here, shown once in the answer, and only its SHA-256 goes on.
"""

import uuid
from typing import TypeVar

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.access import AddUser, ChangeUser, CreateToken, OfferPassword, RevokeToken, TokenReply, UserReply
from schema import timestamps
from schema.access import ApiToken, User, digest, fingerprint, new_secret, new_token, token_from_row, user_from_row
from schema.states import Role
from webui import shell
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import confirm, formats, secret, users
from webui.pages.ansi import plain
from webui.pages.confirm import Confirm
from webui.parts import parts, signed_in

DAY = 86400
DAYS_MAX = 36500
SENT_BEFORE = "This form was sent before, and what it made was shown then. If that is lost, make another."


def _role(fields: dict[str, str]) -> Role:
    try:
        return Role(fields.get("role", ""))
    except ValueError:
        raise CallError(Code.INVALID, f"A role is {', '.join(Role)}.") from None


def _back() -> web.Response:
    return web.Response(status=303, headers={"Location": "/users"})


# Tokens


async def create_token(request: web.Request) -> web.StreamResponse:
    """POST /users/tokens: fields key, name, role, expires (days), expires_at (a time), scopes (words)."""
    fields = await read_form(request)
    token = new_token()
    try:
        message = _wanted_token(fields, digest(token), signed_in(request).name)
        reply = await parts(request).worker.call(message, TokenReply, id_=form_key(fields))
        _refuse_repeat(reply.token.fingerprint, token)
    except CallError as error:
        if is_json(request):
            raise
        return await users.page(request, token_form=fields, token_error=error.message, status=error.http_status)
    made = reply.token
    row = users.token_row(made, formats.now())
    return secret.show_once(
        request,
        heading=f"Token {row.name}",
        label="The token, shown this once",
        secret=token,
        facts=[
            f"Role {row.role}; good for {row.scopes}; {row.until}.",
            "Programs send it as the header “Authorization: Bearer”, then the token.",
            "Only its SHA-256 is kept, so nobody can show it again.",
        ],
        json={"token": token, **_told(made)},
    )


def _told(token: ApiToken) -> dict[str, object]:
    return {name: getattr(token, name) for name in token.__struct_fields__}


def _wanted_token(fields: dict[str, str], hash_: str, by: str) -> CreateToken:
    role = _role(fields)
    expires = fields.get("expires_at", "").strip() or None
    days = fields.get("expires", "").strip()
    if days:
        if not (days.isascii() and days.isdigit() and 0 < int(days[:9]) <= DAYS_MAX):
            raise CallError(Code.INVALID, f"expires is a number of days, from 1 to {DAYS_MAX}.")
        expires = timestamps.at(formats.now().timestamp() + int(days) * DAY)
    try:
        scopes = users.scopes_given(fields.get("scopes", ""), role)
    except ValueError as error:
        raise CallError(Code.INVALID, f"{error}; scopes are read, act and metrics.") from error
    name = fields.get("name", "")
    return CreateToken(name=name, token_hash=hash_, role=role, scopes=scopes, expires_at=expires, by=by)


def _refuse_repeat(told: str, fresh: str) -> None:
    """The worker answers a repeated form as it did before; what was made now counts for nothing and isn't shown."""
    if told != fingerprint(digest(fresh)):
        raise CallError(Code.CONFLICT, SENT_BEFORE)


async def ask_revoke(request: web.Request) -> web.StreamResponse:
    """GET /users/tokens/{id}/revoke: the question."""
    id_ = id_of(request)
    row = await parts(request).state.read(lambda database: database.one("tokens.by_id", id=id_))
    if row is None:
        raise CallError(Code.NOT_FOUND, f"There is no token {id_}.")
    token = users.token_row(token_from_row(row), formats.now())
    used = f"Last used {token.used.text} from {token.used_from}." if token.used else "It was never used."
    return _ask(
        request,
        question=f"Revoke token {token.name}?",
        consequences=[used, "Whoever shows it is refused from now on, and its live streams end. This can’t be undone."],
        action=f"/users/tokens/{id_}/revoke",
        verb="Revoke token",
    )


def _ask(
    request: web.Request,
    *,
    question: str,
    consequences: list[str],
    action: str,
    verb: str,
    choice: tuple[str, str] | None = None,
) -> web.Response:
    context = Confirm(
        shell=shell.build(request, question.rstrip("?"), "users"),
        question=question,
        consequences=consequences,
        action=action,
        verb=verb,
        back="/users",
        fields={"key": uuid.uuid4().hex},
        choice=choice,
    )
    return confirm.ask(request, context)


async def revoke(request: web.Request) -> web.StreamResponse:
    """POST /users/tokens/{id}/revoke."""
    fields = await read_form(request)
    message = RevokeToken(id=id_of(request), by=signed_in(request).name)
    reply = await parts(request).worker.call(message, TokenReply, id_=form_key(fields))
    return json_response(reply.token) if is_json(request) else _back()


# People


Message = TypeVar("Message", AddUser, ChangeUser, OfferPassword)


async def _send(request: web.Request, message: Message) -> UserReply:
    """Asks the worker; what was cached of sign-ins is looked up anew."""
    here = parts(request)
    reply = await here.worker.call(message, UserReply, id_=form_key(await read_form(request)))
    here.sign_ins.forget()
    here.streams.beat_now()
    return reply


async def _known(request: web.Request) -> User:
    id_ = id_of(request)
    row = await parts(request).state.read(lambda database: database.one("users.shown_by_id", id=id_))
    if row is None:
        raise CallError(Code.NOT_FOUND, f"There is no user {id_}.")
    return user_from_row(row)


async def add(request: web.Request) -> web.StreamResponse:
    """POST /users: fields key, name, role. Answers with the link that sets the password."""
    fields = await read_form(request)
    fresh = new_secret()
    try:
        message = AddUser(
            name=fields.get("name", ""), role=_role(fields), link_hash=digest(fresh), by=signed_in(request).name
        )
        reply = await _send(request, message)
        _refuse_repeat(reply.link, fresh)
    except CallError as error:
        if is_json(request):
            raise
        return await users.page(request, form=fields, error=error.message, status=error.http_status)
    return _show_link(request, reply, fresh)


async def offer_password(request: web.Request) -> web.StreamResponse:
    """POST /users/{id}/password-link: field key. Answers with a new link."""
    fresh = new_secret()
    message = OfferPassword(name=(await _known(request)).name, link_hash=digest(fresh), by=signed_in(request).name)
    reply = await _send(request, message)
    _refuse_repeat(reply.link, fresh)
    return _show_link(request, reply, fresh)


def _show_link(request: web.Request, reply: UserReply, fresh: str) -> web.Response:
    url = f"{reply.address}/password/{fresh}"
    name = plain(reply.user.name)
    ends = formats.until(reply.expires_at, formats.now()) if reply.expires_at else ""
    return secret.show_once(
        request,
        heading=f"A link for {name}",
        label="The link, shown this once",
        secret=url,
        facts=[
            f"With it {name} sets a password, once, and is signed in. It ends {ends}; a newer link ends it, too.",
            "Hand it over on a way that nobody else reads.",
        ],
        json={"user": reply.user, "link": url, "expires_at": reply.expires_at},
    )


async def change_role(request: web.Request) -> web.StreamResponse:
    """POST /users/{id}/role: fields key, role."""
    fields = await read_form(request)
    message = ChangeUser(name=(await _known(request)).name, role=_role(fields), by=signed_in(request).name)
    return await _changed(request, message)


async def _changed(request: web.Request, message: ChangeUser) -> web.StreamResponse:
    reply = await _send(request, message)
    return json_response(reply.user) if is_json(request) else _back()


async def ask_disable(request: web.Request) -> web.StreamResponse:
    """GET /users/{id}/disable: the question."""
    user = await _known(request)
    known = await users.read(parts(request))
    theirs = sum(token.revoked_at is None and token.created_by == user.name for token in known.tokens)
    many = f"{theirs} API tokens that they made" if theirs > 1 else "the API token that they made"
    left = f"They know {many}; what can be done with that, they still can unless you tick this." if theirs else ""
    name = plain(user.name)
    return _ask(
        request,
        question=f"Disable {name}?",
        consequences=[f"{name} is signed out everywhere, at once, and can’t sign in.", *[left] * bool(left)],
        action=f"/users/{user.id}/disable",
        verb="Disable",
        choice=("tokens", f"Revoke {many}, too") if theirs else None,
    )


async def disable(request: web.Request) -> web.StreamResponse:
    """POST /users/{id}/disable: fields key, and `tokens` where those that they made end, too."""
    name, tokens = (await _known(request)).name, bool((await read_form(request)).get("tokens"))
    message = ChangeUser(name=name, disabled=True, tokens=tokens, by=signed_in(request).name)
    return await _changed(request, message)


async def enable(request: web.Request) -> web.StreamResponse:
    """POST /users/{id}/enable."""
    return await _changed(
        request, ChangeUser(name=(await _known(request)).name, disabled=False, by=signed_in(request).name)
    )
