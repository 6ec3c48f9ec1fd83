"""From an incident to its session: queued with the finding, once, with what is known; called off in time."""

from pathlib import Path
from typing import Any

import pytest

from daemon.services import timeline
from daemon.services.timeline import CLAIM_MAX
from ipc.errors import CallError
from ipc.messages.incidents import NoteIncident
from ipc.messages.services import ExportServices, ImportServices, PauseServices, RemoveServices
from schema import timestamps
from schema.database import Database
from schema.monitored import Monitored
from schema.sessions import Session, from_row
from tests.fakes.target import Target
from tests.integration.services.world import World


async def triggers(world: World) -> list[dict[str, Any]]:
    return await world.rows("SELECT * FROM triggers ORDER BY id")


async def lines(world: World, kind: str = "") -> list[str]:
    found = await world.rows("SELECT kind, text FROM incident_entries ORDER BY id")
    return [row["text"] for row in found if not kind or row["kind"] == kind]


async def begin(world: World, incident: int = 1, **columns: Any) -> Session:
    """A session that works on an incident, as the queue starts it."""
    session = await world.place.session(**columns)
    (trigger,) = await world.rows(f"SELECT trigger_id FROM incidents WHERE id = {incident}")

    def start(db: Database) -> Session:
        db.change("triggers.started", id=trigger["trigger_id"], session_id=session.id, now="2026")
        timeline.works(db, session.id, incident, session.tier)
        return from_row(db.one("sessions.by_id", id=session.id) or {})

    return await world.place.store.write(start)


async def end(world: World, session: Session, response: str = "", **columns: Any) -> None:
    values = {"status": "completed", "ended_at": "2026-01-31T08:10:00.000Z", "response": response, **columns}
    text = ", ".join(f"{name} = '{value}'" for name, value in values.items())
    await world.place.script(f"UPDATE sessions SET {text} WHERE id = {session.id}")
    await world.place.store.write(
        lambda db: timeline.ended(db, from_row(db.one("sessions.by_id", id=session.id) or {}))
    )


async def look(world: World, service: Monitored) -> Monitored:
    """Has it probed once more."""
    before = (await world.show(service)).last_checked_at
    world.services.monitor.now(service.id)
    return await world.until(service, lambda now: now.last_checked_at != before)


async def breaks(world: World, target: Target, name: str = "web", **more: Any) -> Monitored:
    target.answer("/", status=503)
    service = await world.add(name, **{"session_tier": 2, "timeout": 5.0, **more})
    return await world.until(service, "down")


async def test_an_incident_puts_its_session_into_the_queue_with_all_that_is_known(world: World, target: Target) -> None:
    await world.add("db", "/db", timeout=5.0)
    url = target.url("/").replace("http://", "http://ada:s3cr3t-word@")
    web = await breaks(world, target, url=url, needs=("db",), tags=("prod",), description="the shop\nof all")
    await world.add("shop", "/shop", needs=("web",))
    (trigger,) = await triggers(world)
    wanted = {"kind": "service", "status": "waiting", "tier": 2, "key": "service:2:incident:1", "requested_by": None}
    assert wanted.items() <= trigger.items()
    prompt = trigger["prompt"]
    assert "s3cr3t-word" not in prompt
    for told in ("| service: web", "| url: http://ada:***@127.0.0.1", "| description: the shop of all", "| tags: prod",
                 "| what does not hold: [STATUS] (503) < 400", "| failures in a row: ", "| depends on: db (",
                 " down ", "[STATUS] (503) < 400"):  # fmt: skip
        assert told in prompt
    (incident,) = await world.rows("SELECT * FROM incidents")
    assert (incident["trigger_id"], incident["ended_at"]) == (trigger["id"], None)
    assert await lines(world, "session") == [f"a session of tier 2 is asked for (trigger {trigger['id']})"]
    # It fails on, and nothing more is asked for.
    target.answer("/", status=500)
    await world.until(web, lambda now: "500" in now.detail)
    assert len(await triggers(world)) == 1


