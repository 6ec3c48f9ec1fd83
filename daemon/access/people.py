"""People as an admin sees them: added, given another role, kept out, offered a link to set a password.

Built by `daemon.parts`; asked through `daemon.access.handlers`. Signing in and out is `daemon.users`.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from daemon import audit
from daemon.access import rules
from daemon.access.tokens import FAR, LISTED_MAX, NEVER
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.access import AccessChanged, AddUser, ChangeUser, OfferPassword, SetPassword, UserReply
from ipc.messages.users import SignInReply
from ipc.server import Publisher
from schema import timestamps
from schema.access import User, fingerprint, name_problem, token_from_row, user_from_row
from schema.audit_actions import Action
from schema.database import Database
from schema.states import Role

LINK_HOURS = 24
SPENT = "this link was used or has expired; an admin makes a new one with `claudeopsctl users password-link`"
LAST = "they are the last admin who can sign in; make somebody else an admin first"


class People:
    """Everybody who may sign in."""

    def __init__(
        self, store: Store, publisher: Publisher, address: Callable[[], str], expiry: Callable[[], str]
    ) -> None:
        """`address`: where browsers reach the dashboard; `expiry`: when a sign-in ends that begins now."""
        self._store = store
        self._publisher = publisher
        self._address = address
        self._expiry = expiry

    async def listing(self) -> list[User]:
        """Everybody, the first first."""
        rows = await self._store.read(lambda db: db.rows("users.page", after=0, limit=LISTED_MAX))
        return [user_from_row(row) for row in rows]

    async def add(self, request: AddUser, by: str, request_id: str) -> UserReply:
        """Adds a person with a link. CallError `invalid` for a name that can't be, `conflict` for one that is taken."""
        name, moment = request.name.strip(), datetime.now(UTC)
        if problem := name_problem(name):
            raise CallError(Code.INVALID, problem)
        _check_link(request.link_hash)
        now = timestamps.stamp(moment)

        def write(db: Database) -> UserReply:
            if db.one("users.shown", name=name) is not None:
                raise CallError(Code.CONFLICT, f"there is a user {name} already; give another name")
            id_ = db.value("users.insert", name=name, password_hash="", role=request.role.value, created_at=now)
            detail = f"role {request.role.value}"
            audit.add(db, actor=by, action=Action.USER_ADDED, subject=name, at=moment, detail=detail)
            expires = _offer(db, id_, request.link_hash, moment)
            return self._reply(db, name, request_id, now, (request.link_hash, expires))

        return await self._told(write)

    async def change(self, request: ChangeUser, by: str, request_id: str) -> UserReply:
        """Another role, kept out, or let in. CallError `not_found`; `conflict` if nobody could administer then."""
        moment = datetime.now(UTC)
        now, role, disabled = timestamps.stamp(moment), request.role, request.disabled
        if role is None and disabled is None:
            raise CallError(Code.INVALID, "nothing is to be changed; give a role, or whether they are disabled")

        def write(db: Database) -> UserReply:
            user = _known(db, request.name)
            others = int(db.value("users.other_admins", id=user.id))
            if rules.leaves_no_admin(user, role, disabled, others):
                raise CallError(Code.CONFLICT, f"{user.name} stays as they are: {LAST}")
            if not rules.is_no_change(user, role, disabled):
                _apply(db, user, role, disabled, by=by, moment=moment)
            lowered = role is not None and role is not user.role
            every = bool(disabled) and request.tokens
            revoked = _revoke(db, user, role, every=every, by=by, moment=moment) if lowered or every else []
            return self._reply(db, user.name, request_id, now, revoked=revoked)

        return await self._told(write)

    async def offer_password(self, request: OfferPassword, by: str, request_id: str) -> UserReply:
        """A fresh link for one person. CallError `not_found`, or `conflict` for somebody who is kept out."""
        moment = datetime.now(UTC)
        _check_link(request.link_hash)

        def write(db: Database) -> UserReply:
            user = _known(db, request.name)
            if user.disabled_at is not None:
                raise CallError(Code.CONFLICT, f"{user.name} is disabled; enable them first")
            expires = _offer(db, user.id, request.link_hash, moment)
            audit.add(db, actor=by, action=Action.USER_PASSWORD_LINK, subject=user.name, at=moment)
            return self._reply(db, user.name, request_id, timestamps.stamp(moment), (request.link_hash, expires))

        return await self._told(write)

    async def set_password(self, request: SetPassword) -> SignInReply:
        """Uses a link up. CallError `forbidden` if it no longer counts."""
        moment = datetime.now(UTC)
        now = timestamps.stamp(moment)
        expires = self._expiry()

        def write(db: Database) -> int:
            found = db.one("users.password_link", token_hash=request.link_hash, now=now)
            if found is None or not db.change("users.use_password_link", token_hash=request.link_hash, now=now):
                raise CallError(Code.FORBIDDEN, SPENT)
            id_ = int(found["id"])
            db.change("users.set_password", id=id_, password_hash=request.password_hash)
            db.change("users.sign_out_everywhere", user_id=id_)
            sign_in = {"token_hash": request.sign_in_hash, "csrf": request.csrf}
            db.change("users.sign_in", user_id=id_, created_at=now, expires_at=expires, **sign_in)
            db.change("users.note_seen", id=id_, now=now)
            name, detail = found["name"], f"from {request.address}" if request.address else ""
            audit.add(db, actor=name, action=Action.USER_PASSWORD_SET, subject=name, at=moment, detail=detail)
            return id_

        id_ = await self._store.write(write)
        self._publisher.publish(AccessChanged())
        return SignInReply(user_id=id_)

    def _reply(
        self,
        db: Database,
        name: str,
        request_id: str,
        now: str,
        link: tuple[str, str] | None = None,
        revoked: Sequence[str] = (),
    ) -> UserReply:
        """The person as they are now, stored as the answer to what made them so; `link`: hash and expiry."""
        reply = UserReply(user=_known(db, name), revoked=list(revoked))
        if link is not None:
            hash_, expires = link
            reply = UserReply(user=reply.user, address=self._address(), link=fingerprint(hash_), expires_at=expires)
        db.change("replies.insert", request_id=request_id, reply=codec.store(reply), created_at=now)
        return reply

    async def _told(self, write: Callable[[Database], UserReply]) -> UserReply:
        reply = await self._store.write(write)
        self._publisher.publish(AccessChanged())
        return reply


