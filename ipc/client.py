"""The web process's side: requests with an id and a deadline, and what the worker publishes.

One task reads each socket and is never cancelled but at the end: a cancelled receive would drop a message. A late
reply finds no one waiting and is dropped. Nothing is queued for a worker that is not there.
"""

import asyncio
import contextlib
import sys
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import zmq
import zmq.asyncio

from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.envelope import Event, Reply, Request
from ipc.messages.system import Hello, Welcome

R = TypeVar("R", bound=Reply)
Listener = Callable[[Event | None], Awaitable[None] | None]
UNAVAILABLE = "the worker is not answering; it is being restarted, try again in a moment"


class Client:
    """Asks the worker. Reconnects by itself."""

    def __init__(self, context: zmq.asyncio.Context, path: str) -> None:
        self._context = context
        self._path = path
        self._socket = self._connect()
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._reader = asyncio.create_task(self._read())

    def _connect(self) -> zmq.asyncio.Socket:
        socket = self._context.socket(zmq.DEALER)
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.IMMEDIATE, 1),
            (zmq.RECONNECT_IVL, 50),
            (zmq.RECONNECT_IVL_MAX, 500),
            (zmq.MAXMSGSIZE, codec.MAX_FRAME),
            (zmq.HEARTBEAT_IVL, 2000),
            (zmq.HEARTBEAT_TIMEOUT, 10_000),
        ):
            socket.setsockopt(option, value)
        socket.connect(f"ipc://{self._path}")
        return socket

    async def _read(self) -> None:
        while True:
            frames = await self._socket.recv_multipart()
            try:
                envelope = codec.open_envelope(frames[-1])
            except CallError:
                continue  # not ours to mend: whoever waits for it runs into its deadline and says so
            waiting = self._waiting.get(envelope.id)
            if waiting is not None and not waiting.done():
                waiting.set_result(frames[-1])

    async def call(
        self, request: Request, expected: type[R], *, timeout: float = 5.0, trace: str = "", id_: str = ""
    ) -> R:
        """The reply to `request`. CallError: what the worker says, or `unavailable`, or `deadline`."""
        id_ = id_ or uuid.uuid4().hex
        deadline = time.monotonic() + timeout
        wait_ms = int(timeout * 1000)
        if not await self._socket.poll(timeout=wait_ms, flags=zmq.POLLOUT):  # type: ignore[call-arg]  # not in its stub
            raise CallError(Code.UNAVAILABLE, UNAVAILABLE)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = future
        try:
            frame = codec.request(id_, request, sent=time.monotonic(), deadline=deadline, trace=trace)
            try:
                await self._socket.send(frame, zmq.NOBLOCK)
            except zmq.Again:
                raise CallError(Code.UNAVAILABLE, UNAVAILABLE) from None
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    answer = await future
            except TimeoutError:
                raise CallError(Code.DEADLINE, UNAVAILABLE) from None
        finally:
            self._waiting.pop(id_, None)
        return cast("R", codec.read_reply(codec.open_envelope(answer), expected))

    async def greet(self, role: str, version: str) -> Welcome:
        """Finds out whether both sides speak one protocol. CallError `proto.unsupported` if not."""
        return await self.call(Hello(role=role, version=version), Welcome)

    async def close(self) -> None:
        """Ends; whoever waits is told that the worker is unavailable."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(CallError(Code.UNAVAILABLE, UNAVAILABLE))
        self._socket.close(linger=0)


class Subscriber:
    """Hears what the worker publishes. The listener gets None where something was missed: read the state again."""

    def __init__(self, context: zmq.asyncio.Context, path: str, listener: Listener) -> None:
        self._socket = context.socket(zmq.SUB)
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.RECONNECT_IVL, 50),
            (zmq.RECONNECT_IVL_MAX, 500),
            (zmq.RCVHWM, 5000),
        ):
            self._socket.setsockopt(option, value)
        self._socket.subscribe(b"")
        self._socket.connect(f"ipc://{path}")
        self._listener = listener
        self._epoch, self._sequence = "", 0
        self.heard_at = 0.0
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while True:
            frame = await self._socket.recv()
            try:
                epoch, sequence, event = codec.read_publication(frame)
            except CallError:
                continue  # the gap in the numbers shows with the next one
            missed = epoch != self._epoch or sequence != self._sequence + 1
            self._epoch, self._sequence = epoch, sequence
            self.heard_at = time.monotonic()
            if missed:
                await self._tell(None)
            if event is not None:
                await self._tell(event)

    async def _tell(self, event: Event | None) -> None:
        try:
            result = self._listener(event)
            if result is not None:
                await result
        except Exception:  # noqa: BLE001 - the boundary: one event's listener must not deafen us to all that follow
            traceback.print_exc(file=sys.stderr)

    async def close(self) -> None:
        """Ends."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        self._socket.close(linger=0)
