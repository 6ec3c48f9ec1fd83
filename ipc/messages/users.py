"""Messages about people and their sign-ins. Passwords never travel: the web process hashes and verifies them."""

from typing import ClassVar

from ipc.messages.envelope import Done, Reply, Request


class SetupLinkReply(Reply, frozen=True):
    """A one-time link that makes the first, or one more, admin. Its token is shown this once."""

    url: str
    expires_at: str


class CreateSetupLink(Request, frozen=True):
    """Makes a one-time setup link; earlier unused ones stop working."""

    subject: ClassVar[str] = "users.setup_link"
    reply: ClassVar[type[Reply]] = SetupLinkReply


class SignInReply(Reply, frozen=True):
    """The user that was made or signed in."""

    user_id: int


class SetUp(Request, frozen=True):
    """Uses a setup link up: makes an admin, or sets the password of the one with that name, and signs in."""

    subject: ClassVar[str] = "users.set_up"
    reply: ClassVar[type[Reply]] = SignInReply
    token_hash: str
    name: str
    password_hash: str
    sign_in_hash: str
    csrf: str
    address: str = ""


class SignIn(Request, frozen=True):
    """Records a sign-in that the web process has verified; forgets the failures before it. `counted`: as below.

    `verified` is the SHA-256, hex, of the password's hash that it was verified with: `conflict` where that is not the
    person's any more. `rehash` is a new hash of the same password where parameters have become stronger, else empty.
    """

    subject: ClassVar[str] = "users.sign_in"
    reply: ClassVar[type[Reply]] = SignInReply
    user_id: int
    name: str
    address: str
    sign_in_hash: str
    csrf: str
    verified: str
    rehash: str = ""
    counted: str = ""


class SignInFailed(Request, frozen=True):
    """Records a failed sign-in, for the rate limit and the audit log.

    The name is kept by a mark of three digits, and written down only if it is somebody's: it may be a password that was
    typed into the wrong field. A wrong token or key has no name, and `bearer` stands before its address. `counted` is
    in the place of which address it counts, where that is another: that of a browser in which they signed in before.
    """

    subject: ClassVar[str] = "users.sign_in_failed"
    reply: ClassVar[type[Reply]] = Done
    name: str
    address: str
    counted: str = ""


class SignInSeen(Request, frozen=True):
    """Moves a sign-in's expiry forward."""

    subject: ClassVar[str] = "users.seen"
    reply: ClassVar[type[Reply]] = Done
    sign_in_hash: str


class SignOut(Request, frozen=True):
    """Ends a sign-in."""

    subject: ClassVar[str] = "users.sign_out"
    reply: ClassVar[type[Reply]] = Done
    sign_in_hash: str
