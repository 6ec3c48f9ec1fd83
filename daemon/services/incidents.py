"""Incidents: opened by failures that are confirmed, ended by a probe that is healthy again, and what is told of them.

Functions of a transaction, called by `daemon.services.recorder`, `.attending` and `.stored`. Who is told is decided by
the service's policy; nothing is sent here.
"""

from typing import TYPE_CHECKING, NamedTuple

from daemon.notifications import outbox
from daemon.services import remedies
from daemon.services.rules import flapping, policies
from daemon.services.rules.policies import Policy
from daemon.services.rules.status import OUT, UP, Outcome, Step
from daemon.services.timeline import enter
from schema import timestamps
from schema.database import Database, Row
from schema.definitions import Definition
from schema.facts import CAUSE_MEANING
from schema.knowledge import Level
from schema.notifications import Kind
from schema.states import ServiceStatus

if TYPE_CHECKING:
    from daemon.services.recorder import Finding

FLAPPING_WINDOW_MS = 3_600_000
FLAPPING_CHANGES = 6
# People are told of what is only degraded once in this time.
WARNED_MS = 3_600_000
WORKS = "the service works again"
PROBE = "probe"


class Told(NamedTuple):
    """What people are to be told.

    `level` is what the message shows. `as_` is the level as which it is routed, where that is another: that a failure
    is over is shown as info, and goes to the channels that were told of the failure.
    """

    level: Level
    title: str
    body: str
    key: str
    as_: Level | None = None


def tell(db: Database, service_id: int, policy: Policy, told: Told) -> bool:
    """Writes it down for those whom the service's rules name; False where nobody is to be told, or was already."""
    if policy.mute:
        return False
    found = outbox.add(
        db,
        Kind.SERVICE,
        told.level,
        told.title,
        body=told.body,
        link=f"/services/{service_id}",
        key=told.key,
        channels=policy.channels,
        told_as=told.as_,
    )
    return found is not None


def follow(
    db: Database, row: Row, finding: "Finding", definition: Definition, step: Step, policy: Policy
) -> int | None:
    """Opens, goes on with, or ends the incident of a service; its id, or None without one."""
    if step.opens:
        return _open(db, row, finding, definition, step, policy)
    incident_id: int | None = row["incident_id"]
    if incident_id is None:
        _without(db, row, finding, definition, step, policy)
        return None
    if step.closes:
        _end(db, row, finding, definition, incident_id, policy)
        return incident_id
    if finding.verdict.detail != row["detail"] and finding.verdict.outcome is not Outcome.NOTHING:
        enter(db, incident_id, "finding", finding.verdict.detail, at=_stamp(finding.at))
    return incident_id


def _open(db: Database, row: Row, finding: "Finding", definition: Definition, step: Step, policy: Policy) -> int:
    verdict, service_id = finding.verdict, finding.service_id
    cause = verdict.cause.value if verdict.cause else "failed"
    began = _stamp(step.since)
    incident_id = int(
        db.value("incidents.open", service_id=service_id, began_at=began, cause=cause, detail=verdict.detail)
    )
    db.change("results.set_incident", service_id=service_id, incident_id=incident_id)
    enter(db, incident_id, "began", verdict.detail or cause, at=began)
    flapping_since = _flaps(db, row, finding)
    if flapping_since is None or flapping_since == finding.at:
        fails = _failing(definition.name, step.standing.status)
        says = fails if flapping_since is None else f"{definition.name} comes and goes"
        meaning = CAUSE_MEANING[verdict.cause] if verdict.cause else ""
        body = "\n".join(filter(None, (verdict.detail, meaning if meaning != verdict.detail else "")))
        if tell(db, service_id, policy, Told(Level.CRITICAL, says, body, f"incident:{incident_id}:began")):
            enter(db, incident_id, "told", "people were told", at=timestamps.now())
    return incident_id


def _end(db: Database, row: Row, finding: "Finding", definition: Definition, incident_id: int, policy: Policy) -> None:
    now = _stamp(finding.at)
    began = db.value("incidents.end", id=incident_id, now=now, by=finding.by)
    db.change("results.set_incident", service_id=finding.service_id, incident_id=None)
    remedies.call_off(db, incident_id, WORKS)
    who = "a probe" if finding.by == PROBE else finding.by
    enter(db, incident_id, "ended", f"{who} found it working again", at=now)
    # Who was not told that it fails need not hear that it works.
    if row["flapping_since"] is None and began and db.value("incidents.was_told", incident_id=incident_id):
        body = f"It was out for {timestamps.lasting((finding.at - timestamps.ms(began)) / 1000)}."
        title = f"{definition.name} works again"
        told = Told(Level.INFO, title, body, f"incident:{incident_id}:ended", as_=Level.CRITICAL)
        tell(db, finding.service_id, policy, told)


