"""Services of which sessions tell: what they report is the status, until nobody has reported for too long."""

import asyncio
import time
from typing import Any

import pytest

from ipc.errors import CallError
from ipc.messages.incidents import AddWindow, RemoveWindow
from ipc.messages.services import ChangeService, TryService
from schema import timestamps
from schema.definitions import Definition, Window
from schema.monitored import Monitored
from tests.integration.services.world import World


async def report(world: World, status: str, detail: str = "", service: str = "web", **session: Any) -> int:
    """A session reports; its id."""
    made = await world.place.session(**session)
    await world.place.script(
        "INSERT INTO health_checks (session_id, service, check_type, status, error_detail, checked_at, tier)"
        f" VALUES ({made.id}, '{service}', 'service', '{status}', '{detail}', '{timestamps.now()}', 1)"
    )
    return made.id


async def observed(world: World, **more: Any) -> Monitored:
    return await world.add("shop", **{"url": "observed:web", "interval": 600.0, **more})


async def test_it_is_what_sessions_report_and_is_told_of_as_any_other(world: World) -> None:
    service = await observed(world)
    assert service.status == "unknown"
    await report(world, "healthy")
    await world.until(service, "healthy")
    first = await report(world, "down", "no answer at port 80")
    found = await world.until(service, "down")
    assert (found.detail, found.cause) == ("no answer at port 80", "failed")
    await asyncio.sleep(1.5)
    second = await report(world, "healthy")
    await world.until(service, "healthy")
    assert await world.told() == ["shop is down", "shop works again"]
    (incident,) = await world.rows("SELECT ended_by FROM incidents")
    assert incident["ended_by"] == f"session {second}"
    assert second != first
    beats = [row["beat"] for row in await world.rows("SELECT beat FROM results ORDER BY at")]
    assert beats == ["h", "d", "h"]


async def test_a_report_is_taken_once_whatever_is_replaced(world: World) -> None:
    service = await observed(world)
    await report(world, "down")
    await world.until(service, "down")
    await world.again()
    await asyncio.sleep(1.5)
    assert len(await world.rows("SELECT at FROM results")) == 1
    assert await world.told() == ["shop is down"]


async def test_without_a_report_for_its_interval_nothing_is_known_and_an_incident_goes_on(world: World) -> None:
    service = await observed(world, interval=300.0)
    await report(world, "down")
    await world.until(service, "down")
    past = 301_000
    await world.place.script(
        f"UPDATE results SET at = at - {past}; UPDATE service_changes SET at = at - {past};"
        f"UPDATE service_states SET since = since - {past}, checked_at = checked_at - {past},"
        f" heard_at = heard_at - {past};"
        f"UPDATE health_checks SET checked_at = '{timestamps.at(time.time() - 301)}'"
    )
    found = await world.until(service, "unknown")
    assert found.detail == "no session has reported of it for its interval"
    assert found.incident_id == 1
    await asyncio.sleep(1.5)
    assert [row["beat"] for row in await world.rows("SELECT beat FROM results ORDER BY at")] == ["d", "u"]
    await report(world, "healthy")
    await world.until(service, "healthy")
    assert await world.told() == ["shop is down", "shop works again"]


async def test_who_repairs_it_does_not_judge_it(world: World) -> None:
    service = await observed(world, session_tier=1)
    await report(world, "down")
    await world.until(service, "down")
    await report(world, "healthy", incident_id=1)
    await asyncio.sleep(2.5)
    assert (await world.show(service)).status == "down"
    await report(world, "healthy", tier=2)
    await world.until(service, "healthy")


async def test_what_is_reported_in_a_window_or_beside_one_that_it_depends_on_counts_once_that_is_known_or_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.services.settling.LOOK_SECONDS", 0.2)
    await world.until(await world.add("db", "/db", interval=600.0), "healthy")
    service = await observed(world, needs=("db",))
    await report(world, "down", "no answer at port 80")
    assert (await world.until(service, "down")).detail == "no answer at port 80"
    await asyncio.sleep(1.1)
    await report(world, "healthy")
    await world.until(service, "healthy")
    window = (await world.ask(AddWindow(window=Window(title="upgrade", minutes=30, services=("shop",))))).window
    await report(world, "down", "again")
    await world.until(service, lambda now: now.beats.endswith("m"))
    assert (await world.told())[2:] == []
    await world.ask(RemoveWindow(id=window.id))
    await world.until(service, "down")
    assert (await world.told())[2:] == ["shop is down"]


async def test_it_is_known_by_its_own_name_where_its_address_has_none(world: World) -> None:
    service = await world.add("shop", url="observed:", interval=600.0)
    await report(world, "degraded", "slow", service="shop")
    assert (await world.until(service, "degraded")).detail == "slow"


async def test_it_is_asked_of_nobody_and_wants_a_time_that_sessions_can_keep(world: World) -> None:
    service = await observed(world)
    with pytest.raises(CallError, match="there is nothing to ask"):
        await world.ask(TryService(id=service.id))
    with pytest.raises(CallError, match="5 min at least"):
        await world.add("other", url="observed:", interval=60.0)
    # One that becomes a probe is one, and sessions are heard no more.
    changed = Definition(name="shop", url=world.target.url("/"), interval=1.0)
    await world.ask(ChangeService(id=service.id, version=service.version, definition=changed))
    await world.until(service, "healthy")
    await report(world, "down")
    await asyncio.sleep(1.5)
    assert (await world.show(service)).status == "healthy"
