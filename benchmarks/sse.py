"""Server-sent events: latency of a line, events to many clients against `aiohttp_sse.send`, and clients that stall.

Over the web process of `benchmarks.dashboard`. Times are seconds unless named.
"""

import asyncio
import multiprocessing
import re
import socket
import statistics
import time

from benchmarks.dashboard import TEXT, Dashboard, all_read, connect, log_line, running
from benchmarks.idle import pss

CLIENTS = 100
MARK = re.compile(rb"T(\d+)E")


async def latency(clients: int = CLIENTS, rate: int = 100, seconds: float = 10.0) -> dict[str, float]:
    """From a line written to it read by a client, over all clients, in ms. Bar: p99 of at most 50."""
    taken: list[float] = []

    def hear(data: bytes) -> None:
        now = time.monotonic_ns()
        taken.extend((now - int(mark)) / 1e6 for mark in MARK.findall(data))

    async with running() as dashboard:
        every = [await connect(dashboard.port, dashboard.request, b"the end", hear) for _ in range(clients)]
        await asyncio.gather(*(client.begun for client in every))
        await asyncio.sleep(1.0)
        begun = time.monotonic()
        with dashboard.log.open("ab", buffering=0) as file:
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
                file.write(log_line(f"T{time.monotonic_ns()}E {TEXT}"))
            file.write(log_line("the end"))
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
    client = await connect(dashboard.port, dashboard.request, b"the end", got.append)
    await client.ended
    text = b"".join(got).decode()
    rows = re.findall(r"data: (<li class=\"entry.*?</li>)", text, re.DOTALL)
    return str(rows[0]).replace("\ndata: ", "\n")


async def throughput(clients: int = CLIENTS, lines: int = 3000) -> dict[str, float]:
    """Lines as events to many clients, and the same rows by `aiohttp_sse.send`. Bar: at least 10 times as many."""
    async with running() as dashboard:
        dashboard.write(lines)
        row = await _one_row(dashboard)
    async with running() as dashboard:
        dashboard.write(lines)
        ours = await all_read(dashboard.port, dashboard.request, clients)
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    peer = multiprocessing.get_context("fork").Process(target=_serve_peer, args=(listening, row, lines))
    peer.start()
    try:
        theirs = await all_read(listening.getsockname()[1], b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", clients)
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


async def stalled(idle: int = 20, lines: int = 10_000, rounds: int = 25) -> dict[str, float]:
    """A fast client alone and beside clients that never read. Bars: at most 5 % slower, at most 5 MiB more memory.

    Each round asks in both ways, by turns first, and the middle of the rounds' ratios counts: how fast a machine is
    changes by more than the bar within a second.
    """
    rates: dict[int, list[float]] = {0: [], idle: []}
    grown = 0.0
    async with running() as dashboard:
        dashboard.write(lines)
        await all_read(dashboard.port, dashboard.request, 1)
        for number in range(rounds):
            for count in (0, idle) if number % 2 else (idle, 0):
                before = pss(dashboard.process.pid)
                seconds, after = await _beside(dashboard, count)
                rates[count].append(lines / seconds)
                grown = max(grown, after - before if count else 0.0)
    kept = statistics.median(beside / alone for alone, beside in zip(rates[0], rates[idle], strict=True))
    return {
        "alone_lines_per_s": statistics.median(rates[0]),
        "beside_lines_per_s": statistics.median(rates[idle]),
        "lost_percent": 100 * (1 - kept),
        "grown_mib": grown,
    }


async def _beside(dashboard: Dashboard, count: int) -> tuple[float, float]:
    """Seconds that a client needs to read everything while `count` others read nothing, and MiB of the process then."""
    waiting = [await _stall(dashboard) for _ in range(count)]
    try:
        await asyncio.sleep(1.0)
        # The stalled ones have had the first pieces made, which the fast one would find ready: read past them.
        await all_read(dashboard.port, dashboard.request, 1)
        return await all_read(dashboard.port, dashboard.request, 1), pss(dashboard.process.pid)
    finally:
        for one in waiting:
            one.close()
        await asyncio.sleep(0.2)


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
