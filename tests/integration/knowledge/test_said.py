"""What a session says reaches the database once: whatever is repeated, stored again, or killed."""

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from daemon.approvals.approvals import Approvals
from daemon.runs.files import EXIT
from daemon.runs.run import Run
from daemon.sessions import said
from daemon.sessions.follow import Follower
from daemon.sessions.markers import SaidCheck, SaidCooldown, SaidEvent, SaidMemory, Saying, Spoken
from ipc.messages.knowledge import EventSaid, KnowledgeChanged
from schema.knowledge import Level
from schema.sessions import Session
from tests.integration.knowledge.place import Place

ROOT = Path(__file__).parents[3]
AT = "2026-01-31T08:05:00.000Z"
EVENT = SaidEvent(Level.CRITICAL, "web", "is down")
SLOW = SaidMemory("timing", "web", "slow after a deploy")
QUICK = SaidMemory("timing", "web", "quick since v2")


async def say(place: Place, session: Session, *words: Saying, at: str = AT, needed: int = 2) -> said.Told:
    spoken = [Spoken(at, each) for each in words]
    return await place.store.write(lambda db: said.store(db, session, spoken, needed))


def line(text: str, number: int = 0) -> bytes:
    event = {"type": "assistant", "message": {"id": f"m{number}", "content": [{"type": "text", "text": text}]}}
    return b"2026-01-31T08:05:00.000000000Z\t" + json.dumps(event).encode() + b"\n"


def result(output: dict[str, Any] | None = None, **more: Any) -> bytes:
    event = {"type": "result", "subtype": "success", "is_error": False, "result": "x", "total_cost_usd": 0.5,
             "num_turns": 3, "duration_ms": 1000, "structured_output": output, **more}  # fmt: skip
    return b"2026-01-31T08:06:00.000000000Z\t" + json.dumps(event).encode() + b"\n"


def follower(place: Place, session: Session, log: bytes) -> Follower:
    run_dir = place.directory / "run"
    run_dir.mkdir(exist_ok=True)
    (run_dir / EXIT).write_text("{}")
    Path(session.log_file or "").write_bytes(log)
    run = Run(run_dir, session.log_file or "", pidfd=None)
    waiting = Approvals(place.store, place.settings(), place.heard)
    return Follower(place.store, place.heard, session, run, waiting)


# Once


async def test_words_and_the_structured_output_count_once_together(place: Place) -> None:
    session = await place.session()
    output = {
        "summary": "web is down",
        "events": [
            {"level": "critical", "service": "web", "message": "is  Down"},
            {"level": "warning", "service": "db", "message": "is slow"},
        ],
        "memories": [{"key": "web:timing", "value": "slow after a deploy"}, {"key": "timing", "value": "late backups"}],
        "services_checked": [{"name": "web", "status": "down", "detail": "502"}],
    }
    text = "[EVENT:error:web] is down\n[EVENT:error:web] is down\n[MEMORY:timing:web] slow after a deploy"
    await follower(place, session, line(text) + result(output)).follow()
    events = await place.rows("SELECT level, service, message, session_id, created_at FROM events ORDER BY id")
    assert events == [
        {"level": "critical", "service": "web", "message": "is down", "session_id": session.id, "created_at": AT},
        {"level": "warning", "service": "db", "message": "is slow", "session_id": session.id,
         "created_at": "2026-01-31T08:06:00.000Z"},
    ]  # fmt: skip
    memories = await place.rows("SELECT service, observation, confidence, session_id FROM memories ORDER BY id")
    assert [(row["service"], row["observation"], row["confidence"]) for row in memories] == [
        ("web", "slow after a deploy", 0.7),
        (None, "late backups", 0.7),
    ]
    checks = await place.rows("SELECT service, status, error_detail, tier FROM health_checks")
    assert checks == [{"service": "web", "status": "down", "error_detail": "502", "tier": 1}]
    told = place.heard.events
    assert len([event for event in told if isinstance(event, EventSaid)]) == 2
    changed = [event.what for event in told if isinstance(event, KnowledgeChanged)]
    assert set(changed) == {"memories", "health"}