def _check_link(hash_: str) -> None:
    if not rules.is_digest(hash_):
        raise CallError(Code.INVALID, "the link's hash is no SHA-256 in hex; use `claudeopsctl users`")


def _known(db: Database, name: str) -> User:
    row = db.one("users.shown", name=name)
    if row is None:
        raise CallError(Code.NOT_FOUND, f"there is no user {name}; `claudeopsctl users list` shows them")
    return user_from_row(row)


def _offer(db: Database, user_id: int, hash_: str, moment: datetime) -> str:
    """A link that counts for a day, in place of earlier ones; when it ends."""
    now, expires = timestamps.stamp(moment), timestamps.stamp(moment + timedelta(hours=LINK_HOURS))
    db.change("users.revoke_password_links", user_id=user_id, now=now)
    db.change("users.offer_password", token_hash=hash_, user_id=user_id, created_at=now, expires_at=expires)
    return expires


def _revoke(db: Database, user: User, role: Role | None, *, every: bool, by: str, moment: datetime) -> list[str]:
    """Ends what they made and may not keep; the names."""
    live = [token_from_row(row) for row in db.rows("tokens.page", before=FAR, since=NEVER, limit=LISTED_MAX)]
    ended = [token for token in live if rules.outlives(token, user, role, every=every)]
    for token in ended:
        db.change("tokens.revoke", id=token.id, now=timestamps.stamp(moment), by=by)
        detail = f"made by {user.name}"
        audit.add(db, actor=by, action=Action.TOKEN_REVOKED, subject=token.name, at=moment, detail=detail)
    return [token.name for token in ended]


def _apply(db: Database, user: User, role: Role | None, disabled: bool | None, *, by: str, moment: datetime) -> None:
    now = timestamps.stamp(moment)
    if role not in (None, user.role):
        db.change("users.set_role", id=user.id, role=role.value)
        detail = f"from {user.role.value} to {role.value}"
        audit.add(db, actor=by, action=Action.USER_ROLE, subject=user.name, at=moment, detail=detail)
    if disabled not in (None, user.disabled_at is not None):
        db.change("users.set_disabled", id=user.id, disabled_at=now if disabled else None)
        if disabled:
            db.change("users.sign_out_everywhere", user_id=user.id)
            db.change("users.revoke_password_links", user_id=user.id, now=now)
        action = Action.USER_DISABLED if disabled else Action.USER_ENABLED
        audit.add(db, actor=by, action=action, subject=user.name, at=moment)
