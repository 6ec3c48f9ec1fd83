"""Messages about sessions: trigger, stop, list, show, read the log."""

from typing import ClassVar

from ipc.messages.envelope import Event, Reply, Request
from schema.sessions import Session
from schema.states import SessionStatus, Trigger


class SessionReply(Reply, frozen=True):
    """One session."""

    session: Session


class TriggerSession(Request, frozen=True):
    """Starts a session of a tier; answers at once with its row. A busy tier is the error `busy`.

    Without a prompt the tier's prompt file is used. Tier 0 has a model choose by the prompt, which takes some seconds;
    tier 1 if it can't. `by` is who asked.
    """

    subject: ClassVar[str] = "sessions.trigger"
    reply: ClassVar[type[Reply]] = SessionReply
    changes: ClassVar[bool] = True
    tier: int = 1
    prompt: str = ""
    trigger: Trigger = Trigger.MANUAL
    by: str = ""


class StopSession(Request, frozen=True):
    """Stops a running session; answers once its command is told to. A session that is over is the error `conflict`."""

    subject: ClassVar[str] = "sessions.stop"
    reply: ClassVar[type[Reply]] = SessionReply
    id: int
    by: str = ""


class ShowSession(Request, frozen=True):
    """One session."""

    subject: ClassVar[str] = "sessions.show"
    reply: ClassVar[type[Reply]] = SessionReply
    id: int


class SessionsReply(Reply, frozen=True):
    """A page of sessions, newest first."""

    sessions: list[Session]


class ListSessions(Request, frozen=True):
    """Sessions below an id (0: from the newest), at most `limit`, of one status, tier or trigger if given."""

    subject: ClassVar[str] = "sessions.list"
    reply: ClassVar[type[Reply]] = SessionsReply
    before: int = 0
    limit: int = 50
    status: SessionStatus | None = None
    tier: int | None = None
    trigger: Trigger | None = None


class ShowChain(Request, frozen=True):
    """The sessions of the chain that a session belongs to, first to last; of one without a chain, itself alone."""

    subject: ClassVar[str] = "sessions.chain"
    reply: ClassVar[type[Reply]] = SessionsReply
    id: int


class LogReply(Reply, frozen=True):
    """The log's bytes from `offset` to `next`, whole lines where they fit. `over`: ended, and this is all."""

    offset: int
    next: int
    data: bytes
    over: bool


class ReadLog(Request, frozen=True):
    """Reads a session's log from a byte offset; waits up to `wait_s` for something to be there."""

    subject: ClassVar[str] = "sessions.log"
    reply: ClassVar[type[Reply]] = LogReply
    id: int
    offset: int = 0
    limit: int = 262144
    wait_s: float = 0.0


class SessionGrew(Event, frozen=True):
    """A session's log has grown to `size` bytes."""

    subject: ClassVar[str] = "session.grew"
    id: int
    size: int


class SessionChanged(Event, frozen=True):
    """A session's row has changed: it started, its figures moved, or it ended."""

    subject: ClassVar[str] = "session.changed"
    id: int
    status: SessionStatus
