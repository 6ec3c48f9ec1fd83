"""How long a service worked, and latencies in a histogram: what the parts say together is what the whole says."""

import math
import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schema import latency, uptime
from schema.states import ServiceStatus
from schema.uptime import Change, Spent, gaps

HOUR = 3_600_000


def test_time_that_counts_is_shared_between_working_and_failing() -> None:
    changes = [
        Change(0, ServiceStatus.HEALTHY),
        Change(60, ServiceStatus.DOWN),
        Change(70, ServiceStatus.DEGRADED),
        Change(80, ServiceStatus.MAINTENANCE),
        Change(90, ServiceStatus.UNKNOWN),
        Change(95, ServiceStatus.PENDING),
        Change(96, ServiceStatus.TIMEOUT),
    ]
    assert uptime.spent(changes, 0, 100) == Spent(60 + 10 + 1, 10 + 4)
    assert uptime.spent(changes, 65, 75) == Spent(5, 5)
    assert uptime.spent(changes, 82, 88).share is None
    assert Spent(99, 1).share == 0.99


CHANGES = st.lists(st.tuples(st.integers(0, 5 * HOUR), st.sampled_from(ServiceStatus)), max_size=30).map(
    lambda found: [Change(at, status) for at, status in sorted(dict(found).items())]
)


@given(CHANGES, st.integers(0, 2 * HOUR), st.integers(0, 3 * HOUR))
def test_the_hours_add_up_to_the_whole(changes: list[Change], start: int, length: int) -> None:
    end = start + length
    edges = [start, *range((start // HOUR + 1) * HOUR, end, HOUR), end]
    parts = [uptime.spent(changes, begin, stop) for begin, stop in pairwise(edges)]
    assert uptime.total(parts) == uptime.spent(changes, start, end)
    whole = uptime.spent(changes, start, end)
    assert whole.worked + whole.failed <= length


def test_a_percentile_of_the_histogram_is_within_one_percent_of_the_true_one() -> None:
    dice = random.Random(7)  # the same numbers each time
    hours = [[int(dice.lognormvariate(10, 1)) + 1 for _ in range(360)] for _ in range(24)]
    histogram = latency.add(latency.pack(hour) for hour in hours)
    everything = sorted(one for hour in hours for one in hour)
    for share in (0.5, 0.95, 0.99):
        true = latency.exact(everything, share)
        found = latency.percentile(histogram, share)
        assert true is not None
        assert found is not None
        assert math.isclose(found, true, rel_tol=0.011)
    assert latency.percentile({}, 0.5) is None
    assert latency.exact([], 0.5) is None


def test_a_gap_is_what_was_known_before_and_is_unknown_for_a_minute_at_least() -> None:
    unknown, healthy = ServiceStatus.UNKNOWN, ServiceStatus.HEALTHY
    changes = [
        Change(0, unknown),  # before its first finding: nothing was ever known
        Change(100_000, healthy),
        Change(200_000, unknown),
        Change(259_999, healthy),
        Change(300_000, unknown),
        Change(360_000, healthy),
        Change(500_000, unknown),
    ]
    assert gaps(changes, 0, 900_000) == [(300_000, 360_000), (500_000, 900_000)]
    # Of one that began before, what lies in the time that is looked at.
    assert gaps(changes[4:], 290_000, 310_000) == []
    assert gaps([Change(0, healthy), *changes[4:]], 250_000, 365_000) == [(300_000, 360_000)]
    assert gaps([Change(0, unknown), Change(400_000, healthy)], 100_000, 900_000) == [(100_000, 400_000)]
    assert gaps([Change(0, unknown)], 100_000, 900_000) == []
    assert gaps([], 0, 900_000) == []
