"""The daily digest: what the last 24 hours brought, in one notification.

Called by `daemon.notifications.notifications`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from daemon.notifications import outbox
from schema import timestamps
from schema.database import Database
from schema.knowledge import Level
from schema.notifications import Kind
from schema.states import SessionStatus

SPAN = timedelta(hours=24)


def key(day: str) -> str:
    """What makes a day's digest the same: it is made once, whoever is killed meanwhile."""
    return f"digest:{day}"


def make(db: Database, day: str, now: datetime, blocked: Sequence[str]) -> int | None:
    """Writes the digest of `day` into the outbox, once; its id, or None where it is there. Within a transaction.

    `blocked`: the services whose cooldowns hold now.
    """
    title = f"Daily digest, {day}"
    return outbox.add(db, Kind.DIGEST, Level.INFO, title, body=text(db, now, blocked), link="/", key=key(day))


def text(db: Database, now: datetime, blocked: Sequence[str]) -> str:
    """The digest of the 24 hours before `now`."""
    span = {"since": timestamps.stamp(now - SPAN), "until": timestamps.stamp(now.astimezone(UTC))}
    sessions = {status: db.rows("notifications.sessions", status=status.value, **span)[0] for status in SessionStatus}
    total = sum(row["number"] for row in sessions.values())
    outcomes = ", ".join(
        f"{row['number']} {status.value.replace('_', ' ')}" for status, row in sessions.items() if row["number"]
    )
    events = {level: int(db.value("notifications.events", level=level.value, **span)) for level in Level}
    said = ", ".join(f"{number} {level.value}" for level, number in reversed(events.items()) if number)
    began = int(db.value("incidents.began_within", **span))
    lasting = int(db.value("incidents.count_open"))
    waiting = int(db.value("approvals.count_waiting"))
    actions = {
        name: int(db.value("notifications.actions", action=action, **span))
        for action, name in (("restart", "restarts"), ("redeployment", "redeployments"))
    }
    return "\n".join(
        (
            f"Sessions: {total}{f' ({outcomes})' if total else ''}",
            f"Cost: ${sum(row['dollars'] for row in sessions.values()):.2f}",
            f"Events: {said or 'none'}",
            f"Calls that wait for a person: {waiting}",
            f"Incidents: {began} began, {lasting} {'goes' if lasting == 1 else 'go'} on",
            f"Actions: {', '.join(f'{number} {name}' for name, number in actions.items())}",
            f"Cooldowns that hold now: {', '.join(blocked) or 'none'}",
        )
    )
