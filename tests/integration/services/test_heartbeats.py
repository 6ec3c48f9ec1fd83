"""Jobs that tell of themselves, and operators' own commands."""

import asyncio
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from daemon.services.rules.heartbeats import following
from ipc.errors import CallError, Code
from ipc.messages.incidents import AddWindow, RemoveWindow
from ipc.messages.services import ChangeService, HearService, PauseServices, RenewPush, Said, TryService
from schema import timestamps
from schema.access import digest
from schema.definitions import Definition, Window
from schema.monitored import Monitored
from tests.fakes.target import Target
from tests.integration.services.world import World


async def beat(world: World, push: str, said: Said = Said.SUCCESS, **more: object) -> None:
    token = push.rpartition("/")[2]
    await world.ask(HearService(token_hash=digest(token), said=said, **more))  # type: ignore[arg-type]


async def job(world: World, name: str = "backup", **more: Any) -> tuple[Monitored, str]:
    """A heartbeat every second with 0.5 s of grace, and its address."""
    times = {"interval": 1.0, "grace": 0.5, **more}
    service = await world.add(name, "/", url="heartbeat:", **times)
    reply = await world.ask(RenewPush(id=service.id))
    return service, reply.push_path


async def test_a_job_that_is_silent_is_missed_in_time_and_told_of_once(world: World) -> None:
    service, push = await job(world)
    await asyncio.sleep(0.5)
    assert (await world.show(service)).status == "unknown"  # it was never heard
    await beat(world, push)
    heard = time.monotonic()
    assert (await world.show(service)).status == "healthy"
    found = await world.until(service, "down")
    assert 1.4 <= time.monotonic() - heard < 2.5
    assert (found.cause, found.detail) == ("missed", "no sign of life came in time")
    await asyncio.sleep(1.0)
    assert await world.told() == ["backup is down"]
    await beat(world, push)
    assert (await world.show(service)).status == "healthy"
    assert await world.told() == ["backup is down", "backup works again"]


async def test_a_job_that_is_never_heard_is_missed_from_when_it_was_added_over_restarts_and_from_when_it_is_resumed(
    world: World,
) -> None:
    added = time.monotonic()
    service, push = await job(world)
    assert (await world.show(service)).status == "unknown"
    found = await world.until(service, "down")
    assert 1.4 <= time.monotonic() - added < 3.0
    assert found.cause == "missed"
    assert found.detail.startswith("no sign of life has come since it was added")
    assert await world.told() == ["backup is down"]
    await world.ask(PauseServices(ids=[service.id], paused=True))
    await asyncio.sleep(1.0)
    resumed = time.monotonic()
    await world.ask(PauseServices(ids=[service.id], paused=False))
    await world.until(service, "down")
    assert 1.4 <= time.monotonic() - resumed < 3.0
    await beat(world, push)
    assert (await world.show(service)).status == "healthy"


async def test_a_job_that_was_not_heard_before_a_standstill_has_its_next_time_after_it(world: World) -> None:
    service, _ = await job(world, interval=2.0)
    await world.rest()
    before = time.time() - 3601
    await world.place.script(
        f"UPDATE services SET updated_at = '{timestamps.at(before)}';"
        f" UPDATE service_states SET rolled_to = {int(before * 1000)}"
    )
    await world.again()
    begun = time.monotonic()
    await asyncio.sleep(1.5)
    assert (await world.show(service)).status == "unknown"
    await world.until(service, "down")
    assert 2.4 <= time.monotonic() - begun < 4.0


async def test_a_job_that_is_missed_in_a_window_is_told_of_once_that_is_over_and_one_that_is_tried_again_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.services.heartbeats.AGAIN_SECONDS", 0.3)
    service, push = await job(world, retries=2)
    window = Window(title="upgrade", minutes=30, services=("backup",))
    planned = (await world.ask(AddWindow(window=window, by="ada"))).window
    await world.until(service, "maintenance")
    await asyncio.sleep(1.5)
    assert await world.told() == []
    assert (await world.show(service)).beats == "m"  # it was missed once, however often that is judged again
    await world.ask(RemoveWindow(id=planned.id, by="ada"))
    await world.until(service, "down")
    assert await world.told() == ["backup is down"]
    await beat(world, push)
    await world.until(service, "down")
    assert await world.told() == ["backup is down", "backup works again", "backup is down"]


