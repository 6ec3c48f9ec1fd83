"""A ZeroMQ DEALER of one request, in the standard library: importing the real one takes longer than all else here.

Speaks ZMTP 3.1 (rfc.zeromq.org/spec/37) with the NULL mechanism over a unix socket: greeting, READY, messages, and an
answer to each PING, without which the worker would take a question that waits for a person as dead.
"""

import contextlib
import socket
import time
from collections.abc import Iterator
from types import TracebackType

GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)
MORE, LONG, COMMAND = 1, 2, 4
FRAME_MAX = 4 * 1024 * 1024
READY = b"\x05READY" + b"\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER" + b"\x08Identity" + bytes(4)
PING, PONG = b"\x04PING", b"\x04PONG"


class BrokenError(Exception):
    """The connection could not be made, was lost, or says what ZMTP does not; the message says which."""


class Dealer:
    """One connection. Every wait ends at `until`, on the monotonic clock."""

    def __init__(self, path: str, *, until: float) -> None:
        self._until = until
        self._path = path
        self._buffer = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def __enter__(self) -> "Dealer":
        try:
            self._open()
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def _open(self) -> None:
        with _told(f"{self._path} can't be reached"):
            self._wait()
            self._socket.connect(self._path)
        self._put(GREETING)
        greeting = self._take(64)
        if greeting[0] != 0xFF or greeting[9] != 0x7F or greeting[10] < 3 or not greeting[12:].startswith(b"NULL\0"):
            raise BrokenError("whoever listens there does not speak ZMTP 3")
        self._put(_frame(COMMAND, READY))
        flags, body = self._frame()
        if not flags & COMMAND or not body.startswith(b"\x05READY"):
            raise BrokenError("the worker does not take the connection")

    def send(self, message: bytes) -> None:
        """Sends a message of one frame."""
        self._put(_frame(0, message))

    def receive(self) -> bytes:
        """The last frame of the next message."""
        while True:
            flags, body = self._frame()
            if flags & COMMAND:
                if body.startswith(PING):
                    self._put(_frame(COMMAND, PONG + body[len(PING) + 2 :]))  # two bytes of its time to live
            elif not flags & MORE:
                return body

    def _frame(self) -> tuple[int, bytes]:
        flags = self._take(1)[0]
        size = int.from_bytes(self._take(8 if flags & LONG else 1), "big")
        if size > FRAME_MAX:
            raise BrokenError(f"the answer has {size} bytes")
        return flags, self._take(size)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            with _told("the worker went away, or was silent, while it was asked"):
                self._wait()
                found = self._socket.recv(65536)
            if not found:
                raise BrokenError("the worker went away while it was asked")
            self._buffer += found
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _put(self, data: bytes) -> None:
        with _told("the worker went away, or did not read, while it was asked"):
            self._wait()
            self._socket.sendall(data)

    def _wait(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise BrokenError("time is up")
        self._socket.settimeout(left)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Turns an error of the system into `BrokenError` with a sentence."""
    try:
        yield
    except OSError as error:
        raise BrokenError(f"{what} ({error.strerror or error})") from error


def _frame(flags: int, body: bytes) -> bytes:
    if len(body) > 255:
        return bytes([flags | LONG]) + len(body).to_bytes(8, "big") + body
    return bytes([flags, len(body)]) + body
