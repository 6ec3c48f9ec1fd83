"""A server that services are probed at: each path answers as it is told to, hangs, cuts the connection, sends nonsense.

It speaks HTTP/1.1 over one connection each, in the test's own loop, and notes every request when it comes.
"""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple


class Behaviour(NamedTuple):
    """How a path answers. `delay` in seconds before the answer; `body_delay` between its head and its body."""

    status: int = 200
    body: bytes = b"ok"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    body_delay: float = 0.0
    hang: bool = False
    reset: bool = False
    garbage: bool = False


class Arrival(NamedTuple):
    """One request: when it came (monotonic), what for, with which headers and body, and what it is answered."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int = 200


class Target:
    """The server. `async with` it."""

    def __init__(self) -> None:
        self.behaviours: dict[str, Behaviour] = {}
        self.arrivals: list[Arrival] = []
        self.open = 0
        self.most_open = 0
        # Of each path, how long each answer took (s), from when its connection was taken on.
        self.took: dict[str, list[float]] = {}
        # Of each path, how many requests are under way, and were at most: from when one came until it is answered.
        self.open_of: Counter[str] = Counter()
        self.most_open_of: Counter[str] = Counter()
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def url(self, path: str = "/") -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def answer(self, path: str, **how: object) -> None:
        """From now on, a path answers so."""
        self.behaviours[path] = Behaviour(**how)  # type: ignore[arg-type]  # the names are Behaviour's

    def to(self, path: str) -> list[Arrival]:
        """What came for one path."""
        return [one for one in self.arrivals if one.path == path]

    async def __aenter__(self) -> "Target":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # whoever asked has gone
        finally:
            self.open -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken = time.perf_counter()
        first = await reader.readexactly(1)
        if first == b"\x16":  # somebody wants TLS
            writer.write(b"HTTP/1.1 400 This is plain HTTP\r\n\r\n")
            await writer.drain()
            return
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        plain = path.partition("?")[0]
        how = self.behaviours.get(plain, Behaviour())
        self.arrivals.append(Arrival(time.monotonic(), method, plain, headers, body, how.status))
        self.open_of[plain] += 1
        self.most_open_of[plain] = max(self.most_open_of[plain], self.open_of[plain])
        try:
            await self._carry_out(how, reader, writer, with_body=method != "HEAD")
            self.took.setdefault(plain, []).append(time.perf_counter() - taken)
        finally:
            self.open_of[plain] -= 1

    async def _carry_out(
        self, how: Behaviour, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, with_body: bool
    ) -> None:
        if how.delay:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(how.delay):
                    await reader.read()
                    return  # whoever asked has gone
        if how.hang:
            # Until whoever asks gives up.
            await reader.read()
            return
        if how.reset:
            writer.transport.abort()
            return
        if how.garbage:
            writer.write(b"\x00\x01 SSH-2.0-nonsense\r\n")
            await writer.drain()
            return
        named = {"Content-Type": "text/plain", "Content-Length": str(len(how.body)), "Connection": "close"}
        lines = [f"HTTP/1.1 {how.status} {'Fine' if how.status < 400 else 'Not fine'}"]
        lines += [f"{name}: {value}" for name, value in {**named, **dict(how.headers)}.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        await writer.drain()
        await asyncio.sleep(how.body_delay)
        writer.write(how.body if with_body else b"")
        await writer.drain()


@contextmanager
def beside() -> Iterator[Target]:
    """A target in a thread of its own, for tests that have no loop."""
    loop, target = asyncio.new_event_loop(), Target()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(target.__aenter__(), loop).result(10)
    try:
        yield target
    finally:
        asyncio.run_coroutine_threadsafe(target.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
