"""Sums of findings by the minute, the hour and the day, so that years of history stay small; and what is forgotten.

Called by `daemon.services.services` once a minute. Each service's own time says how far its sums are made, so that a
kill leaves nothing out, and what was written anew is summed up anew.
"""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import NamedTuple

from daemon.store import Store
from schema import latency, uptime
from schema.database import Database, Row
from schema.settings import Settings
from schema.states import ServiceStatus
from schema.uptime import Change

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BITE = 100  # services in one transaction
FORGET_BITE = 10  # the same, for what takes longer
FAILING = ("d", "t")
SUMS = ("checks", "failures", "total_us", "worked_ms", "failed_ms")


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


KEEP = Keep()


async def roll(store: Store, now: int) -> None:
    """Brings all sums up to the last whole minute before `now` (ms since 1970)."""
    end = now // MINUTE * MINUTE
    async for services in _bites(store):
        if due := [(id_, rolled_to) for id_, rolled_to in services if rolled_to < end]:
            await store.write(partial(_roll_some, due, end))


async def _bites(store: Store, size: int = BITE) -> AsyncIterator[list[tuple[int, int]]]:
    """All services, some at a time: each with how far its sums are made."""
    after = 0
    while rows := await store.read(partial(_behind, after, size)):
        yield [(row["service_id"], row["rolled_to"]) for row in rows]
        after = rows[-1]["service_id"]


def _behind(after: int, size: int, db: Database) -> list[Row]:
    return db.rows("rollups.behind", after=after, limit=size)


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
    latencies = [row["latency_us"] for row in rows if row["latency_us"] is not None]
    values = {"worked_ms": spent.worked, "failed_ms": spent.failed}
    if not rows and db.change("rollups.spend", service_id=service_id, at=hour, **values):
        return  # summed up before, and its findings are gone: how the time was spent is all that can be another
    sums = {
        "checks": len(rows),
        "failures": sum(row["beat"] in FAILING for row in rows),
        "total_us": sum(latencies),
        **values,
    }
    _put(db, service_id, HOUR, hour, sums, latencies, latency.encode(latency.pack(latencies)))


def _put(
    db: Database, service_id: int, span: int, at: int, sums: dict[str, int], bounds: Sequence[int],
    histogram: bytes | None,
) -> None:  # fmt: skip
    """`bounds`: latencies among which the lowest and the highest are."""
    db.change(
        "rollups.put",
        service_id=service_id,
        span=span // 1000,
        at=at,
        low_us=min(bounds, default=None),
        high_us=max(bounds, default=None),
        histogram=histogram,
        **sums,
    )


def _sum_day(db: Database, service_id: int, day: int) -> None:
    rows = db.rows("rollups.hours", service_id=service_id, start=day, end=day + DAY)
    if not rows:
        return
    parts = [latency.decode(row["histogram"]) for row in rows]
    bounds = [row[name] for row in rows for name in ("low_us", "high_us") if row[name] is not None]
    sums = {name: sum(row[name] for row in rows) for name in SUMS}
    _put(db, service_id, DAY, day, sums, bounds, latency.encode(latency.add(parts)))


async def forget(store: Store, now: int, kept: Keep = KEEP) -> None:
    """Removes what is old, some services at a time. What no sum is made of yet stays."""
    async for services in _bites(store, FORGET_BITE):
        await store.write(partial(_forget_some, services, now, kept))


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
