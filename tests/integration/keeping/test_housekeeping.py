"""Housekeeping on a real database and a real disk: what goes, what stays, and that nobody waits for it."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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
    names = ("SESSIONS_DAYS", "LOGS_DAYS", "LOGS_MAX_MB", "EVENTS_DAYS", "CHECKS_DAYS", "NOTIFICATIONS_DAYS",
             "TRANSCRIPTS_DAYS", "DATABASE_MAX_MB")  # fmt: skip
    assert await clean(place, **{f"CLAUDEOPS_KEEP_{name}": "0" for name in names}) == {}


async def test_old_notifications_go_unless_a_channel_still_waits_for_them(place: Place) -> None:
    for number, (at, status) in enumerate([(OLD, "sent"), (OLD, "given_up"), (OLD, "retrying"), (NEW, "sent")], 1):
        await place.script(
            "INSERT INTO notifications (kind, level, title, created_at, routed_at)"
            f" VALUES ('event', 'info', '{status}', '{at}', '{at}');"
            "INSERT INTO deliveries (notification_id, channel, status, urgent, since, next_at, changed_at)"
            f" VALUES ({number}, 'json-1', '{status}', 0, '{at}', '{at}', '{at}')"
        )
    await place.script(
        f"INSERT INTO notifications (kind, level, title, created_at) VALUES ('event', 'info', 'new', '{OLD}')"
    )
    assert await clean(place, CLAUDEOPS_KEEP_NOTIFICATIONS_DAYS="0") == {}
    assert await clean(place) == {"notifications": 2}
    left = [row["title"] for row in await place.rows("SELECT title FROM notifications ORDER BY id")]
    assert left == ["retrying", "sent", "new"], "what has no deliveries yet waits, too"
    assert len(await place.rows("SELECT * FROM deliveries")) == 2


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


def day(number: int) -> str:
    """A day that is over and that no age makes go: the last ones before today."""
    return f"{datetime.now(UTC) - timedelta(days=number):%Y-%m-%d}T08:00:00.000Z"


async def fill(place: Place, days: range, each: int = 300, chains: int = 0) -> None:
    """On each of some days before today: events and checks of some 2 kB, and chains of as much."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {each})"
    for number in sorted(days, reverse=True):
        at = day(number)
        await place.script(
            f"{numbers} INSERT INTO events (level, message, created_at)"
            f" SELECT 'info', hex(randomblob(1000)), '{at}' FROM n;"
            f"{numbers} INSERT INTO health_checks (service, check_type, status, error_detail, checked_at)"
            f" SELECT 'web', 'http', 'healthy', hex(randomblob(1000)), '{at}' FROM n"
        )
        for _ in range(chains):
            await ended(place, at, response="x" * 2000)


async def days_left(place: Place, column: str, table: str) -> list[str]:
    """The days of which there are rows, the oldest first."""
    found = await place.rows(f"SELECT DISTINCT substr({column}, 1, 10) AS day FROM {table} ORDER BY 1")
    return [row["day"] for row in found]


BOUND = {"CLAUDEOPS_KEEP_DATABASE_MAX_MB": "5"}


async def test_rows_go_by_size_the_oldest_first(place: Place) -> None:
    await fill(place, range(1, 11), chains=5)  # some 13 MB
    await place.script(
        "INSERT INTO audit (at, actor, action, session_id, subject)"
        f" VALUES ('{day(10)}', 'rules', 'call.allow', 1, 'ls')"
    )
    counted = await keeper(place, **BOUND).keep(dry_run=True, by="ada")
    one = keeper(place, **BOUND)
    done = await one.keep(dry_run=False, by="ada")
    assert 4_000_000 < done.database_bytes <= 5_000_000
    assert done.problem == one.full
    assert "all that had room in it is of" in done.problem, "fewer than seven days are left"
    # All kinds up to about the same day, and none behind it.
    for column, table in (("created_at", "events"), ("checked_at", "health_checks"), ("hour", "health_hours")):
        left = await days_left(place, column, table)
        assert left == [day(number)[:10] for number in range(len(left), 0, -1)]
        assert 2 <= len(left) <= 5, table
    # The dry run had told about as much.
    real = {item.kind: item for item in done.removed if item.rows}
    told = {item.kind: item for item in counted.removed if item.rows}
    assert set(real) == set(told) == {"events", "checks", "sessions"}
    for kind, item in real.items():
        assert item.for_size == item.rows
        assert item.rows == pytest.approx(told[kind].rows, rel=0.3), kind
        assert item.bytes == pytest.approx(told[kind].bytes, rel=0.5), kind
    # What the audit log speaks of is emptied, and the log stays.
    first = (await place.rows("SELECT * FROM sessions ORDER BY id LIMIT 1"))[0]
    assert (first["id"], first["response"], bool(first["emptied_at"])) == (1, None, True)
    assert len(await place.rows("SELECT id FROM sessions")) == 51 - real["sessions"].rows
    actions = [line["action"] for line in await place.rows("SELECT action FROM audit ORDER BY id")]
    assert actions == ["call.allow", "house.kept"]
    assert await place.rows("PRAGMA foreign_key_check") == []
    assert await clean(place, **BOUND) == {}, "it is done once"


