"""Answers requests about people and their sign-ins. The web process has verified passwords; here rows change.

No secret is stored: links and cookies by their SHA-256, passwords by their argon2 hash.
"""

import secrets
from datetime import UTC, datetime, timedelta

from daemon import audit
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.system.processes import Daemon
from daemon.users import failures, rules
from ipc.errors import CallError, Code
from ipc.messages.access import AccessChanged
from ipc.messages.envelope import Done
from ipc.messages.users import (
    CreateSetupLink,
    SetUp,
    SetupLinkReply,
    SignIn,
    SignInFailed,
    SignInReply,
    SignInSeen,
    SignOut,
)
from ipc.server import Call, Handler, Publisher
from schema import actors, timestamps
from schema.access import digest, name_mark, name_problem
from schema.audit_actions import Action
from schema.database import Database
from schema.states import Role

SETUP_HOURS = 24
ANYBODY = "whoever opens it"


class Users:
    """People's rows, and the links that make the first of them."""

    def __init__(self, store: Store, settings: LiveSettings, publisher: Publisher, daemon: Daemon, boot: str) -> None:
        """`daemon` knows where browsers reach the dashboard unless CLAUDEOPS_PUBLIC_URL says so.

        `boot` names this start of the daemon, which prints one link, however often its worker is replaced.
        """
        self._boot = boot
        self._store = store
        self._settings = settings
        self._publisher = publisher
        self._daemon = daemon

    async def first_link(self) -> SetupLinkReply | None:
        """The link to print when the daemon starts; None once there is a user, or a link was made in this start."""

        def offer(db: Database) -> SetupLinkReply | None:
            # Within the transaction: whoever asked for a link meanwhile keeps it.
            if db.value("users.count") or db.value("users.setup_links_of", boot=self._boot):
                return None
            return self._offer(db, actors.DAEMON)

        return await self._store.write(offer)

    async def setup_link(self, by: str) -> SetupLinkReply:
        """A fresh one-time link; earlier ones end."""
        return await self._store.write(lambda db: self._offer(db, by))

    def _offer(self, db: Database, by: str) -> SetupLinkReply:
        token = secrets.token_urlsafe(24)
        now = datetime.now(UTC)
        at, expires = timestamps.stamp(now), timestamps.stamp(now + timedelta(hours=SETUP_HOURS))
        db.change("users.revoke_setup", now=at)
        db.change("users.offer_setup", token_hash=digest(token), created_at=at, expires_at=expires, boot=self._boot)
        audit.add(db, actor=by, action=Action.USER_SETUP_LINK, subject=ANYBODY, at=now, detail=f"until {expires}")
        return SetupLinkReply(url=f"{self.address()}/setup/{token}", expires_at=expires)

    def address(self) -> str:
        """Where browsers reach the dashboard, without a slash at the end."""
        return (self._settings.current.public_url or str(self._daemon.facts().get("address", ""))).rstrip("/")

    def expiry(self, begun: datetime | None = None) -> str:
        """When a sign-in ends that is used now; one that goes on began at `begun`."""
        now, settings = datetime.now(UTC), self._settings.current
        return timestamps.stamp(rules.expiry(begun or now, now, settings.sign_in_days, settings.sign_in_max_days))

    async def set_up(self, request: SetUp) -> SignInReply:
        """Makes an admin of whoever holds a link that still counts."""
        now, expires = timestamps.now(), self.expiry()
        if problem := name_problem(request.name):
            raise CallError(Code.INVALID, problem)

        def make(db: Database) -> int:
            if not db.change("users.use_setup", token_hash=request.token_hash, now=now):
                raise CallError(
                    Code.FORBIDDEN, "this setup link was used or has expired; `claudeopsctl setup-link` makes a new one"
                )
            known = db.one("users.by_name", name=request.name)
            if known is None:
                user = int(
                    db.value(
                        "users.insert",
                        name=request.name,
                        password_hash=request.password_hash,
                        role=Role.ADMIN.value,
                        created_at=now,
                    )
                )
            else:
                user = int(known["id"])
                db.change("users.set_password", id=user, password_hash=request.password_hash)
                # Whoever holds the link could make an admin of any name, so it lets in who was kept out.
                db.change("users.set_disabled", id=user, disabled_at=None)
                db.change("users.sign_out_everywhere", user_id=user)
                db.change("users.revoke_password_links", user_id=user, now=now)
            name = request.name if known is None else str(known["name"])
            detail = f"from {request.address}" if request.address else ""
            audit.add(db, actor=name, action=Action.USER_SET_UP, subject=name, at=timestamps.parse(now), detail=detail)
            self._admit(db, user, request.sign_in_hash, request.csrf, now, expires)
            return user

        user = await self._store.write(make)
        self._publisher.publish(AccessChanged())
        return SignInReply(user_id=user)

    @staticmethod
    def _admit(db: Database, user: int, token_hash: str, csrf: str, now: str, expires: str) -> None:
        db.change("users.sign_in", token_hash=token_hash, user_id=user, csrf=csrf, created_at=now, expires_at=expires)
        db.change("users.note_seen", id=user, now=now)

    async def sign_in(self, request: SignIn) -> SignInReply:
        """A browser is signed in from now on. CallError where the person has changed while the password was judged."""
        now, expires = timestamps.now(), self.expiry()

        def admit(db: Database) -> None:
            user = db.one("users.by_name", name=request.name)
            if user is None or user["id"] != request.user_id or user["disabled_at"] is not None:
                # No sign-in may be left that counts when they are enabled.
                raise CallError(Code.FORBIDDEN, "this user may not sign in; an admin can enable them")
            if digest(user["password_hash"]) != request.verified:
                # The one that was judged signs nobody in any more, nor may its rehash put it back.
                raise CallError(Code.CONFLICT, "the password was changed at this moment; sign in with the new one")
            if request.rehash:
                db.change("users.set_password", id=user["id"], password_hash=request.rehash)
            db.change("users.forgive", name=name_mark(user["name"]), address=request.counted or request.address)
            self._admit(db, user["id"], request.sign_in_hash, request.csrf, now, expires)
            audit.add(
                db,
                actor=user["name"],
                action=Action.USER_SIGNED_IN,
                subject=user["name"],
                at=timestamps.parse(now),
                detail=f"from {request.address}",
            )

        await self._store.write(admit)
        return SignInReply(user_id=request.user_id)

    async def failed(self, request: SignInFailed) -> None:
        """Remembers a failure for the rate limit."""
        moment = datetime.now(UTC)
        await self._store.write(lambda db: failures.note(db, request, moment))

    async def seen(self, request: SignInSeen) -> None:
        """A sign-in was used: it lasts longer, but not for ever."""
        now = timestamps.now()

        def write(db: Database) -> None:
            known = db.one("users.by_sign_in", token_hash=request.sign_in_hash, now=now)
            if known is None:
                return
            expires = self.expiry(timestamps.parse(known["created_at"]))
            db.change("users.seen", token_hash=request.sign_in_hash, now=now, expires_at=expires)
            db.change("users.note_seen_by_sign_in", token_hash=request.sign_in_hash, now=now)

        await self._store.write(write)

    async def sign_out(self, request: SignOut) -> None:
        """A sign-in ends."""
        now = timestamps.now()

        def end(db: Database) -> None:
            user = db.one("users.by_sign_in", token_hash=request.sign_in_hash, now=now)
            db.change("users.sign_out", token_hash=request.sign_in_hash)
            if user is not None:
                name, at = user["name"], timestamps.parse(now)
                audit.add(db, actor=name, action=Action.USER_SIGNED_OUT, subject=name, at=at)

        await self._store.write(end)

    async def keep_house(self) -> None:
        """Deletes what has expired; called now and then."""
        now = timestamps.now()
        before = timestamps.stamp(datetime.now(UTC) - rules.KEPT)

        def delete(db: Database) -> None:
            db.change("users.delete_expired_sign_ins", now=now)
            db.change("users.delete_old_failures", before=before)
            db.change("users.delete_old_password_links", before=before)
            db.change("replies.delete_old", before=before)

        await self._store.write(delete)


def handlers(users: Users) -> dict[type, Handler]:
    """The table's part for people."""

    async def create_setup_link(call: Call, request: CreateSetupLink) -> SetupLinkReply:
        return await users.setup_link(call.asker())

    async def set_up(call: Call, request: SetUp) -> SignInReply:
        return await users.set_up(request)

    async def sign_in(call: Call, request: SignIn) -> SignInReply:
        return await users.sign_in(request)

    async def sign_in_failed(call: Call, request: SignInFailed) -> Done:
        await users.failed(request)
        return Done()

    async def sign_in_seen(call: Call, request: SignInSeen) -> Done:
        await users.seen(request)
        return Done()

    async def sign_out(call: Call, request: SignOut) -> Done:
        await users.sign_out(request)
        return Done()

    return {
        CreateSetupLink: create_setup_link,
        SetUp: set_up,
        SignIn: sign_in,
        SignInFailed: sign_in_failed,
        SignInSeen: sign_in_seen,
        SignOut: sign_out,
    }
