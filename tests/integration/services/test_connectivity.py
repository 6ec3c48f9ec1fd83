"""While this host itself is cut off, what its probes fail at says nothing of the services."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.services import heartbeats
from ipc.errors import CallError
from ipc.messages.services import HearService, RenewPush, Said
from schema.access import digest
from schema.settings import Settings
from tests.fakes.target import Target
from tests.integration.services.test_observed import report
from tests.integration.services.world import World


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@asynccontextmanager
async def gateway(port: int) -> AsyncIterator[None]:
    """What the host must reach, while it is there."""

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def beside(directory: Path, target: Target, targets: str) -> AsyncIterator[World]:
    made = World(directory, target, CLAUDEOPS_CONNECTIVITY_TARGETS=targets)
    try:
        yield made
    finally:
        await made.close()


async def test_failures_while_it_is_cut_off_count_for_nothing_and_one_notice_tells_of_it(
    tmp_path: Path, target: Target
) -> None:
    port, gone = free_port(), free_port()
    async with beside(tmp_path, target, f"127.0.0.1:{gone}, 127.0.0.1:{port}") as world:
        async with gateway(port):
            services = [await world.add(f"web-{number}", f"/{number}", timeout=2.0) for number in range(3)]
            for service in services:
                await world.until(service, "healthy")
        target.answer("/0", status=503)
        target.answer("/1", hang=True)
        target.answer("/2", reset=True)
        for service in services:
            found = await world.until(service, "unknown", within=20)
            assert "this host is cut off" in found.detail
        assert "no answer within 2 s" in (await world.show(services[1])).detail
        await world.again()
        await asyncio.sleep(1.5)
        assert await world.rows("SELECT * FROM incidents") == []
        assert await world.told() == ["This host is cut off: nothing is known of its services"]
        async with gateway(port):
            # Connected again, what fails is believed.
            for number, wanted in ((0, "down"), (1, "timeout"), (2, "down")):
                await world.until(services[number], wanted, within=25)
            for _ in range(600):
                if "This host is connected again" in await world.told():
                    break
                await asyncio.sleep(0.02)
            changes = await world.rows("SELECT status FROM service_changes WHERE service_id = 1 ORDER BY at")
    # What was not believed is no time in which it failed.
    assert [row["status"] for row in changes] == ["unknown", "healthy", "unknown", "down"]


async def test_its_end_is_told_to_whoever_heard_of_its_begin(tmp_path: Path, target: Target) -> None:
    port = free_port()
    async with beside(tmp_path, target, f"127.0.0.1:{port}") as world:
        target.answer("/", status=503)
        service = await world.add("web")
        await world.until(service, "unknown", within=8)
        await world.until(service, lambda now: "cut off" in now.detail)
        async with gateway(port):
            await world.until(service, "down", within=12)
            for _ in range(400):
                rows = await world.rows("SELECT key, level, told_as FROM notifications WHERE kind = 'daemon'")
                if len(rows) == 2:
                    break
                await asyncio.sleep(0.02)
        assert [tuple(row.values()) for row in rows] == [
            ("cut-off:1:began", "critical", None), ("cut-off:1:ended", "info", "critical"),
        ]  # fmt: skip
        (row,) = await world.rows("SELECT ended_at > began_at AS over FROM cut_offs")
        assert row["over"] == 1


async def test_an_incident_that_goes_on_is_neither_ended_nor_lost_by_it(tmp_path: Path, target: Target) -> None:
    port = free_port()
    async with beside(tmp_path, target, f"127.0.0.1:{port}") as world:
        async with gateway(port):
            target.answer("/", status=503)
            service = await world.until(await world.add("web"), "down")
        found = await world.until(service, "unknown")
        assert found.incident_id == 1
        target.answer("/")
        await world.until(service, "healthy")  # what works is believed
        (incident,) = await world.rows("SELECT ended_by FROM incidents")
        assert incident["ended_by"] == "probe"


async def test_a_heartbeat_that_is_missed_meanwhile_is_judged_once_it_can_be_heard(
    tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeats, "AGAIN_SECONDS", 0.5)
    port = free_port()
    async with beside(tmp_path, target, f"127.0.0.1:{port}") as world:
        service = await world.add("job", url="heartbeat:", interval=1.0, grace=1.0)
        await world.place.script(f"UPDATE service_states SET heard_at = 1 WHERE service_id = {service.id}")
        await world.again()
        await world.until(service, lambda now: "cut off" in now.detail)
        assert await world.rows("SELECT * FROM incidents") == []
        async with gateway(port):
            await world.until(service, "down")


async def test_a_job_that_says_meanwhile_that_it_failed_is_believed(tmp_path: Path, target: Target) -> None:
    async with beside(tmp_path, target, f"127.0.0.1:{free_port()}") as world:
        service = await world.add("job", url="heartbeat:", interval=600.0)
        push = (await world.ask(RenewPush(id=service.id))).push_path
        await world.ask(HearService(token_hash=digest(push.rpartition("/")[2]), said=Said.FAIL, text="disk full"))
        assert (await world.show(service)).status == "down"
        assert await world.told() == ["job is down"]


async def test_without_targets_this_host_is_never_cut_off_and_none_is_asked(world: World, target: Target) -> None:
    assert Settings().connectivity_targets == ""
    target.answer("/", status=503)
    await world.until(await world.add("web"), "down")
    assert await world.rows("SELECT * FROM cut_offs") == []


async def test_an_address_that_is_none_is_refused_as_it_is_set(world: World) -> None:
    with pytest.raises(CallError, match="host:port"):
        await world.settings.set("connectivity_targets", "nowhere")
    with pytest.raises(CallError, match="a tier is 1, 2 or 3"):
        await world.settings.set("service_rules", "prod=tier:9")


async def test_what_a_session_reports_counts_meanwhile_and_that_something_is_unreachable_once_it_is_connected(
    tmp_path: Path, target: Target
) -> None:
    port = free_port()
    async with beside(tmp_path, target, f"127.0.0.1:{port}") as world:
        full, away = [await world.add(name, url=f"observed:{name}", interval=600.0) for name in ("full", "away")]
        await report(world, "down", "the disk is full", service="full")
        await report(world, "unreachable", "no route to it", service="away")
        assert (await world.until(full, "down")).detail == "the disk is full"
        await world.again()  # what is put off is not forgotten by a restart
        await asyncio.sleep(2.5)
        assert (await world.show(away)).status == "unknown"
        assert await world.rows("SELECT service_id FROM results") == [{"service_id": full.id}]
        assert await world.told() == ["full is down"]  # nobody is told of a host that is cut off for what is no probe
        async with gateway(port):
            assert (await world.until(away, "down")).detail == "no route to it"
        assert await world.told() == ["full is down", "away is down"]


async def test_a_newer_report_goes_before_one_that_was_put_off(tmp_path: Path, target: Target) -> None:
    port = free_port()
    async with beside(tmp_path, target, f"127.0.0.1:{port}") as world:
        service = await world.add("away", url="observed:away", interval=600.0)
        await report(world, "unreachable", service="away")
        await asyncio.sleep(1.5)
        await report(world, "healthy", service="away")
        await world.until(service, "healthy")
        async with gateway(port):
            await asyncio.sleep(2.5)
        assert [row["beat"] for row in await world.rows("SELECT beat FROM results")] == ["h"]
        assert await world.told() == []
