"""Sums of findings: what they say is what the findings said, after the findings are gone, too."""

import asyncio
import math
import random
import time
from typing import Any

import pytest

from daemon.services import rollups, services
from daemon.services.rollups import DAY, HOUR, MINUTE, Keep
from ipc.messages.services import PauseServices
from schema import latency, uptime
from schema.database import Database
from schema.uptime import Spent
from tests.fakes.target import Behaviour, Target
from tests.integration.services.world import World
from webui.pages import probed_read, probed_view

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


async def test_uptime_is_the_same_from_findings_from_sums_and_after_what_is_old_has_gone(world: World) -> None:
    await fill(world, 24 * 9, failures=100)
    end = BEGIN + 9 * DAY
    ranges = {"day": DAY, "week": 7 * DAY, "odd": 3 * DAY + 5 * HOUR + 7 * MINUTE, "all": 365 * DAY}

    async def told(until: int) -> dict[str, Spent]:
        def read(db: Database) -> dict[str, Spent]:
            return {name: probed_read.time_spent(db, 1, until - length, until) for name, length in ranges.items()}

        return await world.place.store.read(read)

    by_changes = {until: await told(until) for until in (end, end - 90 * MINUTE)}
    assert round(by_changes[end]["day"].share or 0.0, 3) == 0.99
    await rollups.roll(world.place.store, end)
    assert {until: await told(until) for until in by_changes} == by_changes
    keep = Keep(results=DAY, minutes=DAY, hours=2 * DAY)
    await rollups.forget(world.place.store, end, keep)
    assert [len(await sums(world, span)) for span in (DAY, HOUR)] == [9, 48]
    assert len(await world.rows("SELECT * FROM results")) == 8640
    whole = await told(end)
    assert (whole["day"], whole["week"], whole["all"]) == tuple(
        by_changes[end][name] for name in ("day", "week", "all")
    )
    await rollups.forget(world.place.store, end, Keep(results=HOUR, minutes=DAY, hours=2 * DAY, days=3 * DAY))
    assert len(await sums(world, DAY)) == 3
    # The findings of the last day are gone as well, and what its sums say is the same.
    assert len(await world.rows("SELECT * FROM results")) == 360
    await world.place.script("DELETE FROM results; DELETE FROM service_changes")
    day = (await told(end))["day"]
    assert day == by_changes[end]["day"]
    assert probed_view.percent(day) == "99.00 %"


async def test_an_hour_whose_findings_are_gone_keeps_what_was_summed_up_of_them(world: World) -> None:
    await fill(world, 24)
    await rollups.roll(world.place.store, BEGIN + DAY)
    before = (await sums(world, HOUR))[-1]
    await rollups.forget(world.place.store, BEGIN + 5 * DAY)

    def stopped(db: Database) -> None:
        db.change("results.drop_changes", service_id=1, since=BEGIN + DAY - 30 * MINUTE)
        db.change("results.change", service_id=1, at=BEGIN + DAY - 30 * MINUTE, status="unknown")
        db.change("results.roll_again", service_id=1, since=BEGIN + DAY - 30 * MINUTE)

    await world.place.store.write(stopped)
    await rollups.roll(world.place.store, BEGIN + DAY)
    after = (await sums(world, HOUR))[-1]
    assert (after["checks"], after["histogram"]) == (before["checks"], before["histogram"])
    assert after["worked_ms"] + after["failed_ms"] == HOUR // 2


async def test_how_long_findings_are_kept_is_a_setting_that_takes_effect_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "ROLL_SECONDS", 0.05)
    await fill(world, 24)
    old = await world.rows("SELECT count(*) AS count FROM results")
    assert old[0]["count"] == 8640
    await world.settings.set("keep_results_days", "0")
    await world.again()
    await asyncio.sleep(0.5)
    assert await world.rows("SELECT count(*) AS count FROM results") == old
    await world.settings.set("keep_results_days", "1")
    end = time.monotonic() + 10
    while (await world.rows("SELECT count(*) AS count FROM results"))[0]["count"]:
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    assert sum(hour["checks"] for hour in await sums(world, HOUR)) == 8640


# What lies between the daemon and the target on either side: it connects, and reads. It does not grow with the load.
BETWEEN_MS = 3.0


class Dealt(dict[str, Behaviour]):
    """How a target answers each request: every hundredth with a failure, after a time by the dice. The target's log."""

    def __init__(self) -> None:
        super().__init__()
        self.log: dict[str, list[Behaviour]] = {}
        self._dice, self.count = random.Random(7), 0

    def get(self, path: str, default: object = None) -> Behaviour:
        """Asked once for each request."""
        self.count += 1
        found = Behaviour(status=200 if self.count % 100 else 500, delay=self._dice.uniform(0.3, 0.6))
        self.log.setdefault(path, []).append(found)
        return found


async def test_failures_and_latencies_of_the_sums_are_those_of_the_targets_own_log(
    world: World, target: Target
) -> None:
    target.behaviours = dealt = Dealt()
    for number in range(1, 9):
        await world.add(f"s{number}", f"/{number}", timeout=5.0, conditions=("[STATUS] == 200",))
    end = time.monotonic() + 40
    while dealt.count < 112:
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    await world.ask(PauseServices(ids=list(range(1, 9)), paused=True))
    await asyncio.sleep(1.0)  # what is under way ends, and is not recorded
    await world.rest()
    await rollups.roll(world.place.store, int(time.time() * 1000) + HOUR)
    found = await sums(world, HOUR)
    true: list[Behaviour] = []
    took: list[float] = []
    for number in range(1, 9):
        mine, asked = [row for row in found if row["service_id"] == number], dealt.log[f"/{number}"]
        checks = sum(row["checks"] for row in mine)
        assert len(asked) - 1 <= checks <= len(asked)
        assert sum(row["failures"] for row in mine) == sum(one.status == 500 for one in asked[:checks]), number
        true += asked[:checks]
        took += [seconds * 1000 for seconds in target.took[f"/{number}"][:checks]]
    assert sum(one.status == 500 for one in true) >= 1
    histogram = latency.add(latency.decode(row["histogram"]) for row in found)
    assert sum(histogram.values()) == len(true) >= 104
    # As long as the target says that it took, by its own clock.
    took.sort()
    assert len(took) == len(true)
    average = sum(row["total_us"] for row in found) / len(true) / 1000
    for told, wanted in (
        (average, sum(took) / len(took)),
        ((latency.percentile(histogram, 0.95) or 0) / 1000, took[math.ceil(len(took) * 0.95) - 1]),
    ):
        assert abs(told - wanted) <= wanted * 0.01 + BETWEEN_MS, (told, wanted)
