"""Stores a finding and all that follows in one transaction: result, status, incident, what people are told.

Called by `daemon.services.recording`, and by `daemon.services.heartbeats` for what is heard or missed. Nothing is
remembered here: a kill between two findings loses nothing.
"""

from typing import NamedTuple

import msgspec

from daemon.services import incidents
from daemon.services.rules import definitions
from daemon.services.rules import status as standing
from daemon.services.rules.status import Around, Standing, Step
from daemon.services.rules.verdict import Verdict
from schema import beats
from schema.database import Database, Row
from schema.definitions import Definition, Kind
from schema.facts import Facts
from schema.states import ServiceStatus

DETAIL_MAX = 500
# Nothing was found for longer than this many intervals: what was known is known no more.
GAP_INTERVALS = 3.0
GAP_LEAST_MS = 60_000
DAY_SECONDS = 86400.0


class Finding(NamedTuple):
    """One probe that has ended. `at`: ms since 1970 when it began; `version`: that of the definition it went by."""

    service_id: int
    version: int
    at: int
    facts: Facts
    verdict: Verdict


class Recorded(NamedTuple):
    """What became of it. `asks`: services to probe at once, because what this means depends on them."""

    status: ServiceStatus
    before: ServiceStatus
    beat: str
    incident_id: int | None = None
    opened: bool = False
    closed: bool = False
    asks: tuple[int, ...] = ()
    frees: tuple[int, ...] = ()


def record(db: Database, finding: Finding, definition: Definition, *, maintenance: bool) -> Recorded | None:
    """Within a transaction. None for a service that was changed, paused or removed while it was probed."""
    row = db.one("results.state", service_id=finding.service_id)
    if row is None or row["version"] != finding.version or row["paused"]:
        return None
    parents = db.rows("results.parents", service_id=finding.service_id) if definition.needs else []
    row = _after_gap(db, row, finding, definition)
    now = Standing(ServiceStatus(row["status"]), row["failures"], row["failing_since"], row["incident_id"] is not None)
    # Since when it fails: who was asked after that is known to work, however long this goes on.
    since = row["failing_since"] if row["failures"] else finding.at
    around = Around(
        retries=definition.retries,
        maintenance=maintenance,
        parent_out=any(parent["status"] in standing.STOPS_OTHERS for parent in parents),
        parent_unsure=bool(_unsure(parents, since)),
    )
    step = standing.step(now, finding.verdict.outcome, around, finding.at)
    beat = _store(db, finding, step)
    if step.standing.status is not now.status:
        _become(db, finding.service_id, step)
    incident_id = incidents.follow(db, row, finding, definition, step)
    asks = _unsure(parents, since) if step.standing.status is ServiceStatus.PENDING else ()
    frees = _freed(db, finding.service_id, now.status, step.standing.status)
    return Recorded(
        step.standing.status, now.status, beat, incident_id, step.opens, step.closes, tuple(asks), tuple(frees)
    )


def _after_gap(db: Database, row: Row, finding: Finding, definition: Definition) -> Row:
    """Where nobody looked for long, nothing is known from then on, and tries that were under way count no more."""
    last = row["checked_at"]
    longest = max(GAP_LEAST_MS, int(GAP_INTERVALS * 1000 * _rhythm(definition)))
    if last is None or finding.at - last <= longest or row["status"] == ServiceStatus.UNKNOWN:
        return row
    begins = last + int(1000 * definition.interval)
    change(db, finding.service_id, begins, ServiceStatus.UNKNOWN)
    db.change("results.roll_again", service_id=finding.service_id, since=begins)
    db.change("results.unknown_since", service_id=finding.service_id)
    return {**row, "status": ServiceStatus.UNKNOWN.value, "failures": 0, "failing_since": None}


def _rhythm(definition: Definition) -> float:
    """Seconds within which something is found if all is well."""
    if definitions.kind_of(definition.url) is not Kind.HEARTBEAT:
        return definition.interval
    return DAY_SECONDS * 31 if definition.cron else definition.interval + definition.grace


def _unsure(parents: list[Row], since: int) -> list[int]:
    """Those that have not been asked since a time, or are being tried again: whether they are out is not known yet."""
    looked = [parent for parent in parents if parent["status"] != ServiceStatus.PAUSED]
    return [
        parent["service_id"]
        for parent in looked
        if parent["status"] not in standing.STOPS_OTHERS
        and ((parent["checked_at"] or 0) < since or parent["status"] == ServiceStatus.PENDING)
    ]


def _freed(db: Database, service_id: int, before: ServiceStatus, after: ServiceStatus) -> list[int]:
    """Who depended on one that works again, and is judged anew."""
    if before not in standing.STOPS_OTHERS or after in standing.STOPS_OTHERS:
        return []
    return [row["service_id"] for row in db.rows("definitions.dependents", needs_id=service_id)]


def _store(db: Database, finding: Finding, step: Step) -> str:
    facts, verdict = finding.facts, finding.verdict
    beat = beats.LETTERS[step.standing.status]
    latency = None if facts.latency_ms is None or facts.cause is not None else int(facts.latency_ms * 1000)
    detail = verdict.detail[:DETAIL_MAX]
    db.change(
        "results.add",
        service_id=finding.service_id,
        at=finding.at,
        beat=beat,
        latency_us=latency,
        phases=beats.pack(facts.phases),
        detail=detail or None,
    )
    db.change(
        "results.note",
        service_id=finding.service_id,
        at=finding.at,
        latency_us=latency,
        cause=verdict.cause.value if verdict.cause else None,
        detail=detail,
        failures=step.standing.failures,
        failing_since=step.standing.failing_since,
        certificate=msgspec.json.encode(facts.certificate).decode() if facts.certificate else None,
        beat=beat,
    )
    return beat


def _become(db: Database, service_id: int, step: Step) -> None:
    if step.opens:
        # What was being tried again since then did not work.
        db.change("results.drop_changes", service_id=service_id, since=step.since)
        db.change("results.roll_again", service_id=service_id, since=step.since)
    change(db, service_id, step.since, step.standing.status)


def change(db: Database, service_id: int, at: int, status: ServiceStatus) -> None:
    """From a time on, a service has a status. Within a transaction."""
    db.change("results.change", service_id=service_id, at=at, status=status.value)
    db.change("results.become", service_id=service_id, status=status.value, since=at)
