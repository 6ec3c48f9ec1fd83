"""What becomes of a service's status with each finding: retries, dependencies, maintenance, recovery. Pure.

Called by `daemon.services.recorder` within the transaction that stores the finding.
"""

from enum import StrEnum
from typing import NamedTuple

from schema.states import SERVICE, ServiceStatus, follow

UP = frozenset({ServiceStatus.HEALTHY, ServiceStatus.DEGRADED})
OUT = frozenset({ServiceStatus.DOWN, ServiceStatus.TIMEOUT})
# What depends on them is kept quiet while they are so.
STOPS_OTHERS = OUT | {ServiceStatus.BLOCKED}


class Outcome(StrEnum):
    """What one probe says by itself."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    TIMEOUT = "timeout"
    # This host is cut off, or asked nothing: it says nothing of the service.
    NOTHING = "nothing"


FAILS = frozenset({Outcome.DOWN, Outcome.TIMEOUT})
WORKS = frozenset({Outcome.HEALTHY, Outcome.DEGRADED})


class Standing(NamedTuple):
    """Where a service stands. `failures` in a row; `failing_since`: ms since 1970 of the first of them."""

    status: ServiceStatus
    failures: int = 0
    failing_since: int | None = None
    incident: bool = False


class Around(NamedTuple):
    """What is known around a service as it is judged.

    `parent_out`: one that it depends on is known to be out; `parent_unsure`: one has not been asked since this failed,
    or is being tried again. `again`: nothing was found anew, what is known is judged as all of this stands now.
    """

    retries: int = 0
    maintenance: bool = False
    parent_out: bool = False
    parent_unsure: bool = False
    again: bool = False


def stops_others(status: ServiceStatus, failures: int) -> bool:
    """Whether what depends on it fails because of it: it is out, or fails in its window, which people know of."""
    return status in STOPS_OTHERS or (status is ServiceStatus.MAINTENANCE and failures > 0)


class Step(NamedTuple):
    """What follows. `opens` and `closes` an incident; `since`: when the new status began, ms since 1970."""

    standing: Standing
    since: int
    opens: bool = False
    closes: bool = False


def step(now: Standing, outcome: Outcome, around: Around, at: int) -> Step:
    """The standing after a finding of `at` (ms since 1970). TransitionError for a service that is not probed."""
    if now.status is ServiceStatus.BLOCKED and outcome in FAILS and not around.parent_out:
        # What blocked it works again: its own tries and its own time begin now, for it may need a moment longer.
        now = now._replace(failures=0, failing_since=None)
    failing = outcome in FAILS or (outcome is Outcome.NOTHING and now.failures > 0)
    anew = outcome in FAILS and not (around.again and now.failures)
    failures = now.failures + int(anew) if failing else 0
    failing_since = (now.failing_since if now.failures else at) if failing else None
    status = _status(now, outcome, around, failures)
    if status is not now.status:
        follow(SERVICE, now.status, status)
    opens = status in OUT and not now.incident
    closes = now.incident and outcome in WORKS
    standing = Standing(status, failures, failing_since, (now.incident or opens) and not closes)
    # What is confirmed by tries began with the first of them. A window that ends with a failure is no such try.
    confirmed = opens and failing_since is not None and now.status is not ServiceStatus.MAINTENANCE
    return Step(standing, failing_since if confirmed and failing_since is not None else at, opens, closes)


def _status(now: Standing, outcome: Outcome, around: Around, failures: int) -> ServiceStatus:
    if around.maintenance:
        return ServiceStatus.MAINTENANCE
    if outcome is Outcome.NOTHING:
        return ServiceStatus.UNKNOWN
    if outcome in WORKS or now.status in OUT or now.incident:
        return ServiceStatus(outcome.value)
    if around.parent_out:
        return ServiceStatus.BLOCKED
    if failures <= around.retries or around.parent_unsure:
        return ServiceStatus.PENDING
    return ServiceStatus(outcome.value)
