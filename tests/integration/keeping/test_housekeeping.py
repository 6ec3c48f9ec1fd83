"""Housekeeping on a real database and a real disk: what goes, what stays, and that nobody waits for it."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.keeping.backups import Backups
from daemon.keeping.keeper import Keeper
from daemon.settings.live import LiveSettings
from ipc.errors import CallError
from ipc.messages.keeping import HousekeepReply
from schema.database import Database
from schema.sessions import Session
from tests.integration.knowledge.place import Place

OLD, NEW = "2020-01-31T08:00:00.000Z", "2999-01-31T08:00:00.000Z"


def keeper(place: Place, **environ: str) -> Keeper:
    """A keeper with these settings."""
    live: LiveSettings = place.settings(CLAUDEOPS_RESULTS_DIR=str(place.directory / "results"), **environ)
    return Keeper(place.store, live, Backups(place.store, live), lambda: 0)


async def clean(place: Place, dry_run: bool = False, /, **environ: str) -> dict[str, int]:
    """Keeps house; how many of each kind that there were."""
    reply: HousekeepReply = await keeper(place, **environ).keep(dry_run=dry_run, by="ada")
    return {item.kind: item.rows for item in reply.removed if item.rows}


async def ended(place: Place, at: str = OLD, status: str = "completed", **more: Any) -> Session:
    """A session that is over, with a log."""
    number = len(await place.rows("SELECT id FROM sessions")) + 1
    log = place.directory / "results" / f"run-{number}.log"
    log.write_bytes(b"x" * 1000)
    columns = {
        "started_at": at,
        "ended_at": at,
        "prompt_text": "look",
        "response": "well",
        "log_file": str(log),
        **more,
    }
    return await place.session(status=status, **columns)


def put(key: str) -> Callable[[Database], int]:
    """Somebody else's write."""
    return lambda db: db.change("settings.set", key=key, value="v", updated_at="t")


