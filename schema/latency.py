"""Latencies of many checks in few bytes: a histogram whose classes grow by 2 %, so that any hours can be added up.

A percentile from it is within 1 % of the true one. Written by `daemon.services.rollups`, read by pages and commands.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

GROWTH = 1.02
_LOG = math.log(GROWTH)


def class_of(us: int) -> int:
    """The class of a latency in µs."""
    return int(math.log(max(us, 1)) / _LOG)


def middle(number: int) -> int:
    """The latency in µs that stands for a class."""
    return round(float(GROWTH ** (number + 0.5)))


def pack(latencies: Iterable[int]) -> dict[int, int]:
    """How many latencies (µs) fall into each class."""
    return dict(sorted(Counter(map(class_of, latencies)).items()))


def encode(histogram: Mapping[int, int]) -> bytes:
    """A histogram as it is stored: its first class, then the count of each class up to its last."""
    if not histogram:
        return b""
    low, high = min(histogram), max(histogram)
    return msgspec.msgpack.encode([low, *(histogram.get(number, 0) for number in range(low, high + 1))])


def decode(stored: bytes | None) -> dict[int, int]:
    """A stored histogram."""
    if not stored:
        return {}
    low, *counts = msgspec.msgpack.decode(stored, type=list[int])
    return {low + place: count for place, count in enumerate(counts) if count}


def add(parts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """The histogram of all of them."""
    found: Counter[int] = Counter()
    for part in parts:
        found.update(part)
    return dict(sorted(found.items()))


def percentile(histogram: Mapping[int, int], share: float) -> int | None:
    """The latency in µs that `share` (0 to 1) of the checks did not exceed; None without any."""
    whole = sum(histogram.values())
    if not whole:
        return None
    wanted, seen = max(1, math.ceil(share * whole)), 0
    for number in sorted(histogram):
        seen += histogram[number]
        if seen >= wanted:
            return middle(number)
    raise AssertionError("a histogram's classes add up to its whole")


def exact(latencies: Sequence[int], share: float) -> int | None:
    """The same from the latencies themselves, which are sorted."""
    return latencies[max(1, math.ceil(share * len(latencies))) - 1] if latencies else None