async def test_a_memory_in_other_words_is_reinforced_once_by_each_session_that_says_it(place: Place) -> None:
    words = ("web is slow after a deploy", "The web is slow after deploys.", "After a deploy, web is slow")
    for number, others in ((1, words[:2]), (2, words[1:]), (3, (words[2], words[0], words[1]))):
        session = await place.session()
        await say(place, session, *(SaidMemory("timing", "web", text) for text in others))
        rows = await place.rows("SELECT observation, round(confidence, 2) AS sure FROM memories")
        assert rows == [{"observation": words[0], "sure": round(0.6 + number / 10, 2)}]
    await say(place, await place.session(), SaidMemory("timing", "web", "web is not slow after a deploy"))
    rows = await place.rows("SELECT round(confidence, 2) AS sure FROM memories ORDER BY id")
    assert [row["sure"] for row in rows] == [0.7, 0.7]


async def test_what_is_said_counts_at_once_and_not_at_the_end(place: Place) -> None:
    session = await place.session()
    reading = follower(place, session, b"")
    (place.directory / "run" / EXIT).unlink()
    task = asyncio.create_task(reading.follow())
    with Path(session.log_file or "").open("ab") as log:
        log.write(line("[EVENT:info:web] it begins"))
    async with asyncio.timeout(10):
        while not any(isinstance(event, EventSaid) for event in place.heard.events):
            await asyncio.sleep(0.01)
    assert not task.done()
    (place.directory / "run" / EXIT).write_text("{}")
    await task


async def test_the_same_chunk_stored_twice_counts_once(place: Place) -> None:
    session = await place.session()
    log = line("[EVENT:info:web] up\n[MEMORY:timing:web] slow\n[COOLDOWN:restart:web] success - up") + result()
    await follower(place, session, log).follow()
    again = follower(place, session, log)
    assert again.offset == 0
    await again.follow()
    assert [await place.rows(f"SELECT count(*) AS n FROM {table}") for table in ("events", "cooldown_actions")] == [
        [{"n": 1}],
        [{"n": 1}],
    ]
    assert await place.rows("SELECT confidence FROM memories") == [{"confidence": 0.7}]
    assert await place.rows("SELECT lines, cost_usd FROM sessions") == [{"lines": 2, "cost_usd": 0.5}]