async def test_what_fits_stays_and_age_goes_before_size(place: Place) -> None:
    await fill(place, range(1, 5))
    assert await clean(place, CLAUDEOPS_KEEP_DATABASE_MAX_MB="0") == {}
    assert await clean(place, CLAUDEOPS_KEEP_DATABASE_MAX_MB="100") == {}
    ages = {"CLAUDEOPS_KEEP_EVENTS_DAYS": "1", "CLAUDEOPS_KEEP_CHECKS_DAYS": "1"}
    reply = await keeper(place, **BOUND, **ages).keep(dry_run=True, by="ada")
    assert {item.kind: item.for_size for item in reply.removed if item.rows} == {"events": 0, "checks": 0}


async def test_a_bound_that_leaves_more_than_a_week_is_no_trouble(place: Place) -> None:
    for days in (80, 40):
        await ended(place, day(days), response="x" * 2_000_000)
    reply = await keeper(place, CLAUDEOPS_KEEP_DATABASE_MAX_MB="3").keep(dry_run=False, by="ada")
    assert {item.kind: item.for_size for item in reply.removed if item.rows} == {"sessions": 1}
    assert reply.problem == ""


async def test_the_last_day_stays_whatever_the_size_and_the_daemon_says_so(place: Place) -> None:
    fresh = f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%dT%H:%M:%S}.000Z"
    await place.script(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
        f" INSERT INTO events (level, message, created_at) SELECT 'info', hex(randomblob(1000)), '{fresh}' FROM n"
    )
    await ended(place, day(2))
    one = keeper(place, CLAUDEOPS_KEEP_DATABASE_MAX_MB="1")
    reply = await one.keep(dry_run=False, by="ada")
    assert {item.kind: item.rows for item in reply.removed if item.rows} == {"sessions": 1}
    assert len(await place.rows("SELECT id FROM events")) == 1000
    assert "CLAUDEOPS_KEEP_DATABASE_MAX_MB is 1" in reply.problem
    assert one.full == reply.problem
    await place.script("DELETE FROM events")
    await one.keep(dry_run=False, by="ada")
    assert one.full == ""


async def test_a_chain_goes_by_size_only_once_its_last_session_may(place: Place) -> None:
    first = await ended(place, day(8), status="escalated", response="x" * 2_000_000)
    waiting = await ended(place, day(7), status="awaiting_approval", tier=2, parent_session_id=first.id,
                          chain_id=first.id)  # fmt: skip
    await ended(place, day(6), response="y" * 2_000_000)
    tight = {"CLAUDEOPS_KEEP_DATABASE_MAX_MB": "1"}
    assert (await clean(place, **tight))["sessions"] == 1
    assert [row["id"] for row in await place.rows("SELECT id FROM sessions ORDER BY id")] == [first.id, waiting.id]
    await place.script(f"UPDATE sessions SET status = 'completed', ended_at = '{day(3)}' WHERE id = {waiting.id}")
    assert (await clean(place, **tight))["sessions"] == 2


async def test_freed_pages_go_back_to_the_disk_but_for_some_that_are_used_again(place: Place) -> None:
    await fill(place, range(1, 11), each=600)
    file = place.directory / "claudeops.db"
    await place.store.read(lambda db: db.checkpoint())
    full = file.stat().st_size
    assert full > 25_000_000
    reply = await keeper(place, **BOUND).keep(dry_run=False, by="ada")
    assert reply.given_back > 15_000_000
    small = file.stat().st_size
    assert small < full - 15_000_000
    assert 1_000_000 < reply.database_free <= 4 * 1024 * 1024
    await fill(place, range(1, 2))
    await place.store.read(lambda db: db.checkpoint())
    assert file.stat().st_size == small, "what is free is used first"


async def test_a_file_that_can_not_give_back_uses_its_free_pages_again(place: Place) -> None:
    """Such as one that was carried forward from the Go program."""

    def as_theirs(db: Database) -> None:
        db._connection.pragma("auto_vacuum", "NONE")
        db._connection.execute("VACUUM").fetchall()

    await place.store.read(as_theirs)
    await fill(place, range(1, 11))
    await place.store.read(lambda db: db.checkpoint())
    file = place.directory / "claudeops.db"
    full = file.stat().st_size
    reply = await keeper(place, **BOUND).keep(dry_run=False, by="ada")
    assert (reply.given_back, file.stat().st_size) == (0, full)
    assert reply.database_free > 5_000_000
    await fill(place, range(1, 4))
    await place.store.read(lambda db: db.checkpoint())
    assert file.stat().st_size == full


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
