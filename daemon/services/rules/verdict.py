"""What a probe's facts mean under a service's conditions: the outcome, and why in one line. Pure.

Called by `daemon.services.monitor`, and by `daemon.services.trying` for a test by hand.
"""

from collections.abc import Sequence
from typing import NamedTuple

from daemon.services.rules.conditions import Answer, Judged, judge
from daemon.services.rules.notation import ConditionError, Place, parse
from daemon.services.rules.status import Outcome
from schema.facts import Cause, Facts

# Nobody could connect, which is what some conditions ask for; and the phases that only a connection has.
NOT_CONNECTED = frozenset({Cause.REFUSED, Cause.UNREACHABLE, Cause.TIMEOUT})
CONNECTED_PHASES = frozenset({"tls", "wait", "transfer"})


class Verdict(NamedTuple):
    """How a probe ended. `failing`: each condition that does not hold, with its values."""

    outcome: Outcome
    cause: Cause | None = None
    detail: str = ""
    failing: tuple[str, ...] = ()


def verdict(facts: Facts, conditions: Sequence[str], warnings: Sequence[str]) -> Verdict:
    """Judges all conditions, so that people see everything that is wrong at once."""
    if facts.cause is not None and not (conditions and _wanted_closed(facts, conditions)):
        outcome = Outcome.TIMEOUT if facts.cause is Cause.TIMEOUT else Outcome.DOWN
        return Verdict(outcome, facts.cause, facts.detail)
    answer = Answer(facts)
    if failing := _failing(conditions, answer):
        return Verdict(Outcome.DOWN, Cause.CONDITION, "; ".join(failing), failing)
    if failing := _failing(warnings, answer):
        return Verdict(Outcome.DEGRADED, Cause.CONDITION, "; ".join(failing), failing)
    return Verdict(Outcome.HEALTHY)


def _wanted_closed(facts: Facts, conditions: Sequence[str]) -> bool:
    """Whether every condition is about [CONNECTED] alone, and holds: `[CONNECTED] == false` watches a closed port."""
    if facts.cause not in NOT_CONNECTED or CONNECTED_PHASES & facts.phases.keys():
        return False
    return all(_names_connected(text) for text in conditions) and not _failing(conditions, Answer(facts))


def _names_connected(text: str) -> bool:
    try:
        return parse(text).left == Place("CONNECTED")
    except ConditionError:
        return False


def _failing(conditions: Sequence[str], answer: Answer) -> tuple[str, ...]:
    return tuple(one.shown for one in (judged(text, answer) for text in conditions) if not one.holds)


def judged(text: str, answer: Answer) -> Judged:
    """Whether a stored condition holds. One that is refused today does not, and shows its mistake."""
    try:
        return judge(parse(text), answer)
    except ConditionError as error:
        return Judged(False, str(error))  # it was saved by a version that took it
