"""Every open live connection: how many there may be, writing to each within bounds, ending them.

A reader that stalls costs a few KiB here and the kernel's buffer, holds nobody up, and is dropped after a while. The
handlers are `webui.live.transcript` and `webui.live.pages`.
"""

import asyncio
import contextlib
import socket
import sys
import traceback
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.http import StreamWriter
from aiohttp_sse import EventSourceResponse

from ipc.errors import CallError, Code
from schema import timestamps
from webui.auth.lasting import lasting
from webui.auth.sign_ins import SignedIn, SignIns
from webui.auth.tokens import Tokens
from webui.live import sse

PIECE = 64 * 1024  # written at a time; what a stalled reader may leave here
HIGH_WATER = 16 * 1024
# What the kernel may hold for a reader, which it doubles. Left to itself it takes megabytes of a long log for each that
# does not read: all of it made here, and far more than is kept of it for the next one.
SEND_BUFFER = 128 * 1024
WRITE_SECONDS = 30.0
BEAT_SECONDS = 5.0
OWN_PING_SECONDS = 3600.0  # aiohttp-sse's comments; the beats do their work


class Stream:
    """One connection. Its handler waits on `wake` and writes; `over` asks it to end."""

    def __init__(
        self,
        person: SignedIn,
        response: EventSourceResponse,
        transport: asyncio.Transport,
        writer: StreamWriter,
    ) -> None:
        self.person = person
        self.response = response
        self.wake = asyncio.Event()
        self.over = False
        self.beat_due = False
        self._transport = transport
        self._writer = writer
        transport.set_write_buffer_limits(high=HIGH_WATER)
        if (connected := transport.get_extra_info("socket")) is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    async def write(self, payload: bytes) -> None:
        """Sends events; waits for a reader that is slow. ConnectionResetError when it has gone or reads no more."""
        view = memoryview(payload)
        for at in range(0, len(view), PIECE):
            await self._writer.write(view[at : at + PIECE], drain=False)
            if self._transport.get_write_buffer_size() > HIGH_WATER:
                await self._drain()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._writer.drain()
        except TimeoutError:
            self._transport.abort()
            raise ConnectionResetError("the reader has stalled") from None

    def end(self) -> None:
        """Asks the handler to end."""
        self.over = True
        self.wake.set()

    def cut(self) -> None:
        """Ends the connection itself, whatever its handler waits for."""
        self.over = True
        self._transport.abort()


class Streams:
    """The open connections."""

    def __init__(self, limit: int, sign_ins: SignIns, tokens: Tokens) -> None:
        self._limit = limit
        self._sign_ins = sign_ins
        self._tokens = tokens
        self._open: set[Stream] = set()
        self._ticker: asyncio.Task[None] | None = None
        self.closing = False

    def __len__(self) -> int:
        return len(self._open)

    def start(self) -> None:
        """Begins to beat."""
        self._ticker = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self.beat_now()

    def beat_now(self) -> None:
        """Has every connection beat, and so end where whoever reads it may no longer."""
        for stream in self._open:
            stream.beat_due = True
            stream.wake.set()

    @contextlib.asynccontextmanager
    async def open(self, request: web.Request, person: SignedIn) -> AsyncIterator[Stream]:
        """Answers a request with a stream. Above the limit: 503, to be tried again."""
        if len(self._open) >= self._limit or self.closing:
            raise web.HTTPServiceUnavailable(
                text=f"There are {self._limit} live connections, which is the limit; close some pages.",
                headers={"Retry-After": "5"},
            )
        response = EventSourceResponse(sep="\n", send_timeout=WRITE_SECONDS, ping_interval=OWN_PING_SECONDS)
        writer = await response.prepare(request)
        transport = request.transport
        if not isinstance(writer, StreamWriter) or transport is None:
            raise ConnectionResetError("the reader has gone")
        stream = Stream(person, response, transport, writer)
        self._open.add(stream)
        try:
            async with response:
                await stream.write(sse.RETRY)
                yield stream
                # The handler has ended the stream; the browser comes again in a second, unless it was told `done`.
                await stream.write(sse.RETRY)
        except ConnectionError:
            response.force_close()  # the reader has gone; it comes again, or not
        except Exception:  # noqa: BLE001 - the answer has begun, so no error page can follow: the reader comes again
            traceback.print_exc(file=sys.stderr)
            response.force_close()
        finally:
            self._open.discard(stream)

    async def beat(self, stream: Stream) -> None:
        """Says that the connection lives, as long as the sign-in or token does."""
        stream.beat_due = False
        try:
            if await lasting(stream.person, self._sign_ins, self._tokens) is None:
                stream.end()
                return
        except CallError as error:
            if error.code is not Code.UNAVAILABLE:
                raise  # while the database is away nobody's sign-in can be judged; it is again at the next beat
        await stream.write(sse.encode("beat", f'{{"now":"{timestamps.now()}"}}'))

    def end_sign_in(self, token_hash: str) -> None:
        """Cuts the connections of somebody who has signed out."""
        for stream in tuple(self._open):
            if stream.person.token_hash == token_hash:
                stream.cut()
                stream.wake.set()

    async def close(self, grace: float) -> None:
        """Asks every handler to end; cuts those that have not after `grace` seconds."""
        self.closing = True
        if self._ticker is not None:
            self._ticker.cancel()
        for stream in self._open:
            stream.end()
        deadline = asyncio.get_running_loop().time() + grace
        while self._open and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - once a lifetime
            await asyncio.sleep(0.02)
        for stream in tuple(self._open):
            stream.cut()
