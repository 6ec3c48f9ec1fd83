"""Writes down what people are to be told, within the transaction of what it tells of: both are there, or neither.

Called by whoever stores such a thing: events, ends of sessions, calls that wait for a person, warnings about money.
Nothing is sent here, and no channel is asked for: `daemon.notifications.routing` does that later.
"""

from collections.abc import Sequence

from daemon.notifications import rules
from schema import timestamps
from schema.database import Database
from schema.knowledge import Event, Level
from schema.notifications import Kind
from schema.sessions import Session
from schema.states import SessionStatus

SUBJECT_MAX = 400
FAILED = {
    SessionStatus.FAILED: "failed",
    SessionStatus.TIMED_OUT: "timed out",
    SessionStatus.INTERRUPTED: "was interrupted",
}


def add(
    db: Database,
    kind: Kind,
    level: Level,
    title: str,
    *,
    body: str = "",
    link: str = "",
    key: str | None = None,
    session_id: int | None = None,
    approval_id: int | None = None,
    channel: str | None = None,
    channels: Sequence[str] = (),
    told_as: Level | None = None,
) -> int | None:
    """Stores a notification; its id, or None where the same `key` is there already. Texts are free of secrets.

    `channels`: those that it is for by name or kind, whatever their own rules; `told_as`: the level by which channels
    are chosen otherwise, and quiet hours passed, where it is another than `level`.
    """
    found = db.value(
        "notifications.add",
        key=key,
        kind=kind.value,
        level=level.value,
        title=rules.head(rules.printable(title)),
        body=rules.cut(rules.printable(body)),
        link=link,
        session_id=session_id,
        approval_id=approval_id,
        channel=channel,
        channels=",".join(channels) or None,
        told_as=told_as.value if told_as else None,
        created_at=timestamps.now(),
    )
    return None if found is None else int(found)


def note_event(db: Database, event: Event, kind: Kind = Kind.EVENT) -> None:
    """An event was said."""
    text = f"{event.service}: {event.message}" if event.service else event.message
    title = rules.head(text)
    link = f"/sessions/{event.session_id}" if event.session_id else "/events"
    body = "" if title == text else text
    key = f"event:{event.id}"
    add(db, kind, Level(event.level), title, body=body, link=link, key=key, session_id=event.session_id)


def note_end(db: Database, session: Session) -> None:
    """A session has ended; people are told where it ended badly."""
    if session.status not in FAILED:
        return
    title = f"Session {session.id} (tier {session.tier}) {FAILED[session.status]}"
    add(
        db,
        Kind.SESSION,
        Level.WARNING,
        title,
        body=session.reason or "",
        link=f"/sessions/{session.id}",
        key=f"session:{session.id}:{session.run_id}",
        session_id=session.id,
    )


def note_approval(
    db: Database, id_: int, *, session_id: int, tier: int, subject: str, reason: str, expires_at: str
) -> None:
    """A call waits for a person from now on. `subject`: the command, or the tool with its input."""
    body = [
        rules.head(subject, SUBJECT_MAX),
        reason,
        f"Without a decision by {expires_at[:16].replace('T', ' ')} UTC it counts as denied.",
        f"claudeopsctl approvals show {id_}",
    ]
    add(
        db,
        Kind.APPROVAL,
        Level.WARNING,
        f"Session {session_id} (tier {tier}) waits for a person's decision",
        body="\n".join(body),
        link=f"/approvals/{id_}",
        key=f"approval:{id_}",
        session_id=session_id,
        approval_id=id_,
    )
