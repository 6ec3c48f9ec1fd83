"""A daemon with services that are probed at a target of its own, for the benchmarks of services.

Services are written into the database before the start, as the worker itself would write them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks.idle import spent
from benchmarks.target import Target
from daemon.services import stored
from daemon.services.rules import schedule
from schema.database import Database
from schema.definitions import Definition
from tests.acceptance.harness import Daemon

PROCESSES = ("worker", "web")


class Watching(NamedTuple):
    """A daemon that runs, and the target of its services."""

    daemon: Daemon
    target: Target

    def spent(self) -> float:
        """Processor seconds of all that take part, so far."""
        return sum(spent(self.daemon.pid(name)) for name in PROCESSES)

    def worker_mib(self) -> float:
        """The worker's resident memory."""
        lines = Path(f"/proc/{self.daemon.pid('worker')}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


@contextmanager
def watching(directory: Path, count: int, interval: float, *, hang_every: int = 0) -> Iterator[Watching]:
    """`count` services, of which each `hang_every`th never answers. The daemon is not started yet."""
    with Target(directory) as target:
        daemon = Daemon(directory / "daemon")
        daemon.state.mkdir(parents=True)
        database = Database(daemon.state / "claudeops.db", readonly=False)
        database.migrate()
        now = datetime.now(UTC)
        with database.transaction():
            for number in range(count):
                url = target.url(number, hangs=hang_every > 0 and number % hang_every == 0)
                wanted = Definition(
                    name=f"service-{number:05d}", url=url, interval=interval, timeout=5.0, tags=("bench",)
                )
                stored.insert(database, wanted, by="bench", moment=now)
        database.close()
        try:
            yield Watching(daemon, target)
        finally:
            daemon.close()


def lateness(arrivals: Mapping[int, Sequence[float]], interval: float) -> list[float]:
    """How late each request came, in s, sorted: after the beat that the schedule gives to its service.

    The daemon does not tell when its schedule began. No request comes before its beat: on the circle of one interval
    all stand behind that moment, so it is where the widest gap ends. A beat that was left out is as late as the request
    that did not come: it counts as one interval.
    """
    beats = {
        number: [at - schedule.first(number + 1, interval, 0.0) for at in times] for number, times in arrivals.items()
    }
    circle = sorted(offset % interval for offsets in beats.values() for offset in offsets)
    gaps = [(at - before) % interval for before, at in pairwise([circle[-1], *circle])]
    begin = circle[gaps.index(max(gaps))]
    late = [(offset - begin) % interval for offset in (one for offsets in beats.values() for one in offsets)]
    for offsets in beats.values():
        seen = {math.floor((offset - begin) / interval) for offset in offsets}
        late += [interval] * (max(seen) - min(seen) + 1 - len(seen))
    return sorted(late)


def quantile(values: Sequence[float], share: float) -> float:
    """Of sorted values."""
    return values[max(0, math.ceil(share * len(values)) - 1)]
