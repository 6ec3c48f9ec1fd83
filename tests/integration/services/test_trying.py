"""A test by hand beside the schedule: within the same bounds, and never while the service is probed."""

import asyncio
import time
from pathlib import Path

import pytest

from daemon.services.monitor import TOGETHER_SECONDS, Monitor
from daemon.services.probes import probe
from daemon.services.recorder import Recorder
from ipc.errors import CallError, Code
from ipc.messages.services import TryService
from schema.definitions import Definition, Kind
from tests.fakes.target import Target
from tests.integration.services.world import World


async def test_a_test_waits_for_the_probe_under_way_and_the_schedule_for_the_test(world: World, target: Target) -> None:
    target.answer("/", delay=0.7)
    service = await world.add("web", timeout=5.0)
    while not target.arrivals:
        await asyncio.sleep(0.01)
    first = target.arrivals[0].at
    tests = [asyncio.create_task(world.ask(TryService(id=service.id))) for _ in range(2)]
    assert [(await test).status for test in tests] == ["healthy", "healthy"]
    assert time.monotonic() - first >= 3 * 0.7
    await world.until(service, lambda now: len(now.beats) >= 3)
    assert target.most_open == 1


async def test_tests_take_no_more_than_half_of_the_places_and_go_before_who_hangs(
    tmp_path: Path, target: Target
) -> None:
    world = World(tmp_path, target, CLAUDEOPS_PROBES_AT_ONCE="4")
    target.answer("/hang", hang=True)
    target.answer("/slow", delay=1.0)
    for number in range(4):
        await world.add(f"hangs-{number}", "/hang", timeout=1.0)
    works = await world.add("works", "/works")
    slow = await world.add("slow", "/slow", interval=60.0, timeout=5.0)
    await world.until(slow, "healthy")
    before = len(target.to("/works"))
    began = time.monotonic()
    await asyncio.gather(*(world.ask(TryService(id=one.id)) for one in [slow] * 3))
    took = time.monotonic() - began
    assert took < 3 * 1.0 + 3
    # One that works is probed every second all the while.
    assert len(target.to("/works")) - before >= int(took) - 1
    assert target.most_open <= 4
    assert (await world.show(works)).status == "healthy"
    await world.close()


async def test_a_test_that_waits_is_told_when_the_worker_ends_and_leaves_no_place_taken(
    world: World, target: Target
) -> None:
    target.answer("/", delay=30.0)
    service = await world.add("web", timeout=60.0)
    while not target.arrivals:
        await asyncio.sleep(0.01)
    gone = asyncio.create_task(world.ask(TryService(id=service.id)))
    waits = asyncio.create_task(world.ask(TryService(id=service.id)))
    await asyncio.sleep(0.2)
    gone.cancel()
    await asyncio.sleep(0.1)
    await world.rest()
    with pytest.raises(CallError) as raised:
        await waits
    assert raised.value.code is Code.UNAVAILABLE
    assert len(target.arrivals) == 1


async def test_a_stored_condition_that_is_refused_today_is_shown_with_its_mistake(world: World) -> None:
    service = await world.add("web", conditions=("[STATUS] == 200", "[STATUS] < 300"))
    await world.rest()
    await world.place.script(
        "UPDATE services SET definition = json_set(definition, '$.conditions[1]', '[STATUS] < abc')"
    )
    await world.again()
    found = await world.ask(TryService(id=service.id))
    assert (found.status, [one.holds for one in found.conditions]) == ("down", [True, False])
    assert "a number or a duration" in found.conditions[1].shown
    # Whoever writes it now is told to mend it.
    with pytest.raises(CallError) as raised:
        await world.ask(TryService(definition=Definition(name="x", url="http://a", conditions=("[STATUS] < abc",))))
    assert (raised.value.code, list(raised.value.data["fields"])) == (Code.INVALID, ["conditions"])


class Unused(Recorder):
    """Has nothing to store."""

    def __init__(self) -> None:
        """Without a database."""

    async def close(self) -> None:
        """Nothing waits."""


@pytest.mark.parametrize("ends", [True, False])
async def test_who_gives_up_in_the_moment_of_its_turn_or_of_the_end_harms_nobody(target: Target, *, ends: bool) -> None:
    places = 0
    monitor = Monitor(Unused(), {}, lambda: places, lambda task: None)
    runs = asyncio.create_task(monitor.run())
    wanted = probe.Target(id=1, definition=Definition(name="web", url=target.url()), denied=lambda address: None)
    gone = asyncio.create_task(monitor.once(wanted, Kind.HTTP))
    await asyncio.sleep(2 * TOGETHER_SECONDS)
    if ends:
        runs.cancel()
    else:
        places = 2
        monitor._wake.set()
    gone.cancel()
    await asyncio.sleep(2 * TOGETHER_SECONDS)
    assert gone.cancelled()
    if not ends:
        assert not runs.done()
        runs.cancel()
    with pytest.raises(asyncio.CancelledError):
        await runs
