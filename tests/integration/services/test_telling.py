"""Who is told of a service, and when: again while nobody looks after it, by its own channels, once it works again."""

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from daemon.notifications import digest, routing
from daemon.notifications.rules import Channel, ChannelRule
from daemon.services.attending import LOOK_SECONDS
from daemon.services.incidents import FLAPPING_CHANGES, FLAPPING_WINDOW_MS
from ipc.messages.incidents import NoteIncident
from schema.database import Database
from schema.monitored import Monitored
from tests.fakes.target import Target
from tests.integration.services.world import World

CHANNELS = [Channel("slack-1a2b", "x"), Channel("ntfy-3c4d", "y"), Channel("mailto-5e6f", "z")]


async def down(world: World, target: Target, **more: Any) -> Monitored:
    target.answer("/", status=503)
    return await world.until(await world.add("web", **{"timeout": 5.0, **more}), "down")


async def later(world: World, seconds: float) -> None:
    """Incidents are looked after as they will be in so many seconds."""
    await world.services.attending.look(int((time.time() + seconds) * 1000))


async def route(world: World, **rules: ChannelRule) -> dict[str, list[str]]:
    """The channels that each title went to."""
    await world.place.store.write(lambda db: routing.route(db, CHANNELS, rules, "warning"))
    found = await world.rows(
        "SELECT n.title, group_concat(substr(d.channel, 1, instr(d.channel, '-') - 1), ' ') AS ways"
        " FROM notifications n JOIN deliveries d ON d.notification_id = n.id GROUP BY n.id ORDER BY n.id"
    )
    return {row["title"]: sorted(row["ways"].split()) for row in found}


async def test_people_are_told_again_while_nobody_looks_after_it(world: World, target: Target) -> None:
    await down(world, target, remind=1800.0)
    await later(world, 1700)
    assert await world.told() == ["web is down"]
    await later(world, 1900)
    await later(world, 1950)
    await later(world, 3900)
    told = await world.rows("SELECT title, body, level, key FROM notifications ORDER BY id")
    assert [row["title"] for row in told] == ["web is down", "web is still down", "web is still down"]
    assert len({row["key"] for row in told}) == 3
    assert "[STATUS] (503) < 400" in told[1]["body"]
    assert "It has been out for 31 m" in told[1]["body"]
    entries = [row["text"] for row in await world.rows("SELECT text FROM incident_entries WHERE kind = 'told'")]
    assert entries == ["people were told", "people were told again", "people were told again"]
    await world.ask(NoteIncident(id=1, acknowledge=True, by="ada"))
    await later(world, 9000)
    assert len(await world.told()) == 3


async def test_an_incident_of_which_no_channel_is_told_does_not_say_that_people_were(
    world: World, target: Target
) -> None:
    service = await down(world, target, remind=1800.0)
    timeline = "SELECT kind, text FROM incident_entries WHERE kind <> 'began' ORDER BY id"
    nobody = {"kind": "finding", "text": "nobody was told: no channel takes it"}
    await world.place.store.write(lambda db: routing.route(db, [], {}, "warning"))
    assert await world.rows(timeline) == [nobody]
    await later(world, 1900)
    assert list(await route(world)) == ["web is still down"]
    assert await world.rows(timeline) == [nobody, {"kind": "told", "text": "people were told again"}]
    target.answer("/")
    await world.until(service, "healthy")
    await world.place.store.write(lambda db: routing.route(db, [], {}, "warning"))
    # That it works again was for nobody any more; who heard that it fails heard that all the same.
    assert (await world.rows(timeline))[:2] == [nobody, {"kind": "told", "text": "people were told again"}]


async def test_a_worker_that_is_replaced_reminds_neither_twice_nor_too_late(world: World, target: Target) -> None:
    service = await down(world, target, remind=1800.0)
    await later(world, 1900)
    await again(world, service)
    await later(world, 1950)
    assert (await world.told()).count("web is still down") == 1
    await again(world, service)
    await later(world, 3900)
    assert (await world.told()).count("web is still down") == 2


