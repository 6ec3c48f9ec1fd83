"""People and API tokens, for admins: GET /users and /users.json. What changes them is `webui.pages.user_actions`."""

import uuid
from datetime import datetime
from typing import NamedTuple

from aiohttp import web

from schema import timestamps
from schema.access import SCOPES_OF, ApiToken, Scope, User, token_from_row, user_from_row
from schema.database import Database
from schema.states import Role
from webui import shell
from webui.negotiation import is_json, json_response
from webui.pages import formats
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.keyed import FAR, Choice
from webui.pages.session_rows import Look
from webui.parts import Parts, parts, signed_in

MOST = 1000
PAST_DAYS = 30.0
ROLES = [Choice(role.value, role.value) for role in Role]
EXPIRIES = [
    Choice("7", "for a week"),
    Choice("30", "for 30 days"),
    Choice("90", "for 90 days"),
    Choice("365", "for a year"),
    Choice("", "until it is revoked"),
]
SCOPES = [
    Choice("", "all that its role may"),
    Choice("read metrics", "reading and metrics"),
    Choice("read", "reading"),
    Choice("metrics", "metrics"),
]
ACTIVE = Look("ok", "circle-check", "active")
UNSET = Look("plan", "hourglass", "no password")
DISABLED = Look("neutral", "ban", "disabled")
EXPIRED = Look("neutral", "timer-off", "expired")
REVOKED = Look("neutral", "ban", "revoked")


class UserRow(NamedTuple):
    """One person. `disabled`: kept out."""

    id: int
    name: str
    role: str
    tone: str
    icon: str
    word: str
    made: At
    seen: At | None
    you: bool
    disabled: bool


class TokenRow(NamedTuple):
    """One API token, without the token. `live`: whether it can be revoked."""

    id: int
    name: str
    role: str
    scopes: str
    fingerprint: str
    tone: str
    icon: str
    word: str
    made: At
    by: str
    until: str
    used: At | None
    used_from: str
    live: bool


class UsersPage(NamedTuple):
    """The page's context. `form` and `token_form`: what stands in the two forms; `key`: of the lines' own forms."""

    shell: shell.Shell
    stream: str
    users: list[UserRow]
    tokens: list[TokenRow]
    past: list[TokenRow]
    form: dict[str, str]
    token_form: dict[str, str]
    error: str | None
    token_error: str | None
    key: str
    roles: list[Choice]
    expiries: list[Choice]
    scopes: list[Choice]


def user_row(user: User, now: datetime, own: int) -> UserRow:
    """A person as the list shows them; `own`: the id of who looks."""
    look = DISABLED if user.disabled_at else ACTIVE if user.password else UNSET
    return UserRow(
        id=user.id,
        name=plain(user.name),
        role=user.role.value,
        tone=look.tone,
        icon=look.icon,
        word=look.word,
        made=formats.ago(user.created_at, now),
        seen=formats.ago(user.seen_at, now) if user.seen_at else None,
        you=user.id == own,
        disabled=user.disabled_at is not None,
    )


def token_row(token: ApiToken, now: datetime) -> TokenRow:
    """A token as the list shows it."""
    over = token.expires_at is not None and timestamps.parse(token.expires_at) <= now
    look = REVOKED if token.revoked_at else EXPIRED if over else ACTIVE
    until = formats.until(token.expires_at, now) if token.expires_at else "when it is revoked"
    if token.revoked_at:
        until = f"revoked by {token.revoked_by}"
    return TokenRow(
        id=token.id,
        name=plain(token.name),
        role=token.role.value,
        scopes=", ".join(token.scopes),
        fingerprint=token.fingerprint,
        tone=look.tone,
        icon=look.icon,
        word=look.word,
        made=formats.ago(token.created_at, now),
        by=plain(token.created_by),
        until=plain(until) if token.revoked_at else "expired" if over else f"ends {until}",
        used=formats.ago(token.last_used_at, now) if token.last_used_at else None,
        used_from=plain(token.last_used_from or ""),
        live=token.revoked_at is None,
    )


class Known(NamedTuple):
    """Everybody, and every token that was not revoked long ago."""

    users: list[User]
    tokens: list[ApiToken]


async def read(here: Parts) -> Known:
    """What the database holds. CallError while it can't be read."""
    since = timestamps.at(formats.now().timestamp() - PAST_DAYS * 86400)

    def look(database: Database) -> Known:
        users = database.rows("users.page", after=0, limit=MOST)
        tokens = database.rows("tokens.page", before=FAR, since=since, limit=MOST)
        return Known([user_from_row(row) for row in users], [token_from_row(row) for row in tokens])

    return await here.state.read(look)


async def show(request: web.Request) -> web.StreamResponse:
    """GET /users."""
    if is_json(request):
        known = await read(parts(request))
        return json_response({"users": known.users, "tokens": known.tokens})
    return await page(request)


async def page(
    request: web.Request,
    *,
    form: dict[str, str] | None = None,
    error: str | None = None,
    token_form: dict[str, str] | None = None,
    token_error: str | None = None,
    status: int = 200,
) -> web.Response:
    """The page, with what was sent in a form that could not be carried out."""
    known = await read(parts(request))
    now = formats.now()
    tokens = [token_row(token, now) for token in known.tokens]
    own = signed_in(request).user_id
    context = UsersPage(
        shell=shell.build(request, "Users and tokens", "users"),
        stream="/live?page=frame",
        users=[user_row(user, now, own) for user in known.users],
        tokens=[row for row in tokens if row.live],
        past=[row for row in tokens if not row.live],
        form=_filled(form, {"name": "", "role": Role.VIEWER.value}),
        token_form=_filled(token_form, {"name": "", "role": Role.VIEWER.value, "expires": "90", "scopes": ""}),
        error=error,
        token_error=token_error,
        key=uuid.uuid4().hex,
        roles=ROLES,
        expiries=EXPIRIES,
        scopes=SCOPES,
    )
    return shell.page(request, "users.html", context, status=status)


def _filled(given: dict[str, str] | None, begun: dict[str, str]) -> dict[str, str]:
    return {"key": uuid.uuid4().hex, **{name: (given or {}).get(name, value) for name, value in begun.items()}}


def scopes_given(text: str, role: Role) -> list[Scope]:
    """The scopes that a form names, in words; none is all of the role. ValueError for a word that is none."""
    return [Scope(word) for word in text.replace(",", " ").split()] or list(SCOPES_OF[role])
