"""Incidents: opened by failures that are confirmed, ended by a probe that is healthy again, and what is told of them.

Functions of a transaction, called by `daemon.services.recorder` and `daemon.services.catalogue`.
"""

from typing import TYPE_CHECKING

from daemon.notifications import outbox
from daemon.services.rules import flapping
from daemon.services.rules.status import Outcome, Step
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
PROBE = "probe"


def follow(db: Database, row: Row, finding: "Finding", definition: Definition, step: Step) -> int | None:
    """Opens, goes on with, or ends the incident of a service; its id, or None without one."""
    if step.opens:
        return _open(db, row, finding, definition, step)
    incident_id: int | None = row["incident_id"]
    if incident_id is None:
        return None
    if step.closes:
        _end(db, row, finding, definition, incident_id)
        return incident_id
    if finding.verdict.detail != row["detail"] and finding.verdict.outcome is not Outcome.NOTHING:
        enter(db, incident_id, "finding", finding.verdict.detail, at=_stamp(finding.at))
    return incident_id


def _open(db: Database, row: Row, finding: "Finding", definition: Definition, step: Step) -> int:
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
        says = "timed out" if step.standing.status is ServiceStatus.TIMEOUT else "is down"
        says = f"{definition.name} {says}" if flapping_since is None else f"{definition.name} comes and goes"
        meaning = CAUSE_MEANING[verdict.cause] if verdict.cause else ""
        told = outbox.add(
            db,
            Kind.SERVICE,
            Level.CRITICAL,
            says,
            body="\n".join(filter(None, (verdict.detail, meaning if meaning != verdict.detail else ""))),
            link=f"/services/{service_id}",
            key=f"incident:{incident_id}:began",
        )
        if told is not None:
            enter(db, incident_id, "told", "people were told", at=timestamps.now())
    return incident_id


def _end(db: Database, row: Row, finding: "Finding", definition: Definition, incident_id: int) -> None:
    now = _stamp(finding.at)
    db.change("incidents.end", id=incident_id, now=now, by=PROBE)
    db.change("results.set_incident", service_id=finding.service_id, incident_id=None)
    enter(db, incident_id, "ended", "a probe found it working again", at=now)
    if row["flapping_since"] is None:
        lasted = finding.at / 1000 - timestamps.parse(_began(db, incident_id)).timestamp()
        outbox.add(
            db,
            Kind.SERVICE,
            Level.INFO,
            f"{definition.name} works again",
            body=f"It was out for {duration(lasted)}.",
            link=f"/services/{finding.service_id}",
            key=f"incident:{incident_id}:ended",
        )


def set_aside(db: Database, service_id: int, incident_id: int, *, by: str, at: str) -> None:
    """A person has paused the service: nobody looks any more. Within a transaction."""
    db.change("incidents.end", id=incident_id, now=at, by=by)
    db.change("results.set_incident", service_id=service_id, incident_id=None)
    enter(db, incident_id, "ended", f"{by} paused the service", at=at, author=by)


def _began(db: Database, incident_id: int) -> str:
    row = db.one("incidents.one", id=incident_id)
    assert row is not None  # noqa: S101 - its service refers to it
    return str(row["began_at"])


def _flaps(db: Database, row: Row, finding: "Finding") -> int | None:
    """Since when the service comes and goes; the finding's own time where it has just been noticed."""
    ends = []
    for incident in db.rows("incidents.ends", service_id=finding.service_id, limit=FLAPPING_CHANGES):
        ends += [_ms(text) for text in (incident["began_at"], incident["ended_at"]) if text]
    if flapping.flaps(ends, finding.at, window_ms=FLAPPING_WINDOW_MS, changes=FLAPPING_CHANGES):
        since = row["flapping_since"] or finding.at
        db.change("results.flap", service_id=finding.service_id, at=since)
        return int(since)
    if row["flapping_since"] is not None:
        db.change("results.flap", service_id=finding.service_id, at=None)
    return None


def enter(
    db: Database, incident_id: int, kind: str, text: str, *, at: str, author: str | None = None,
    session_id: int | None = None,
) -> None:  # fmt: skip
    """Something that happened in an incident. Within a transaction."""
    db.change(
        "incidents.enter", incident_id=incident_id, at=at, kind=kind, text=text, author=author, session_id=session_id
    )


def duration(seconds: float) -> str:
    """Seconds as people say them: `40 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def _stamp(ms: int) -> str:
    return timestamps.at(ms / 1000)


def _ms(text: str) -> int:
    return round(timestamps.parse(text).timestamp() * 1000)
