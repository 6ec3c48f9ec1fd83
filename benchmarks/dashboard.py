"""A real web process (`python -m webui`) over a state directory with one session, without a worker, and clients of it.

Used by `benchmarks.sse`. Without a worker a line is found by looking at the file: the slower of the two ways. Clients
are plain sockets in this process.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from schema import timestamps
from schema.database import Database

ROOT = Path(__file__).parents[1]
TEXT = "GET https://svc.example/health 200 in 12 ms, as it should be, and the words that a line is made of"
LONG = 300.0


class Dashboard:
    """A state directory with one session, and a web process over it."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="bench-"))
        for name in ("state", "results", "run"):
            (self.directory / name).mkdir()
        self.log = self.directory / "results" / "run-20260131-080500.log"
        self.log.touch()
        self.token = secrets.token_hex(16)
        self.session = self._fill()
        self.port = _free_port()
        self.process = self._start()

    def _fill(self) -> int:
        database = Database(self.directory / "state" / "claudeops.db", readonly=False)
        database.migrate()
        now, later = timestamps.now(), timestamps.at(time.time() + 3600)
        user = database.value("users.insert", name="bench", password_hash="-", role="viewer", created_at=now)
        hashed = hashlib.sha256(self.token.encode()).hexdigest()
        database.change("users.sign_in", token_hash=hashed, user_id=user, csrf="-", created_at=now, expires_at=later)
        session = database.value(
            "sessions.insert",
            tier=1, model="haiku", prompt_file="-", prompt_text="", trigger="manual", requested_by="bench",
            started_at=now, log_file=str(self.log), run_id="run", cli_session_id=None, cli_version=None,
            context=None, parent_session_id=None, chain_id=None, dry_run=0,
        )  # fmt: skip
        database.close()
        return int(session)

    def _start(self) -> "subprocess.Popen[bytes]":
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            "CLAUDEOPS_STATE_DIR": str(self.directory / "state"),
            "CLAUDEOPS_RESULTS_DIR": str(self.directory / "results"),
            "CLAUDEOPS_RUNTIME_DIR": str(self.directory / "run"),
            "CLAUDEOPS_DASHBOARD_HOST": "127.0.0.1",
            "CLAUDEOPS_DASHBOARD_PORT": str(self.port),
        }
        with (self.directory / "web.log").open("wb") as log:
            started = subprocess.Popen([sys.executable, "-m", "webui"], env=environment, cwd=ROOT, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return started
            time.sleep(0.02)
        raise RuntimeError((self.directory / "web.log").read_text())

    @property
    def request(self) -> bytes:
        """What a client of the session's stream sends."""
        return (
            f"GET /sessions/{self.session}/stream?at=0 HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Cookie: claudeops={self.token}\r\nAccept: text/event-stream\r\n\r\n"
        ).encode()

    def write(self, lines: int) -> None:
        """Adds lines to the log, all at once; the last is `the end`."""
        with self.log.open("ab") as file:
            file.write(b"".join(log_line(f"{number:08d} {TEXT}") for number in range(lines)) + log_line("T0E the end"))

    def close(self) -> None:
        """Ends the process and takes the directory away."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory)


def _free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def log_line(text: str) -> bytes:
    """A line as a shim writes it, as of now."""
    return f"{timestamps.now()}\t{text}\n".encode()


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Dashboard]:
    """`async with` it."""
    made = await asyncio.to_thread(Dashboard)
    try:
        yield made
    finally:
        await asyncio.to_thread(made.close)


class Client(asyncio.Protocol):
    """Sends one request and hands on what comes, until `end` was in it."""

    def __init__(self, request: bytes, end: bytes, hear: Callable[[bytes], None]) -> None:
        self._request, self._end, self._hear = request, end, hear
        self._tail = b""
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.begun.done():
            self.begun.set_result(None)
        self._hear(data)
        if self._end in self._tail + data and not self.ended.done():
            self.ended.set_result(time.perf_counter())
        self._tail = data[-len(self._end) :]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionError("the stream ended early"))


def ignore(data: bytes) -> None:
    """For clients whose bytes are only counted by their end."""


async def connect(port: int, request: bytes, end: bytes, hear: Callable[[bytes], None] = ignore) -> Client:
    """A client that has sent its request; it has ended once `end` came."""
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: Client(request, end, hear), "127.0.0.1", port
    )
    return client


async def all_read(port: int, request: bytes, clients: int) -> float:
    """Seconds until every client has read to the end."""
    begun = time.perf_counter()
    every = [await connect(port, request, b"the end") for _ in range(clients)]
    async with asyncio.timeout(LONG):
        return max(await asyncio.gather(*(client.ended for client in every))) - begun
