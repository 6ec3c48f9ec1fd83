"""The API's view of who may use the dashboard, for admins: people and API tokens, added, changed and ended.

What is secret is made here and told in the answer, this once: links and tokens go to the worker as their SHA-256.
"""

import msgspec
from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.access import (
    AddUser,
    ChangeUser,
    CreateToken,
    OfferPassword,
    RevokeToken,
    TokenReply,
    UserReply,
)
from schema.access import digest, new_secret, new_token
from webui.api.answered import ChangedUser, MadeToken, TokenList, UserLink, UserList
from webui.api.asked import DisableBody, NewToken, NewUser, RoleBody
from webui.pages import users as page
from webui.parts import parts, signed_in


async def users(request: web.Request) -> UserList:
    """GET /api/v1/users."""
    return UserList(users=(await page.read(parts(request))).users)


async def tokens(request: web.Request) -> TokenList:
    """GET /api/v1/tokens."""
    return TokenList(tokens=(await page.read(parts(request))).tokens)


async def add_user(request: web.Request, body: NewUser) -> UserLink:
    """POST /api/v1/users."""
    fresh = new_secret()
    message = AddUser(name=body.name, role=body.role, link_hash=digest(fresh), by=signed_in(request).name)
    return _link(await _send(request, message), fresh)


async def offer_password(request: web.Request, id_: int) -> UserLink:
    """POST /api/v1/users/{id}/password-link."""
    fresh = new_secret()
    message = OfferPassword(name=await _name(request, id_), link_hash=digest(fresh), by=signed_in(request).name)
    return _link(await _send(request, message), fresh)


async def role(request: web.Request, id_: int, body: RoleBody) -> ChangedUser:
    """POST /api/v1/users/{id}/role."""
    message = ChangeUser(name=await _name(request, id_), role=body.role, by=signed_in(request).name)
    return _changed(await _send(request, message))


async def disable(request: web.Request, id_: int, body: DisableBody) -> ChangedUser:
    """POST /api/v1/users/{id}/disable."""
    name, by = await _name(request, id_), signed_in(request).name
    return _changed(await _send(request, ChangeUser(name=name, disabled=True, tokens=body.revoke_tokens, by=by)))


async def enable(request: web.Request, id_: int) -> ChangedUser:
    """POST /api/v1/users/{id}/enable."""
    message = ChangeUser(name=await _name(request, id_), disabled=False, by=signed_in(request).name)
    return _changed(await _send(request, message))


async def create_token(request: web.Request, body: NewToken) -> MadeToken:
    """POST /api/v1/tokens."""
    fresh = new_token()
    message = CreateToken(
        name=body.name,
        token_hash=digest(fresh),
        role=body.role,
        scopes=body.scopes,
        expires_at=body.expires_at,
        by=signed_in(request).name,
    )
    made = (await parts(request).worker.call(message, TokenReply)).token
    return MadeToken(**msgspec.structs.asdict(made), token=fresh)


async def revoke_token(request: web.Request, id_: int) -> None:
    """DELETE /api/v1/tokens/{id}."""
    if not id_:
        raise CallError(Code.NOT_FOUND, "There is no token 0.")
    message = RevokeToken(id=id_, by=signed_in(request).name)
    await parts(request).worker.call(message, TokenReply)


async def _name(request: web.Request, id_: int) -> str:
    row = await parts(request).state.read(lambda database: database.one("users.shown_by_id", id=id_))
    if row is None:
        raise CallError(Code.NOT_FOUND, f"There is no user {id_}.")
    return str(row["name"])


async def _send(request: web.Request, message: AddUser | ChangeUser | OfferPassword) -> UserReply:
    """Asks the worker; what was cached of sign-ins is looked up anew, by live streams too."""
    here = parts(request)
    reply = await here.worker.call(message, UserReply)
    here.sign_ins.forget()
    here.streams.beat_now()
    return reply


def _link(reply: UserReply, fresh: str) -> UserLink:
    return UserLink(user=reply.user, link=f"{reply.address}/password/{fresh}", expires_at=reply.expires_at)


def _changed(reply: UserReply) -> ChangedUser:
    return ChangedUser(user=reply.user, revoked=reply.revoked)
