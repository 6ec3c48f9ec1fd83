"""Puts what webhooks tell of into the queue: all alerts of a body in one transaction, before anybody is answered.

A firing alert is a trigger of the kind alert; one that waits with the same key takes it in. A resolved one is an event,
and takes out of the queue what its alert waits for there. Built by `daemon.parts`.
"""

import secrets
from collections.abc import Callable
from typing import NamedTuple

from daemon.alerts import rules
from daemon.alerts.alert import Alert, BodyError
from daemon.events import journal
from daemon.sessions.lifecycle import TIERS
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.triggers import record
from daemon.triggers.queue import Asked, Queue, insert
from daemon.triggers.rules import key_of
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.alerts import AlertsReply, TakeAlerts, Taken, TakenAlert
from ipc.server import Publisher
from schema import timestamps
from schema.database import Database
from schema.knowledge import Event, Level
from schema.states import Trigger
from schema.triggers import from_row

RETRY_AFTER = 30


class _Wanted(NamedTuple):
    """An alert with what is written of it; `prompt` is free of secrets, and empty for one that is resolved."""

    alert: Alert
    tier: int
    prompt: str


class Alerts:
    """Takes alerts."""

    def __init__(
        self,
        store: Store,
        settings: LiveSettings,
        queue: Queue,
        publisher: Publisher,
        redact: Callable[[str], str],
    ) -> None:
        self._store = store
        self._settings = settings
        self._queue = queue
        self._publisher = publisher
        self._redact = redact

    async def take(self, request: TakeAlerts, by: str, request_id: str) -> AlertsReply:
        """What became of each alert of a body. CallError: what is wrong with it, or that too many wait."""
        try:
            alerts = rules.read(request.source, request.body)
        except BodyError as error:
            raise CallError(Code.INVALID, str(error)) from error
        settings = self._settings.current
        wanted = [
            _Wanted(
                alert,
                rules.tier(request.tier, alert.tier, settings.max_tier),
                "" if alert.resolved else self._redact(rules.prompt(alert, secrets.token_hex(4))),
            )
            for alert in alerts
        ]
        events: list[Event] = []

        def write(db: Database) -> AlertsReply:
            taken = [
                self._resolve(db, one, events, by) if one.alert.resolved else self._add(db, one, by) for one in wanted
            ]
            # Looked at last, so that what merges is never refused.
            if any(one.status is Taken.QUEUED for one in taken):
                refuse_many(db, settings.webhook_queue_max)
            reply = AlertsReply(alerts=taken)
            now = timestamps.now()
            db.change("replies.insert", request_id=request_id, reply=codec.store(reply), created_at=now)
            return reply

        reply = await self._store.write(write)
        for event in events:
            self._publisher.publish(journal.said(event))
        self._queue.look()
        return reply

    def _add(self, db: Database, wanted: _Wanted, by: str) -> TakenAlert:
        alert, key = wanted.alert, rules.key(wanted.alert)
        trigger = insert(db, Asked(Trigger.ALERT, wanted.tier, wanted.prompt, key, by), wanted.prompt)
        if not trigger.merged:  # a storm of the same is one line, and a number in the trigger's row
            record.added(db, trigger, by, self._redact(alert.title))
        return TakenAlert(
            key=key,
            title=self._redact(alert.title),
            service=alert.service,
            status=Taken.MERGED if trigger.merged else Taken.QUEUED,
            tier=trigger.tier,
            trigger_id=trigger.id,
        )

    def _resolve(self, db: Database, wanted: _Wanted, events: list[Event], by: str) -> TakenAlert:
        alert, key, now = wanted.alert, rules.key(wanted.alert), timestamps.now()
        title = self._redact(alert.title)
        cancelled = []
        for tier in TIERS:
            row = db.one("triggers.waits_by_key", key=key_of(Trigger.ALERT, tier, "", key))
            reason = f"resolved, says {alert.source}"
            if row is not None and db.change("triggers.cancel", id=row["id"], reason=reason, now=now):
                cancelled.append(int(row["id"]))
                record.cancelled(db, from_row(row), by, title)
        message = f"Resolved, says {alert.source}: {title}"
        if cancelled:
            message += f" (trigger {', '.join(map(str, cancelled))} need not start any more)"
        event = journal.add(db, Level.INFO, message, service=alert.service or None)
        events.append(event)
        return TakenAlert(
            key=key,
            title=title,
            service=alert.service,
            status=Taken.RESOLVED,
            tier=wanted.tier,
            event_id=event.id,
            cancelled=cancelled,
        )


def refuse_many(db: Database, most: int) -> None:
    """Within a transaction: CallError `overloaded` where more alerts wait than may; nothing of it is kept then."""
    if int(db.value("triggers.count_waiting_alerts")) > most:
        raise CallError(
            Code.OVERLOADED,
            f"{most} alerts wait already, which is CLAUDEOPS_WEBHOOK_QUEUE_MAX; send it again later",
            {"retry_after": RETRY_AFTER},
        )
