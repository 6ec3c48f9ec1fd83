"""What every message is wrapped in, and the bases of requests and events. Used by the codec and the tables here."""

from typing import Any, ClassVar

import msgspec

PROTOCOL = 1
PROTOCOL_OLDEST = 1


class Envelope(msgspec.Struct, array_like=True, frozen=True):
    """One frame; see the package."""

    protocol: int
    kind: str
    type: str
    id: str
    sent: float
    deadline: float
    trace: str
    body: msgspec.Raw


class Failure(msgspec.Struct, frozen=True):
    """The body of an `err` frame."""

    code: str
    message: str
    data: dict[str, Any] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply's base."""


class Done(Reply, frozen=True):
    """It was carried out; there is nothing more to say."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request's base. `changes` marks those whose reply is stored with their effect, so that a repeat is harmless."""

    subject: ClassVar[str] = ""
    reply: ClassVar[type[Reply]] = Done
    changes: ClassVar[bool] = False


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A published event's base. Its subject is its topic too."""

    subject: ClassVar[str] = ""