async def again(world: World, service: Monitored) -> None:
    """The worker is replaced, and has asked the service itself."""
    await world.again()
    asked = len(world.target.arrivals)
    found = await world.show(service)
    await world.until(service, lambda now: len(now.beats) > len(found.beats) and len(world.target.arrivals) > asked)


async def test_after_a_standstill_nobody_is_told_that_it_is_still_down_before_it_was_asked(
    world: World, target: Target
) -> None:
    service = await down(world, target, remind=1800.0, session_tier=1, session_cooldown=1.0, interval=3.0)
    await world.rest()
    await world.place.script("UPDATE incidents SET trigger_id = NULL; DELETE FROM triggers")
    target.answer("/")  # it is mended while nobody looks
    await world.again()
    await later(world, 1900)
    assert await world.told() == ["web is down"]
    assert await world.rows("SELECT id FROM triggers") == []
    await world.until(service, "healthy")
    assert await world.told() == ["web is down", "web works again"]


async def test_after_a_machine_slept_nobody_is_told_that_it_is_still_down_before_it_was_asked(
    world: World, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    await down(world, target, remind=1800.0)
    await asyncio.sleep(0.2)
    monkeypatch.setattr("daemon.services.attending.time", SimpleNamespace(time=lambda: time.time() + 3600.0))
    await asyncio.sleep(LOOK_SECONDS + 0.5)
    assert await world.told() == ["web is down"]


async def test_a_heartbeat_that_was_missed_is_reminded_of_too(world: World) -> None:
    service = await world.add("job", url="heartbeat:", interval=1.0, grace=1.0, remind=60.0)
    await world.place.script(f"UPDATE service_states SET heard_at = 1 WHERE service_id = {service.id}")
    await world.again()
    await world.until(service, "down")
    await later(world, 61)
    assert await world.told() == ["job is down", "job is still down"]


@pytest.mark.parametrize("more", [{"remind": 0.0}, {"remind": 60.0, "mute": True}])
async def test_who_does_not_want_to_be_reminded_is_not(world: World, target: Target, more: dict[str, Any]) -> None:
    await down(world, target, **more)
    await later(world, 90_000)
    assert "web is still down" not in await world.told()


async def test_of_a_mute_service_nobody_is_told_and_its_incident_is_there_all_the_same(
    tmp_path: Path, target: Target
) -> None:
    world = World(tmp_path, target, CLAUDEOPS_SERVICE_RULES="lab=mute")
    try:
        service = await down(world, target, tags=("lab",))
        target.answer("/")
        await world.until(service, "healthy")
        assert await world.told() == []
        entries = [row["kind"] for row in await world.rows("SELECT kind FROM incident_entries ORDER BY id")]
        assert entries == ["began", "ended"]
    finally:
        await world.close()


async def test_whoever_heard_that_it_fails_hears_that_it_works_and_nobody_else(world: World, target: Target) -> None:
    service = await down(world, target)
    rules = {"ntfy": ChannelRule("critical", frozenset()), "mailto": ChannelRule("", frozenset({"digest"}))}
    assert await route(world, **rules) == {"web is down": ["ntfy", "slack"]}
    target.answer("/")
    await world.until(service, "healthy")
    found = await route(world, **rules)
    assert found == {"web is down": ["ntfy", "slack"], "web works again": ["ntfy", "slack"]}
    (row,) = await world.rows("SELECT level FROM notifications WHERE title = 'web works again'")
    assert row["level"] == "info"


async def test_a_service_names_its_own_channels_by_name_or_kind(world: World, target: Target) -> None:
    await down(world, target, notify=("NTFY", "mailto-5e6f"))
    rules = {"mailto": ChannelRule("", frozenset({"digest"}))}
    assert await route(world, **rules) == {"web is down": ["mailto", "ntfy"]}


@pytest.mark.parametrize(
    ("notify", "told"), [(("slak", "pager-1a2b"), ["ntfy", "slack"]), (("slak", "ntfy"), ["ntfy"])]
)
async def test_a_service_that_names_none_of_the_channels_there_are_is_told_of_by_their_own_rules(
    world: World, target: Target, notify: tuple[str, ...], told: list[str]
) -> None:
    await down(world, target, notify=notify)
    rules = {"mailto": ChannelRule("", frozenset({"digest"}))}
    assert await route(world, **rules) == {"web is down": told}


async def test_people_hear_of_what_is_degraded_where_they_want_to_and_seldom(world: World, target: Target) -> None:
    quiet = await world.add("quiet", warnings=("[BODY] == fine",))
    service = await world.add("web", warnings=("[BODY] == fine",), notify_from="warning")
    await world.until(quiet, "degraded")
    await world.until(service, "degraded")
    for body, wanted in ((b"fine", "healthy"), (b"bad", "degraded")):
        target.answer("/", body=body)
        world.services.monitor.now(service.id)
        await world.until(service, wanted)
    rows = await world.rows("SELECT title, level, body FROM notifications")
    assert [tuple(row.values()) for row in rows] == [("web is degraded", "warning", "[BODY] (ok) == fine")]


async def test_what_came_and_went_is_told_to_be_steady_once_it_is(world: World, target: Target) -> None:
    service = await world.until(await world.add("web"), "healthy")
    past = FLAPPING_WINDOW_MS + 60_000
    await world.place.script(
        f"UPDATE service_states SET since = since - {past}, flapping_since = since - {2 * past} WHERE service_id = 1"
    )
    await world.until(service, lambda now: not now.flapping)
    count = "SELECT count(*) AS n FROM results"
    (before,) = await world.rows(count)
    while (await world.rows(count))[0]["n"] < before["n"] + 2:
        await asyncio.sleep(0.05)
    assert await world.told() == ["web is steady again"]
    # From now on each change is told by itself again.
    target.answer("/", status=503)
    await world.until(service, "down")
    assert (await world.told())[-1] == "web is down"


@pytest.mark.parametrize("looked_after", [False, True])
async def test_what_came_and_went_and_stays_down_is_told_to_be_down_and_reminded_of(
    world: World, target: Target, *, looked_after: bool
) -> None:
    service = await world.add("web", timeout=5.0, remind=1800.0)
    for status, wanted in ((200, "healthy"), (500, "down")) * 4:
        target.answer("/", status=status)
        world.services.monitor.now(service.id)
        await world.until(service, wanted)
    window = FLAPPING_WINDOW_MS / FLAPPING_CHANGES / 1000
    assert (await world.told())[-1] == "web comes and goes"
    told = len(await world.told())
    if looked_after:
        await world.ask(NoteIncident(id=4, acknowledge=True, by="ada"))
    await later(world, window - 60)
    assert (await world.show(service)).flapping
    await later(world, window + 60)
    await later(world, window + 120)
    assert not (await world.show(service)).flapping
    await later(world, window + 60 + 1900)
    expected = [] if looked_after else ["web is down", "web is still down"]
    assert (await world.told())[told:] == expected
    target.answer("/")
    await world.until(service, "healthy")
    assert (await world.told())[told:] == [*expected, "web works again"]


async def test_the_digest_counts_incidents(world: World, target: Target) -> None:
    service = await down(world, target)
    now = datetime.now().astimezone() + timedelta(seconds=1)

    def text(db: Database) -> str:
        return digest.text(db, now, [])

    assert "Incidents: 1 began, 1 goes on" in await world.place.store.read(text)
    target.answer("/")
    await world.until(service, "healthy")
    assert "Incidents: 1 began, 0 go on" in await world.place.store.read(text)
