"""The worker's side: a ROUTER that answers requests through one table, and a PUB that numbers what it says.

Both sockets come as listening descriptors from the supervisor, so they outlive this process. A peer is known by its
uid; a frame that can't be read, has expired or is of an unknown type is answered and harms nobody.
"""

import asyncio
import contextlib
import os
import socket as socket_module
import sys
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import zmq
import zmq.asyncio

from ipc import codec
from ipc.asker import unix_user
from ipc.errors import CallError, Code
from ipc.messages.envelope import PROTOCOL, PROTOCOL_OLDEST, Envelope, Event, Reply, Request

CONCURRENT_MAX = 256
NAME_MAX = 64  # of a request's id and type; both are repeated in the answer


class Peer(NamedTuple):
    """Who asks, as the kernel told when the connection was made."""

    uid: int
    gid: int
    pid: int


class Call(NamedTuple):
    """What a handler knows about a request beside its body."""

    id: str
    peer: Peer
    deadline: float
    trace: str

    def asker(self, told: str = "") -> str:
        """Who asks, for rows that say so: the unix user of the peer, as the kernel knows it.

        `told` is whom the request names. It counts from our own user alone, as whom the web process runs, which speaks
        for those who are signed in.
        """
        return told if told and self.peer.uid == os.geteuid() else unix_user(self.peer.uid)


Handler = Callable[[Call, Any], Awaitable[Reply]]
Recall = Callable[[str], Awaitable[bytes | None]]


