"""How long a service worked, from the changes of its status alone: no row for each check is needed.

Summed up by the hour and by the day by `daemon.services.rollups`; read by pages and commands.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from schema.states import ServiceStatus

# What is being tried again counts as working until it is confirmed; then its change is written anew.
WORKED = frozenset({ServiceStatus.HEALTHY, ServiceStatus.DEGRADED, ServiceStatus.PENDING})
FAILED = frozenset({ServiceStatus.DOWN, ServiceStatus.TIMEOUT})
# What is unknown for a shorter time is no gap: one that is resumed waits for its first finding, too.
GAP_LEAST_MS = 60_000


class Change(NamedTuple):
    """From `at` (ms since 1970) on, a service had this status."""

    at: int
    status: ServiceStatus


class Spent(NamedTuple):
    """How long it worked and how long it failed, in ms. Maintenance, pauses and what nobody knows count as neither."""

    worked: int = 0
    failed: int = 0

    @property
    def share(self) -> float | None:
        """Of the time that counts, how much it worked, 0 to 1; None where nothing counts."""
        whole = self.worked + self.failed
        return self.worked / whole if whole else None


def spans(changes: Sequence[Change], start: int, end: int) -> Iterator[tuple[int, int, ServiceStatus]]:
    """Stretches of one status between two times, from changes in their order; the first may lie before `start`."""
    for place, change in enumerate(changes):
        until = changes[place + 1].at if place + 1 < len(changes) else end
        begin, stop = max(change.at, start), min(until, end)
        if begin < stop:
            yield begin, stop, change.status


def spent(changes: Sequence[Change], start: int, end: int) -> Spent:
    """How a time was spent."""
    worked = failed = 0
    for begin, stop, status in spans(changes, start, end):
        worked += (stop - begin) * (status in WORKED)
        failed += (stop - begin) * (status in FAILED)
    return Spent(worked, failed)


def total(parts: Iterable[Spent]) -> Spent:
    """The sum of parts that follow one another."""
    found = list(parts)
    return Spent(sum(part.worked for part in found), sum(part.failed for part in found))


def gaps(changes: Sequence[Change], start: int, end: int) -> list[tuple[int, int]]:
    """From when to when nothing is known of a service; not before its first finding, nor what is soon made up for."""
    known = [place for place, change in enumerate(changes) if change.status is not ServiceStatus.UNKNOWN]
    if not known:
        return []
    since = changes if changes[0].at < start else changes[known[0] :]
    return [
        (begin, stop)
        for begin, stop, status in spans(since, start, end)
        if status is ServiceStatus.UNKNOWN and stop - begin >= GAP_LEAST_MS
    ]
