"""The session that an incident starts: put into the queue with what is known, once, within the finding's transaction.

Functions of a transaction, called by `daemon.services.recorder`, `.attending` and `.incidents`. What holds for every
trigger (tiers, money, dry run) holds for these too: it is judged when the queue starts them.
"""

import secrets
from collections.abc import Callable
from typing import NamedTuple

from daemon.services import timeline
from daemon.services.rules import briefing, policies
from daemon.services.rules.policies import Done, Policy
from daemon.triggers import record
from daemon.triggers.queue import Asked, insert
from schema import actors, beats, monitored, timestamps
from schema.database import Database, Row
from schema.definitions import Kind
from schema.states import Trigger, TriggerStatus
from schema.triggers import from_row

RESULTS_SHOWN = 10
EARLIER_SHOWN = 5
NOTES_SHOWN = 20
NEWEST = 2**62


class Sick(NamedTuple):
    """A service that is down. `failures`: in a row; `at`: when it was looked at last, ms since 1970."""

    service_id: int
    incident_id: int
    failures: int
    at: int


def consider(db: Database, sick: Sick, policy: Policy, redact: Callable[[str], str]) -> bool:
    """Puts the session of an incident into the queue, if its rule says so; True if it did."""
    if not policy.tier:
        return False
    incident, service = db.one("incidents.one", id=sick.incident_id), db.one("definitions.one", id=sick.service_id)
    if incident is None or service is None:
        return False
    done = _done(db, incident)
    if not policies.starts(policy, Kind(service["kind"]), sick.failures, done, sick.at):
        return False
    text = redact(briefing.prompt(_known(db, incident, service, sick), secrets.token_hex(4)))
    trigger = insert(db, Asked(Trigger.SERVICE, policy.tier, text, f"incident:{sick.incident_id}"), text)
    db.change("incidents.start", id=sick.incident_id, trigger_id=trigger.id)
    waits = f"a session of tier {policy.tier} is asked for (trigger {trigger.id})"
    timeline.enter(db, sick.incident_id, "session", waits, at=timestamps.now())
    record.added(db, trigger, actors.RULES, service["name"], policy.tier_by)
    return True


def _done(db: Database, incident: Row) -> Done:
    if incident["trigger_id"] is not None:
        return Done(queued=True)
    last = db.one("incidents.last_started", service_id=incident["service_id"])
    if last is None:
        return Done()
    found = db.one("incidents.session_of", id=last["id"], trigger_id=last["trigger_id"])
    if found is None:
        return Done()
    working = found["trigger_status"] == TriggerStatus.WAITING or found["working"] > 0 or found["handed_over"] > 0
    return Done(working=working, ended_at=timestamps.ms(found["ended_at"]) if found["ended_at"] else None)


def call_off(db: Database, incident_id: int, reason: str) -> None:
    """The incident is over, or nobody looks any more: what waits in the queue for it need not start."""
    row = db.one("incidents.one", id=incident_id)
    if row is None or row["trigger_id"] is None:
        return
    now = timestamps.now()
    if db.change("triggers.cancel", id=row["trigger_id"], reason=reason, now=now):
        timeline.enter(db, incident_id, "session", f"its session need not start: {reason}", at=now)
        trigger = from_row(db.one("triggers.by_id", id=row["trigger_id"]) or {})
        service = db.one("definitions.one", id=row["service_id"]) or {}
        record.cancelled(db, trigger, actors.RULES, service.get("name", ""), reason)


def _known(db: Database, incident: Row, service: Row, sick: Sick) -> briefing.Known:
    definition = monitored.definition_of(service["definition"])
    id_ = service["id"]
    results = db.rows("results.newest", service_id=id_, before=NEWEST, limit=RESULTS_SHOWN)
    earlier = db.rows("incidents.ends", service_id=id_, limit=EARLIER_SHOWN + 1)[1:]
    notes = db.rows("incidents.notes", incident_id=incident["id"], limit=NOTES_SHOWN)
    return briefing.Known(
        name=service["name"],
        url=service["url"],
        kind=service["kind"],
        description=definition.description,
        tags=definition.tags,
        since=incident["began_at"],
        cause=incident["cause"],
        failing=(results[0]["detail"] if results else None) or incident["detail"],
        failures=sick.failures,
        results=[
            " ".join(
                part
                for part in (
                    timestamps.at(row["at"] / 1000),
                    beats.STATUSES[row["beat"]].value,
                    "" if row["latency_us"] is None else f"{row['latency_us'] / 1000:.0f} ms",
                    row["detail"] or "",
                )
                if part
            )
            for row in results
        ],
        depends_on=[f"{row['name']} ({row['status']})" for row in db.rows("definitions.needed_by", service_id=id_)],
        needed_by=[f"{row['name']} ({row['status']})" for row in db.rows("definitions.needing", needs_id=id_)],
        earlier=[f"{row['began_at']} to {row['ended_at'] or 'now'}" for row in earlier],
        notes=[f"{row['at']} {row['author'] or 'somebody'}: {row['text']}" for row in notes],
    )