def _without(db: Database, row: Row, finding: "Finding", definition: Definition, step: Step, policy: Policy) -> None:
    """No incident: what is steady again, and what is only degraded, of which people may be told too."""
    service_id, status = finding.service_id, step.standing.status
    steady = status in UP and row["status"] in UP and row["flapping_since"] is not None
    if steady and flapping.calm(row["since"], finding.at, window_ms=FLAPPING_WINDOW_MS):
        db.change("results.flap", service_id=service_id, at=None)
        key = f"service:{service_id}:steady:{row['flapping_since']}"
        told = Told(Level.INFO, f"{definition.name} is steady again", "", key, as_=Level.CRITICAL)
        tell(db, service_id, policy, told)
    began = status is ServiceStatus.DEGRADED and row["status"] != ServiceStatus.DEGRADED
    if began and policy.told_from == Level.WARNING and finding.at - (row["warned_at"] or 0) >= WARNED_MS:
        db.change("results.warned", service_id=service_id, at=finding.at)
        key = f"service:{service_id}:degraded:{finding.at}"
        told = Told(Level.WARNING, f"{definition.name} is degraded", finding.verdict.detail, key)
        tell(db, service_id, policy, told)


def settle(db: Database, incident: Row, policy: Policy, at: int) -> None:
    """Tells people that what came and went stays down: that is steady, too (`at`: ms since 1970)."""
    if incident["flapping_since"] is None or incident["status"] not in OUT:
        return
    began = timestamps.ms(incident["began_at"])
    if not flapping.stays(began, at, window_ms=FLAPPING_WINDOW_MS, changes=FLAPPING_CHANGES):
        return
    id_, now = incident["id"], _stamp(at)
    db.change("results.flap", service_id=incident["service_id"], at=None)
    if incident["acknowledged_at"]:
        return
    # They are told again from now on, not since it began.
    db.change("incidents.remind", id=id_, now=now)
    lasts = timestamps.lasting((at - began) / 1000)
    body = "\n".join(filter(None, (incident["detail"], f"It came and went before, and has been out for {lasts} now.")))
    title = _failing(incident["name"], ServiceStatus(incident["status"]))
    if tell(db, incident["service_id"], policy, Told(Level.CRITICAL, title, body, f"incident:{id_}:stays")):
        enter(db, id_, "told", "people were told", at=now)


def remind(db: Database, incident: Row, policy: Policy, at: int) -> bool:
    """Tells people again of an incident that nobody looks after, if it is time for that (`at`: ms since 1970)."""
    if incident["acknowledged_at"] or incident["flapping_since"] is not None or incident["status"] not in OUT:
        return False
    last = timestamps.ms(incident["reminded_at"] or incident["began_at"])
    if not policies.reminds(policy, last, at):
        return False
    id_, now = incident["id"], _stamp(at)
    lasts = timestamps.lasting((at - timestamps.ms(incident["began_at"])) / 1000)
    body = "\n".join(filter(None, (incident["detail"], f"It has been out for {lasts}, and nobody looks after it.")))
    title = f"{incident['name']} is still down"
    # Both are there, or neither: a kill neither loses nor doubles it.
    db.change("incidents.remind", id=id_, now=now)
    if tell(db, incident["service_id"], policy, Told(Level.CRITICAL, title, body, f"incident:{id_}:still:{at}")):
        enter(db, id_, "told", "people were told again", at=now)
    return True


def set_aside(db: Database, service_id: int, incident_id: int, *, by: str, at: str) -> None:
    """A person has paused the service: nobody looks any more. Within a transaction."""
    db.value("incidents.end", id=incident_id, now=at, by=by)
    db.change("results.set_incident", service_id=service_id, incident_id=None)
    remedies.call_off(db, incident_id, f"{by} has paused the service")
    enter(db, incident_id, "ended", f"{by} paused the service", at=at, author=by)


def _flaps(db: Database, row: Row, finding: "Finding") -> int | None:
    """Since when the service comes and goes; the finding's own time where it has just been noticed."""
    ends = []
    for incident in db.rows("incidents.ends", service_id=finding.service_id, limit=FLAPPING_CHANGES):
        ends += [timestamps.ms(text) for text in (incident["began_at"], incident["ended_at"]) if text]
    if flapping.flaps(ends, finding.at, window_ms=FLAPPING_WINDOW_MS, changes=FLAPPING_CHANGES):
        since = row["flapping_since"] or finding.at
        db.change("results.flap", service_id=finding.service_id, at=since)
        return int(since)
    if row["flapping_since"] is not None:
        db.change("results.flap", service_id=finding.service_id, at=None)
    return None


def _failing(name: str, status: ServiceStatus) -> str:
    return f"{name} timed out" if status is ServiceStatus.TIMEOUT else f"{name} is down"


def _stamp(ms: int) -> str:
    return timestamps.at(ms / 1000)
