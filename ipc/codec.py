"""Frames to messages and back. Pure: no sockets, no clock. Used by client and server, and by tests with wild bytes.

A frame that can't be read raises `CallError`; it never stops a server.
"""

from typing import Any

import msgspec

from ipc.errors import CallError, Code
from ipc.messages.envelope import PROTOCOL, Envelope, Event, Failure, Reply, Request
from ipc.messages.tables import EVENTS, REQUESTS

MAX_FRAME = 4 * 1024 * 1024
# What reading wild bytes can raise: syntax, shape, text that is no UTF-8, nesting without end.
UNREADABLE = (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError)

_msgpack = msgspec.msgpack.Decoder(Envelope)
_json = msgspec.json.Decoder(Envelope)


class Published(msgspec.Struct, array_like=True, frozen=True):
    """A published frame behind its topic: who numbers (`epoch`), the number, and the event."""

    epoch: str
    sequence: int
    type: str
    body: msgspec.Raw


def is_json(frame: bytes) -> bool:
    """Whether a frame is JSON, and wants its answer so."""
    return frame[:1] == b"["


def open_envelope(frame: bytes) -> Envelope:
    """The envelope of a frame."""
    if len(frame) > MAX_FRAME:
        raise CallError(Code.INVALID, f"a frame may have {MAX_FRAME} bytes, this one has {len(frame)}")
    try:
        return _json.decode(frame) if is_json(frame) else _msgpack.decode(frame)
    except UNREADABLE as error:
        raise CallError(Code.INVALID, f"not a message: {error}") from error


def _decode(body: msgspec.Raw, into: type, *, json: bool) -> object:
    try:
        return msgspec.json.decode(body, type=into) if json else msgspec.msgpack.decode(body, type=into)
    except UNREADABLE as error:
        raise CallError(Code.INVALID, str(error)) from error


def _pack(
    kind: str, type_: str, id_: str, sent: float, deadline: float, trace: str, body: object, *, json: bool
) -> bytes:
    encode = msgspec.json.encode if json else msgspec.msgpack.encode
    try:
        packed = encode(body)
    except UnicodeEncodeError:
        # A stranger's bytes in a text, which whoever read them should have replaced: no reason to answer nothing.
        packed = encode(_sendable(msgspec.to_builtins(body, builtin_types=() if json else (bytes,))))
    return encode(Envelope(PROTOCOL, kind, type_, id_, sent, deadline, trace, msgspec.Raw(packed)))


def _sendable(value: Any) -> Any:
    """The same with `?` for each lone surrogate, which UTF-8 can't write."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_sendable(key): _sendable(one) for key, one in value.items()}
    return [_sendable(one) for one in value] if isinstance(value, list | tuple) else value


def request(id_: str, message: Request, *, sent: float, deadline: float, trace: str = "", json: bool = False) -> bytes:
    """A request's frame. CallError `too_large` where the other side would drop the connection for it."""
    frame = _pack("req", message.subject, id_, sent, deadline, trace, message, json=json)
    if len(frame) > MAX_FRAME:
        raise CallError(Code.TOO_LARGE, f"the request has {len(frame)} bytes and may have {MAX_FRAME}; shorten it")
    return frame


def reply(to: Envelope, message: Reply, *, sent: float, json: bool = False) -> bytes:
    """The frame that answers `to`. CallError `too_large` where the other side would drop the connection for it."""
    frame = _pack("rep", to.type, to.id, sent, 0.0, to.trace, message, json=json)
    if len(frame) > MAX_FRAME:
        raise CallError(Code.TOO_LARGE, f"the answer has {len(frame)} bytes and may have {MAX_FRAME}; ask for less")
    return frame


def failure(type_: str, id_: str, error: CallError, *, sent: float, json: bool = False) -> bytes:
    """The frame that says why a request was not carried out."""
    return _pack("err", type_, id_, sent, 0.0, "", Failure(error.code.value, error.message, error.data), json=json)


def read_request(envelope: Envelope, *, json: bool = False) -> Request:
    """The request in an envelope."""
    if envelope.kind != "req":
        raise CallError(Code.INVALID, f"a request was expected, not {envelope.kind!r}")
    message = REQUESTS.get(envelope.type)
    if message is None:
        raise CallError(Code.UNKNOWN_TYPE, f"this version does not know {envelope.type!r}")
    found = _decode(envelope.body, message, json=json)
    assert isinstance(found, Request)  # noqa: S101 - the decoder was given that type
    return found


def read_reply(envelope: Envelope, expected: type[Reply], *, json: bool = False) -> Reply:
    """The reply in an envelope, or the `CallError` that it carries."""
    if envelope.kind == "err":
        told = _decode(envelope.body, Failure, json=json)
        assert isinstance(told, Failure)  # noqa: S101 - the decoder was given that type
        code = Code(told.code) if told.code in set(Code) else Code.INTERNAL
        raise CallError(code, told.message, told.data)
    found = _decode(envelope.body, expected, json=json)
    assert isinstance(found, Reply)  # noqa: S101 - the decoder was given that type
    return found


def store(message: Reply) -> bytes:
    """A reply as it is kept with its effect."""
    return msgspec.msgpack.encode(message)


def read_stored(stored: bytes, expected: type[Reply]) -> Reply:
    """A kept reply."""
    return msgspec.msgpack.decode(stored, type=expected)


def publication(epoch: str, sequence: int, event: Event) -> bytes:
    """A published frame: the topic for zmq's filter, a NUL, the event."""
    body = msgspec.Raw(msgspec.msgpack.encode(event))
    return event.subject.encode() + b"\0" + msgspec.msgpack.encode(Published(epoch, sequence, event.subject, body))


def read_publication(frame: bytes) -> tuple[str, int, Event | None]:
    """(epoch, number, event) of a published frame; None for an event that this version does not know."""
    _, _, rest = frame.partition(b"\0")
    try:
        told = msgspec.msgpack.decode(rest, type=Published)
        event = EVENTS.get(told.type)
        found = None if event is None else msgspec.msgpack.decode(told.body, type=event)
    except UNREADABLE as error:
        raise CallError(Code.INVALID, f"not an event: {error}") from error
    return told.epoch, told.sequence, found
