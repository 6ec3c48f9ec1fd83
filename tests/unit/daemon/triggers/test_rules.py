"""The order of the queue, what holds its head back, and the schedule's dates."""

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.triggers.rules import (
    ATTEMPTS_MAX,
    PRIORITY,
    Due,
    Facts,
    due_after,
    due_after_change,
    due_at_start,
    holds_back,
    is_asked_for,
    key_of,
    missed,
    next_date,
    quiet_hours,
)
from schema.configuration import ConfigurationError, load
from schema.states import Trigger

FREE = Facts(tier=1, max_tier=3, busy_with=None, quiet_until=None, refusal=None, budget=None)


def test_what_the_daemon_does_by_itself_nobody_has_asked_for() -> None:
    by_itself = {Trigger.SCHEDULED, Trigger.SERVICE, Trigger.ESCALATION, Trigger.APPROVAL}
    assert {kind for kind in Trigger if not is_asked_for(kind)} == by_itself


def test_every_kind_has_its_priority_and_people_come_before_programs() -> None:
    assert set(PRIORITY) == set(Trigger)
    order = sorted(Trigger, key=PRIORITY.__getitem__)
    assert order == [
        Trigger.APPROVAL, Trigger.MANUAL, Trigger.ESCALATION, Trigger.ALERT, Trigger.SERVICE, Trigger.API,
        Trigger.SCHEDULED,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", Trigger)
def test_nothing_in_the_way_starts(kind: Trigger) -> None:
    assert holds_back(kind, 0, FREE) is None


@pytest.mark.parametrize("kind", Trigger)
def test_whatever_holds_a_kind_back_holds_all_behind_it_back_too(kind: Trigger) -> None:
    """Only the head of a queue is looked at, so nobody behind it may be free to start."""
    obstacles = (
        FREE._replace(busy_with=7),
        FREE._replace(refusal="no command"),
        FREE._replace(budget="spent"),
        FREE._replace(quiet_until="06:30"),
    )
    for facts in obstacles:
        if holds_back(kind, 0, facts) is not None:
            behind = [other for other in Trigger if PRIORITY[other] > PRIORITY[kind]]
            assert all(holds_back(other, 0, facts) is not None for other in behind), (kind, facts)


def test_why_it_waits_is_a_sentence() -> None:
    def why(kind: Trigger, **changed: object) -> str:
        wait = holds_back(kind, 0, FREE._replace(**changed))  # type: ignore[arg-type]
        assert wait is not None
        assert not wait.forever
        return wait.reason

    assert why(Trigger.ALERT, busy_with=7) == "tier 1 is busy with session 7"
    assert why(Trigger.SCHEDULED, quiet_until="06:30") == "quiet hours until 06:30"
    assert why(Trigger.ESCALATION, budget="the day's money is spent") == "the day's money is spent"
    assert why(Trigger.MANUAL, refusal="there is no command 'claude'") == "there is no command 'claude'"


def test_people_start_sessions_when_the_money_is_spent_and_in_quiet_hours() -> None:
    facts = FREE._replace(budget="spent", quiet_until="06:30")
    assert holds_back(Trigger.MANUAL, 0, facts) is None
    assert holds_back(Trigger.APPROVAL, 0, facts) is None
    assert holds_back(Trigger.ALERT, 0, FREE._replace(quiet_until="06:30")) is None


def test_what_can_never_start_is_refused() -> None:
    above = holds_back(Trigger.MANUAL, 0, FREE._replace(tier=3, max_tier=2))
    assert above is not None
    assert above.forever
    assert "above CLAUDEOPS_MAX_TIER, which is 2" in above.reason
    worn = holds_back(Trigger.MANUAL, ATTEMPTS_MAX, FREE)
    assert worn is not None
    assert worn.forever
    assert "killed 3 times" in worn.reason


def test_the_same_thing_has_the_same_key_and_another_has_not() -> None:
    assert key_of(Trigger.ALERT, 1, "web is down", "") == key_of(Trigger.ALERT, 1, "web is down", "")
    others = {
        key_of(Trigger.ALERT, 1, "web is down", ""),
        key_of(Trigger.ALERT, 2, "web is down", ""),
        key_of(Trigger.API, 1, "web is down", ""),
        key_of(Trigger.ALERT, 1, "db is down", ""),
        key_of(Trigger.ALERT, 1, "web is down", "web"),
    }
    assert len(others) == 5
    assert key_of(Trigger.ALERT, 1, "one", "web") == key_of(Trigger.ALERT, 1, "two", "web")


@pytest.mark.parametrize(
    ("text", "moment", "held"),
    [
        ("22:00-06:30", "23:15", True),
        ("22:00-06:30", "06:29", True),
        ("22:00-06:30", "06:30", False),
        ("22:00-06:30", "12:00", False),
        ("12:00 - 13:00", "12:00", True),
        ("12:00 - 13:00", "13:00", False),
        ("12:00 - 13:00", "11:59", False),
    ],
)
def test_quiet_hours_may_pass_midnight(text: str, moment: str, held: bool) -> None:
    span = quiet_hours(text)
    assert span is not None
    assert span.hold(datetime.combine(datetime(2026, 3, 1), time.fromisoformat(moment))) is held


@pytest.mark.parametrize("text", ["22-6", "25:00-06:00", "12:60-13:00", "night"])
def test_quiet_hours_that_are_none_keep_the_daemon_from_starting_with_a_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"CLAUDEOPS_QUIET_HOURS: .* is not of the form 22:00-06:30"):
        load({"CLAUDEOPS_QUIET_HOURS": text})


def test_no_quiet_hours_and_those_that_end_as_they_begin_hold_nothing() -> None:
    assert quiet_hours(" ") is None
    span = quiet_hours("12:00-12:00")
    assert span is not None
    assert not span.hold(datetime(2026, 3, 1, 12, 0))


def test_the_first_session_is_due_at_once_after_the_daemons_start() -> None:
    assert due_at_start(None, "boot", 50.0) == 50.0
    assert due_at_start(Due("an earlier boot", 900.0), "boot", 50.0) == 50.0


def test_a_replaced_worker_keeps_the_date() -> None:
    assert due_at_start(Due("boot", 900.0), "boot", 50.0) == 900.0


def test_the_interval_counts_from_the_end_of_the_last() -> None:
    assert due_after(100.0, 3600) == 3700.0


@given(st.floats(0, 1e6), st.floats(1, 1e5), st.floats(1, 1e5), st.floats(0, 1e6))
def test_a_changed_interval_counts_from_the_same_end_and_never_from_the_past(
    end: float, old: float, new: float, now: float
) -> None:
    changed = due_after_change(due_after(end, old), old, new, now)
    assert changed >= now
    assert changed == now or changed == pytest.approx(end + new)


def test_a_cron_expression_gives_the_next_date() -> None:
    after = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    assert next_date("0 */2 * * *", after) == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("expression", ["", "every hour", "61 * * * *", "* * * *", "0 0 31 2 *"])
def test_a_bad_cron_expression_is_told_by_name(expression: str) -> None:
    with pytest.raises(ValueError, match="CLAUDEOPS_SCHEDULE_CRON"):
        next_date(expression, datetime(2026, 3, 1, tzinfo=UTC))


def test_however_many_dates_were_missed_one_session_makes_up_for_them() -> None:
    now = datetime(2026, 3, 5, tzinfo=UTC)
    assert missed(datetime(2026, 3, 1, tzinfo=UTC), now)
    assert not missed(datetime(2026, 3, 6, tzinfo=UTC), now)
    assert not missed(None, now)
