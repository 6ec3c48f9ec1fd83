"""When each service is probed next: spread over the interval at the start, without drift, never late for ever. Pure.

Times are seconds of a monotonic clock. Called by `daemon.services.monitor`.
"""

import heapq
from typing import NamedTuple

# Multiples of it, modulo 1, are spread as evenly as can be, whatever their number (Fibonacci hashing).
GOLDEN = 0.6180339887498949
SOONEST = 0.2
# After a start all is known anew within this time, also of who is asked once a day: the daemon may not run that long.
SPREAD_SECONDS = 300.0
ROUND = 0.95  # of an interval: who comes last has been asked before the interval is over, though asking takes its time


def first(number: int, interval: float, now: float) -> float:
    """When the `number`th service is probed first: within one interval, as far as can be from the others; but soon."""
    return now + (number * GOLDEN % 1.0) * ROUND * min(interval, SPREAD_SECONDS)


def following(due: float, interval: float, now: float) -> float:
    """The next time after one that was due: on the same beat; beats that were missed are left out."""
    wanted = due + interval
    if wanted > now:
        return wanted
    return wanted + interval * (int((now - wanted) / interval) + 1)


def again(interval: float, retry_interval: float | None, now: float) -> float:
    """When a failure is tried again; by default after a fifth of the interval, as people wait for the answer."""
    return now + max(SOONEST, interval / 5 if retry_interval is None else retry_interval)


class Due(NamedTuple):
    """A service and when it is due. `turn` tells an entry that was replaced since from the one that holds."""

    at: float
    service_id: int
    turn: int


class Agenda:
    """Who is due when: a heap, in which what was changed is passed over as it comes up."""

    def __init__(self) -> None:
        self._heap: list[Due] = []
        self._turns: dict[int, Due] = {}
        self._count = 0

    def set(self, service_id: int, at: float) -> None:
        """The one time at which a service is due next."""
        self._count += 1
        due = Due(at, service_id, self._count)
        self._turns[service_id] = due
        heapq.heappush(self._heap, due)

    def drop(self, service_id: int) -> None:
        """It is due no more."""
        self._turns.pop(service_id, None)

    def next_at(self) -> float | None:
        """When somebody is due next; None if nobody ever is."""
        while self._heap and self._turns.get(self._heap[0].service_id) != self._heap[0]:
            heapq.heappop(self._heap)
        return self._heap[0].at if self._heap else None

    def take(self, now: float) -> Due | None:
        """The one that has been due longest, taken out; None if nobody is due yet."""
        at = self.next_at()
        if at is None or at > now:
            return None
        due = heapq.heappop(self._heap)
        del self._turns[due.service_id]
        return due

    def __contains__(self, service_id: int) -> bool:
        return service_id in self._turns

    def __len__(self) -> int:
        return len(self._turns)
