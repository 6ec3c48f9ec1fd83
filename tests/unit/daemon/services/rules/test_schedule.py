"""Who is due when: spread at the start, without drift, each once."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules.schedule import ROUND, SOONEST, SPREAD_SECONDS, Agenda, again, first, following


@given(st.integers(2, 300), st.sampled_from([1.0, 10.0, 60.0]))
def test_first_times_are_spread_over_the_interval(count: int, interval: float) -> None:
    times = [first(number, interval, 100.0) for number in range(1, count + 1)]
    # The last one's request is over within the interval, too.
    assert all(100 <= at < 100 + ROUND * interval for at in times)
    tenths = Counter(int((at - 100) / (ROUND * interval) * 10) for at in times)
    assert max(tenths.values()) <= count / 10 + 3


def test_one_that_is_asked_once_a_day_is_asked_within_minutes_of_a_start() -> None:
    times = [first(number, 86_400.0, 100.0) for number in range(1, 301)]
    assert max(times) <= 100 + SPREAD_SECONDS
    assert max(Counter(int(at / 10) for at in times).values()) <= 15


@given(st.floats(0, 1e6), st.floats(1, 3600), st.floats(-10, 1e5))
def test_the_next_time_lies_ahead_on_the_same_beat(due: float, interval: float, late: float) -> None:
    now = due + late
    at = following(due, interval, now)
    assert at > now - 1e-6
    assert at - now <= max(interval, -late + interval) + 1e-6
    beats = (at - due) / interval
    assert abs(beats - round(beats)) < 1e-6
    assert round(beats) >= 1


def test_a_failure_is_tried_again_after_a_fifth_of_the_interval_or_as_the_author_wants() -> None:
    assert again(60.0, None, 100.0) == 112.0
    assert again(60.0, 3.0, 100.0) == 103.0
    assert again(0.5, None, 100.0) == 100.0 + SOONEST


@given(st.lists(st.tuples(st.integers(1, 8), st.one_of(st.none(), st.floats(0, 100))), max_size=60))
def test_everybody_is_taken_once_at_the_time_set_last(changes: list[tuple[int, float | None]]) -> None:
    agenda, wanted = Agenda(), dict[int, float]()
    for who, at in changes:
        if at is None:
            agenda.drop(who)
            wanted.pop(who, None)
        else:
            agenda.set(who, at)
            wanted[who] = at
    assert len(agenda) == len(wanted)
    assert agenda.next_at() == min(wanted.values(), default=None)
    assert agenda.take(-1.0) is None
    taken = []
    while due := agenda.take(1000.0):
        taken.append((due.at, due.service_id))
    assert [at for at, _ in taken] == sorted(at for at, _ in taken)
    assert sorted(taken) == sorted((at, who) for who, at in wanted.items())
    assert agenda.next_at() is None
