"""API tokens in the worker: made, listed, revoked, noted as used. The tokens themselves are never here.

Built by `daemon.parts`; asked through `daemon.access.handlers`.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from daemon import audit
from daemon.access import rules
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.access import AccessChanged, CreateToken, RevokeToken, TokenReply, TokenUsed
from ipc.server import Publisher
from schema import timestamps
from schema.access import ApiToken, token_from_row
from schema.audit_actions import Action
from schema.database import Database

LISTED_MAX = 1000
FAR = 2**62
NEVER = "9999"  # after every stored time
USED_EVERY = timedelta(minutes=1)
ADDRESS_MAX = 64


class Tokens:
    """The tokens that programs may show."""

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher

    async def listing(self, *, all_: bool) -> list[ApiToken]:
        """Tokens, newest first; those that were revoked with `all_`."""
        since = "" if all_ else NEVER
        rows = await self._store.read(lambda db: db.rows("tokens.page", before=FAR, since=since, limit=LISTED_MAX))
        return [token_from_row(row) for row in rows]

    async def create(self, request: CreateToken, by: str, request_id: str) -> TokenReply:
        """Makes a token of a hash. CallError `invalid` says what can't be, `conflict` that the name is taken."""
        name = request.name.strip()
        moment = datetime.now(UTC)
        now = timestamps.stamp(moment)
        expires = _checked_expiry(request.expires_at, now)
        if problem := rules.token_name_problem(name):
            raise CallError(Code.INVALID, problem)
        if not rules.is_digest(request.token_hash):
            raise CallError(Code.INVALID, "the token's hash is no SHA-256 in hex; use `claudeopsctl token create`")
        try:
            scopes = " ".join(rules.scopes(request.role, request.scopes))
        except ValueError as error:
            raise CallError(Code.INVALID, f"{error}; leave it out, or give another role") from error

        def write(db: Database) -> TokenReply:
            self._free_name(db, name, now)
            id_ = db.value(
                "tokens.insert",
                name=name,
                role=request.role.value,
                scopes=scopes,
                token_hash=request.token_hash,
                created_at=now,
                created_by=by,
                expires_at=expires,
            )
            until = f"until {expires}" if expires else "without an end"
            detail = f"role {request.role.value}; scopes {scopes}; {until}"
            audit.add(db, actor=by, action=Action.TOKEN_CREATED, subject=name, at=moment, detail=detail)
            return _reply(db, id_, request_id, now)

        return await self._told(write)

    @staticmethod
    def _free_name(db: Database, name: str, now: str) -> None:
        """A name is free again once its token has expired."""
        known = db.one("tokens.live_by_name", name=name)
        if known is None:
            return
        if known["expires_at"] is None or known["expires_at"] > now:
            raise CallError(Code.CONFLICT, f"there is a token {name} already; revoke it first, or give another name")
        db.change("tokens.revoke", id=known["id"], now=known["expires_at"], by="expiry")

    async def revoke(self, request: RevokeToken, by: str, request_id: str) -> TokenReply:
        """Ends a token. CallError `not_found`, or `conflict` if it was revoked before."""
        moment = datetime.now(UTC)
        now = timestamps.stamp(moment)

        def write(db: Database) -> TokenReply:
            if request.id:
                row = db.one("tokens.by_id", id=request.id)
            else:
                row = db.one("tokens.live_by_name", name=request.name)
            if row is None:
                told = request.id or request.name
                raise CallError(Code.NOT_FOUND, f"there is no token {told}; `claudeopsctl token list` shows them")
            if not db.change("tokens.revoke", id=row["id"], now=now, by=by):
                raise CallError(Code.CONFLICT, f"token {row['name']} was revoked before, by {row['revoked_by']}")
            audit.add(db, actor=by, action=Action.TOKEN_REVOKED, subject=row["name"], at=moment)
            return _reply(db, row["id"], request_id, now)

        return await self._told(write)

    async def used(self, request: TokenUsed) -> None:
        """Remembers a use, once a minute."""
        moment = datetime.now(UTC)
        now, before = timestamps.stamp(moment), timestamps.stamp(moment - USED_EVERY)
        address = request.address[:ADDRESS_MAX]
        await self._store.write(
            lambda db: db.change("tokens.used", id=request.id, now=now, before=before, address=address)
        )

    async def _told(self, write: Callable[[Database], TokenReply]) -> TokenReply:
        reply = await self._store.write(write)
        self._publisher.publish(AccessChanged())
        return reply


def _checked_expiry(given: str | None, now: str) -> str | None:
    if not given:
        return None
    try:
        expires = timestamps.stamp(timestamps.parse(given))
    except ValueError:
        raise CallError(Code.INVALID, f"{given!r} is no time; give one such as 2030-01-31T08:00:00Z") from None
    if expires <= now:
        raise CallError(Code.INVALID, f"{given!r} has passed; a token ends at a time to come")
    return expires


def _reply(db: Database, id_: int, request_id: str, now: str) -> TokenReply:
    """The token as it is now, stored as the answer to the request that made it so."""
    reply = TokenReply(token=token_from_row(db.one("tokens.by_id", id=id_) or {}))
    db.change("replies.insert", request_id=request_id, reply=codec.store(reply), created_at=now)
    return reply
