"""Sums of findings: what they say is what the findings said, after the findings are gone, too."""

import math
import random
from typing import Any

from daemon.services import rollups
from daemon.services.rollups import DAY, HOUR, MINUTE, Keep
from schema import latency, uptime
from schema.database import Database
from tests.integration.services.world import World

# 2026-01-10 00:00 UTC.
BEGIN = 1_768_003_200_000
EVERY = 10_000


async def fill(world: World, hours: int, failures: int = 96) -> list[int]:
    """A service with a finding every ten seconds, each 96th a failure; its latencies in µs."""
    service = await world.add("web", paused=True)
    await world.rest()
    dice = random.Random(11)
    latencies: list[int] = []

    def write(db: Database) -> None:
        db.script("DELETE FROM service_changes; UPDATE service_states SET rolled_to = 0")
        status = ""
        for number in range(hours * HOUR // EVERY):
            at, down = BEGIN + number * EVERY, number % failures == failures - 1
            us = None if down else int(dice.lognormvariate(10, 0.6)) + 200
            if us is not None:
                latencies.append(us)
            db.change("results.add", service_id=service.id, at=at, beat="d" if down else "h", latency_us=us,
                      phases=None, detail=None)  # fmt: skip
            now = "down" if down else "healthy"
            if now != status:
                status = now
                db.change("results.change", service_id=service.id, at=at, status=status)

    await world.place.store.write(write)
    return latencies


async def sums(world: World, span: int) -> list[dict[str, Any]]:
    return await world.rows(f"SELECT * FROM rollups WHERE span = {span // 1000} ORDER BY at")


async def test_a_day_with_one_failure_in_96_says_so_before_and_after_its_findings_are_gone(world: World) -> None:
    latencies = await fill(world, 48)
    end = BEGIN + 2 * DAY
    await rollups.roll(world.place.store, end)
    changes = await world.place.store.read(lambda db: rollups.changes_between(db, 1, BEGIN, end))
    assert uptime.spent(changes, BEGIN, BEGIN + DAY).share == 95 / 96
    await rollups.forget(world.place.store, end + 3 * DAY)
    assert await world.rows("SELECT * FROM results") == []
    days = await sums(world, DAY)
    assert [day["at"] for day in days] == [BEGIN, BEGIN + DAY]
    for day in days:
        assert (day["checks"], day["failures"]) == (8640, 90)
        assert day["worked_ms"] + day["failed_ms"] == DAY
    assert sum(day["worked_ms"] for day in days) / (2 * DAY) == 95 / 96
    assert uptime.spent(changes, BEGIN, end).worked == sum(day["worked_ms"] for day in days)
    hours = await sums(world, HOUR)
    assert len(hours) == 48
    assert sum(hour["worked_ms"] for hour in hours) == sum(day["worked_ms"] for day in days)
    histogram = latency.add(latency.decode(day["histogram"]) for day in days)
    assert sum(histogram.values()) == len(latencies)
    for share in (0.5, 0.95, 0.99):
        true = latency.exact(sorted(latencies), share)
        assert math.isclose(latency.percentile(histogram, share) or 0, true or 0, rel_tol=0.011)
    assert sum(day["total_us"] for day in days) == sum(latencies)


async def test_sums_made_in_many_steps_are_those_made_at_once_and_a_failure_told_late_is_summed_up_anew(
    world: World,
) -> None:
    await fill(world, 3)
    for minutes in range(0, 181, 7):
        await rollups.roll(world.place.store, BEGIN + minutes * MINUTE)
    await rollups.roll(world.place.store, BEGIN + 180 * MINUTE)
    steps = [await sums(world, span) for span in (MINUTE, HOUR)]
    await world.place.script("DELETE FROM rollups; UPDATE service_states SET rolled_to = 0")
    await rollups.roll(world.place.store, BEGIN + 180 * MINUTE)
    assert [await sums(world, span) for span in (MINUTE, HOUR)] == steps
    assert len(steps[0]) == 180

    def late(db: Database) -> None:
        db.change("results.drop_changes", service_id=1, since=BEGIN + HOUR)
        db.change("results.change", service_id=1, at=BEGIN + HOUR, status="down")
        db.change("results.roll_again", service_id=1, since=BEGIN + HOUR)

    await world.place.store.write(late)
    await rollups.roll(world.place.store, BEGIN + 181 * MINUTE)
    hours = await sums(world, HOUR)
    assert [hour["failed_ms"] for hour in hours] == [hours[0]["failed_ms"], HOUR, HOUR]
    assert hours[0]["failed_ms"] < HOUR / 50


async def test_a_finding_takes_few_bytes_and_a_year_few_megabytes(world: World) -> None:
    await fill(world, 24)
    await rollups.roll(world.place.store, BEGIN + DAY)

    def size(db: Database, table: str) -> int:
        return int(db._connection.execute("SELECT sum(pgsize) FROM dbstat WHERE name = ?", (table,)).get)

    raw = await world.place.store.read(lambda db: size(db, "results"))
    assert raw / 8640 <= 120
    # 60 bytes for the numbers of a row, and its histogram.
    query = "SELECT span, avg(60 + coalesce(length(histogram), 0)) AS size FROM rollups GROUP BY span"
    sizes = {row["span"] * 1000: row["size"] for row in await world.rows(query)}
    keep = Keep()
    # Every ten seconds, the shortest interval that people use much.
    year = (
        keep.results / EVERY * raw / 8640
        + keep.minutes / MINUTE * sizes[MINUTE]
        + min(keep.hours, 365 * DAY) / HOUR * sizes[HOUR]
        + 365 * sizes[DAY]
    )
    assert year <= 6_000_000
