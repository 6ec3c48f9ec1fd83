"""Lets connections in. With TLS, each with the certificate of now; who speaks plain HTTP there gets a clear answer.

Used by `webui.server` in the place of asyncio's own listening, which knows one certificate; and which, with no
descriptor left, logs a traceback for each place in the backlog and plans as many new attempts, and does nothing else.
"""

import asyncio
import re
import socket
import ssl
import sys
from collections.abc import Callable

from webui.tls import Tls

PENDING_MAX = 256
HANDSHAKE_SECONDS = 15.0
PAUSE_SECONDS = 0.5
HEAD_MAX = 8192
HANDSHAKE = b"\x16"
REQUEST = re.compile(rb"(GET|HEAD) (/[!-~]*) HTTP/1\.[01]\r\n")
HOST = re.compile(rb"\r\nhost:[ \t]*([A-Za-z0-9.:\[\]-]{1,255})[ \t]*\r\n", re.IGNORECASE)


class Door:
    """Accepts on a listening socket. `factory` makes the protocol that answers requests."""

    def __init__(self, listening: socket.socket, factory: Callable[[], asyncio.BaseProtocol], tls: Tls | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._listening = listening
        self._factory = factory
        self._tls = tls
        self._pending: set[asyncio.Task[None]] = set()
        self._open = False
        self._told: int | None = None

    def open(self) -> None:
        """Begins to accept."""
        self._open = True
        self._loop.add_reader(self._listening, self._accept)

    def close(self) -> None:
        """Accepts no more, and lets nobody in who stands in the door."""
        self._open = False
        self._loop.remove_reader(self._listening)
        for task in self._pending:
            task.cancel()

    def _pause(self) -> None:
        self._loop.remove_reader(self._listening)
        self._loop.call_later(PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if self._open:
            self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        if len(self._pending) >= PENDING_MAX:
            self._pause()
            return
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            # No descriptor is left, say: those that wait in the backlog are accepted later.
            if error.errno != self._told:
                self._told = error.errno
                print(f"web: can't let anybody in for now: {error.strerror}", file=sys.stderr)
            self._pause()
            return
        self._told = None
        connection.setblocking(False)
        task = self._loop.create_task(self._let_in(connection))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _let_in(self, connection: socket.socket) -> None:
        try:
            if self._tls is None:
                await self._loop.connect_accepted_socket(self._factory, connection)
                return
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                first = await self._first_byte(connection)
                if first == HANDSHAKE and self._tls.context is not None:
                    await self._loop.connect_accepted_socket(
                        self._factory, connection, ssl=self._tls.context, ssl_handshake_timeout=HANDSHAKE_SECONDS
                    )
                    return
                if first and first != HANDSHAKE:
                    await self._answer_plainly(connection, ready=self._tls.context is not None)
        except (OSError, TimeoutError, ssl.SSLError):
            pass  # whoever it was has gone, or speaks nothing that is spoken here
        except asyncio.CancelledError:
            connection.close()
            raise
        connection.close()

    async def _first_byte(self, connection: socket.socket) -> bytes:
        readable: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(connection, _note, readable)
        try:
            await readable
        finally:
            self._loop.remove_reader(connection)
        return connection.recv(1, socket.MSG_PEEK)

    async def _answer_plainly(self, connection: socket.socket, *, ready: bool) -> None:
        head = b""
        while b"\r\n\r\n" not in head and len(head) < HEAD_MAX:
            more = await self._loop.sock_recv(connection, HEAD_MAX)
            if not more:
                break
            head += more
        await self._loop.sock_sendall(connection, plain_answer(head, ready=ready))
        connection.shutdown(socket.SHUT_WR)


def _note(readable: "asyncio.Future[None]") -> None:
    if not readable.done():
        readable.set_result(None)


def plain_answer(head: bytes, *, ready: bool) -> bytes:
    """What a plain HTTP request to the TLS port is answered: where to go, or why nobody can be let in."""
    request, host = REQUEST.match(head), HOST.search(head)
    location = b""
    if not ready:
        status = b"503 Service Unavailable"
        text = b"The dashboard has no certificate that it could use; `claudeopsctl doctor` says why.\n"
    elif request and host:
        status, address = b"308 Permanent Redirect", b"https://" + host[1] + request[2]
        location, text = b"Location: " + address + b"\r\n", b"This port speaks HTTPS: " + address + b"\n"
    else:
        status, text = b"400 Bad Request", b"This port speaks HTTPS. Use https:// in the address.\n"
    body = b"" if request and request[1] == b"HEAD" else text
    return (
        b"HTTP/1.1 " + status + b"\r\n" + location + b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: "
        + str(len(text)).encode() + b"\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" + body
    )  # fmt: skip
