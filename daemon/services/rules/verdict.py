"""What a probe's facts mean under a service's conditions: the outcome, and why in one line. Pure.

Called by `daemon.services.recorder` and for "test now".
"""

from collections.abc import Sequence
from typing import NamedTuple

from daemon.services.rules.conditions import Answer, judge
from daemon.services.rules.notation import parse
from daemon.services.rules.status import Outcome
from schema.facts import Cause, Facts


class Verdict(NamedTuple):
    """How a probe ended. `failing`: each condition that does not hold, with its values."""

    outcome: Outcome
    cause: Cause | None = None
    detail: str = ""
    failing: tuple[str, ...] = ()


def verdict(facts: Facts, conditions: Sequence[str], warnings: Sequence[str]) -> Verdict:
    """Judges all conditions, so that people see everything that is wrong at once."""
    if facts.cause is not None:
        outcome = Outcome.TIMEOUT if facts.cause is Cause.TIMEOUT else Outcome.DOWN
        return Verdict(outcome, facts.cause, facts.detail)
    answer = Answer(facts)
    if failing := _failing(conditions, answer):
        return Verdict(Outcome.DOWN, Cause.CONDITION, "; ".join(failing), failing)
    if failing := _failing(warnings, answer):
        return Verdict(Outcome.DEGRADED, Cause.CONDITION, "; ".join(failing), failing)
    return Verdict(Outcome.HEALTHY)


def _failing(conditions: Sequence[str], answer: Answer) -> tuple[str, ...]:
    judged = (judge(parse(text), answer) for text in conditions)
    return tuple(one.shown for one in judged if not one.holds)
