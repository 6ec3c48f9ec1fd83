"""Sums of findings by the minute, the hour and the day, so that years of history stay small; and what is forgotten.

Called by `daemon.services.services` once a minute. Each service's own time says how far its sums are made, so that a
kill leaves nothing out, and what was written anew is summed up anew.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from daemon.store import Store
from schema import latency, uptime
from schema.database import Database
from schema.settings import Settings
from schema.states import ServiceStatus
from schema.uptime import Change

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BITE = 100  # services in one transaction
FORGET_BITE = 10  # the same, for what takes longer
FAILING = ("d", "t")


class Keep(NamedTuple):
    """How long what is kept, in ms; 0: for ever. Changes of status are kept as long as the sums of hours."""

    results: int = 2 * DAY
    minutes: int = 14 * DAY
    hours: int = 400 * DAY
    days: int = 0


def keep(settings: Settings) -> Keep:
    """As the settings say."""
    return Keep(
        settings.keep_results_days * DAY,
        settings.keep_minute_sums_days * DAY,
        settings.keep_hour_sums_days * DAY,
        settings.keep_day_sums_days * DAY,
    )


async def roll(store: Store, now: int) -> None:
    """Brings all sums up to the last whole minute before `now` (ms since 1970)."""
    end, after = now // MINUTE * MINUTE, 0
    while rows := await store.read(lambda db: db.rows("rollups.behind", after=after, limit=BITE)):  # noqa: B023 - awaited
        due = [(row["service_id"], row["rolled_to"]) for row in rows if row["rolled_to"] < end]
        if due:
            await store.write(partial(_roll_some, due, end))
        after = rows[-1]["service_id"]


def _roll_some(due: Sequence[tuple[int, int]], end: int, db: Database) -> None:
    for service_id, rolled_to in due:
        roll_one(db, service_id, rolled_to, end)


def roll_one(db: Database, service_id: int, rolled_to: int, end: int) -> None:
    """The sums of one service from a time on, to the end of a minute. Within a transaction."""
    start = rolled_to // MINUTE * MINUTE or (db.value("rollups.first", service_id=service_id) or end) // MINUTE * MINUTE
    db.change("rollups.sum_minutes", service_id=service_id, start=start, end=end)
    for hour in range(start // HOUR * HOUR, end // HOUR * HOUR, HOUR):
        _sum_hour(db, service_id, hour)
    for day in range(start // DAY * DAY, end // DAY * DAY, DAY):
        _sum_day(db, service_id, day)
    db.change("rollups.rolled", service_id=service_id, at=end)


def changes_between(db: Database, service_id: int, start: int, end: int) -> list[Change]:
    """The changes of a time, and the one that held as it began."""
    rows = db.rows("rollups.changes", service_id=service_id, start=start, end=end)
    return [Change(row["at"], ServiceStatus(row["status"])) for row in rows]


def _sum_hour(db: Database, service_id: int, hour: int) -> None:
    rows = db.rows("rollups.findings", service_id=service_id, start=hour, end=hour + HOUR)
    spent = uptime.spent(changes_between(db, service_id, hour, hour + HOUR), hour, hour + HOUR)
    if not rows and not any(spent):
        return
    values = {"service_id": service_id, "at": hour, "worked_ms": spent.worked, "failed_ms": spent.failed}
    if not rows and db.change("rollups.spend", **values):
        return  # summed up before, and its findings are gone: how the time was spent is all that can be another
    _put(
        db,
        service_id,
        HOUR,
        hour,
        checks=len(rows),
        failures=sum(row["beat"] in FAILING for row in rows),
        latencies=[row["latency_us"] for row in rows if row["latency_us"] is not None],
        spent=spent,
    )


def _put(
    db: Database, service_id: int, span: int, at: int, *, checks: int, failures: int, latencies: Sequence[int],
    spent: uptime.Spent,
) -> None:  # fmt: skip
    db.change(
        "rollups.put",
        service_id=service_id,
        span=span // 1000,
        at=at,
        checks=checks,
        failures=failures,
        total_us=sum(latencies),
        low_us=min(latencies, default=None),
        high_us=max(latencies, default=None),
        histogram=latency.encode(latency.pack(latencies)),
        worked_ms=spent.worked,
        failed_ms=spent.failed,
    )


def _sum_day(db: Database, service_id: int, day: int) -> None:
    rows = db.rows("rollups.hours", service_id=service_id, start=day, end=day + DAY)
    if not rows:
        return
    parts = [latency.decode(row["histogram"]) for row in rows]
    lows = [row["low_us"] for row in rows if row["low_us"] is not None]
    highs = [row["high_us"] for row in rows if row["high_us"] is not None]
    db.change(
        "rollups.put",
        service_id=service_id,
        span=DAY // 1000,
        at=day,
        checks=sum(row["checks"] for row in rows),
        failures=sum(row["failures"] for row in rows),
        total_us=sum(row["total_us"] for row in rows),
        low_us=min(lows, default=None),
        high_us=max(highs, default=None),
        histogram=latency.encode(latency.add(parts)),
        worked_ms=sum(row["worked_ms"] for row in rows),
        failed_ms=sum(row["failed_ms"] for row in rows),
    )


async def forget(store: Store, now: int, kept: Keep = Keep()) -> None:  # noqa: B008 - it never changes
    """Removes what is old, some services at a time. What no sum is made of yet stays."""
    after = 0
    while rows := await store.read(lambda db: db.rows("rollups.behind", after=after, limit=FORGET_BITE)):  # noqa: B023 - awaited
        ids = [(row["service_id"], row["rolled_to"]) for row in rows]
        await store.write(partial(_forget_some, ids, now, kept))
        after = rows[-1]["service_id"]


def _forget_some(ids: Sequence[tuple[int, int]], now: int, kept: Keep, db: Database) -> None:
    for service_id, rolled_to in ids:
        # Whole hours and days, so that what is summed up anew has all of its parts, or none.
        if kept.results:
            before = min(now - kept.results, rolled_to) // HOUR * HOUR
            db.change("rollups.forget_results", service_id=service_id, before=before)
        for span, length in ((MINUTE, kept.minutes), (HOUR, kept.hours), (DAY, kept.days)):
            if length:
                before = (now - length) // DAY * DAY
                db.change("rollups.forget", service_id=service_id, span=span // 1000, before=before)
        if kept.hours:
            db.change("rollups.forget_changes", service_id=service_id, before=(now - kept.hours) // DAY * DAY)