def bound_socket(context: zmq.asyncio.Context, kind: int, descriptor: int) -> zmq.asyncio.Socket:
    """A socket on a descriptor that already listens. zmq closes what it is given, hence the duplicate."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.USE_FD, os.dup(descriptor))
    for option, value in (
        (zmq.LINGER, 0),
        (zmq.MAXMSGSIZE, codec.MAX_FRAME),
        (zmq.HANDSHAKE_IVL, 5000),
        (zmq.HEARTBEAT_IVL, 2000),
        (zmq.HEARTBEAT_TIMEOUT, 10_000),
    ):
        socket.setsockopt(option, value)
    if kind == zmq.ROUTER:
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    # With USE_FD the name only tells zmq the transport; the descriptor is what it listens on.
    with socket_module.socket(fileno=os.dup(descriptor)) as listening:
        socket.bind(f"ipc://{listening.getsockname()}")
    return socket


def read_peer(frame: zmq.Frame) -> Peer:
    """The peer of a frame: `Peer-Address` is `localhost:<uid>:<gid>:<pid>` on ipc."""
    try:
        address = frame.get("Peer-Address")
    except zmq.ZMQError:
        address = None  # a peer of an old protocol, or none at all: garbage may look like one
    try:
        _, uid, gid, pid = str(address).rsplit(":", 3)
        return Peer(int(uid), int(gid), int(pid))
    except ValueError:
        raise CallError(Code.FORBIDDEN, f"can't tell who asks: {address!r}") from None


class Publisher:
    """Says what changed. Numbered within an epoch, so that a reader notices a gap and reads the state again."""

    def __init__(self, socket: zmq.asyncio.Socket) -> None:
        self._socket: zmq.Socket[bytes] = zmq.Socket.shadow(socket)
        self.epoch = uuid.uuid4().hex[:12]
        self.sequence = 0

    def publish(self, event: Event) -> None:
        """Sends to whoever listens; never waits."""
        self.sequence += 1
        with contextlib.suppress(zmq.Again):  # a full queue is a gap in the numbers, which readers act on
            self._socket.send(codec.publication(self.epoch, self.sequence, event), zmq.NOBLOCK)


class Server:
    """Answers requests by a table of handlers, one for each request type."""

    def __init__(
        self,
        socket: zmq.asyncio.Socket,
        handlers: Mapping[type[Request], Handler],
        *,
        allowed: Callable[[Peer], bool],
        recall: Recall,
    ) -> None:
        """`allowed` judges a peer; `recall` gives the stored reply to a request id, if it was answered before."""
        self._socket = socket
        self._handlers = handlers
        self._allowed = allowed
        self._recall = recall
        self._running: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, list[bytes]] = {}
        self.on_answer: list[Callable[[str, float, str], None]] = []
        """Who hears of every answer: the request's type, how long it took (s), the error's code or nothing."""

    async def serve(self) -> None:
        """Reads requests until cancelled. Each is answered by a task of its own."""
        while True:
            frames = await self._socket.recv_multipart(copy=False)
            identity = bytes(frames[0].buffer)
            raw = bytes(frames[-1].buffer)
            json = codec.is_json(raw)
            type_ = id_ = ""  # of a frame that can't be read
            try:
                envelope = codec.open_envelope(raw)
                type_, id_ = envelope.type[:NAME_MAX], envelope.id[:NAME_MAX]
                peer = self._judge(frames[-1])
                self._admit(envelope)
            except CallError as error:
                # With the id, or the one who asked waits for its deadline and is told nothing.
                await self._send(identity, codec.failure(type_, id_, error, sent=time.monotonic(), json=json))
                continue
            if envelope.id in self._running:
                # The same request again while it is being answered: one effect, both are told.
                self._waiting.setdefault(envelope.id, []).append(identity)
                continue
            self._running[envelope.id] = asyncio.create_task(self._answer(identity, envelope, peer, json=json))

    def _judge(self, frame: zmq.Frame) -> Peer:
        peer = read_peer(frame)
        if not self._allowed(peer):
            raise CallError(Code.FORBIDDEN, f"uid {peer.uid} may not command this daemon")
        return peer

    def _admit(self, envelope: Envelope) -> None:
        if not 0 < len(envelope.id) <= NAME_MAX or len(envelope.type) > NAME_MAX:
            raise CallError(
                Code.INVALID, f"a request's id has 1 to {NAME_MAX} characters, and its type at most as many"
            )
        if len(self._running) >= CONCURRENT_MAX:
            raise CallError(Code.OVERLOADED, "too many requests at a time; try again in a moment")

    async def _answer(self, identity: bytes, envelope: Envelope, peer: Peer, *, json: bool) -> None:
        began, code = time.monotonic(), ""
        try:
            frame = await self._reply(envelope, peer, json=json)
        except CallError as error:
            code = error.code.value
            frame = codec.failure(envelope.type, envelope.id, error, sent=time.monotonic(), json=json)
        except Exception:  # noqa: BLE001 - the boundary: logged whole, told in short
            traceback.print_exc(file=sys.stderr)
            code = Code.INTERNAL.value
            told = CallError(Code.INTERNAL, "internal error; the daemon's log has the details")
            frame = codec.failure(envelope.type, envelope.id, told, sent=time.monotonic(), json=json)
        finally:
            del self._running[envelope.id]
        took = time.monotonic() - began
        await self._send(identity, frame)
        for other in self._waiting.pop(envelope.id, []):
            await self._send(other, frame)
        self._tell_of(envelope.type, took, code)

    def _tell_of(self, type_: str, took: float, code: str) -> None:
        """Who hears of answers comes last, and a fault of one is nobody else's."""
        for hear in self.on_answer:
            try:
                hear(type_, took, code)
            except Exception:  # noqa: BLE001 - the boundary: logged whole, as that of a handler
                traceback.print_exc(file=sys.stderr)

    async def _reply(self, envelope: Envelope, peer: Peer, *, json: bool) -> bytes:
        if not PROTOCOL_OLDEST <= envelope.protocol <= PROTOCOL:
            raise CallError(
                Code.PROTOCOL,
                f"protocol {envelope.protocol} is not spoken here, only {PROTOCOL_OLDEST} to {PROTOCOL}",
                {"oldest": PROTOCOL_OLDEST, "newest": PROTOCOL},
            )
        if envelope.deadline and time.monotonic() > envelope.deadline:
            raise CallError(Code.DEADLINE, "the request came after its deadline; nothing was done")
        request = codec.read_request(envelope, json=json)
        if request.changes and (stored := await self._recall(envelope.id)) is not None:
            reply = codec.read_stored(stored, type(request).reply)
        else:
            call = Call(envelope.id, peer, envelope.deadline, envelope.trace)
            reply = await self._handlers[type(request)](call, request)
        return codec.reply(envelope, reply, sent=time.monotonic(), json=json)

    async def _send(self, identity: bytes, frame: bytes) -> None:
        # A peer that has gone, or does not read, loses its reply: it asks again with the same id.
        with contextlib.suppress(zmq.ZMQError):
            await self._socket.send_multipart([identity, frame], flags=zmq.NOBLOCK)

    async def close(self) -> None:
        """Lets the requests that are being answered end."""
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=2.0)
        for task in list(self._running.values()):
            task.cancel()
