"""Stores a finding and all that follows in one transaction: result, status, incident, what people are told, and the
session that the incident starts.

Called by `daemon.services.monitor`, `.heartbeats`, `.observed` and `.settling`. Nothing is remembered here: a kill
between two findings loses nothing.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from daemon.services import incidents, remedies
from daemon.services.connectivity import Connectivity
from daemon.services.gathering import Gathering
from daemon.services.remedies import Sick
from daemon.services.rules import definitions
from daemon.services.rules import status as standing
from daemon.services.rules.policies import Policy
from daemon.services.rules.status import Around, Outcome, Standing, Step
from daemon.services.rules.verdict import Verdict
from schema import beats, uptime
from schema.database import Database, Row
from schema.definitions import KINDS, Definition, Kind
from schema.facts import Facts
from schema.states import ServiceStatus

DETAIL_MAX = 500
# Nothing was found for longer than this many intervals: what was known is known no more.
GAP_INTERVALS = 3.0
DAY_SECONDS = 86400.0
# A parent that is asked answers, or times out, within this time; one that isn't keeps nobody pending for longer.
UNSURE_MS = 300_000
BLOCKED_BY = "blocked by "


class Finding(NamedTuple):
    """One probe that has ended. `at`: ms since 1970 when it began; `version`: that of the definition it went by; `by`:
    who found it; `probed`: over this host's own way to the service, so that it counts for nothing while that is cut;
    `again`: nothing was found anew, what is known is judged as things stand now, and stored if that changes it."""

    service_id: int
    version: int
    at: int
    facts: Facts
    verdict: Verdict
    by: str = incidents.PROBE
    probed: bool = True
    again: bool = False


class Recorded(NamedTuple):
    """What became of it. `asks`: services to probe at once, because what this means depends on them, or depended;
    `queued`: whether its incident has put a session into the queue, or has taken one out."""

    status: ServiceStatus
    before: ServiceStatus
    asks: tuple[int, ...] = ()
    queued: bool = False


class Ways(NamedTuple):
    """What holds for a service now by the word of people, and how texts lose their secrets."""

    maintenance: Callable[[Definition, datetime], bool]
    policy: Callable[[Definition], Policy]
    redact: Callable[[str], str]


class Recorder:
    """Stores what is found. `told` hears of each finding that was stored, `outdated` of each that counts no more."""

    def __init__(
        self,
        changes: Gathering,
        connectivity: Connectivity,
        ways: Ways,
        told: Callable[[int, Recorded], None],
        outdated: Callable[[Finding], None],
    ) -> None:
        self._changes, self._connectivity, self._ways = changes, connectivity, ways
        self._told, self._outdated = told, outdated

    async def store(
        self, finding: Finding, definition: Definition, also: Callable[[Database], object] | None = None
    ) -> Recorded | None:
        """Stores a finding, and `also` something in the same transaction. None where it counts no more."""
        fails = finding.probed and finding.verdict.outcome in standing.FAILS
        cut_off = fails and await self._connectivity.is_cut_off()
        if cut_off:
            finding = finding._replace(verdict=_unbelieved(finding.verdict))

        def write(db: Database) -> Recorded | None:
            if cut_off:
                self._connectivity.note(db, finding.at)
            found = record(db, finding, definition, self._ways)
            if found is not None and also is not None:
                also(db)
            return found

        found = await self._changes.write(write)
        if cut_off:
            self._connectivity.watch()
        if found is None:
            self._outdated(finding)
        else:
            self._told(finding.service_id, found)
        return found

    async def close(self) -> None:
        """Stores what waits."""
        await self._changes.close()


def _unbelieved(verdict: Verdict) -> Verdict:
    """A failure that was found while this host itself was cut off."""
    return Verdict(Outcome.NOTHING, None, f"this host is cut off, so it counts for nothing: {verdict.detail}")


def record(db: Database, finding: Finding, definition: Definition, ways: Ways) -> Recorded | None:
    """Within a transaction. None for a service that was changed, paused or removed while it was probed."""
    row = db.one("results.state", service_id=finding.service_id)
    if row is None or row["version"] != finding.version or row["paused"]:
        return None
    if finding.again and not row["failures"]:
        return Recorded(ServiceStatus(row["status"]), ServiceStatus(row["status"]))  # it has told of success meanwhile
    parents = db.rows("results.parents", service_id=finding.service_id) if definition.needs else []
    row = _after_gap(db, row, finding, definition)
    now = Standing(ServiceStatus(row["status"]), row["failures"], row["failing_since"], row["incident_id"] is not None)
    # Since when it fails: who was asked after that is known to work, however long this goes on.
    since = row["failing_since"] if row["failures"] else finding.at
    unsure = _unsure(parents, since, finding.at)
    out = sorted(one["name"] for one in parents if _stops_others(one))
    around = Around(
        retries=definition.retries,
        maintenance=ways.maintenance(definition, datetime.fromtimestamp(finding.at / 1000, UTC)),
        parent_out=bool(out),
        parent_unsure=bool(unsure),
        again=finding.again,
    )
    step = standing.step(now, finding.verdict.outcome, around, finding.at)
    if finding.again and step.standing.status is now.status:
        return Recorded(now.status, now.status, tuple(unsure))
    _store(db, finding, step, out if step.standing.status is ServiceStatus.BLOCKED else [])
    status, queued = step.standing.status, False
    if status is not now.status:
        _become(db, finding.service_id, step)
    if status is not now.status or now.incident or row["flapping_since"] is not None:
        queued = _follow(db, row, finding, definition, step, ways)
    asks = unsure if status is ServiceStatus.PENDING else []
    return Recorded(status, now.status, (*asks, *_freed(db, finding.service_id, now, step.standing)), queued)


def _follow(db: Database, row: Row, finding: Finding, definition: Definition, step: Step, ways: Ways) -> bool:
    """The incident, who is told of it, and the session that it starts; whether the queue has changed."""
    policy = ways.policy(definition)
    incident_id = incidents.follow(db, row, finding, definition, step, policy)
    if incident_id is None or step.standing.status not in standing.OUT:
        return step.closes
    sick = Sick(finding.service_id, incident_id, step.standing.failures, finding.at)
    return remedies.consider(db, sick, policy, ways.redact)


def _after_gap(db: Database, row: Row, finding: Finding, definition: Definition) -> Row:
    """Where nobody looked for long, nothing is known from then on, and tries that were under way count no more."""
    last = row["checked_at"]
    longest = max(uptime.GAP_LEAST_MS, int(GAP_INTERVALS * 1000 * _rhythm(definition)))
    if last is None or finding.at - last <= longest or row["status"] == ServiceStatus.UNKNOWN:
        return row
    begins = last + int(1000 * definition.interval)
    change(db, finding.service_id, begins, ServiceStatus.UNKNOWN)
    db.change("results.roll_again", service_id=finding.service_id, since=begins)
    missing = int((finding.at - begins) / 1000 / _rhythm(definition))
    marks = beats.NO_DATA * max(1, min(missing, beats.NO_DATA_MAX))
    db.change("results.no_data", service_id=finding.service_id, marks=marks)
    db.change("results.unknown_since", service_id=finding.service_id)
    return {**row, "status": ServiceStatus.UNKNOWN.value, "failures": 0, "failing_since": None}


def _rhythm(definition: Definition) -> float:
    """Seconds within which something is found if all is well."""
    if definitions.kind_of(definition.url) is not Kind.HEARTBEAT:
        return definition.interval
    return DAY_SECONDS * 31 if definition.cron else definition.interval + definition.grace


def _unsure(parents: list[Row], since: int, now: int) -> list[int]:
    """Those that have not been asked since a time, or are being tried again: whether they are out is not known yet."""
    # What tells of itself can't be asked: it is as it was heard of last.
    asked = [one for one in parents if one["status"] != ServiceStatus.PAUSED and not KINDS[Kind(one["kind"])].passive]
    return [
        parent["service_id"]
        for parent in asked
        if not _stops_others(parent)
        and (
            parent["status"] == ServiceStatus.PENDING
            or ((parent["checked_at"] or 0) < since and now - since <= UNSURE_MS)
        )
    ]


def _stops_others(parent: Row) -> bool:
    return standing.stops_others(ServiceStatus(parent["status"]), parent["failures"])


def _freed(db: Database, service_id: int, before: Standing, after: Standing) -> list[int]:
    """Who depended on one that works again, and is judged anew."""
    stopped, stops = (standing.stops_others(one.status, one.failures) for one in (before, after))
    if stops or not stopped:
        return []
    return [row["service_id"] for row in db.rows("definitions.dependents", needs_id=service_id)]


def _store(db: Database, finding: Finding, step: Step, blocked_by: list[str]) -> None:
    facts, verdict = finding.facts, finding.verdict
    beat = beats.LETTERS[step.standing.status]
    latency = None if facts.latency_ms is None or facts.cause is not None else int(facts.latency_ms * 1000)
    because = f"{BLOCKED_BY}{', '.join(blocked_by)}: " if blocked_by else ""
    detail = (because + verdict.detail)[:DETAIL_MAX]
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
