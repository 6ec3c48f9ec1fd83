"""What facts mean under conditions where nobody answers, or a condition can't be read."""

import pytest

from daemon.services.rules.status import Outcome
from daemon.services.rules.verdict import verdict
from schema.facts import Cause, Facts


@pytest.mark.parametrize("cause", [Cause.REFUSED, Cause.UNREACHABLE, Cause.TIMEOUT])
def test_a_port_that_is_to_be_closed_is_healthy_where_nobody_connects_and_down_where_somebody_does(
    cause: Cause,
) -> None:
    closed = ["[CONNECTED] == false"]
    assert verdict(Facts(cause=cause, phases={"connect": 3.0}), closed, ()).outcome is Outcome.HEALTHY
    assert verdict(Facts(connected=True), closed, ()).outcome is Outcome.DOWN


@pytest.mark.parametrize(
    ("facts", "conditions"),
    [
        (Facts(cause=Cause.REFUSED), ["[CONNECTED] == true"]),
        (Facts(cause=Cause.REFUSED), ["[CONNECTED] == false", "[STATUS] != 200"]),
        (Facts(cause=Cause.REFUSED), []),
        (Facts(cause=Cause.DNS), ["[CONNECTED] == false"]),
        (Facts(cause=Cause.DENIED), ["[CONNECTED] == false"]),
        (Facts(cause=Cause.RESET), ["[CONNECTED] == false"]),
    ],
)
def test_what_else_gives_no_answer_is_down_for_its_cause(facts: Facts, conditions: list[str]) -> None:
    found = verdict(facts, conditions, ())
    assert (found.outcome, found.cause) == (Outcome.DOWN, facts.cause)


def test_a_connection_on_which_nobody_answers_is_no_closed_port() -> None:
    facts = Facts(cause=Cause.TIMEOUT, phases={"connect": 1.0, "wait": 3000.0})
    assert verdict(facts, ["[CONNECTED] == false"], ()).outcome is Outcome.TIMEOUT


def test_a_condition_that_an_older_version_took_is_down_and_says_why() -> None:
    found = verdict(Facts(connected=True, status=200), ["[STATUS] < abc"], ())
    assert found.outcome is Outcome.DOWN
    assert "a number or a duration" in found.detail