async def many(place: Place, count: int) -> None:
    """Old events and checks, and one new of each."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    await place.script(
        f"{numbers} INSERT INTO events (level, message, created_at) SELECT 'info', 'm' || i, '{OLD}' FROM n;"
        f"{numbers} INSERT INTO health_checks (service, check_type, status, checked_at)"
        f" SELECT 'web', 'http', 'healthy', '{OLD}' FROM n;"
        f"INSERT INTO events (level, message, created_at) VALUES ('info', 'new', '{NEW}');"
        f"INSERT INTO health_checks (service, check_type, status, checked_at) VALUES ('web', 'http', 'down', '{NEW}')"
    )


async def test_rows_that_are_old_go_and_others_can_write_meanwhile(place: Place) -> None:
    await many(place, 40_000)
    work = asyncio.create_task(clean(place))
    waits = []
    number = 0
    while not work.done():
        began = time.monotonic()
        await place.store.write(put(f"k{number}"))
        waits.append(time.monotonic() - began)
        number += 1
        await asyncio.sleep(0.002)
    assert await work == {"events": 40_000, "checks": 40_000}
    assert [row["message"] for row in await place.rows("SELECT message FROM events")] == ["new"]
    assert [row["status"] for row in await place.rows("SELECT status FROM health_checks")] == ["down"]
    waits.sort()
    assert len(waits) > 20
    assert waits[len(waits) // 2] < 0.05, "the middle of all writes"
    assert waits[-1] < 1.0, "the longest of them"


async def test_a_dry_run_counts_and_changes_nothing(place: Place) -> None:
    await many(place, 10)
    session = await ended(place)
    told = await clean(place, True)
    assert told == {"events": 10, "checks": 10, "sessions": 1, "logs": 1}
    assert len(await place.rows("SELECT id FROM events")) == 11
    assert Path(session.log_file or "").exists()
    assert await place.rows("SELECT * FROM audit") == []


async def test_zero_days_keep_everything(place: Place) -> None:
    await many(place, 5)
    await ended(place)
    names = ("SESSIONS_DAYS", "LOGS_DAYS", "LOGS_MAX_MB", "EVENTS_DAYS", "CHECKS_DAYS", "TRANSCRIPTS_DAYS")
    assert await clean(place, **{f"CLAUDEOPS_KEEP_{name}": "0" for name in names}) == {}


async def test_a_session_goes_with_what_hangs_on_it_and_what_it_found_out_stays(place: Place) -> None:
    session = await ended(place)
    await place.script(
        f"INSERT INTO calls (session_id, run_id, tool_use_id, tool, input, input_hash, decision, rule, reason, found,"
        f" asked_at) VALUES ({session.id}, 'r', 't', 'Bash', '{{}}', 'h', 'allow', 'r', 'r', '{{}}', '{OLD}');"
        f"INSERT INTO said VALUES ({session.id}, 'event', 'k');"
        f"INSERT INTO memories (category, observation, created_at, updated_at, session_id)"
        f" VALUES ('timing', 'slow', '{OLD}', '{OLD}', {session.id});"
        f"INSERT INTO events (session_id, level, message, created_at) VALUES ({session.id}, 'info', 'm', '{NEW}');"
        f"INSERT INTO triggers (kind, status, tier, priority, created_at, updated_at, session_id)"
        f" VALUES ('manual', 'started', 1, 1, '{NEW}', '{NEW}', {session.id})"
    )
    assert (await clean(place))["sessions"] == 1
    assert await place.rows("SELECT id FROM sessions") == []
    assert await place.rows("SELECT * FROM calls UNION ALL SELECT * FROM calls") == []
    assert await place.rows("SELECT id FROM triggers") == []
    assert await place.rows("SELECT session_id FROM memories") == [{"session_id": None}]
    assert await place.rows("SELECT session_id FROM events") == [{"session_id": None}]
    assert not Path(session.log_file or "").exists()
    assert await place.rows("PRAGMA foreign_key_check") == []


async def test_a_session_that_the_audit_log_speaks_of_is_emptied_and_the_log_stays(place: Place) -> None:
    session = await ended(place, cost_usd=1.5)
    await place.script(
        "INSERT INTO audit (at, actor, action, session_id, subject)"
        f" VALUES ('{OLD}', 'rules', 'call.allow', {session.id}, 'ls')"
    )
    assert (await clean(place))["sessions"] == 1
    (row,) = await place.rows("SELECT * FROM sessions")
    assert (row["prompt_text"], row["response"], row["cost_usd"], row["status"]) == (None, None, 1.5, "completed")
    assert row["emptied_at"]
    assert row["log_removed_at"]
    actions = [line["action"] for line in await place.rows("SELECT action FROM audit ORDER BY id")]
    assert actions == ["call.allow", "house.kept"]
    assert await clean(place) == {}, "it is done once"


@pytest.mark.parametrize("status", ["running", "awaiting_approval"])
async def test_a_session_that_is_not_over_keeps_everything(place: Place, status: str) -> None:
    run = place.directory / "runs" / "r1"
    run.mkdir(parents=True)
    transcript = place.directory / "home" / ".claude" / "projects" / "p" / "uuid-1.jsonl"
    transcript.parent.mkdir(parents=True)
    transcript.write_text("{}")
    for path in (run, transcript):
        os.utime(path, (1e9, 1e9))
    session = await ended(place, status=status, run_id="r1", cli_session_id="uuid-1")
    assert await clean(place, CLAUDEOPS_KEEP_LOGS_MAX_MB="1") == {}
    for path in (run, transcript, Path(session.log_file or "")):
        assert path.exists()


async def test_a_chain_stays_whole_until_its_last_session_is_old(place: Place) -> None:
    first = await ended(place, status="escalated")
    second = await ended(place, NEW, tier=2, parent_session_id=first.id, chain_id=first.id)
    keep_logs = {"CLAUDEOPS_KEEP_LOGS_DAYS": "0"}
    assert await clean(place, **keep_logs) == {}
    await place.script(f"UPDATE sessions SET ended_at = '{OLD}' WHERE id = {second.id}")
    assert (await clean(place, **keep_logs))["sessions"] == 2
    assert await place.rows("SELECT id FROM sessions") == []


async def test_logs_go_by_days_and_say_so_on_their_sessions(place: Place) -> None:
    old, new = await ended(place), await ended(place, NEW)
    assert await clean(place, CLAUDEOPS_KEEP_SESSIONS_DAYS="0") == {"logs": 1}
    rows = {row["id"]: row["log_removed_at"] for row in await place.rows("SELECT id, log_removed_at FROM sessions")}
    assert rows[old.id]
    assert rows[new.id] is None
    assert not Path(old.log_file or "").exists()
    assert Path(new.log_file or "").exists()


async def test_logs_go_by_size_the_oldest_first(place: Place) -> None:
    sessions = [await ended(place, f"2999-01-0{day}T08:00:00.000Z") for day in (3, 1, 2)]
    for session in sessions:
        Path(session.log_file or "").write_bytes(b"x" * 600_000)
    assert await clean(place, CLAUDEOPS_KEEP_LOGS_MAX_MB="1") == {"logs": 2}
    assert [Path(session.log_file or "").exists() for session in sessions] == [True, False, False]


async def test_nothing_outside_our_directories_is_removed_and_no_link_is_followed(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside.log"
    outside.write_text("dear")
    by_path = await ended(place, log_file=str(outside))
    linked = await ended(place)
    link = Path(linked.log_file or "")
    link.unlink()
    link.symlink_to(outside)
    home = tmp_path / "home" / ".claude"
    (home / "projects").mkdir(parents=True)
    (home / "projects" / "link.jsonl").symlink_to(outside)
    (home / "todos").symlink_to(tmp_path)
    os.utime(outside, (1e9, 1e9))
    await clean(place, CLAUDEOPS_KEEP_SESSIONS_DAYS="0")
    await clean(place)
    assert outside.read_text() == "dear"
    assert link.is_symlink()
    assert (home / "projects" / "link.jsonl").is_symlink()
    assert by_path.id


async def test_the_clis_old_files_and_runs_that_were_left_go(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".claude" / "projects" / "p" / "old"
    folder.mkdir(parents=True)
    (tmp_path / "home" / ".claude.json").write_text("{}")
    for name in ("a.jsonl", "b.jsonl"):
        (folder / name).write_text("{}")
    run = tmp_path / "runs" / "left"
    run.mkdir(parents=True)
    for path in (folder / "a.jsonl", run, tmp_path / "home" / ".claude.json"):
        os.utime(path, (1e9, 1e9))
    assert await clean(place) == {"transcripts": 1, "runs": 1}
    assert sorted(path.name for path in folder.iterdir()) == ["b.jsonl"]
    assert not run.exists()
    assert (tmp_path / "home" / ".claude.json").exists()


async def test_a_log_that_is_not_there_is_not_told_as_removed(place: Place) -> None:
    """Its disk may only be absent for a while."""
    session = await ended(place)
    Path(session.log_file or "").unlink()
    assert await clean(place, CLAUDEOPS_KEEP_SESSIONS_DAYS="0") == {}
    assert await place.rows("SELECT log_removed_at FROM sessions") == [{"log_removed_at": None}]


async def test_two_at_a_time_are_refused(place: Place) -> None:
    one = keeper(place)
    first = asyncio.create_task(one.keep(dry_run=True, by="ada"))
    await asyncio.sleep(0)
    with pytest.raises(CallError, match="right now"):
        await one.keep(dry_run=True, by="bob")
    await first


async def test_a_first_start_removes_nothing_and_the_day_after_it_is_done(place: Place) -> None:
    await many(place, 3)
    one = keeper(place)
    task = asyncio.create_task(one.run())

    async def until(query: str) -> None:
        while not await place.rows(query):
            await asyncio.sleep(0.01)

    await asyncio.wait_for(until("SELECT 1 FROM chores WHERE name = 'housekeeping'"), 5)
    task.cancel()
    assert len(await place.rows("SELECT id FROM events")) == 4
    await place.script(f"UPDATE chores SET done_at = '{OLD}'")
    task = asyncio.create_task(keeper(place, CLAUDEOPS_BACKUP_KEEP="2").run())
    await asyncio.wait_for(until(f"SELECT 1 FROM chores WHERE name = 'housekeeping' AND done_at > '{OLD}'"), 5)
    task.cancel()
    assert len(await place.rows("SELECT id FROM events")) == 1
    backups = [path.name for path in (place.directory / "backups").iterdir()]
    assert len([name for name in backups if name.endswith(".db")]) == 1
    (line,) = await place.rows("SELECT actor, action FROM audit")
    assert line == {"actor": "daemon", "action": "house.kept"}
