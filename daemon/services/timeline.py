"""What happens in an incident, line by line: findings, who was told, notes, sessions and what they did.

Functions of a transaction. `enter` is called by all of `daemon.services`; the others by whoever starts, ends and
refuses sessions (`daemon.sessions`, `daemon.triggers`) and counts what they do (`daemon.cooldowns`, `daemon.health`),
within the transaction of what they tell of. Nothing that a session says ends an incident: only a probe does.
"""

from schema import timestamps
from schema.database import Database
from schema.sessions import Session
from schema.states import SessionStatus

CLAIM_MAX = 1000
ENDS = {
    SessionStatus.COMPLETED: "has ended",
    SessionStatus.ESCALATED: "has ended",
    SessionStatus.FAILED: "failed",
    SessionStatus.TIMED_OUT: "ran out of time",
    SessionStatus.STOPPED: "was stopped",
    SessionStatus.INTERRUPTED: "was interrupted",
    SessionStatus.AWAITING_APPROVAL: "waits for a person",
}


def enter(
    db: Database, incident_id: int, kind: str, text: str, *, at: str, author: str | None = None,
    session_id: int | None = None,
) -> None:  # fmt: skip
    """Something that happened in an incident."""
    db.change(
        "incidents.enter", incident_id=incident_id, at=at, kind=kind, text=text, author=author, session_id=session_id
    )


def works(db: Database, session_id: int, incident_id: int | None, tier: int) -> None:
    """A session has begun for an incident, or for none."""
    if incident_id is None:
        return
    db.change("incidents.works_on", incident_id=incident_id, session_id=session_id)
    text = f"a session of tier {tier} has started"
    enter(db, incident_id, "session", text, at=timestamps.now(), session_id=session_id)


def goes_on(db: Database, session: Session) -> None:
    """A session runs again that waited for a person."""
    if session.incident_id is not None:
        text = "its session goes on, for a person has decided"
        enter(db, session.incident_id, "session", text, at=timestamps.now(), session_id=session.id)


def ended(db: Database, session: Session) -> None:
    """A session has ended, or waits for a person. What it claims is told as that."""
    if session.incident_id is None:
        return
    text = f"its session of tier {session.tier} {ENDS[session.status]}"
    if session.reason and session.status is not SessionStatus.COMPLETED:
        text += f": {session.reason}"
    if session.response and session.status is not SessionStatus.AWAITING_APPROVAL:
        said = " ".join(session.response.split())
        text += f"; it claims: {said if len(said) <= CLAIM_MAX else said[:CLAIM_MAX] + '…'}"
    enter(db, session.incident_id, "session", text, at=session.ended_at or timestamps.now(), session_id=session.id)


def turned_down(db: Database, trigger_id: int, reason: str) -> None:
    """A trigger was taken out of the queue, or can't ever start: if it was for an incident, that has no session."""
    incident_id = db.value("incidents.by_trigger", trigger_id=trigger_id)
    if incident_id is not None:
        enter(db, incident_id, "session", f"its session does not start: {reason}", at=timestamps.now())


def acted(db: Database, session_id: int, service: str, action: str, *, seen: bool = True) -> None:
    """A session restarts or redeploys a service: on its own incident's line, and on that which the service has.

    `seen`: the call was; otherwise only the session's word says so.
    """
    text = f"{action} of {service}" if seen else f"{action} of {service}, by the session's word; no call was seen"
    own, named = db.value("incidents.of_session", session_id=session_id), db.value("incidents.of_name", service=service)
    for incident_id in {id_ for id_ in (own, named) if id_ is not None}:
        enter(db, incident_id, "action", text, at=timestamps.now(), session_id=session_id)
