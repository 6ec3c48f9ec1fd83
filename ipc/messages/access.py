"""Messages about who may use the dashboard: API tokens, people, links that set a password, the audit log's proof.

No token and no link travels: whoever makes one sends its SHA-256, and shows it once. So nothing that is stored for a
repeated request could show it again.
"""

from typing import ClassVar

from ipc.messages.envelope import Done, Event, Reply, Request
from ipc.messages.users import SignInReply
from schema.access import ApiToken, Scope, User
from schema.states import Role


class TokenReply(Reply, frozen=True):
    """One API token."""

    token: ApiToken


class TokensReply(Reply, frozen=True):
    """API tokens, newest first."""

    tokens: list[ApiToken]


class CreateToken(Request, frozen=True):
    """Makes an API token. `token_hash`: SHA-256, hex, of the token; `scopes`: empty for those of the role.

    The reply's fingerprint tells whether it is of this token: a repeat is answered with the one made before.
    """

    subject: ClassVar[str] = "tokens.create"
    reply: ClassVar[type[Reply]] = TokenReply
    changes: ClassVar[bool] = True
    name: str
    token_hash: str
    role: Role = Role.VIEWER
    scopes: list[Scope] = []
    expires_at: str | None = None
    by: str = ""


class ListTokens(Request, frozen=True):
    """API tokens that count or have expired; with `all`, those that were revoked too."""

    subject: ClassVar[str] = "tokens.list"
    reply: ClassVar[type[Reply]] = TokensReply
    all: bool = False


class RevokeToken(Request, frozen=True):
    """Ends an API token at once, by its number or, where that is 0, its name."""

    subject: ClassVar[str] = "tokens.revoke"
    reply: ClassVar[type[Reply]] = TokenReply
    changes: ClassVar[bool] = True
    id: int = 0
    name: str = ""
    by: str = ""


class TokenUsed(Request, frozen=True):
    """Remembers that an API token was used, and from where; kept at most once a minute."""

    subject: ClassVar[str] = "tokens.used"
    reply: ClassVar[type[Reply]] = Done
    id: int
    address: str


class UserReply(Reply, frozen=True):
    """One person. Where a link was offered: `address` of the dashboard, which it begins with, and when it ends.

    `link` is the fingerprint of the link's hash, which tells whether a reply is of this link or of one made before.
    `revoked`: the names of the API tokens that ended with the change.
    """

    user: User
    address: str = ""
    link: str = ""
    expires_at: str | None = None
    revoked: list[str] = []


class UsersReply(Reply, frozen=True):
    """People, the first first."""

    users: list[User]


class ListUsers(Request, frozen=True):
    """Everybody who may sign in, or might."""

    subject: ClassVar[str] = "users.list"
    reply: ClassVar[type[Reply]] = UsersReply


class AddUser(Request, frozen=True):
    """Adds a person, who sets a password with the link `/password/<token>`; `link_hash` is the token's SHA-256, hex."""

    subject: ClassVar[str] = "users.add"
    reply: ClassVar[type[Reply]] = UserReply
    changes: ClassVar[bool] = True
    name: str
    link_hash: str
    role: Role = Role.VIEWER
    by: str = ""


class ChangeUser(Request, frozen=True):
    """Changes a person's role, keeps them out, or lets them in again. The last admin stays one.

    API tokens that they made and that may more than their new role are revoked, and all of them where `tokens` says so
    of somebody who is kept out: they have seen them.
    """

    subject: ClassVar[str] = "users.change"
    reply: ClassVar[type[Reply]] = UserReply
    changes: ClassVar[bool] = True
    name: str
    role: Role | None = None
    disabled: bool | None = None
    tokens: bool = False
    by: str = ""


class OfferPassword(Request, frozen=True):
    """Offers a person a link to set a password, as with `users.add`; their earlier ones end."""

    subject: ClassVar[str] = "users.offer_password"
    reply: ClassVar[type[Reply]] = UserReply
    changes: ClassVar[bool] = True
    name: str
    link_hash: str
    by: str = ""


class SetPassword(Request, frozen=True):
    """Uses a password link up: sets the password, ends the person's sign-ins, and signs this browser in."""

    subject: ClassVar[str] = "users.set_password"
    reply: ClassVar[type[Reply]] = SignInReply
    link_hash: str
    password_hash: str
    sign_in_hash: str
    csrf: str
    address: str = ""


class AuditVerdict(Reply, frozen=True):
    """Whether the audit log is as it was written; `first_bad`: the first line that is not; `head`: the last's hash."""

    ok: bool
    lines: int
    first_bad: int | None
    head: str
    reason: str


class VerifyAudit(Request, frozen=True):
    """Walks the audit log's chain. `kept`: a head from earlier, which must still be part of it."""

    subject: ClassVar[str] = "audit.verify"
    reply: ClassVar[type[Reply]] = AuditVerdict
    kept: str = ""


class AccessChanged(Event, frozen=True):
    """A person or a token has been changed: who is let in has to be looked up anew."""

    subject: ClassVar[str] = "access"
