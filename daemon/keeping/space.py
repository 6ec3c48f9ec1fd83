"""The bound of the database's size: what goes until it fits, and what of its file the disk gets back.

The oldest day goes first, and within a day what is missed least: checks, events, notifications, triggers, then whole
chains of sessions. Called by `daemon.keeping.keeper`, after what goes by age has gone.
"""

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from daemon.keeping import rows, rules
from daemon.store import Store
from schema.database import Database
from schema.settings import Settings

MB = 1_000_000
YOUNGEST_DAYS = 1
FEW_DAYS = 7  # fewer are not what anybody wants who sets a bound
SESSIONS = "sessions"
# What goes, in this order within a day, and the tables that it lies in.
TABLES = {
    "checks": ("health_checks", "health_hours"),
    "events": ("events",),
    "notifications": ("notifications", "deliveries"),
    "triggers": ("triggers",),
    SESSIONS: ("sessions", "calls", "approvals", "said", "cost_chains"),
}
ROWS = tuple(name for name in TABLES if name != SESSIONS)
FIRST, LAST = "", "9999"  # before and after every stored time
GIVES = 2  # auto_vacuum = INCREMENTAL
# Removes chains that ended before a stored time until it is enough; how many sessions that were.
Chains = Callable[[str, rows.Enough], Awaitable[int]]


class Space(NamedTuple):
    """Bytes of the database: in use, and free within its file; and how large a page of it is, if free ones can go."""

    live: int
    free: int
    page: int


def space(db: Database) -> Space:
    """How large the database is. DatabaseError."""
    row = db.rows("keeping.space")[0]
    return Space(int(row["live"]), int(row["free"]), int(row["page_size"]) if row["auto_vacuum"] == GIVES else 0)


def fits(settings: Settings) -> rows.Enough:
    """Whether what is in use is within the bound."""
    most = settings.keep_database_max_mb * MB
    return lambda db: not most or space(db).live <= most


class Shrunk(NamedTuple):
    """What went for the size, of each kind (how many, the bytes that came free), and the day that was come to."""

    gone: dict[str, tuple[int, int]]
    day: str


def problem(settings: Settings, now: datetime, found: Space, day: str) -> str:
    """What people should know of a bound that leaves little, as a sentence; empty where all is well.

    `day` is where what is left begins, empty where nothing went for the size.
    """
    most = settings.keep_database_max_mb
    if most and found.live > most * MB:
        return (
            f"the database uses {found.live // MB} MB, and CLAUDEOPS_KEEP_DATABASE_MAX_MB is {most}: what is left is of"
            " the last 24 hours, or never goes, such as the audit log; raise it"
        )
    if day > (rows.bound(now, FEW_DAYS) or ""):
        return (
            f"CLAUDEOPS_KEEP_DATABASE_MAX_MB is {most}, and all that had room in it is of {day[:10]} and later; raise"
            " it, for the audit log grows and never goes"
        )
    return ""


async def shrink(store: Store, settings: Settings, now: datetime, chains: Chains) -> Shrunk:
    """Removes the oldest rows until the database fits. DatabaseError leaves what is done, done.

    Nothing of the last 24 hours goes, whatever the bound.
    """
    gone: dict[str, tuple[int, int]] = {}
    enough, limit = fits(settings), rows.bound(now, YOUNGEST_DAYS) or ""
    day = end = FIRST
    while end < limit and not await store.read(enough):
        day = await store.read(functools.partial(_next, since=end, limit=limit))
        end = limit if day >= limit else min(rules.end_of_day(day), limit)
        for name in TABLES:
            before = await store.read(space)
            work = chains(end, enough) if name == SESSIONS else rows.remove_kind(store, name, end, enough)
            number, size = gone.get(name, (0, 0))
            number += await work
            gone[name] = (number, size + max(0, before.live - (await store.read(space)).live))
    return Shrunk({name: found for name, found in gone.items() if found[0]}, day)


def _next(db: Database, since: str, limit: str) -> str:
    """When the oldest row is that may go, from a stored time on; `limit` where there is none before that."""
    found = [db.value(f"keeping.next_{name}", since=since) for name in TABLES]
    return min([limit, *(str(first) for first in found if first is not None)])


def estimate(db: Database, settings: Settings, now: datetime, by_age: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """About how many rows of each kind, and bytes, would go besides those that go `by_age`. DatabaseError.

    Where there is nothing to go, that is known at once; else the whole file is read.
    """
    if fits(settings)(db):
        return {}
    trees: Counter[str] = Counter()
    for tree in db.rows("keeping.trees"):
        trees[tree["table"]] += tree["bytes"]
    numbers = {name: int(db.value(f"keeping.between_{name}", since=FIRST, before=LAST)) for name in ROWS}
    numbers[SESSIONS] = sum(row["count(*)"] for row in db.rows("sessions.count_by_status"))
    each = {name: sum(trees[table] for table in TABLES[name]) / max(1, numbers[name]) for name in TABLES}
    over = space(db).live - settings.keep_database_max_mb * MB
    over -= sum(int(by_age.get(name, 0) * each[name]) for name in TABLES)
    shares = [rules.Share(day, name, number, number * each[name]) for day, name, number in _by_day(db, settings, now)]
    return rules.oldest_first(shares, over)


def _by_day(db: Database, settings: Settings, now: datetime) -> list[tuple[str, str, int]]:
    """(day, kind, how many rows may go for the size), in the order in which they would."""
    limit = rows.bound(now, YOUNGEST_DAYS) or ""
    young = {kind.name: rows.bound(now, kind.days(settings)) or FIRST for kind in rows.KINDS}
    sessions: Counter[str] = Counter()
    old = rows.bound(now, settings.keep_sessions_days) or FIRST
    for chain in db.rows("keeping.old_chains", before=limit, limit=-1):
        if chain["ended_at"] >= old:
            sessions[chain["ended_at"][:10]] += len(db.rows("keeping.members", id=chain["id"]))
    found, end = [], FIRST
    while end < limit:
        since, day = end, _next(db, end, limit)
        end = limit if day >= limit else min(rules.end_of_day(day), limit)
        for name in ROWS:
            low = max(since, young[name])
            number = int(db.value(f"keeping.between_{name}", since=low, before=end)) if low < end else 0
            found.append((end, name, number))
        found.append((end, SESSIONS, sum(sessions.pop(day) for day in list(sessions) if day < end)))
    return [item for item in found if item[2]]


async def give_back(store: Store) -> int:
    """Gives free pages of the file back to the disk, but for what is soon written again; their bytes. DatabaseError."""
    total, size = 0, rules.BATCH_FIRST
    while True:
        found = await store.read(space)
        pages = min(size, rules.free_to_give(found.live, found.free) // found.page) if found.page else 0
        if not pages:
            break

        def bite(db: Database, pages: int = pages) -> tuple[int, float]:
            began = time.monotonic()
            before = space(db).free
            db.give_back(pages)
            return before - space(db).free, time.monotonic() - began

        given, seconds = await store.write(bite)
        total += given
        if not given:
            break
        size = rules.batch(size, seconds)
        await asyncio.sleep(max(rows.PAUSE_LEAST, seconds))
    if total:
        await store.read(lambda db: db.checkpoint())
    return total
