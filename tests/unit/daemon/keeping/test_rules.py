"""When the daily work is due, how much goes at a time, and what."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.keeping.rules import (
    BATCH_LEAST,
    BATCH_MOST,
    FREE_LEAST,
    Log,
    Share,
    backups_to_remove,
    batch,
    before,
    due,
    end_of_day,
    free_to_give,
    logs_to_remove,
    oldest_first,
)

EAST = timezone(timedelta(hours=2))
NOON = datetime(2026, 1, 31, 12, 0, tzinfo=EAST)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A local time of February."""
    return datetime(2026, 2, day, hour, minute, tzinfo=EAST)


@pytest.mark.parametrize(
    ("last", "now", "running", "wanted"),
    [
        (at(1, 3), at(2, 2, 59), 0, False),
        (at(1, 3), at(2, 3), 0, True),
        (at(1, 3), at(2, 3), 1, False),
        (at(1, 3), at(2, 6), 1, True),
        (at(1, 12), at(2, 3), 0, False),
        (at(1, 12), at(3, 3), 0, True),
        (at(1, 2, 59), at(1, 3), 0, False),
        (at(1, 3), at(20, 12), 0, True),
        (at(5, 3), at(1, 3), 0, False),
    ],
)
def test_it_is_due_at_night_and_never_twice_within_twenty_hours(
    last: datetime, now: datetime, running: int, wanted: bool
) -> None:
    assert due(last, now, running) is wanted


def test_zero_days_are_for_ever() -> None:
    assert before(NOON, 0) is None
    assert before(NOON, 2) == NOON - timedelta(days=2)


@given(st.integers(BATCH_LEAST, BATCH_MOST), st.floats(0, 10))
def test_a_batch_grows_at_most_twofold_and_stays_within_its_bounds(size: int, seconds: float) -> None:
    assert BATCH_LEAST <= batch(size, seconds) <= min(BATCH_MOST, 2 * size)


def test_a_slow_batch_is_followed_by_a_smaller_one() -> None:
    assert batch(1000, 0.1) == 100
    assert batch(1000, 0.005) == 2000


def logs(*ends: int) -> list[Log]:
    """Logs of ten bytes, by the day of their end."""
    return [Log(number, f"{number}.log", f"2026-01-{day:02d}", 10) for number, day in enumerate(ends)]


def test_logs_go_by_age_then_by_size_the_oldest_first() -> None:
    found = logs(5, 1, 3)
    assert [log.session for log in logs_to_remove(found, None, 0)] == []
    assert [log.session for log in logs_to_remove(found, "2026-01-04", 0)] == [1, 2]
    assert [log.session for log in logs_to_remove(found, None, 20)] == [1]
    assert [log.session for log in logs_to_remove(found, "2026-01-02", 10)] == [1, 2]
    assert [log.session for log in logs_to_remove(found, "2026-12-31", 1000)] == [1, 2, 0]


SHARES = [
    Share("2026-01-02", "events", 10, 100),
    Share("2026-01-01", "checks", 10, 100),
    Share("2026-01-01", "events", 4, 0),
]


@pytest.mark.parametrize(
    ("over", "wanted"),
    [
        (0, {}),
        (50, {"checks": (5, 50)}),
        (51, {"checks": (6, 51)}),
        (150, {"checks": (10, 100), "events": (9, 50)}),
        (9999, {"checks": (10, 100), "events": (14, 100)}),
    ],
)
def test_the_oldest_day_goes_first_and_no_more_than_is_over(over: int, wanted: dict[str, tuple[int, int]]) -> None:
    assert oldest_first(SHARES, over) == wanted


def test_a_day_ends_with_the_next_one() -> None:
    assert end_of_day("2026-12-31T23:59:59.999Z") == "2027-01-01"


def test_of_the_free_bytes_some_stay_for_what_is_written_next() -> None:
    assert free_to_give(0, FREE_LEAST) == 0
    assert free_to_give(0, FREE_LEAST + 1) == 1
    assert free_to_give(80 * FREE_LEAST, 11 * FREE_LEAST) == FREE_LEAST


def test_the_newest_backups_stay() -> None:
    names = [f"nightly-2026010{day}-030000.db" for day in (3, 1, 4, 2)]
    assert backups_to_remove(names, 2, names[2]) == [names[1], names[3]]
    assert backups_to_remove(names, 9, names[2]) == []
    assert backups_to_remove(names, 1, names[2]) == [names[1], names[3], names[0]]


def test_times_of_two_zones_are_compared_rightly() -> None:
    assert due(at(1, 3), at(2, 3).astimezone(UTC), 0)
