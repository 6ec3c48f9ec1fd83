"""What services are probed at while they are measured: a process of its own that answers at once and notes when.

Started by the benchmarks of services through `Target`. Times are of the monotonic clock, which all processes of a
machine share. A path is a number, the service's; below `/hang/` there is no answer. The log has 12 bytes a request.
"""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).parents[1]
NOTE = struct.Struct("=dI")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
FLUSH_SECONDS = 0.5


class Answering(asyncio.Protocol):
    """One connection."""

    def __init__(self, log: BinaryIO) -> None:
        self._log = log

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has come."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A request, which on loopback comes in one piece."""
        path = data.split(b" ", 2)[1]
        self._log.write(NOTE.pack(time.monotonic(), int(path.rpartition(b"/")[2])))
        if not path.startswith(b"/hang/"):
            self._transport.write(ANSWER)
            self._transport.close()


async def _serve(descriptor: int, log: Path) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    with log.open("wb") as file:
        listening = socket.socket(fileno=descriptor)
        server = await loop.create_server(lambda: Answering(file), sock=listening, backlog=4096)
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await ended.wait()
            file.flush()
        server.close()


class Target:
    """The process; `with` it."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / "arrivals"

    def __enter__(self) -> "Target":
        with socket.create_server(("127.0.0.1", 0), backlog=4096) as listening:
            self.port = listening.getsockname()[1]
            command = [sys.executable, "-m", "benchmarks.target", str(listening.fileno()), str(self._log)]
            self._process = subprocess.Popen(command, pass_fds=(listening.fileno(),), cwd=ROOT)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def url(self, number: int, *, hangs: bool = False) -> str:
        """The address of a service."""
        return f"http://127.0.0.1:{self.port}/{'hang/' if hangs else ''}{number}"

    def count(self) -> int:
        """How many requests came, but for the last half second."""
        return os.stat(self._log).st_size // NOTE.size if self._log.exists() else 0

    def arrivals(self) -> dict[int, list[float]]:
        """When each service was asked; half a second after the last request, all are told."""
        time.sleep(2 * FLUSH_SECONDS)
        found: dict[int, list[float]] = defaultdict(list)
        for at, number in NOTE.iter_unpack(self._log.read_bytes()):
            found[number].append(at)
        return dict(found)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
