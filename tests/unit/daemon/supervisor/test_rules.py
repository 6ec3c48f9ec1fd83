"""When a process is started again, when it is given up, and what the daemon's state is called."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.supervisor import rules
from daemon.supervisor.rules import ProcessState

STATES = list(ProcessState)
CHANCES = st.floats(0.0, 1.0, exclude_max=True)


def test_the_first_restart_is_at_once_and_then_the_delay_doubles_up_to_half_a_minute() -> None:
    middle = [rules.delay(failures, 0.5) for failures in range(12)]
    assert middle == [0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


@given(st.integers(0, 10**9), CHANCES)
def test_chance_spreads_a_delay_by_an_eighth_each_way_and_never_more(failures: int, chance: float) -> None:
    seconds, middle = rules.delay(failures, chance), rules.delay(failures, 0.5)
    assert middle * 0.875 <= seconds <= middle * 1.125
    assert seconds <= rules.LONGEST_DELAY * 1.125


@given(st.integers(0, 60), CHANCES)
def test_one_failure_more_never_shortens_the_delay(failures: int, chance: float) -> None:
    assert rules.delay(failures, chance) <= rules.delay(failures + 1, chance)


def test_a_minute_of_service_begins_a_new_row_of_failures() -> None:
    assert rules.failures_after(5, 59.9, killed=False) == 6
    assert rules.failures_after(5, 60.0, killed=False) == 1


def test_who_is_killed_from_outside_waits_no_longer_each_time() -> None:
    assert rules.failures_after(5, 0.1, killed=True) == 1


def test_the_limit_counts_ends_within_the_window() -> None:
    ends = [(float(second), False) for second in range(4)]
    assert not rules.over_limit(ends, 3.0, 4, 10.0)
    assert rules.over_limit(ends, 3.0, 3, 10.0)
    assert rules.over_limit(ends, 11.0, 2, 10.0)
    assert not rules.over_limit(ends, 11.5, 2, 10.0)


def test_twenty_kills_weigh_as_much_as_one_crash() -> None:
    assert not rules.over_limit([(0.0, True)] * 20, 0.0, 1, 10.0)
    assert rules.over_limit([(0.0, True)] * 21, 0.0, 1, 10.0)
    assert rules.over_limit([*[(0.0, True)] * 2, (0.0, False)], 0.0, 1, 10.0)


@given(
    st.lists(st.tuples(st.floats(0, 1000), st.booleans()), max_size=50),
    st.floats(0, 1000),
    st.integers(1, 20),
    st.floats(1, 500),
)
def test_an_end_more_never_takes_a_process_below_its_limit(
    ends: list[tuple[float, bool]], now: float, limit: int, window: float
) -> None:
    if rules.over_limit(ends, now, limit, window):
        assert rules.over_limit([*ends, (now, False)], now, limit, window)
    if rules.over_limit(ends, now, limit + 1, window):
        assert rules.over_limit(ends, now, limit, window)


@pytest.mark.parametrize(("current", "wanted"), list(itertools.product(STATES, STATES)))
def test_only_listed_states_follow(current: ProcessState, wanted: ProcessState) -> None:
    if wanted in rules.TRANSITIONS[current]:
        assert rules.follow(current, wanted) is wanted
    else:
        with pytest.raises(rules.TransitionError, match=f"{current.value} can't become {wanted.value}"):
            rules.follow(current, wanted)


def test_every_state_is_explained_can_be_reached_and_can_be_left_for_a_start_or_an_end() -> None:
    assert set(rules.MEANING) == set(rules.TRANSITIONS) == set(STATES)
    assert set().union(*rules.TRANSITIONS.values()) == set(STATES)
    for state in STATES:
        assert state not in rules.TRANSITIONS[state]
        assert ProcessState.STOPPED in rules.TRANSITIONS[state] or state is ProcessState.STOPPED


S = ProcessState


@pytest.mark.parametrize(
    ("worker", "web", "word"),
    [
        (S.RUNNING, S.RUNNING, "running"),
        (S.STOPPED, S.STOPPED, "starting"),
        (S.STARTING, S.RUNNING, "starting"),
        (S.RUNNING, S.STARTING, "starting"),
        (S.BACKOFF, S.RUNNING, "degraded"),
        (S.RUNNING, S.STOPPING, "degraded"),
        (S.RUNNING, S.FAILED, "degraded"),
        (S.STARTING, S.FAILED, "degraded"),
    ],
)
def test_the_daemons_state_in_one_word(worker: ProcessState, web: ProcessState, word: str) -> None:
    assert rules.overall(worker, web, stopping=False, trouble=False) == word
    assert rules.overall(worker, web, stopping=True, trouble=False) == "stopping"


def test_trouble_told_by_a_worker_that_serves_is_degraded() -> None:
    assert rules.overall(S.RUNNING, S.RUNNING, stopping=False, trouble=True) == "degraded"


@pytest.mark.parametrize(("text", "seconds"), [("30000000", 10.0), ("", None), ("0", None), ("-5", None), ("x", None)])
def test_the_watchdog_is_fed_three_times_as_often_as_systemd_wants(text: str, seconds: float | None) -> None:
    assert rules.watchdog_period(text) == seconds


def test_the_watchdog_is_fed_only_for_a_worker_that_beats_or_has_just_been_started() -> None:
    assert rules.feeds_watchdog(S.RUNNING, 1.2)
    assert not rules.feeds_watchdog(S.RUNNING, 3.0)
    assert rules.feeds_watchdog(S.STARTING, 20.0)
    assert not rules.feeds_watchdog(S.STARTING, float("inf"))
    assert not rules.feeds_watchdog(S.STARTING, 30.0)
    assert rules.feeds_watchdog(S.STOPPING, 1.0)
    assert not rules.feeds_watchdog(S.STOPPING, 4.0)
    assert not rules.feeds_watchdog(S.BACKOFF, 0.0)
    assert not rules.feeds_watchdog(S.FAILED, 0.0)
