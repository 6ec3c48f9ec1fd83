"""Maintenance windows: nobody is told, nothing counts against anybody, and what outlasts them is raised."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.services import rollups
from daemon.services.rules.windows import active, last_start, next_start, problem
from ipc.errors import CallError, Code
from ipc.messages.incidents import AddWindow, ListWindows, RemoveWindow
from schema import timestamps, uptime
from schema.database import Database
from schema.definitions import Window
from schema.timestamps import parse
from schema.uptime import Spent
from tests.fakes.target import Target
from tests.integration.services.world import World

UTC_NIGHT = Window(title="backup", cron="0 2 * * *", minutes=90, tags=("*",))


async def test_in_a_window_nobody_is_told_and_uptime_stays_and_a_failure_that_outlasts_it_is_raised(
    world: World, target: Target
) -> None:
    service = await world.add("web", tags=("prod",))
    await world.until(service, "healthy")
    window = (await world.ask(AddWindow(window=Window(title="upgrade", minutes=30, tags=("prod",)), by="ada"))).window
    assert window.active
    target.answer("/", status=500)
    world.services.monitor.now(service.id)
    await world.until(service, "maintenance")
    await world.until(service, lambda now: now.beats.endswith("mm"))
    assert await world.told() == []

    def spent(db: Database) -> Spent:
        return uptime.spent(rollups.changes_between(db, service.id, 0, 2**45), 0, 2**45)

    assert (await world.place.store.read(spent)).share == 1.0
    await world.ask(RemoveWindow(id=window.id, by="ada"))
    await world.until(service, "down")
    assert await world.told() == ["web is down"]
    assert (await world.ask(ListWindows())).windows == []


async def test_a_failure_that_goes_on_when_the_window_ends_by_itself_is_raised_then(
    world: World, target: Target
) -> None:
    service = await world.add("web")
    await world.until(service, "healthy")
    begun = datetime.now(UTC) - timedelta(minutes=30) + timedelta(seconds=4)
    window = Window(title="upgrade", starts_at=timestamps.stamp(begun), minutes=30, services=("web",))
    assert (await world.ask(AddWindow(window=window))).window.active
    ends = time.monotonic() + 4
    target.answer("/", status=500)
    await world.until(service, "maintenance")
    assert await world.told() == []
    await world.until(service, "down")
    assert -0.1 < time.monotonic() - ends < 2.5  # its interval is a second
    assert await world.told() == ["web is down"]


async def test_what_depends_on_one_that_fails_in_its_window_is_blocked_until_that_works_again(
    world: World, target: Target
) -> None:
    parent = await world.add("db", "/db")
    children = [await world.add(name, f"/{name}", needs=("db",)) for name in ("web", "shop")]
    for service in (parent, *children):
        await world.until(service, "healthy")
    window = (await world.ask(AddWindow(window=Window(title="upgrade", minutes=30, services=("db",)), by="ada"))).window
    await world.until(parent, "maintenance")
    target.answer("/web", status=500)
    await world.until(children[0], "down")  # the window is another's, which works
    target.answer("/web")
    await world.until(children[0], "healthy")
    told = await world.told()
    for path in ("/db", "/web", "/shop"):
        target.answer(path, status=500)
    for child in children:
        assert (await world.until(child, "blocked")).detail == "blocked by db: [STATUS] (500) < 400"
    await world.ask(RemoveWindow(id=window.id, by="ada"))
    await world.until(parent, "down")
    await world.until(children[0], lambda now: now.beats.endswith("bbb"))
    assert (await world.told())[len(told) :] == ["db is down"]
    target.answer("/db")
    target.answer("/shop")
    await world.until(children[0], "down")
    await world.until(children[1], "healthy")
    assert (await world.told())[len(told) :] == ["db is down", "db works again", "web is down"]


async def test_a_window_is_kept_over_a_restart_and_holds_for_those_that_it_names(world: World) -> None:
    inside, outside = await world.add("web"), await world.add("db")
    await world.ask(AddWindow(window=Window(title="upgrade", minutes=30, services=("web",))))
    await world.again()
    await world.until(inside, "maintenance")
    assert (await world.until(outside, "healthy")).status == "healthy"


async def test_a_window_is_for_what_it_names_however_that_is_written(world: World) -> None:
    named, tagged = await world.add("web"), await world.add("db", tags=("prod",))
    await world.ask(AddWindow(window=Window(title="upgrade", minutes=30, services=("Web",), tags=("PROD",))))
    await world.until(named, "maintenance")
    await world.until(tagged, "maintenance")


@pytest.mark.parametrize(
    ("field", "window"),
    [
        ("services", Window(title="x", minutes=10, services=("web", "nope"))),
        ("tags", Window(title="x", minutes=10, services=("web",), tags=("prod", "nope"))),
        ("starts_at", Window(title="x", minutes=10, tags=("*",), starts_at="2026-01-01T00:00:00.000Z")),
        ("starts_at", Window(title="x", minutes=10, tags=("*",), starts_at="soon")),
        ("starts_at", Window(title="x", minutes=10, tags=("*",), starts_at="9999-12-31T23:59:00.000Z")),
        ("minutes", Window(title="x", minutes=0, tags=("*",))),
        ("services", Window(title="x", minutes=10)),
        ("cron", Window(title="x", minutes=10, tags=("*",), cron="61 * * * *")),
        ("cron", Window(title="x", minutes=10, tags=("*",), cron="0 0 * * *", starts_at="2026-01-01T00:00:00.000Z")),
        ("cron", Window(title="x", minutes=10, tags=("*",), cron="0 0 30 2 *")),
        ("zone", Window(title="x", minutes=10, tags=("*",), zone="Mars/Olympus", cron="0 0 * * *")),
        ("zone", Window(title="x", minutes=10, tags=("*",), zone="Europe", cron="0 0 * * *")),
        ("zone", Window(title="x", minutes=10, tags=("*",), zone="../../etc/passwd", cron="0 0 * * *")),
    ],
)
async def test_a_window_that_can_not_be_is_refused_by_its_field(world: World, field: str, window: Window) -> None:
    await world.add("web", tags=("prod",))
    with pytest.raises(CallError) as raised:
        await world.ask(AddWindow(window=window))
    assert (raised.value.code, list(raised.value.data["fields"])) == (Code.INVALID, [field])


def test_a_repeated_window_goes_on_for_its_minutes_in_its_own_zone() -> None:
    assert problem(UTC_NIGHT) is None
    for at, going in (("01:59", False), ("02:00", True), ("03:29", True), ("03:30", False)):
        assert active(UTC_NIGHT, parse(f"2026-06-01T{at}:00.000Z")) is going
    berlin = Window(title="x", cron="0 2 * * *", minutes=90, zone="Europe/Berlin", tags=("*",))
    assert active(berlin, parse("2026-06-01T00:30:00.000Z"))
    assert not active(berlin, parse("2026-06-01T02:30:00.000Z"))
    once = Window(title="x", starts_at="2026-06-01T12:00:00.000Z", minutes=30, tags=("*",))
    assert active(once, parse("2026-06-01T12:29:59.000Z"))
    assert not active(once, parse("2026-06-01T12:30:00.000Z"))
    assert next_start(once, parse("2026-06-02T00:00:00.000Z")) is None


@given(st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2027, 1, 1)))
def test_a_window_goes_on_exactly_after_its_last_start(naive: datetime) -> None:
    now = parse(naive.isoformat())
    begun = last_start(UTC_NIGHT, now)
    assert begun is not None
    assert begun <= now
    following = next_start(UTC_NIGHT, now)
    assert following is not None
    assert following > now
    assert active(UTC_NIGHT, now) is ((now - begun).total_seconds() < 90 * 60)