async def test_what_its_rule_asks_for_and_takes_back_is_in_the_audit_log_with_the_rule(
    tmp_path: Path, target: Target
) -> None:
    world = World(tmp_path, target, CLAUDEOPS_SERVICE_RULES="prod=tier:1")
    try:
        web = await breaks(world, target, session_tier=None, tags=("prod",))
        target.answer("/")
        await world.until(web, "healthy")
        found = await world.rows(
            "SELECT actor, subject, rule, detail FROM audit WHERE action LIKE 'trigger.%' ORDER BY id"
        )
        assert [tuple(row.values()) for row in found] == [
            ("rules", "web", "CLAUDEOPS_SERVICE_RULES prod", "trigger 1, service, tier 1"),
            ("rules", "web", None, "trigger 1, service, tier 1, the service works again"),
        ]
    finally:
        await world.close()


async def test_nothing_starts_without_a_rule_and_what_a_tag_or_the_settings_say_counts(
    tmp_path: Path, target: Target
) -> None:
    world = World(tmp_path, target, CLAUDEOPS_SERVICE_RULES="prod=tier:1, lab=tier:0", CLAUDEOPS_INCIDENT_TIER="3",
                  CLAUDEOPS_MAX_TIER="2")  # fmt: skip
    try:
        target.answer("/", status=500)
        for tags in (("prod",), ("lab",), ()):
            await world.until(await world.add("of" + "".join(tags), tags=tags), "down")
        assert [row["tier"] for row in await triggers(world)] == [1, 2]
    finally:
        await world.close()


async def test_it_takes_as_many_failures_in_a_row_as_the_rule_says(world: World, target: Target) -> None:
    web = await breaks(world, target, session_after=3)
    assert await triggers(world) == []
    for _ in range(2):
        await look(world, web)
    (trigger,) = await triggers(world)
    assert "| failures in a row: 3" in trigger["prompt"]
    found = await world.rows(f"SELECT count(*) AS n FROM results WHERE at <= {timestamps.ms(trigger['created_at'])}")
    assert found[0]["n"] == 3


async def test_what_heals_in_time_calls_its_session_off(world: World, target: Target) -> None:
    web = await breaks(world, target)
    target.answer("/")
    await world.until(web, "healthy")
    (trigger,) = await triggers(world)
    assert (trigger["status"], trigger["reason"]) == ("cancelled", "the service works again")
    assert await lines(world) == [
        "[STATUS] (503) < 400", "people were told", "a session of tier 2 is asked for (trigger 1)",
        "its session need not start: the service works again", "a probe found it working again",
    ]  # fmt: skip


@pytest.mark.parametrize("request_", [PauseServices(ids=[1], by="ada"), RemoveServices(ids=[1], by="ada")])
async def test_what_nobody_looks_at_any_more_needs_no_session(
    world: World, target: Target, request_: PauseServices | RemoveServices
) -> None:
    await breaks(world, target)
    await world.ask(request_)
    (trigger,) = await triggers(world)
    assert trigger["status"] == "cancelled"


async def test_what_a_session_claims_ends_nothing_and_a_healthy_probe_does(world: World, target: Target) -> None:
    web = await breaks(world, target)
    session = await begin(world, tier=2)
    assert session.incident_id == 1
    await end(world, session, "I have fixed it; web is healthy. " + "x" * 2000)
    await look(world, web)
    found = await world.show(web)
    assert (found.status, found.incident_id) == ("down", 1)
    told = await lines(world, "session")
    assert told[1:] == [
        "a session of tier 2 has started",
        ("its session of tier 2 has ended; it claims: I have fixed it; web is healthy. " + "x" * 2000)[
            : len("its session of tier 2 has ended; it claims: ") + CLAIM_MAX
        ]
        + "…",
    ]
    target.answer("/")
    await world.until(web, "healthy")
    (incident,) = await world.rows("SELECT ended_at, ended_by FROM incidents")
    assert incident["ended_by"] == "probe"


