"""What housekeeping removes from the database, kind by kind, in bites that hold the store for a moment only.

Called by `daemon.keeping.keeper`. Counting goes by a connection of its own, in a thread; removing through the store.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from daemon.keeping import rules
from daemon.store import Store
from ipc.messages.keeping import Removed
from schema import timestamps
from schema.database import ConstraintError, Database, Row
from schema.settings import Settings

PAUSE_LEAST = 0.005
CHAINS_AT_A_TIME = 20
DAY = 1
SETUP_DAYS = 30
Enough = Callable[[Database], bool]


class Kind(NamedTuple):
    """Rows that go by their age; `days` of it by the settings, 0 for ever."""

    name: str
    days: Callable[[Settings], int]


KINDS = (
    Kind("events", lambda settings: settings.keep_events_days),
    Kind("checks", lambda settings: settings.keep_checks_days),
    Kind("triggers", lambda settings: settings.keep_sessions_days),
    Kind("notifications", lambda settings: settings.keep_notifications_days),
    Kind("replies", lambda settings: DAY),
    Kind("failures", lambda settings: DAY),
    Kind("sign_ins", lambda settings: DAY),
    Kind("setup_links", lambda settings: SETUP_DAYS),
)


def bound(now: datetime, days: int) -> str | None:
    """The stored time before which things go; None keeps everything."""
    moment = rules.before(now, min(days, 365_000))
    return None if moment is None else timestamps.stamp(moment)


def count(db: Database, settings: Settings, now: datetime) -> list[Removed]:
    """What there is to remove. DatabaseError."""
    found = []
    for kind in KINDS:
        before = bound(now, kind.days(settings))
        row = db.one(f"keeping.count_{kind.name}", before=before) if before else None
        found.append(Removed(kind=kind.name, **(row or {})))
    return found


def old_chains(db: Database, before: str | None, limit: int = -1) -> list[list[Row]]:
    """The chains that ended before a stored time, each with its sessions, the last first. DatabaseError."""
    chains = db.rows("keeping.old_chains", before=before, limit=limit) if before else []
    return [db.rows("keeping.members", id=chain["id"]) for chain in chains]


async def remove(store: Store, settings: Settings, now: datetime) -> dict[str, int]:
    """Removes the kinds that go by age; how many rows of each. DatabaseError leaves what is done, done."""
    removed = {}
    for kind in KINDS:
        before = bound(now, kind.days(settings))
        removed[kind.name] = await remove_kind(store, kind.name, before) if before else 0
    return removed


async def remove_kind(store: Store, name: str, before: str, enough: Enough | None = None) -> int:
    """Removes rows of one kind, the oldest first, until none is older or it is `enough`; how many. DatabaseError."""
    total, size = 0, rules.BATCH_FIRST
    while enough is None or not await store.read(enough):
        limit = size

        def bite(db: Database, limit: int = limit) -> tuple[int, float]:
            began = time.monotonic()
            return db.change(f"keeping.delete_{name}", before=before, limit=limit), time.monotonic() - began

        gone, seconds = await store.write(bite)
        total += gone
        if gone < limit:
            return total
        size = rules.batch(limit, seconds)
        # As long as it took, the store is free for others.
        await asyncio.sleep(max(PAUSE_LEAST, seconds))
    return total


def forget(db: Database, session: int, at: str) -> bool:
    """Within a transaction: removes a session with what hangs on it; whether its row is gone, too.

    Where the audit log or another table refers to it, the row stays, without its texts. Events, checks, cooldowns and
    memories stay in any case.
    """
    for name in ("calls", "approvals", "said", "triggers", "handovers"):
        db.change(f"keeping.forget_{name}", id=session)
    if not db.value("keeping.audited", id=session) and _delete(db, session):
        return True
    db.change("keeping.empty_session", id=session, at=at)
    return False


def _delete(db: Database, session: int) -> bool:
    try:
        with db.savepoint():
            for name in ("events", "checks", "actions", "memories"):
                db.change(f"keeping.orphan_{name}", id=session)
            db.change("keeping.delete_session", id=session)
    except ConstraintError:
        return False  # another table refers to it
    return True


async def forget_chain(store: Store, members: list[Row], now: datetime) -> None:
    """Removes the sessions of a chain, in one transaction. DatabaseError."""
    at = timestamps.stamp(now)

    def write(db: Database) -> float:
        began = time.monotonic()
        for member in members:
            forget(db, int(member["id"]), at)
        return time.monotonic() - began

    seconds = await store.write(write)
    await asyncio.sleep(max(PAUSE_LEAST, seconds))
