"""What people ask of the outbox, within a transaction: the page, a test, sending again.

Called by `daemon.notifications.notifications`. What changes something writes its line in the audit log and its stored
reply with it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from daemon import audit
from daemon.notifications import outbox
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.envelope import Reply
from ipc.messages.notifications import (
    ListNotifications,
    NotificationsReply,
    RetriedReply,
    RetryNotifications,
    TestedReply,
    TestNotification,
)
from schema import timestamps
from schema.audit_actions import Action
from schema.database import Database
from schema.knowledge import Level
from schema.notifications import Channel, Kind, from_rows
from schema.states import DELIVERY, DeliveryStatus, follow

LIMIT_MAX = 500
NEWEST = 2**62
NO_CHANNEL = "there is no channel; set CLAUDEOPS_APPRISE_URLS or CLAUDEOPS_WEBHOOK_URLS, and restart, or reload"
UNSENT = (DeliveryStatus.GIVEN_UP, DeliveryStatus.SUPPRESSED)
R = TypeVar("R", bound=Reply)


def page(
    db: Database, request: ListNotifications, says: Mapping[str, str], problems: Sequence[str]
) -> NotificationsReply:
    """The channels, and notifications newest first. `says`: what each channel waits for."""
    limit = max(1, min(request.limit, LIMIT_MAX))
    rows = db.rows("notifications.page", before=request.before or NEWEST, limit=limit)
    ways = db.rows("notifications.deliveries", low=rows[-1]["id"], high=rows[0]["id"]) if rows else []
    return NotificationsReply(
        channels=[channel(db, name, text) for name, text in says.items()],
        notifications=from_rows(rows, ways),
        problems=list(problems),
    )


def channel(db: Database, name: str, says: str) -> Channel:
    """How far a channel has got."""
    head = db.one("notifications.open_head", channel=name)
    last = db.one("notifications.last", channel=name, status=DeliveryStatus.SENT.value)
    counts = {
        status: int(db.value("notifications.count", channel=name, status=status.value)) for status in DeliveryStatus
    }
    return Channel(
        name=name,
        waiting=counts[DeliveryStatus.PENDING] + counts[DeliveryStatus.SENDING] + counts[DeliveryStatus.RETRYING],
        given_up=counts[DeliveryStatus.GIVEN_UP],
        suppressed=counts[DeliveryStatus.SUPPRESSED],
        attempts=head["attempts"] if head else 0,
        sent_at=last["changed_at"] if last else None,
        next_at=head["next_at"] if head else None,
        error=head["error"] if head else None,
        says=says,
    )


def test(db: Database, request: TestNotification, names: Sequence[str], by: str, request_id: str) -> TestedReply:
    """A test message in the outbox. CallError names what is missing."""
    if not names:
        raise CallError(Code.CONFLICT, NO_CHANNEL)
    _known(request.channel, names)
    now = datetime.now(UTC)
    id_ = outbox.add(
        db,
        Kind.TEST,
        Level.INFO,
        f"A test, asked for by {by or 'somebody'}",
        body="If you can read this, the channel works.",
        link="/notifications",
        channel=request.channel or None,
    )
    assert id_ is not None  # noqa: S101 - it has no key that could be there already
    told = [request.channel] if request.channel else list(names)
    for name in told:  # behind what is to be tried again in a quarter of an hour, a test would tell nobody anything
        db.change("notifications.hasten", channel=name, now=timestamps.stamp(now))
    audit.add(
        db, actor=by, action=Action.NOTIFICATION_TEST, subject=", ".join(told), at=now, detail=f"notification {id_}"
    )
    return _stored(db, TestedReply(id=id_, channels=told), request_id, now)


def retry(db: Database, request: RetryNotifications, names: Sequence[str], by: str, request_id: str) -> RetriedReply:
    """Has what was given up or suppressed sent again. CallError where there is nothing such."""
    if request.channel:
        _known(request.channel, names)
    now, again = datetime.now(UTC), 0
    for name in [request.channel] if request.channel else names:
        for status in UNSENT:
            wanted = follow(DELIVERY, status, DeliveryStatus.PENDING)
            assert wanted is DeliveryStatus.PENDING  # noqa: S101 - what the statement sets
            for row in db.rows("notifications.unsent", channel=name, status=status.value):
                if not request.id or row["notification_id"] == request.id:
                    at = timestamps.stamp(now)
                    again += db.change("notifications.revive", id=row["id"], was=status.value, now=at)
    if not again:
        what = f"notification {request.id} was" if request.id else "nothing was"
        raise CallError(Code.CONFLICT, f"{what} given up by a channel that is configured; there is nothing to repeat")
    subject = request.channel or "all channels"
    audit.add(db, actor=by, action=Action.NOTIFICATION_RETRY, subject=subject, at=now, detail=f"{again} sent again")
    return _stored(db, RetriedReply(retried=again), request_id, now)


def _known(name: str, names: Sequence[str]) -> None:
    if name and name not in names:
        raise CallError(Code.NOT_FOUND, f"there is no channel {name!r}; there are {', '.join(names) or 'none'}")


def _stored(db: Database, reply: R, request_id: str, now: datetime) -> R:
    if request_id:
        at = timestamps.stamp(now)
        db.change("replies.insert", request_id=request_id, reply=codec.store(reply), created_at=at)
    return reply