async def test_a_transaction_that_fails_leaves_nothing_and_the_next_try_all(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = await place.session()
    reading = follower(place, session, line("[EVENT:info:web] up"))
    await place.script("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no room'); END")
    monkeypatch.setattr("daemon.sessions.follow.RETRY_SECONDS", 0.05)
    task = asyncio.create_task(reading.follow())
    await asyncio.sleep(0.2)
    assert await place.rows("SELECT log_offset FROM sessions") == [{"log_offset": 0}]
    assert await place.rows("SELECT * FROM said") == []
    await place.script("DROP TRIGGER full")
    await task
    assert len(await place.rows("SELECT * FROM events")) == 1
    assert "can't store its progress yet" in capsys.readouterr().err


async def test_a_reader_that_is_killed_again_and_again_stores_each_thing_once(place: Place) -> None:
    session = await place.session()
    texts = [
        f"[EVENT:info:web] number {n}\n[MEMORY:timing:web{n % 50}] fact {n % 100}\n[EVENT:info:web] number {n // 2}"
        for n in range(450)
    ]
    texts += [f"[COOLDOWN:restart:web{n}] success - up" for n in range(20)]
    output = {"services_checked": [{"name": f"web{n}", "status": "healthy"} for n in range(50)]}
    log = b"".join(line(text + "\n" + "x" * 300, n) for n, text in enumerate(texts)) + result(output)
    follower(place, session, log)
    argv = [sys.executable, "-m", "tests.integration.knowledge.listening"]
    argv += [str(place.store.path), str(session.id), str(place.directory / "run")]
    environ = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "HOME": str(place.directory)}
    chance = random.Random(3)
    kills, midway = 0, set()
    for _ in range(200):
        process = await asyncio.create_subprocess_exec(*argv, env=environ, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"reading\n"
        try:
            await asyncio.wait_for(process.wait(), chance.uniform(0.02, 0.1) if kills < 8 else 60)
        except TimeoutError:
            process.kill()
            await process.wait()
            kills += 1
            midway.add((await place.rows("SELECT log_offset FROM sessions"))[0]["log_offset"])
            continue
        assert process.returncode == 0
        break
    assert kills >= 4
    assert len(midway - {0, len(log)}) >= 3, "no kill came between two transactions"
    assert await place.rows("SELECT lines, log_offset FROM sessions") == [
        {"lines": len(texts) + 1, "log_offset": len(log)}
    ]
    messages = [row["message"] for row in await place.rows("SELECT message FROM events ORDER BY id")]
    assert messages == [f"number {n}" for n in range(450)]
    memories = await place.rows("SELECT confidence FROM memories")
    assert [row["confidence"] for row in memories] == [0.7] * 100
    assert len(await place.rows("SELECT * FROM cooldown_actions")) == 20
    streaks = await place.rows("SELECT consecutive_healthy FROM service_health_streak")
    assert [row["consecutive_healthy"] for row in streaks] == [1] * 50


# Bounds


async def test_a_session_that_says_too_much_is_not_listened_to_any_more(place: Place) -> None:
    session = await place.session()
    first = await say(place, session, *(SaidEvent(Level.INFO, "web", f"event {n}") for n in range(600)))
    assert len(first.events) == 501
    assert first.events[-1].message.startswith("It says more than 500 events")
    memories = await say(place, session, *(SaidMemory("timing", f"s{n}", "x") for n in range(250)))
    assert [event.message[:30] for event in memories.events] == ["It says more than 200 memories"]
    assert (await say(place, session, SaidEvent(Level.INFO, "web", "one more"))).events == []
    assert len(await place.rows("SELECT * FROM memories")) == 200
    other = await place.session(tier=2)
    assert len((await say(place, other, SaidEvent(Level.INFO, "web", "event 1"))).events) == 1


async def test_what_sessions_said_is_forgotten_once_they_are_over(place: Place) -> None:
    old, waiting, running = await place.session(), await place.session(2, "awaiting_approval"), await place.session(3)
    for session in (old, waiting, running):
        await say(place, session, EVENT)
    await place.script(f"UPDATE sessions SET status = 'completed' WHERE id = {old.id}")
    await said.keep_house(place.store)
    assert [row["session_id"] for row in await place.rows("SELECT session_id FROM said ORDER BY 1")] == [
        waiting.id,
        running.id,
    ]
    await place.script("UPDATE sessions SET status = 'completed'")
    await said.keep_house(place.store)
    assert await place.rows("SELECT * FROM said") == []


# Memories


async def test_another_session_reinforces_contradicts_and_passes_inactive_ones_over(place: Place) -> None:
    async def known() -> list[tuple[str, float, int]]:
        rows = await place.rows("SELECT observation, confidence, active FROM memories ORDER BY id")
        return [(row["observation"], row["confidence"], row["active"]) for row in rows]

    first = await place.session()
    await say(place, first, SLOW, SLOW)
    assert await known() == [(SLOW.observation, 0.7, 1)]
    second = await place.session()
    await say(place, second, SLOW, at="2026-02-01T08:00:00.000Z")
    assert await known() == [(SLOW.observation, 0.8, 1)]
    third = await place.session()
    await say(place, third, QUICK)
    assert await known() == [(SLOW.observation, 0.6, 1), (QUICK.observation, 0.7, 1)]
    for other in ("slow on Mondays", "slow at night"):
        await say(place, await place.session(), SaidMemory("timing", "web", other))
    assert (await known())[0] == (SLOW.observation, 0.2, 0)
    await say(place, await place.session(), SLOW)
    assert (await known())[0] == (SLOW.observation, 0.2, 0)
    assert (await known())[-1] == (SLOW.observation, 0.7, 1)


async def test_what_one_session_says_does_not_contradict_itself(place: Place) -> None:
    session = await place.session()
    await say(place, session, SLOW)
    await say(place, session, QUICK, SaidMemory("dependency", "web", "needs db"))
    assert [row["confidence"] for row in await place.rows("SELECT confidence FROM memories")] == [0.7] * 3


# Cooldowns and health


async def counted(place: Place) -> list[dict[str, Any]]:
    return await place.rows("SELECT tool_use_id, success, error, told FROM cooldown_actions ORDER BY id")


@pytest.mark.parametrize("name", ["web", "shop-web-1"])
async def test_a_mark_tells_how_a_counted_action_went_and_is_not_one_more(place: Place, name: str) -> None:
    session = await place.session(tier=2)
    await place.script(
        "INSERT INTO cooldown_actions (service, action_type, timestamp, success, tier, session_id, tool_use_id)"
        f" VALUES ('web', 'restart', '{AT}', 1, 2, {session.id}, 'toolu_1')"
    )
    failed = SaidCooldown("restart", name, False, "no such container")
    await say(place, session, failed, failed)
    assert await counted(place) == [{"tool_use_id": "toolu_1", "success": 0, "error": "no such container", "told": 1}]


async def test_an_action_that_no_call_was_counted_for_counts_by_its_mark(place: Place) -> None:
    session = await place.session(tier=2)
    told = await say(
        place, session, SaidCooldown("restart", "web", True, "up"), SaidCooldown("restart", "web", True, "UP")
    )
    assert told.changed == ["cooldowns"]
    assert await counted(place) == [{"tool_use_id": None, "success": 1, "error": None, "told": 1}]


async def test_an_action_that_was_refused_did_not_run_and_does_not_count(place: Place) -> None:
    session = await place.session(tier=2)
    found = json.dumps([{"kind": "restart", "text": "docker restart web", "target": "web"}])
    await place.script(
        "INSERT INTO calls"
        " (session_id, run_id, tool_use_id, tool, input, input_hash, decision, rule, reason, found, asked_at)"
        f" VALUES ({session.id}, 'run', 't', 'Bash', '{{}}', 'h', 'deny', 'cooldown', 'r', '{found}', '{AT}')"
    )
    told = await say(place, session, SaidCooldown("restart", "web", False, "refused by the daemon"))
    assert (told.changed, await counted(place)) == ([], [])
    await say(place, session, SaidCooldown("restart", "db", False, "no such container"))
    assert len(await counted(place)) == 1


async def checked(place: Place, status: str, at: str, *, dry_run: bool = False) -> dict[str, Any]:
    session = await place.session(dry_run=int(dry_run))
    await say(place, session, SaidCheck("web", status, None), at=at)
    (row,) = await place.rows("SELECT consecutive_healthy, status, cleared_at FROM service_health_streak")
    return row


async def test_a_service_that_stays_healthy_after_its_last_action_is_cleared(place: Place) -> None:
    for hour in (1, 2, 3):
        assert (await checked(place, "healthy", f"2026-01-31T0{hour}:00:00.000Z"))["consecutive_healthy"] == hour
    session = await place.session(tier=2)
    await say(place, session, SaidCooldown("restart", "web", True, "up"), at="2026-01-31T04:00:00.000Z")
    # Healthy for long before, but only once since.
    assert (await checked(place, "healthy", "2026-01-31T05:00:00.000Z"))["cleared_at"] is None
    assert (await checked(place, "healthy", "2026-01-31T06:00:00.000Z"))["cleared_at"] == "2026-01-31T06:00:00.000Z"
    # With nothing left to clear, it stays as it is.
    assert (await checked(place, "healthy", "2026-01-31T07:00:00.000Z"))["cleared_at"] == "2026-01-31T06:00:00.000Z"


async def test_a_bad_check_and_a_dry_run_clear_nothing(place: Place) -> None:
    session = await place.session(tier=2)
    await say(place, session, SaidCooldown("restart", "web", True, "up"), at="2026-01-31T00:30:00.000Z")
    steps = [("healthy", False, 1), ("healthy", True, 1), ("degraded", False, 0), ("healthy", False, 1),
             ("healthy", True, 1), ("down", True, 0), ("healthy", False, 1)]  # fmt: skip
    for hour, (status, dry_run, streak) in enumerate(steps, 1):
        row = await checked(place, status, f"2026-01-31T0{hour}:00:00.000Z", dry_run=dry_run)
        assert (row["consecutive_healthy"], row["status"], row["cleared_at"]) == (streak, status, None)


# Rows of resumed sessions


async def test_what_a_resumed_session_spent_before_is_added(place: Place) -> None:
    session = await place.session(cost_before=1.25, turns_before=4, duration_before=500)
    await follower(place, session, result()).follow()
    assert await place.rows("SELECT cost_usd, num_turns, duration_ms FROM sessions") == [
        {"cost_usd": 1.75, "num_turns": 7, "duration_ms": 1500}
    ]
