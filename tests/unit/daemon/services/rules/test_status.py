"""What becomes of a service with each finding: tries, dependencies, maintenance, recovery."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules.status import OUT, Around, Outcome, Standing, Step, step, stops_others
from schema.states import SERVICE, ServiceStatus, TransitionError

HEALTHY, DEGRADED, DOWN = Outcome.HEALTHY, Outcome.DEGRADED, Outcome.DOWN
TIMEOUT, NOTHING = Outcome.TIMEOUT, Outcome.NOTHING


def go(*outcomes: Outcome, around: Around = Around(), status: ServiceStatus = ServiceStatus.UNKNOWN) -> list[Step]:  # noqa: B008 - never changed
    """Steps from a status on, a second apart."""
    steps: list[Step] = []
    standing = Standing(status)
    for second, outcome in enumerate(outcomes):
        steps.append(step(standing, outcome, around, 1000 * (second + 1)))
        standing = steps[-1].standing
    return steps


def statuses(steps: list[Step]) -> list[str]:
    return [one.standing.status.value for one in steps]


def test_without_retries_a_failure_counts_at_once_and_a_recovery_too() -> None:
    steps = go(HEALTHY, DOWN, DOWN, HEALTHY)
    assert statuses(steps) == ["healthy", "down", "down", "healthy"]
    assert [one.opens for one in steps] == [False, True, False, False]
    assert [one.closes for one in steps] == [False, False, False, True]


def test_within_its_retries_it_is_pending_and_nothing_is_opened() -> None:
    steps = go(HEALTHY, DOWN, TIMEOUT, HEALTHY, around=Around(retries=2))
    assert statuses(steps) == ["healthy", "pending", "pending", "healthy"]
    assert not any(one.opens or one.closes for one in steps)
    assert steps[-1].standing.failures == 0


def test_beyond_its_retries_one_incident_begins_with_the_first_failure() -> None:
    steps = go(HEALTHY, DOWN, DOWN, DOWN, DOWN, around=Around(retries=2))
    assert statuses(steps) == ["healthy", "pending", "pending", "down", "down"]
    assert [one.opens for one in steps] == [False, False, False, True, False]
    assert steps[3].since == 2000


def test_a_timeout_is_told_from_a_failure_and_changes_into_one_within_its_incident() -> None:
    steps = go(HEALTHY, TIMEOUT, DOWN, TIMEOUT)
    assert statuses(steps) == ["healthy", "timeout", "down", "timeout"]
    assert [one.opens for one in steps] == [False, True, False, False]


def test_what_fails_with_what_it_depends_on_is_blocked_and_opens_nothing() -> None:
    blocked = go(HEALTHY, around=Around())[0].standing
    found = step(blocked, DOWN, Around(parent_out=True), 5000)
    assert found.standing.status is ServiceStatus.BLOCKED
    assert not found.opens
    # That works again, and this does not: now it is its own, and from now on.
    later = step(found.standing, DOWN, Around(), 9000)
    assert (later.standing.status, later.opens, later.since) == (ServiceStatus.DOWN, True, 9000)


def test_what_was_blocked_has_all_of_its_retries_once_what_it_depends_on_works_again() -> None:
    retries, steps = Around(retries=2), go(HEALTHY, *[DOWN] * 5, around=Around(retries=2, parent_out=True))
    assert statuses(steps) == ["healthy", *["blocked"] * 5]
    later = steps[-1]
    for at, wanted in ((7000, "pending"), (8000, "pending"), (9000, "down")):
        later = step(later.standing, DOWN, retries, at)
        assert (later.standing.status, later.opens) == (wanted, wanted == "down")
    assert later.since == 7000
    # It came back within them: nobody hears of it.
    assert statuses(go(DOWN, HEALTHY, around=retries, status=ServiceStatus.BLOCKED)) == ["pending", "healthy"]


@pytest.mark.parametrize(
    ("status", "failures", "stops"),
    [("down", 1, True), ("timeout", 3, True), ("blocked", 1, True), ("maintenance", 1, True), ("maintenance", 0, False),
     ("pending", 1, False), ("healthy", 0, False), ("paused", 4, False), ("unknown", 2, False)],
)  # fmt: skip
def test_what_is_out_or_fails_in_its_window_blocks_what_depends_on_it(status: str, failures: int, stops: bool) -> None:
    assert stops_others(ServiceStatus(status), failures) is stops


def test_while_it_is_not_known_whether_what_it_depends_on_is_out_it_is_pending() -> None:
    healthy = go(HEALTHY)[0].standing
    found = step(healthy, DOWN, Around(parent_unsure=True), 5000)
    assert (found.standing.status, found.opens) == (ServiceStatus.PENDING, False)
    assert step(found.standing, DOWN, Around(parent_out=True), 5100).standing.status is ServiceStatus.BLOCKED
    assert step(found.standing, DOWN, Around(), 5100).opens


def test_what_is_judged_again_fails_no_more_often_than_it_did() -> None:
    again = Around(retries=1, again=True)
    pending = go(HEALTHY, DOWN, around=Around(retries=1))[-1].standing
    assert step(pending, DOWN, again, 9000).standing == pending
    window = step(pending, DOWN, Around(retries=1, maintenance=True), 9000).standing
    assert (window.failures, step(window, DOWN, again._replace(maintenance=True), 9100).standing) == (2, window)
    assert step(window, DOWN, again, 9200).opens
    unsure = go(HEALTHY, DOWN, around=Around(parent_unsure=True))[-1].standing
    later = step(unsure, DOWN, Around(again=True), 9000)
    assert (later.opens, later.since, later.standing.failures) == (True, 2000, 1)


def test_an_incident_of_its_own_goes_on_when_what_it_depends_on_fails_later() -> None:
    down = go(HEALTHY, DOWN)[-1].standing
    assert step(down, DOWN, Around(parent_out=True), 5000).standing.status is ServiceStatus.DOWN


def test_in_maintenance_nothing_is_opened_and_a_failure_that_outlasts_it_is_raised_as_of_then() -> None:
    steps = go(HEALTHY, DOWN, DOWN, around=Around(maintenance=True))
    assert statuses(steps) == ["maintenance"] * 3
    after = step(steps[-1].standing, DOWN, Around(retries=1), 9000)
    assert (after.standing.status, after.opens, after.since) == (ServiceStatus.DOWN, True, 9000)


def test_a_probe_that_works_in_maintenance_ends_the_incident_from_before() -> None:
    down = go(HEALTHY, DOWN)[-1].standing
    assert step(down, HEALTHY, Around(maintenance=True), 5000).closes


def test_where_nothing_was_asked_nothing_is_known_and_an_incident_stays() -> None:
    down = go(HEALTHY, DOWN)[-1].standing
    found = step(down, NOTHING, Around(), 5000)
    assert (found.standing.status, found.standing.incident) == (ServiceStatus.UNKNOWN, True)
    again = step(found.standing, DOWN, Around(), 6000)
    assert (again.standing.status, again.opens) == (ServiceStatus.DOWN, False)


def test_what_is_paused_takes_no_finding() -> None:
    with pytest.raises(TransitionError):
        step(Standing(ServiceStatus.PAUSED), HEALTHY, Around(), 1000)


AROUND = st.builds(Around, retries=st.integers(0, 4), maintenance=st.booleans(), parent_out=st.booleans(),
                   parent_unsure=st.booleans(), again=st.booleans())  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(Outcome), AROUND), max_size=40))
def test_whatever_is_found_every_step_is_listed_and_incidents_open_and_close_in_turn(
    findings: list[tuple[Outcome, Around]],
) -> None:
    now, is_open = Standing(ServiceStatus.UNKNOWN), False
    for second, (outcome, around) in enumerate(findings):
        found = step(now, outcome, around, 1000 * (second + 1))
        after = found.standing
        assert after.status is now.status or after.status in SERVICE[now.status]
        assert not (found.opens and is_open)
        assert not (found.closes and not is_open)
        is_open = (is_open or found.opens) and not found.closes
        assert after.incident == is_open
        assert (after.status in OUT) <= is_open  # who is out has an incident, always
        assert found.since <= 1000 * (second + 1)
        assert (after.failures > 0) == (after.failing_since is not None)
        now = after
