"""What a session's report of a service means for it. Pure; called by `daemon.services.observed`."""

from daemon.services.rules.status import Outcome
from daemon.services.rules.verdict import Verdict
from schema.definitions import Definition
from schema.facts import Cause

# What says no more than that it was not reached: that may be the fault of the way there.
UNREACHED = "unreachable"
OUTCOMES = {
    "healthy": Outcome.HEALTHY,
    "degraded": Outcome.DEGRADED,
    "down": Outcome.DOWN,
    UNREACHED: Outcome.DOWN,
}


def name_of(definition: Definition) -> str:
    """The name by which sessions know it: `observed:NAME`, or its own."""
    return definition.url.partition(":")[2].strip("/") or definition.name


def verdict(status: str, detail: str) -> Verdict:
    """What was found by a session's word. What it does not know says nothing."""
    outcome = OUTCOMES.get(status, Outcome.NOTHING)
    told = detail or f"a session reports that it is {status}"
    cause = Cause.FAILED if outcome is Outcome.DOWN else None
    return Verdict(outcome, cause, "" if outcome is Outcome.HEALTHY else told)


def waits(status: str, cut_off: bool) -> bool:
    """Whether a report is put off until this host is connected again.

    What a session reports of logs, processes or a cluster does not rest on this host's own way to the service, as a
    probe's finding does, so it counts at once; that a service is unreachable does, and is looked at again then.
    """
    return cut_off and status == UNREACHED


def is_own_word(status: str, session_incident: int | None, incident: int | None) -> bool:
    """Whether a session that works on the present incident says that all is well: its claim ends nothing."""
    works = OUTCOMES.get(status) in (Outcome.HEALTHY, Outcome.DEGRADED)
    return works and incident is not None and session_incident == incident


def ends(definition: Definition, reported: int) -> int:
    """Until when a report holds (ms since 1970)."""
    return reported + round(definition.interval * 1000)


def is_news(definition: Definition, reported: int, heard_at: int | None, now: int) -> bool:
    """Whether a report was not taken yet, and holds still."""
    return reported > (heard_at or 0) and ends(definition, reported) > now
