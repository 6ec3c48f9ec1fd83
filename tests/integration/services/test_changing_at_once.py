"""Services that are changed at the same moment, by several: what is gone by in the end is what is stored."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from daemon.services.catalogue import Known
from daemon.services.heartbeats import Heartbeats
from ipc.messages.services import (
    ChangeService,
    HearService,
    PauseServices,
    RemoveServices,
    ServiceChanged,
    ShowService,
    TagServices,
)
from schema.access import digest
from schema.definitions import Definition
from schema.facts import Facts
from tests.fakes.target import Target
from tests.integration.services.world import World

JOBS = 30
LONG = 0.02


async def until(wanted: Callable[[], Any], within: float = 8.0) -> None:
    end = time.monotonic() + within
    while not wanted():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


@pytest.fixture
async def jobs(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Heartbeats; who looks after them takes its time to hear of a change of one, as on a busy machine."""
    heard = Heartbeats.set

    async def slowly(heartbeats: Heartbeats, known: Known) -> None:
        await asyncio.sleep(LONG)
        await heard(heartbeats, known)

    monkeypatch.setattr(Heartbeats, "set", slowly)
    return [(await world.add(f"job{number}", url="heartbeat:", grace=60.0)).id for number in range(JOBS)]


async def test_a_change_beside_one_of_all_at_once_is_what_is_gone_by(
    world: World, target: Target, jobs: list[int]
) -> None:
    web = await world.add("web", "/old", interval=60.0)
    await world.until(web, "healthy")
    world.place.heard.events.clear()
    all_at_once = asyncio.create_task(world.ask(TagServices(ids=[*jobs, web.id], add=("eu",), by="ada")))
    await until(lambda: ServiceChanged(id=jobs[0], kind="defined") in world.place.heard.events)
    wanted = Definition(name="web", url=target.url("/new"), interval=60.0)
    await world.ask(ChangeService(id=web.id, version=2, definition=wanted, by="bob"))
    await all_at_once
    (row,) = await world.rows(f"SELECT version FROM services WHERE id = {web.id}")
    assert world.services.monitor.version(web.id) == row["version"] == 3
    await until(lambda: target.to("/new"))


async def test_a_service_that_is_removed_while_all_are_read_again_is_asked_no_more(
    world: World, target: Target, jobs: list[int]
) -> None:
    web = await world.add("web")
    await world.until(web, "healthy")
    world.settings.reload({**world.settings.environ, "ANOTHER": "1"})
    await asyncio.sleep(0.1)
    await world.ask(RemoveServices(ids=[web.id], by="ada"))
    await asyncio.sleep(JOBS * LONG + 0.2)
    assert world.services.monitor.version(web.id) is None
    asked = len(target.arrivals)
    await asyncio.sleep(1.5)
    assert len(target.arrivals) == asked


async def test_a_service_that_is_paused_during_the_start_is_not_asked(world: World, jobs: list[int]) -> None:
    web = await world.add("web")
    await world.until(web, "healthy")
    await world.again()
    await asyncio.sleep(0.1)
    await world.ask(PauseServices(ids=[web.id], paused=True, by="ada"))
    await asyncio.sleep(JOBS * LONG + 0.2)
    assert world.services.monitor.version(web.id) is None


async def test_whoever_goes_by_a_definition_that_is_not_the_stored_one_hears_of_it_with_the_next_finding(
    world: World, target: Target
) -> None:
    target.answer("/", status=500)
    changed, removed = await world.add("changed"), await world.add("removed", "/removed")
    job = await world.add("job", url="heartbeat:", grace=60.0)
    await world.until(changed, "down")
    await world.until(removed, "healthy")
    await world.place.script(
        "UPDATE services SET version = 7, definition = json_set(definition, '$.conditions[0]', '[STATUS] == 500')"
        f" WHERE id = {changed.id}; UPDATE services SET version = 7, token_hash = '{digest('end')}'"
        f" WHERE id = {job.id}; DELETE FROM services WHERE id = {removed.id}"
    )
    await world.until(changed, "healthy")
    await until(lambda: world.services.monitor.version(removed.id) is None)
    await world.ask(HearService(token_hash=digest("end")))
    await until(lambda: world.services.heartbeats.version(job.id) == 7)
    await world.ask(HearService(token_hash=digest("end")))
    await world.until(job, "healthy")


async def test_a_finding_of_a_service_that_was_changed_meanwhile_has_nothing_read_again(
    world: World, target: Target
) -> None:
    target.answer("/old", delay=0.5)
    web = await world.add("web", "/old", timeout=5.0, interval=60.0)
    await until(lambda: target.to("/old"))
    wanted = Definition(name="web", url=target.url("/new"), interval=60.0)
    await world.ask(ChangeService(id=web.id, version=1, definition=wanted, by="ada"))
    await world.until(web, "healthy")
    await asyncio.sleep(1.0)
    assert (len(target.to("/old")), len(target.to("/new"))) == (1, 1)


async def test_a_job_is_heard_while_it_is_changed(world: World, jobs: list[int]) -> None:
    await world.place.script(f"UPDATE services SET token_hash = '{digest('end')}' WHERE id = {jobs[0]}")
    changing = asyncio.create_task(world.ask(TagServices(ids=jobs, add=("eu",), by="ada")))
    heard = []
    while not changing.done():
        heard.append(asyncio.create_task(world.ask(HearService(token_hash=digest("end")))))
        await asyncio.sleep(LONG / 4)
    await asyncio.gather(*heard)
    assert (await world.ask(ShowService(id=jobs[0]))).service.status == "healthy"


async def test_a_service_that_is_resumed_while_its_last_probe_winds_up_is_not_asked_twice_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    asking: set[int] = set()

    async def hangs(*_: object) -> Facts:
        number = len(begun)
        begun.append(number)
        asking.add(number)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.6)  # it takes its time
            raise
        finally:
            asking.discard(number)
        raise AssertionError

    monkeypatch.setattr("daemon.services.monitor.probe.ask", hangs)
    service = await world.add("web", interval=1.0)
    await until(lambda: asking == {0})
    await world.ask(PauseServices(ids=[service.id], paused=True))
    await world.ask(PauseServices(ids=[service.id], paused=False))
    world.services.monitor.now(service.id)
    await until(lambda: 1 in asking)
    await until(lambda: 0 not in asking)
    await asyncio.sleep(1.2)
    assert asking == {1}