async def test_the_next_incident_waits_for_the_session_of_the_one_before_and_for_its_cooldown(
    world: World, target: Target
) -> None:
    web = await breaks(world, target, session_cooldown=3600.0)
    session = await begin(world, tier=2)

    async def again(incidents: int) -> None:
        target.answer("/")
        world.services.monitor.now(web.id)
        await world.until(web, "healthy")
        target.answer("/", status=503)
        world.services.monitor.now(web.id)
        await world.until(web, "down")
        assert len(await world.rows("SELECT id FROM incidents")) == incidents
        await look(world, web)

    await again(2)
    assert len(await triggers(world)) == 1  # one works still
    await end(world, session, ended_at="2999-01-01T00:00:00.000Z")
    await again(3)
    assert len(await triggers(world)) == 1  # its cooldown is not over
    await world.place.script("UPDATE sessions SET ended_at = '2026-01-01T00:00:00.000Z'")
    await look(world, web)
    assert [row["key"] for row in await triggers(world)] == ["service:2:incident:1", "service:2:incident:3"]


async def test_a_session_whose_chain_goes_on_works_still(world: World, target: Target) -> None:
    web = await breaks(world, target, session_cooldown=0.0)
    session = await begin(world, tier=2)
    await end(world, session, status="escalated")
    await world.place.script(
        "INSERT INTO triggers (kind, status, tier, priority, created_at, updated_at, parent_session_id)"
        f" VALUES ('escalation', 'waiting', 3, 2, '2026', '2026', {session.id})"
    )
    for status, wanted in ((200, "healthy"), (503, "down")):
        target.answer("/", status=status)
        world.services.monitor.now(web.id)
        await world.until(web, wanted)
    assert [row["kind"] for row in await triggers(world)] == ["service", "escalation"]


async def test_what_sessions_do_to_it_stands_on_its_timeline(world: World, target: Target) -> None:
    await breaks(world, target)
    session = await begin(world, tier=2)
    other = await world.place.session(tier=1)

    def act(db: Database) -> None:
        timeline.acted(db, session.id, "web", "restart")
        timeline.acted(db, session.id, "db", "restart")
        timeline.acted(db, other.id, "web", "redeployment", seen=False)
        timeline.acted(db, other.id, "db", "restart")

    await world.place.store.write(act)
    assert await lines(world, "action") == [
        "restart of web",
        "restart of db",
        "redeployment of web, by the session's word; no call was seen",
    ]


async def test_notes_of_people_reach_a_session_that_starts_later(world: World, target: Target) -> None:
    web = await breaks(world, target, session_after=2)
    await world.ask(NoteIncident(id=1, text="the disk of web-1 is full", by="ada"))
    await look(world, web)
    (trigger,) = await triggers(world)
    assert "ada: the disk of web-1 is full" in trigger["prompt"]


async def test_a_rule_that_can_not_be_so_is_refused_by_its_field(world: World) -> None:
    with pytest.raises(CallError) as raised:
        await world.add("web", session_tier=4, session_after=0, session_cooldown=-1.0, remind=10.0**9,
                        notify=("a b",), notify_from="info")  # fmt: skip
    fields = raised.value.data["fields"]
    assert set(fields) == {"session_tier", "session_after", "session_cooldown", "remind", "notify", "notify_from"}


async def test_what_is_taken_out_of_the_queue_is_told_on_the_timeline(world: World, target: Target) -> None:
    await breaks(world, target)
    await world.place.store.write(lambda db: timeline.turned_down(db, 1, "cancelled by ada"))
    await world.place.store.write(lambda db: timeline.turned_down(db, 99, "of nobody's"))
    assert (await lines(world, "session"))[1:] == ["its session does not start: cancelled by ada"]


async def test_rules_come_from_a_file_and_go_back_to_one(world: World) -> None:
    text = (
        "services:\n- name: web\n  url: http://web/\n  session_tier: 2\n  session_after: 3\n  session_cooldown: 2h\n"
        "  remind: 30m\n  notify: [slack]\n  notify_from: warning\n"
    )
    await world.ask(ImportServices(text=text, by="ada"))
    exported = (await world.ask(ExportServices())).text
    for line in ("session_tier: 2", "session_after: 3", "session_cooldown: 7200.0", "remind: 1800.0"):
        assert line in exported
    again = await world.ask(ImportServices(text=exported, by="ada"))
    assert (again.added, again.changed, again.unchanged) == ([], [], 1)
    wrong = await world.ask(ImportServices(text=text.replace("session_tier: 2", "session_tier: 7"), by="ada"))
    assert [(one.line, one.message) for one in wrong.errors] == [(4, "session_tier: 1, 2 or 3; 0 starts no session")]
