"""Services that are probed: what a check costs, how late it comes, how many there can be. Measured at the target.

The daemon is the real one: a check is probed over a fresh connection, judged, stored, summed up and told to the web
process. The floor is aiohttp alone, which asks the same target and does nothing with the answer.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks import simplemonitor
from benchmarks.listening import Listener
from benchmarks.target import ROOT, Target
from benchmarks.watched import Watching, lateness, quantile, watching
from tests.acceptance.harness import wait_for

UPTIME_KUMA_MS = 6.3
COST_NOTE = (
    "Processor time of the worker and of the web process together, per check, in ms; the floor is what aiohttp takes"
    " alone for a request over a fresh connection, at full speed. SimpleMonitor 1.15 stores into SQLite as well. Uptime"
    f" Kuma 2.5.3 took {UPTIME_KUMA_MS} ms of processor time per check in a measurement of 1,000 monitors every 60 s on"
    " another machine; it is no part of this run"
)
LATENESS_NOTE = (
    "Late is what a request comes after the beat that the schedule gives to its service; when the schedule began is"
    " told by the promptest request of all"
)
HANGING_NOTE = (
    f"{LATENESS_NOTE}. The 5 % that hang are not counted, but hold their places; a first round is counted from the"
    " first request"
)
FLOOR_REQUESTS = 3000
FLOOR_AT_ONCE = 20
HANG_EVERY = 20


async def _floor(target: Target) -> float:
    """Processor ms of a request with aiohttp alone."""
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        numbers = iter(range(FLOOR_REQUESTS))

        async def ask() -> None:
            for number in numbers:
                async with session.get(target.url(number)) as response:
                    await response.read()

        before = time.process_time()
        await asyncio.gather(*(ask() for _ in range(FLOOR_AT_ONCE)))
        return (time.process_time() - before) / FLOOR_REQUESTS * 1000


def floor() -> float:
    """The same, in a process of its own, as the worker is."""
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.probing", "floor"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(found.stdout)


def cost(services: int = 1000, interval: float = 10.0, seconds: float = 65.0) -> dict[str, float]:
    """Processor ms per check, of the floor and of a peer. `seconds`: over a minute, so that sums are made."""
    floors = [floor()]
    with tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name:
        with watching(Path(name), services, interval) as here:
            here.daemon.start()
            wait_for(lambda: here.target.count() >= services, 6 * interval)
            before, checks = here.spent(), here.target.count()
            time.sleep(seconds)
            took, checks = here.spent() - before, here.target.count() - checks
        floors.append(floor())
        peer = simplemonitor.cost(Path(name), services // 2, interval, seconds / 2)
    ours, bare = took / checks * 1000, sum(floors) / len(floors)
    return {
        "checks_per_s": round(checks / seconds, 1),
        "check_ms": round(ours, 3),
        "floor_ms": round(bare, 3),
        "against_floor": round(ours / bare, 2),
        "simplemonitor_ms": round(peer, 3),
        "against_simplemonitor": round(ours / peer, 2),
        "against_uptime_kuma": round(ours / UPTIME_KUMA_MS, 2),
    }


def late(services: int = 1000, interval: float = 10.0, rounds: int = 8) -> dict[str, float]:
    """How late checks come while 5 % of the services hang; and when each has run once."""
    with (
        tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name,
        watching(Path(name), services, interval, hang_every=HANG_EVERY) as here,
    ):
        here.daemon.start(wait=False)
        first = _first_round(here, services, interval)
        time.sleep(interval * rounds)
        arrivals = here.target.arrivals()
    answering = {number: times for number, times in arrivals.items() if number % HANG_EVERY}
    found = lateness(answering, interval)
    return {
        "checks": len(found),
        "p50_ms": round(quantile(found, 0.5) * 1000, 1),
        "p99_ms": round(quantile(found, 0.99) * 1000, 1),
        "max_ms": round(found[-1] * 1000, 1),
        "first_round_s": round(first, 2),
        "first_round_intervals": round(first / interval, 2),
    }


def _first_round(here: Watching, services: int, interval: float) -> float:
    """Seconds from the first request to the one with which each service was asked once."""
    wait_for(lambda: here.target.count() >= services, 10 * interval)
    begins = sorted(times[0] for times in here.target.arrivals().values())
    if len(begins) < services:
        raise RuntimeError(f"only {len(begins)} of {services} services were asked")
    return begins[-1] - begins[0]


def many(services: int = 10_000, interval: float = 60.0, rounds: int = 3) -> dict[str, float]:
    """Ten thousand services, and a session whose output is read meanwhile."""
    with tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name:
        with watching(Path(name), services, interval) as here:
            here.daemon.start()
            here.daemon.sign_in()
            time.sleep(interval)  # until all have been asked once
            with Listener(here.daemon, seconds=interval) as listener:
                before, checks = here.spent(), here.target.count()
                time.sleep(interval * rounds)
                took, checks = here.spent() - before, here.target.count() - checks
                output = listener.latencies()
            memory = here.worker_mib()
            arrivals = here.target.arrivals()
        with watching(Path(name) / "idle", 0, interval) as here:
            here.daemon.start()
            here.daemon.sign_in()
            with Listener(here.daemon, seconds=interval / 3) as listener:
                time.sleep(interval / 3)
                quiet = listener.latencies()
    found = lateness(arrivals, interval)
    return {
        "checks_per_s": round(checks / (interval * rounds), 1),
        "sustained": round(checks / (services * rounds), 3),
        "p50_ms": round(quantile(found, 0.5) * 1000, 1),
        "p99_ms": round(quantile(found, 0.99) * 1000, 1),
        "max_ms": round(found[-1] * 1000, 1),
        "check_ms": round(took / checks * 1000, 3),
        "worker_mib": round(memory, 1),
        "output_p99_ms": round(quantile(output, 0.99) * 1000, 1),
        "idle_output_p99_ms": round(quantile(quiet, 0.99) * 1000, 1),
        "output_added_ms": round((quantile(output, 0.99) - quantile(quiet, 0.99)) * 1000, 1),
    }


async def _main() -> None:
    with tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name, Target(Path(name)) as target:
        print(await _floor(target))


if __name__ == "__main__":
    if sys.argv[1:2] == ["floor"]:
        asyncio.run(_main())
    else:
        print(json.dumps({"cost": cost(), "late": late(), "many": many()}, indent=2))
