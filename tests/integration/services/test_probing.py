"""Services probed at a target that can do each fault: what is found, how soon, and what follows."""

import asyncio
import socket
import ssl
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from daemon.services import monitor, rollups
from daemon.services.recorder import UNSURE_MS
from daemon.services.rules.verdict import Verdict, verdict
from ipc.errors import CallError, Code
from ipc.messages.services import (
    ChangeService,
    ListResults,
    PauseServices,
    RemoveServices,
    ServiceReply,
    ShowService,
    TriedReply,
    TryService,
)
from schema import uptime
from schema.definitions import Definition
from schema.facts import Cause, Facts
from schema.states import ServiceStatus
from schema.uptime import Spent
from tests.fakes.target import Target
from tests.fixtures import certificates
from tests.integration.services.world import World


async def test_a_service_that_answers_is_healthy_with_its_latency_and_the_phases_of_each_finding(
    world: World, target: Target
) -> None:
    target.answer("/", delay=0.05)
    found = await world.until(await world.add("web"), "healthy")
    assert found.latency_ms is not None
    assert 50 <= found.latency_ms < 250
    assert found.last_checked_at is not None
    (first, *_) = (await world.ask(ListResults(id=found.id))).results
    assert set(first.phases) == {"connect", "wait", "transfer"}
    assert first.phases["wait"] >= 49
    assert abs(sum(first.phases.values()) - (first.latency_ms or 0)) < 20
    await world.until(found, lambda now: len(now.beats) >= 4)
    took = [one.latency_ms or 0.0 for one in (await world.ask(ListResults(id=found.id))).results]
    # The quickest, for a machine that is busy only ever adds.
    assert 50 <= min(took) < 100, took


async def test_a_bad_status_is_down_and_shows_the_condition_with_its_value(world: World, target: Target) -> None:
    target.answer("/", status=503)
    found = await world.until(await world.add("web"), "down")
    assert (found.cause, found.detail) == ("condition", "[STATUS] (503) < 400")


@pytest.mark.parametrize("how", [{"hang": True}, {"delay": 30.0}, {"body_delay": 30.0}])
async def test_no_answer_in_time_is_a_timeout_and_not_down(world: World, target: Target, how: dict[str, float]) -> None:
    target.answer("/", **how)
    before = time.monotonic()
    found = await world.until(await world.add("web", timeout=0.4), "timeout")
    assert time.monotonic() - before < 0.4 + 1
    assert found.cause == "timeout"
    assert "no answer within 0.4 s" in found.detail


