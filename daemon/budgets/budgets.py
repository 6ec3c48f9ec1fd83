"""A day's money: what holds the queue back, and the warnings that the end of a session may give.

Called by the queue before it starts a session, and when a session has ended.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import msgspec

from daemon.budgets import rules
from daemon.notifications import outbox
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.errors import CallError
from ipc.messages.knowledge import EventSaid
from ipc.server import Publisher
from schema import cost, timestamps
from schema.database import Database, DatabaseError, Row
from schema.knowledge import Event
from schema.notifications import Kind
from schema.settings import Settings
from schema.states import Trigger

KEEP_DAYS = 90
RETRY_SECONDS = 1.0


class Budgets:
    """The budgets of the day, which begins at midnight UTC."""

    def __init__(self, store: Store, settings: LiveSettings, publisher: Publisher) -> None:
        self._store = store
        self._settings = settings
        self._publisher = publisher

    async def refusal(self, tier: int, trigger: Trigger) -> str | None:
        """Why a tier's session may not start now, as a sentence; None if it may."""
        settings = self._settings.current
        if not rules.spendings(settings, {}):
            return None
        spent = await self._store.read(lambda db: spent_of(db, datetime.now(UTC)))
        return rules.refusal(tier, trigger, rules.spendings(settings, spent))

    async def note_end(self, session_id: int) -> None:
        """Gives the warnings that are due once a session has ended; each once a day, whoever is killed meanwhile.

        Tries until the disk takes them.
        """
        settings, now = self._settings.current, datetime.now(UTC)
        if not rules.spendings(settings, {}):
            return
        while True:
            try:
                rows = await self._store.write(lambda db: warn(db, settings, session_id, now))
                break
            except (DatabaseError, CallError) as error:
                print(f"budgets: can't store what is spent yet: {error}", file=sys.stderr, flush=True)
                await asyncio.sleep(RETRY_SECONDS)
        for row in rows:
            said = {name: row[name] for name in ("id", "level", "service", "session_id")}
            self._publisher.publish(EventSaid(**said))


def spent_of(db: Database, now: datetime) -> dict[int, float]:
    """What each tier's sessions have spent on the day, in dollars."""
    rows = db.rows("budgets.spent", day=f"{now:%Y-%m-%d}")
    return {row["tier"]: row["micro_usd"] / cost.MILLION for row in rows}


def warn(db: Database, settings: Settings, session_id: int | None, now: datetime) -> list[Row]:
    """Stores the warnings that are due and were not given today; the events' rows. Within a transaction."""
    said = []
    for spending in rules.spendings(settings, spent_of(db, now)):
        due = rules.reached(spending)
        new = [p for p in due if db.change("budgets.warn", day=f"{now:%Y-%m-%d}", scope=spending.scope, percent=p)]
        if not new:
            continue
        # Where one session passes two marks, the higher says it all.
        level, message = rules.warning(spending, max(new))
        values = {"session_id": session_id, "level": level, "service": None, "message": message}
        row = db.one("events.add", **values, created_at=timestamps.stamp(now))
        if row is not None:
            outbox.note_event(db, msgspec.convert(row, Event), Kind.BUDGET)
            said.append(row)
    if said:
        db.change("budgets.forget", before=f"{now - timedelta(days=KEEP_DAYS):%Y-%m-%d}")
    return said