async def test_a_job_that_is_missed_with_what_it_depends_on_is_told_of_if_it_is_silent_still_when_that_works(
    world: World, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.services.heartbeats.AGAIN_SECONDS", 0.3)
    target.answer("/db", status=503)
    await world.until(await world.add("db", "/db"), "down")
    service, push = await job(world, needs=("db",), retries=1)
    await beat(world, push)
    await world.until(service, "blocked")
    await asyncio.sleep(1.5)
    assert (await world.show(service)).beats == "hb"
    target.answer("/db")
    await world.until(service, "pending")
    await world.until(service, "down")
    assert await world.told() == ["db is down", "db works again", "backup is down"]


async def test_a_job_that_says_it_failed_is_down_at_once_and_one_that_does_not_end_too(world: World) -> None:
    service, push = await job(world, interval=60.0)
    await beat(world, push)
    await beat(world, push, Said.FAIL, text="disk full")
    found = await world.show(service)
    assert (found.status, found.detail) == ("down", "it says that it failed: disk full")
    await beat(world, push, exit_code=3)
    assert (await world.show(service)).detail == "exit code 3"
    await beat(world, push, Said.START)
    assert (await world.show(service)).status == "down"
    await asyncio.sleep(0.2)
    await beat(world, push)
    found = await world.show(service)
    assert found.status == "healthy"
    assert found.latency_ms is not None
    assert found.latency_ms >= 190
    begun = time.monotonic()
    await beat(world, push, Said.START)
    found = await world.until(service, "down", 3)
    # Its grace is half a second.
    assert 0.4 <= time.monotonic() - begun < 1.5
    assert found.detail == "it began and did not end in time"


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.services.settling.LOOK_SECONDS", 0.2)


@pytest.mark.usefixtures("soon")
async def test_a_job_that_says_it_failed_is_down_once_what_it_depends_on_is_known_to_work(
    world: World, target: Target
) -> None:
    parent = await world.add("db", "/db", interval=60.0)
    await world.until(parent, "healthy")
    service, push = await job(world, interval=60.0, needs=("db",))
    await beat(world, push, Said.FAIL, text="disk full")
    found = await world.until(service, "down")
    assert found.detail == "it says that it failed: disk full"
    assert len(target.to("/db")) == 2  # it was asked for it, and no oftener
    await beat(world, push)
    told = ["backup is down", "backup works again"]
    assert await world.told() == told
    # With what it depends on, and still once that works again, for nobody has said otherwise; whatever is replaced.
    target.answer("/db", status=503)
    await beat(world, push, exit_code=7)
    found = await world.until(service, "blocked")
    assert found.detail == "blocked by db: exit code 7"
    await world.again()
    target.answer("/db")
    await asyncio.sleep(1.0)
    count = len(await world.rows(f"SELECT at FROM results WHERE service_id = {service.id}"))
    world.services.monitor.now(parent.id)
    found = await world.until(service, "down")
    assert found.detail == "exit code 7"
    assert await world.told() == [*told, "db is down", "db works again", "backup is down"]
    # What changes nothing is stored nowhere.
    assert len(await world.rows(f"SELECT at FROM results WHERE service_id = {service.id}")) == count + 1


@pytest.mark.usefixtures("soon")
async def test_a_job_that_says_in_a_window_that_it_failed_is_down_when_that_is_over_unless_it_has_worked_since(
    world: World,
) -> None:
    jobs = [await job(world, name, interval=60.0) for name in ("fails", "works", "tries")]
    service, push = jobs[2]
    wanted = Definition(name="tries", url="heartbeat:", interval=60.0, retries=1)
    await world.ask(ChangeService(id=service.id, version=service.version, definition=wanted))
    window = Window(title="upgrade", minutes=30, services=("fails", "works"))
    planned = (await world.ask(AddWindow(window=window))).window
    for _, address in jobs:
        await beat(world, address, Said.FAIL, text="disk full")
    await beat(world, jobs[1][1])
    await asyncio.sleep(0.7)
    statuses = [(await world.show(one)).status.value for one, _ in jobs]
    # Within its retries it is its next run that is waited for.
    assert statuses == ["maintenance", "maintenance", "pending"]
    assert await world.told() == []
    await world.ask(RemoveWindow(id=planned.id))
    await world.until(jobs[0][0], "down")
    await asyncio.sleep(0.7)
    assert await world.told() == ["fails is down"]
    assert (await world.show(service)).status == "pending"
    await beat(world, push, Said.FAIL)
    assert (await world.show(service)).status == "down"


async def test_a_job_that_tells_of_itself_while_the_worker_starts_is_heard(world: World) -> None:
    service, push = await job(world)
    await world.again()
    await beat(world, push)
    assert (await world.show(service)).status == "healthy"


async def test_time_in_which_nobody_could_hear_is_not_held_against_a_job(world: World) -> None:
    service, push = await job(world, interval=2.0, grace=0.5)
    await beat(world, push)
    await world.rest()
    await world.place.script(
        "UPDATE service_states SET heard_at = heard_at - 3600000, checked_at = checked_at - 3600000,"
        " rolled_to = rolled_to - 3600000"
    )
    await world.again()
    # Its next time may be a whole interval away; the grace alone is long over.
    await asyncio.sleep(1.5)
    assert (await world.show(service)).status == "healthy"
    await beat(world, push)
    assert await world.told() == []
    # From then on it is as ever.
    heard = time.monotonic()
    await world.until(service, "down")
    assert 2.4 <= time.monotonic() - heard < 3.5


async def test_a_machine_that_slept_gives_each_job_its_next_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    service, push = await job(world, interval=2.0, grace=0.5)
    await beat(world, push)
    await asyncio.sleep(0.2)
    # Asleep, the wall clock goes on, and what waits by the other one does not notice.
    monkeypatch.setattr("daemon.services.heartbeats.time", SimpleNamespace(time=lambda: time.time() + 3600.0))
    await asyncio.sleep(3.5)
    assert (await world.show(service)).status == "healthy"
    assert await world.told() == []
    await beat(world, push)
    heard = time.monotonic()
    await world.until(service, "down")
    assert 2.4 <= time.monotonic() - heard < 3.5
    assert await world.told() == ["backup is down"]


async def test_a_job_that_was_paused_has_its_next_time_when_it_is_resumed(world: World) -> None:
    service, push = await job(world)
    await beat(world, push)
    await world.ask(PauseServices(ids=[service.id], paused=True))
    await asyncio.sleep(2.0)  # it goes on, and is late by what was heard of it
    await world.ask(PauseServices(ids=[service.id], paused=False))
    await asyncio.sleep(0.8)
    assert await world.told() == []
    await beat(world, push)
    assert (await world.show(service)).status == "healthy"
    await world.until(service, "down")
    assert await world.told() == ["backup is down"]


async def test_an_address_that_was_renewed_or_never_was_is_not_found_and_a_paused_job_is_not_minded(
    world: World,
) -> None:
    service, old = await job(world)
    reply = await world.ask(RenewPush(id=service.id))
    with pytest.raises(CallError) as raised:
        await beat(world, old)
    assert raised.value.code is Code.NOT_FOUND
    await beat(world, reply.push_path)
    await world.ask(PauseServices(ids=[service.id], paused=True))
    await beat(world, reply.push_path)
    assert (await world.show(service)).status == "paused"
    token = reply.push_path.rpartition("/")[2]
    assert token not in str(await world.rows("SELECT * FROM services")) + str(await world.rows("SELECT * FROM replies"))


async def test_a_command_is_run_only_where_that_is_allowed_and_its_exit_code_and_output_are_judged(
    tmp_path: Path, target: Target
) -> None:
    world = World(tmp_path, target)
    command = (sys.executable, "-c", "import sys; print('disk 71 %'); sys.exit(3)")
    definition = Definition(name="x", url="command:", command=command, conditions=("[BODY] == pat(disk*)",))
    refused = await world.ask(TryService(definition=definition))
    assert (refused.facts.cause, "CLAUDEOPS_PROBE_COMMANDS" in refused.detail) == ("denied", True)
    await world.close()
    world = World(tmp_path, target, CLAUDEOPS_PROBE_COMMANDS="true")
    allowed = await world.ask(TryService(definition=definition))
    assert (allowed.status, allowed.facts.status, allowed.facts.body) == ("healthy", 3, b"disk 71 %")
    by_code = Definition(name="x", url="command:", command=command)
    assert (await world.ask(TryService(definition=by_code))).detail == "[STATUS] (3) == 0"
    endless = Definition(name="x", url="command:", command=("sleep", "77"), timeout=0.5)
    began = time.monotonic()
    assert (await world.ask(TryService(definition=endless))).status == "timeout"
    assert time.monotonic() - began < 5
    missing = Definition(name="x", url="command:", command=("/no/such/program",))
    assert (await world.ask(TryService(definition=missing))).status == "down"
    assert list((tmp_path / "checks").iterdir()) == []
    await world.close()


def test_a_cron_expression_says_when_a_job_is_expected_in_its_own_zone() -> None:
    nightly = Definition(name="x", url="heartbeat:", cron="30 2 * * *", zone="Europe/Berlin")
    # 2026-03-28 02:30 in Berlin is 01:30 UTC; the clocks go forward on the 29th, so that night has no 02:30.
    at = 1774661400000
    assert following(nightly, at) - at in (23 * 3_600_000 + 1_800_000, 24 * 3_600_000 - 3_600_000 + 1_800_000)
    assert following(nightly, at + 3 * 86_400_000) % 86_400_000 == 1_800_000
