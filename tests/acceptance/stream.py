"""A browser's side of a session's stream, written from the specification of server-sent events alone.

Reconnects with Last-Event-ID as a browser does, and keeps what it was told in order.
"""

import re
import socket
import threading
import time
from collections.abc import Iterator

from tests.acceptance.harness import Daemon

NUMBER = re.compile(r">\s*line (\d+)\s*<")


class Event:
    """One dispatched event."""

    def __init__(self, name: str, data: str, id_: str) -> None:
        self.name, self.data, self.id = name, data, id_


def parse(lines: Iterator[bytes]) -> Iterator[Event]:
    """Events from lines without their ends, as the specification says; the id stays until another comes."""
    name, id_ = "", ""
    data: list[str] = []
    for raw in lines:
        line = raw.decode("utf-8")
        if not line:
            if data:
                yield Event(name or "message", "\n".join(data), id_)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id" and "\0" not in value:
            id_ = value


class Reader(threading.Thread):
    """Reads one session's stream to its end. `pause` seconds after each chunk make it slow; `drop` bytes, restless."""

    def __init__(self, daemon: Daemon, session: int, *, pause: float = 0.0, drop: int = 0) -> None:
        super().__init__(daemon=True)
        self.target, self.session, self.pause, self.drop = daemon, session, pause, drop
        self.port, self.cookie = daemon.port, daemon.cookie
        self.numbers: list[int] = []
        self.last_id = ""
        self.refused = 0
        self.connections = 0
        self.raw = bytearray()
        self.done = threading.Event()
        self.stop = threading.Event()
        self.first_at: list[float] = []
        self.largest = 0  # bytes that were sent as one piece, or made as one event

    def run(self) -> None:
        """Connects until `done` came."""
        while not self.done.is_set() and not self.stop.is_set():
            try:
                self._connect_once()
            except ConnectionRefusedError:
                self.refused += 1
                time.sleep(0.05)
            except (OSError, ValueError):
                time.sleep(0.02)

    def _connect_once(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), 30) as connection:
            self.connections += 1
            resume = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
            connection.sendall(
                f"GET /sessions/{self.session}/stream?at=0 HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                f"Accept: text/event-stream\r\nCookie: {self.cookie}\r\n{resume}Connection: close\r\n\r\n".encode()
            )
            for event in parse(self._lines(connection)):
                self.take(event)
                if event.name == "done":
                    self.done.set()
                    return

    def take(self, event: Event) -> None:
        """Keeps the lines of an event, and where to resume."""
        self.numbers += [int(found) for found in NUMBER.findall(event.data)]
        self.last_id = event.id or self.last_id
        self.largest = max(self.largest, len(event.data.encode()))

    def _lines(self, connection: socket.socket) -> Iterator[bytes]:
        """The body's lines, out of chunked transfer coding; an incomplete line at the end is none."""
        file = connection.makefile("rb")
        status = file.readline()
        if b" 200 " not in status:
            raise ValueError(status)
        self.first_at.append(time.monotonic())
        chunked = False
        while (header := file.readline().strip()) != b"":
            chunked |= header.lower() == b"transfer-encoding: chunked"
        rest, read = b"", 0
        while not self.stop.is_set():
            if chunked:
                size = int(file.readline().strip() or b"0", 16)
                part = file.read(size)
                file.readline()
                self.largest = max(self.largest, size)
            else:
                part = file.read1(65536)
            if not part:
                return
            self.raw += part
            read += len(part)
            *lines, rest = (rest + part).split(b"\n")
            yield from lines
            if self.pause:
                time.sleep(self.pause)
            if self.drop and read > self.drop:
                return