async def test_each_way_of_failing_has_a_cause_of_its_own(world: World, target: Target, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    target.answer("/reset", reset=True)
    target.answer("/garbage", garbage=True)
    target.answer("/loop", status=302, headers=(("Location", "/loop"),))
    wanted = {
        "refused": f"http://127.0.0.1:{closed}/",
        "dns": "http://no-such-host.invalid/",
        "reset": target.url("/reset"),
        "protocol": target.url("/garbage"),
        "tls": f"https://127.0.0.1:{target.port}/",
    }
    added = [(cause, await world.add(cause, url=url, timeout=5.0)) for cause, url in wanted.items()]
    added.append(("protocol", await world.add("loop", "/loop")))
    over = certificates.make(tmp_path / "over", days=-1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*over)

    async def closes(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    said = {}
    async with await asyncio.start_server(closes, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
        added.append(("certificate", await world.add("over", url=url, ca_file=str(over.cert), timeout=5.0)))
        for cause, service in added:
            found = await world.until(service, "down")
            assert (found.cause, found.name) == (cause, service.name)
            said[found.name] = found.detail
    assert "expired" in said["over"]
    assert all(said.values())
    assert len(set(said.values())) == len(added), said


async def test_each_condition_flips_its_service_alone(world: World, target: Target) -> None:
    good: dict[str, object] = {"status": 200, "body": b'{"n": 1, "text": "fine"}', "headers": (("X-Node", "a"),)}
    conditions = {
        "status": "[STATUS] == 200",
        "header": "[HEADER].x-node == a",
        "text": "[BODY] == pat(*fine*)",
        "json": "[BODY].n == 1",
        "latency": "[RESPONSE_TIME] < 150",
    }
    broken: dict[str, dict[str, object]] = {
        "status": {"status": 201},
        "header": {"headers": (("X-Node", "b"),)},
        "text": {"body": b'{"n": 1, "text": "bad"}'},
        "json": {"body": b'{"n": 2, "text": "fine"}'},
        "latency": {"delay": 0.2},
    }
    target.answer("/", **good)
    services = {name: await world.add(name, conditions=(text,)) for name, text in conditions.items()}
    for service in services.values():
        await world.until(service, "healthy")
    for name, change in broken.items():
        target.answer("/", **{**good, **change})
        found = await world.until(services[name], "down")
        assert conditions[name].split("]")[0] in found.detail
        others = [await world.show(service) for other, service in services.items() if other != name]
        assert {other.status.value for other in others} == {"healthy"}
        target.answer("/", **good)
        await world.until(services[name], "healthy")


async def test_a_warning_that_does_not_hold_makes_it_degraded_and_tells_nobody(world: World, target: Target) -> None:
    service = await world.add("web", warnings=("[BODY] == fine",))
    found = await world.until(service, "degraded")
    assert found.detail == "[BODY] (ok) == fine"
    assert await world.told() == []


async def test_failures_within_the_retries_tell_nobody_and_beyond_them_once_as_of_the_first(
    world: World, target: Target
) -> None:
    service = await world.add("web", retries=2, retry_interval=0.2)
    await world.until(service, "healthy")
    target.answer("/", status=500)
    before = len(target.arrivals)
    await world.until(service, lambda now: len(target.arrivals) == before + 2)
    target.answer("/")
    await world.until(service, lambda now: now.status == "healthy" and now.beats.endswith("h"))
    # Both retries were used up, and no more than they.
    assert [one.status for one in target.arrivals[before:]][:3] == [500, 500, 200]
    assert await world.told() == []
    assert await world.rows("SELECT * FROM incidents") == []
    target.answer("/", status=500)
    await world.until(service, "down")
    assert await world.told() == ["web is down"]
    results = (await world.ask(ListResults(id=service.id, limit=3))).results
    (incident,) = await world.rows("SELECT began_at, ended_at FROM incidents")
    assert incident["began_at"] == results[-1].at
    assert [one.status for one in target.arrivals[-4:]] == [200, 500, 500, 500]
    changes = await world.rows("SELECT status FROM service_changes ORDER BY at")
    assert [row["status"] for row in changes][-2:] == ["healthy", "down"]
    target.answer("/")
    await world.until(service, "healthy")
    assert await world.told() == ["web is down", "web works again"]


async def test_who_hangs_keeps_the_others_not_waiting_and_nobody_is_asked_twice_at_once(
    tmp_path: Path, target: Target
) -> None:
    world = World(tmp_path, target, CLAUDEOPS_PROBES_AT_ONCE="10")
    target.answer("/hang", hang=True)
    for number in range(5):
        await world.add(f"hangs-{number}", "/hang", timeout=3.0)
    for number in range(20):
        await world.add(f"works-{number}", f"/{number}")
    await asyncio.sleep(6)
    await world.close()
    for number in range(20):
        times = [one.at for one in target.to(f"/{number}")]
        assert len(times) >= 4
        assert max(b - a for a, b in pairwise(times)) < 2.0
    assert target.most_open <= 10
    hung = [one.at for one in target.to("/hang")]
    assert len(hung) <= 5 * 3  # each at most once in its timeout


async def test_who_waits_for_a_place_and_is_asked_for_again_and_again_is_probed_once(
    tmp_path: Path, target: Target
) -> None:
    world = World(tmp_path, target, CLAUDEOPS_PROBES_AT_ONCE="2")
    target.answer("/other", hang=True)
    target.answer("/parent", hang=True)
    other = await world.add("other", "/other", timeout=1.0, interval=60.0)
    await world.until(other, "timeout")
    parent = await world.add("parent", "/parent", timeout=1.0, interval=60.0)
    await world.until(parent, "timeout")
    before = len(target.to("/parent"))
    world.services.monitor.now(other.id)  # takes the one place of those that gave no answer
    for _ in range(6):
        await asyncio.sleep(0.12)
        world.services.monitor.now(parent.id)  # as each finding of each service that depends on it does
    await asyncio.sleep(4.0)
    await world.close()
    assert len(target.to("/parent")) == before + 1


async def test_who_waits_for_a_place_and_is_changed_or_paused_waits_no_more(tmp_path: Path, target: Target) -> None:
    world = World(tmp_path, target, CLAUDEOPS_PROBES_AT_ONCE="2")
    target.answer("/", hang=True)
    names = ("holds", "changed", "paused")
    holds, changed, paused = [await world.add(name, timeout=1.0, interval=60.0) for name in names]
    for service in (holds, changed, paused):
        await world.until(service, "timeout")
    for service in (holds, changed, paused):
        world.services.monitor.now(service.id)
        await asyncio.sleep(0.12)
    before = len(target.arrivals)
    wanted = Definition(name="changed", url=target.url("/works"), interval=60.0)
    await world.ask(ChangeService(id=changed.id, version=1, definition=wanted))
    await world.ask(PauseServices(ids=[paused.id], paused=True))
    await world.until(changed, "healthy")
    await asyncio.sleep(2.5)
    await world.close()
    assert [one.path for one in target.arrivals[before:]] == ["/works"]


async def test_first_probes_after_a_start_are_spread_over_the_interval(world: World, target: Target) -> None:
    for number in range(50):
        await world.add(f"s{number}", "/spread", interval=4.0, paused=True)
    await world.ask(PauseServices(ids=list(range(1, 51)), paused=False))
    await asyncio.sleep(0.5)
    await world.again()
    begin = time.monotonic()
    target.arrivals.clear()
    await asyncio.sleep(4.3)
    times = [one.at - begin for one in target.to("/spread")]
    assert len(times) >= 50
    for second in range(4):
        assert sum(second <= at < second + 1 for at in times) <= 50 * 0.4


async def test_a_finding_of_the_old_address_is_not_the_new_ones(world: World, target: Target) -> None:
    target.answer("/old", delay=0.4, status=500)
    service = await world.add("web", "/old", timeout=2.0)
    while not target.to("/old"):
        await asyncio.sleep(0.01)
    reply: ServiceReply = await world.ask(ShowService(id=service.id))
    wanted = Definition(name="web", url=target.url("/new"), interval=60.0)
    await world.ask(ChangeService(id=service.id, version=reply.service.version, definition=wanted))
    found = await world.until(service, "healthy")
    await asyncio.sleep(0.6)
    assert [one.status for one in (await world.ask(ListResults(id=service.id))).results] == [ServiceStatus.HEALTHY]
    assert (await world.show(found)).status == "healthy"
    assert await world.told() == []


async def test_what_is_paused_is_not_asked_and_its_incident_ends_by_the_persons_hand(
    world: World, target: Target
) -> None:
    target.answer("/", status=500)
    service = await world.add("web")
    await world.until(service, "down")
    await world.ask(PauseServices(ids=[service.id, 77], paused=True, by="ada"))
    assert (await world.show(service)).status == "paused"
    target.arrivals.clear()
    begin = int(time.time() * 1000)
    await asyncio.sleep(1.5)
    assert target.arrivals == []
    end = int(time.time() * 1000)
    changes = await world.place.store.read(lambda db: rollups.changes_between(db, service.id, 0, end))
    # The failure before counts, the pause neither for it nor against it.
    assert uptime.spent(changes, 0, begin).failed > 0
    assert uptime.spent(changes, begin, end) == Spent(0, 0)
    (incident,) = await world.rows("SELECT ended_by FROM incidents")
    assert incident["ended_by"] == "ada"
    await world.ask(PauseServices(ids=[service.id], paused=False))
    await world.until(service, "down")


async def test_two_that_depend_on_one_another_tell_once(world: World, target: Target) -> None:
    parent = await world.add("db", "/db")
    child = await world.add("web", "/web", needs=("db",))
    await world.until(parent, "healthy")
    await world.until(child, "healthy")
    target.answer("/db", status=500)
    target.answer("/web", status=500)
    assert (await world.until(child, "blocked")).detail == "blocked by db: [STATUS] (500) < 400"
    await world.until(parent, "down")
    await asyncio.sleep(1.2)
    assert await world.told() == ["db is down"]
    target.answer("/db")
    await world.until(child, "down")
    assert await world.told() == ["db is down", "db works again", "web is down"]


async def test_one_that_depends_on_what_can_not_be_asked_is_judged_all_the_same(world: World, target: Target) -> None:
    job = await world.add("job", url="heartbeat:", interval=600.0)
    late = await world.add("late", "/late", interval=3600.0)
    children = [await world.add(f"of-{one}", f"/{one}", needs=(one,)) for one in ("job", "late")]
    for service in (late, *children):
        await world.until(service, "healthy")
    assert (await world.show(job)).status == "unknown"
    # A parent that is never asked, for its variables are not there any more, say.
    world.services.monitor.drop(late.id)
    for one in ("job", "late"):
        target.answer(f"/{one}", status=500)
    await world.until(children[0], "down")
    found = await world.until(children[1], "pending")
    await world.place.script(
        f"UPDATE service_states SET failing_since = failing_since - {UNSURE_MS} WHERE service_id = {found.id};"
        f"UPDATE service_states SET checked_at = checked_at - 2 * {UNSURE_MS} WHERE service_id = {late.id}"
    )
    await world.until(found, "down")
    assert await world.told() == ["of-job is down", "of-late is down"]


async def test_what_comes_back_a_moment_after_what_it_depends_on_is_told_of_by_nobody(
    world: World, target: Target
) -> None:
    parent = await world.add("db", "/db")
    child = await world.add("web", "/web", needs=("db",), retries=2, retry_interval=0.5)
    await world.until(parent, "healthy")
    await world.until(child, "healthy")
    for path in ("/db", "/web"):
        target.answer(path, status=500)
    await world.until(child, lambda now: now.beats.endswith("bbb"))
    target.answer("/db")
    await world.until(child, "pending")  # asked at once, and too early
    target.answer("/web")
    await world.until(child, "healthy")
    assert await world.told() == ["db is down", "db works again"]
    # While it was blocked counts neither for it nor against it.
    changes = await world.place.store.read(lambda db: rollups.changes_between(db, child.id, 0, 2**45))
    assert uptime.spent(changes, 0, int(time.time() * 1000)).failed == 0


async def test_what_comes_and_goes_is_told_so_once(world: World, target: Target) -> None:
    service = await world.add("web", interval=1.0)
    for _ in range(6):
        for status, wanted in ((500, "down"), (200, "healthy")):
            target.answer("/", status=status)
            world.services.monitor.now(service.id)
            await world.until(service, wanted)
    told = await world.told()
    assert told.count("web comes and goes") == 1
    # Twelve changes: the first few are told one by one, then that, and from then on none is.
    assert told.index("web comes and goes") == len(told) - 1 <= 7
    assert (await world.show(service)).flapping


async def test_time_in_which_nobody_looked_is_shown_as_unknown_and_raises_nothing(world: World, target: Target) -> None:
    service = await world.add("web")
    await world.until(service, "healthy")
    await world.place.script(
        "UPDATE results SET at = at - 3600000; UPDATE service_changes SET at = at - 3600000;"
        "UPDATE service_states SET checked_at = checked_at - 3600000"
    )
    await world.again()
    await world.until(service, lambda now: (now.last_checked_at or "") > "" and len(now.beats) > 1)
    changes = [row["status"] for row in await world.rows("SELECT status FROM service_changes ORDER BY at")]
    assert changes[-3:] == ["healthy", "unknown", "healthy"]
    assert await world.told() == []


async def test_a_test_shows_every_phase_and_condition_and_stores_nothing(world: World, target: Target) -> None:
    target.answer("/", status=503, body=b"x" * 10_000)
    definition = Definition(name="new", url=target.url(), conditions=("[STATUS] == 200", "[BODY] == pat(x*)"))
    reply: TriedReply = await world.ask(TryService(definition=definition))
    assert reply.status == "down"
    assert [(one.shown, one.holds) for one in reply.conditions] == [
        ("[STATUS] (503) == 200", False),
        ("[BODY] == pat(x*)", True),
    ]
    assert list(reply.facts.phases) == ["connect", "wait", "transfer"]
    assert len(reply.facts.body) == 4096
    assert await world.rows("SELECT * FROM services") == []
    assert await world.rows("SELECT * FROM results") == []


async def test_an_address_that_gives_credentials_away_is_not_asked_even_after_a_redirect(
    world: World, target: Target
) -> None:
    target.answer("/", status=302, headers=(("Location", "http://169.254.169.254/latest/meta-data/"),))
    found = await world.until(await world.add("web"), "down")
    assert (found.cause, "link-local" in found.detail) == ("denied", True)


@pytest.mark.parametrize(("setting", "denied"), [("false", True), ("true", False)])
async def test_a_link_local_address_is_asked_only_where_a_setting_allows_it(
    tmp_path: Path, target: Target, setting: str, denied: bool
) -> None:
    world = World(tmp_path, target, CLAUDEOPS_PROBE_LINK_LOCAL=setting)
    try:
        definition = Definition(name="new", url="tcp://169.254.10.10:9", timeout=0.3)
        found = await world.ask(TryService(definition=definition, by="ada"))
        assert (found.facts.cause is Cause.DENIED) == denied, found.detail
    finally:
        await world.close()


async def test_removing_takes_everything_and_a_change_of_what_is_gone_says_so(world: World, target: Target) -> None:
    service = await world.add("web")
    await world.until(service, "healthy")
    target.answer("/", status=500)
    await world.until(service, "down")
    other = await world.add("other", "/other", needs=("web",))
    await rollups.roll(world.place.store, int(time.time() * 1000) + rollups.HOUR)
    history = [
        row["name"]
        for row in await world.rows(
            "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'service_id'"
            " WHERE m.type = 'table'"
        )
    ]
    assert {"results", "rollups", "service_changes", "incidents"} <= set(history)
    for table in ("results", "rollups", "service_changes", "incidents"):
        assert await world.rows(f"SELECT * FROM {table} WHERE service_id = {service.id}"), table
    reply = await world.ask(RemoveServices(ids=[service.id, 99], by="ada"))
    assert reply.done == [service.id]
    assert "no service 99" in reply.failed["99"]
    for table in history:
        assert await world.rows(f"SELECT * FROM {table} WHERE service_id = {service.id}") == [], table
    assert [row["id"] for row in await world.rows("SELECT id FROM services")] == [other.id]
    assert await world.rows("SELECT * FROM service_needs") == []
    with pytest.raises(CallError) as raised:
        await world.ask(ChangeService(id=service.id, version=1, definition=Definition(name="web", url="tcp://a:1")))
    assert raised.value.code is Code.NOT_FOUND


async def test_an_answer_that_can_not_be_judged_stops_nobody_else(
    world: World, target: Target, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    through = verdict

    def faulty(facts: Facts, conditions: Sequence[str], warnings: Sequence[str]) -> Verdict:
        if "[BODY] == odd" in conditions:
            raise RecursionError("of ours")
        return through(facts, conditions, warnings)

    monkeypatch.setattr(monitor, "verdict", faulty)
    odd = await world.until(await world.add("odd", conditions=("[BODY] == odd",)), "down")
    assert odd.detail == "its conditions could not be judged, as the daemon's log tells: RecursionError"
    assert "RecursionError: of ours" in capsys.readouterr().err
    await world.until(await world.add("web"), "healthy")
