"""When a job is missed: its period and its grace, to the millisecond, and what nobody could hear."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daemon.services.rules.heartbeats import LATE_MS, SHORT_MS, Deaf, Heard, deadline, longer, stood_still
from schema.definitions import Definition

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_790_000_000_000
# Each minute, with ten seconds of grace.
MINUTELY = Definition(name="x", url="heartbeat:", interval=60.0, grace=10.0)
HOURLY = Definition(name="x", url="heartbeat:", interval=3600.0, grace=60.0)
DAILY = Definition(name="x", url="heartbeat:", interval=86_400.0, grace=3600.0)
NIGHTLY = Definition(name="x", url="heartbeat:", cron="0 2 * * *", zone="UTC", grace=3600.0)
JOBS = (MINUTELY, HOURLY, DAILY, NIGHTLY)
LONG_AGO = Deaf(NOW - 30 * DAY, NOW - 30 * DAY + 1000)


def test_each_minute_with_ten_seconds_of_grace_is_missed_after_seventy() -> None:
    assert deadline(MINUTELY, Heard(NOW), LONG_AGO) == NOW + 70_000
    # One that began has its grace to end; and so it has where it was heard of before.
    assert deadline(MINUTELY, Heard(NOW, NOW + 5_000), LONG_AGO) == NOW + 15_000
    assert deadline(MINUTELY, Heard(None, NOW), LONG_AGO) == NOW + 10_000
    assert deadline(MINUTELY, Heard(), LONG_AGO) is None


def test_what_was_never_heard_is_missed_an_interval_and_the_grace_after_it_was_added() -> None:
    added = Heard(awaited_from=NOW)
    assert deadline(MINUTELY, added, LONG_AGO) == NOW + 70_000
    assert deadline(NIGHTLY, added, LONG_AGO) == deadline(NIGHTLY, Heard(NOW), LONG_AGO)
    # Once it was heard that alone counts, and so does that it began.
    assert deadline(MINUTELY, Heard(NOW - 5_000, None, NOW), LONG_AGO) == NOW + 65_000
    assert deadline(MINUTELY, Heard(None, NOW + 5_000, NOW), LONG_AGO) == NOW + 15_000
    assert deadline(MINUTELY, added, Deaf(NOW + 1000, NOW + HOUR)) == NOW + HOUR + 70_000
    # No mere restart hides that it never came.
    assert deadline(DAILY, added, Deaf(NOW + 2 * DAY, NOW + 2 * DAY + 1000)) == NOW + 2 * DAY + 1000 + HOUR


@given(st.integers(NOW, NOW + DAY), st.integers(0, DAY))
def test_a_deadline_lies_an_interval_and_the_grace_after_the_last_sign_of_life(at: int, ago: int) -> None:
    assert deadline(HOURLY, Heard(at), Deaf(0, at - ago)) == at + HOUR + MINUTE
    assert deadline(HOURLY, Heard(at, at + 5), Deaf(0, at - ago)) == at + 5 + MINUTE


def test_after_an_hour_of_standstill_each_has_its_next_time() -> None:
    stood_still = Deaf(NOW - HOUR, NOW)
    heard = Heard(NOW - HOUR - 30_000)
    assert deadline(MINUTELY, heard, stood_still) == NOW + 70_000
    assert deadline(MINUTELY, Heard(heard.at, NOW - HOUR - 1000), stood_still) == NOW + 70_000
    # Due within the standstill, and due after it.
    assert deadline(DAILY, Heard(NOW - DAY - 5 * MINUTE), stood_still) == NOW + DAY + HOUR
    assert deadline(DAILY, Heard(NOW - DAY + 5 * MINUTE), stood_still) == NOW + 5 * MINUTE + HOUR


def test_a_restart_takes_nothing_from_who_comes_rarely_and_gives_who_comes_often_its_next_time() -> None:
    restart = Deaf(NOW - SHORT_MS, NOW)
    # It is late already, and no restart hides that.
    late = Heard(NOW - DAY - HOUR // 2)
    assert deadline(DAILY, late, restart) == NOW + HOUR
    assert deadline(MINUTELY, Heard(NOW - 65_000), restart) == NOW + 70_000


def test_what_was_missed_before_the_standstill_is_missed() -> None:
    assert deadline(DAILY, Heard(NOW - 2 * DAY), Deaf(NOW - HOUR, NOW)) == NOW + HOUR
    assert deadline(MINUTELY, Heard(NOW - DAY), Deaf(NOW - HOUR, NOW)) == NOW + 10_000


@pytest.mark.parametrize("job", [MINUTELY, HOURLY, DAILY])
@given(st.integers(1, 3 * DAY), st.integers(0, DAY), st.integers(0, 100))
def test_a_job_that_keeps_to_its_interval_is_never_missed_over_a_standstill(
    job: Definition, length: int, phase: int, late: int
) -> None:
    """It tells of itself on its beat, always `late` by up to all of its grace, also while nobody listens."""
    interval, grace = round(job.interval * 1000), round(job.grace * 1000)
    assume(length > SHORT_MS or interval <= SHORT_MS)
    deaf = Deaf(NOW, NOW + length)
    last = NOW - 1 - phase % interval
    next_heard = last + interval * -(-(deaf.until - last) // interval)
    at = deadline(job, Heard(last), deaf)
    assert at is not None
    assert next_heard + grace * late // 100 <= at
    # And one that is gone for good is missed all the same, within two of its intervals.
    assert at <= max(last, deaf.until) + 2 * interval + grace


def test_who_wakes_a_minute_after_it_wanted_to_stood_still() -> None:
    assert stood_still(NOW, NOW + 5000, NOW + 5000 + LATE_MS) is None
    assert stood_still(NOW, NOW + 5000, NOW + 5001 + LATE_MS) == Deaf(NOW, NOW + 5001 + LATE_MS)
    assert stood_still(NOW, NOW + 5000, NOW - HOUR) is None


@pytest.mark.parametrize("job", [MINUTELY, HOURLY, DAILY])
@given(st.lists(st.tuples(st.integers(1, 2 * DAY), st.integers(0, DAY)), min_size=2, max_size=4), st.integers(0, DAY))
def test_a_job_that_keeps_to_its_interval_is_missed_over_none_of_several_standstills(
    job: Definition, times: list[tuple[int, int]], phase: int
) -> None:
    """A laptop that is closed again and again, for as long as it may be, and is open in between for a while."""
    interval = round(job.interval * 1000)
    shortest = 0 if interval <= SHORT_MS else SHORT_MS
    heard, begin = NOW - 1 - phase % interval, NOW
    deaf = Deaf(begin, begin)
    for more, awake in times:
        length = shortest + more
        deaf = longer(deaf, Heard(heard), Deaf(begin, begin + length))
        woken = begin + length
        on_its_beat = heard + interval * -(-(woken - heard) // interval)
        at = deadline(job, Heard(heard), deaf)
        assert at is not None
        assert min(on_its_beat, woken + awake) <= at
        begin = woken + awake
        if on_its_beat < begin:
            heard += interval * ((begin - 1 - heard) // interval)
