"""Server-sent events: latency of a line, events to many clients against `aiohttp_sse.send`, and clients that stall.

The web process is the real one (`python -m webui`), without a worker, so a line is found by looking at the file: the
slower of the two ways. Clients are plain sockets in this process. Times are seconds, sizes bytes unless named.
"""

import asyncio
import contextlib
import hashlib
import multiprocessing
import os
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from schema import timestamps
from schema.database import Database

ROOT = Path(__file__).parents[1]
CLIENTS = 100
MARK = re.compile(rb"T(\d+)E")
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
            file.write(b"".join(_line(f"{number:08d} {TEXT}") for number in range(lines)) + _line("T0E the end"))

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


def _line(text: str) -> bytes:
    return f"{timestamps.now()}\t{text}\n".encode()


def _pss(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("\nPss:")[1].split()[0]) * 1024


@contextlib.asynccontextmanager
async def _dashboard() -> AsyncIterator[Dashboard]:
    made = await asyncio.to_thread(Dashboard)
    try:
        yield made
    finally:
        await asyncio.to_thread(made.close)


class _Client(asyncio.Protocol):
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


def _ignore(data: bytes) -> None:
    """For clients whose bytes are only counted by their end."""


async def _connect(port: int, request: bytes, end: bytes, hear: Callable[[bytes], None] = _ignore) -> _Client:
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: _Client(request, end, hear), "127.0.0.1", port
    )
    return client


async def latency(clients: int = CLIENTS, rate: int = 100, seconds: float = 10.0) -> dict[str, float]:
    """From a line written to it read by a client, over all clients, in ms. Bar: p99 of at most 50."""
    taken: list[float] = []

    def hear(data: bytes) -> None:
        now = time.monotonic_ns()
        taken.extend((now - int(mark)) / 1e6 for mark in MARK.findall(data))

    async with _dashboard() as dashboard:
        every = [await _connect(dashboard.port, dashboard.request, b"the end", hear) for _ in range(clients)]
        await asyncio.gather(*(client.begun for client in every))
        await asyncio.sleep(1.0)
        begun = time.monotonic()
        with dashboard.log.open("ab", buffering=0) as file:
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
                file.write(_line(f"T{time.monotonic_ns()}E {TEXT}"))
            file.write(_line("the end"))
        async with asyncio.timeout(30):
            await asyncio.gather(*(client.ended for client in every))
    taken.sort()
    if len(taken) < 0.999 * clients * rate * seconds:
        raise RuntimeError(f"{len(taken)} of {clients * rate * seconds:.0f} lines came")
    return {
        "clients": clients,
        "lines_per_s": rate,
        "p50_ms": taken[len(taken) // 2],
        "p99_ms": taken[int(len(taken) * 0.99)],
        "max_ms": taken[-1],
    }


async def _all_read(port: int, request: bytes, clients: int) -> float:
    """Seconds until every client has read to the end."""
    begun = time.perf_counter()
    every = [await _connect(port, request, b"the end") for _ in range(clients)]
    async with asyncio.timeout(LONG):
        return max(await asyncio.gather(*(client.ended for client in every))) - begun


def _serve_peer(listening: socket.socket, row: str, rows: int) -> None:
    """The peer: the same rows, each by `aiohttp_sse.send`."""
    from aiohttp import web
    from aiohttp_sse import sse_response

    async def stream(request: web.Request) -> web.StreamResponse:
        async with sse_response(request) as response:
            for number in range(rows):
                await response.send(row, id=str(number), event="rows")
            await response.send("the end", id=str(rows), event="rows")
        return response

    app = web.Application()
    app.router.add_get("/", stream)
    web.run_app(app, sock=listening, print=None, access_log=None)


async def _one_row(dashboard: Dashboard) -> str:
    """A row as the stream sends it, for the peer."""
    got: list[bytes] = []
    client = await _connect(dashboard.port, dashboard.request, b"the end", got.append)
    await client.ended
    text = b"".join(got).decode()
    rows = re.findall(r"data: (<li class=\"entry.*?</li>)", text, re.DOTALL)
    return str(rows[0]).replace("\ndata: ", "\n")


async def throughput(clients: int = CLIENTS, lines: int = 3000) -> dict[str, float]:
    """Lines as events to many clients, and the same rows by `aiohttp_sse.send`. Bar: at least 10 times as many."""
    async with _dashboard() as dashboard:
        dashboard.write(lines)
        row = await _one_row(dashboard)
    async with _dashboard() as dashboard:
        dashboard.write(lines)
        ours = await _all_read(dashboard.port, dashboard.request, clients)
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    peer = multiprocessing.get_context("fork").Process(target=_serve_peer, args=(listening, row, lines))
    peer.start()
    try:
        theirs = await _all_read(listening.getsockname()[1], b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", clients)
    finally:
        peer.terminate()
        await asyncio.to_thread(peer.join)
        listening.close()
    return {
        "clients": clients,
        "ours_per_s": lines * clients / ours,
        "aiohttp_sse_per_s": lines * clients / theirs,
        "ratio": theirs / ours,
    }


async def stalled(idle: int = 20, lines: int = 20_000, rounds: int = 11) -> dict[str, float]:
    """A fast client alone and beside clients that never read. Bars: at most 5 % slower, at most 5 MiB more memory.

    Each round asks in both ways, by turns first, and the middle of the rounds' ratios counts: how fast a machine is
    changes by more than the bar within a second.
    """
    rates: dict[int, list[float]] = {0: [], idle: []}
    grown = 0
    async with _dashboard() as dashboard:
        dashboard.write(lines)
        await _all_read(dashboard.port, dashboard.request, 1)
        for number in range(rounds):
            for count in (0, idle) if number % 2 else (idle, 0):
                before = _pss(dashboard.process.pid)
                seconds, after = await _beside(dashboard, count)
                rates[count].append(lines / seconds)
                grown = max(grown, after - before if count else 0)
    kept = statistics.median(beside / alone for alone, beside in zip(rates[0], rates[idle], strict=True))
    return {
        "alone_lines_per_s": statistics.median(rates[0]),
        "beside_lines_per_s": statistics.median(rates[idle]),
        "lost_percent": 100 * (1 - kept),
        "grown_mib": grown / (1 << 20),
    }


async def _beside(dashboard: Dashboard, count: int) -> tuple[float, int]:
    """Seconds that a client needs to read everything while `count` others read nothing, and the process's size then."""
    waiting = [await _stall(dashboard) for _ in range(count)]
    try:
        await asyncio.sleep(1.0)
        # The stalled ones have had the first pieces made, which the fast one would find ready: read past them.
        await _all_read(dashboard.port, dashboard.request, 1)
        return await _all_read(dashboard.port, dashboard.request, 1), _pss(dashboard.process.pid)
    finally:
        for one in waiting:
            one.close()
        await asyncio.sleep(0.5)


async def _stall(dashboard: Dashboard) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", dashboard.port))
    await asyncio.get_running_loop().sock_sendall(made, dashboard.request)
    return made


if __name__ == "__main__":
    for each in (latency, throughput, stalled):
        print(each.__name__, asyncio.run(each()))
