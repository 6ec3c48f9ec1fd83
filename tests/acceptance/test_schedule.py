"""The schedule: at once after the start, then an interval after the end of the last, whatever is killed meanwhile."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from schema.database import Database
from tests.acceptance.audited import log
from tests.acceptance.harness import Daemon, running, wait_for


def scheduled(directory: Path, plan: str, **environment: str) -> dict[str, str]:
    """The environment of a daemon whose schedule's sessions do what `plan` says."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "tier1.md").write_text(plan)
    return {"CLAUDEOPS_SCHEDULE_ENABLED": "true", "CLAUDEOPS_PROMPT": str(directory / "tier1.md"), **environment}


def sessions(daemon: Daemon) -> list[dict[str, Any]]:
    """All sessions, oldest first."""
    database = Database(daemon.state / "claudeops.db", readonly=True)
    try:
        return database.rows("sessions.page", before=10**9, limit=1000)[::-1]
    finally:
        database.close()


def wait_over(daemon: Daemon, count: int, seconds: float = 30.0) -> list[dict[str, Any]]:
    """Waits until `count` sessions are over."""

    def over() -> list[dict[str, Any]] | None:
        found = [row for row in sessions(daemon) if row["status"] != "running"]
        return found if len(found) >= count else None

    found = wait_for(over, seconds, f"{count} sessions over")
    assert isinstance(found, list)
    return found


def pause(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Seconds from the end of one session to the start of the next."""
    ended, began = (datetime.fromisoformat(text) for text in (before["ended_at"], after["started_at"]))
    return (began - ended).total_seconds()


def test_the_first_comes_at_once_and_the_next_an_interval_after_the_end(tmp_path: Path) -> None:
    plan = scheduled(tmp_path, '{"lines": 5, "interval": 0.2}', CLAUDEOPS_INTERVAL="2")
    with running(tmp_path / "daemon", **plan) as daemon:
        first, second, third = wait_over(daemon, 3)[:3]
        assert {row["trigger"] for row in (first, second, third)} == {"scheduled"}
        assert 1.9 <= pause(first, second) < 4.0
        assert 1.9 <= pause(second, third) < 4.0
        # Nobody asked for them, so the audit log, which is never cleared, has no line of them.
        assert {line.action for line in log(daemon)} == {"user.setup_link"}


def test_a_worker_that_dies_during_a_scheduled_session_does_not_bring_the_next_forward(tmp_path: Path) -> None:
    plan = scheduled(tmp_path, '{"lines": 30, "interval": 0.1}', CLAUDEOPS_INTERVAL="4")
    with running(tmp_path / "daemon", **plan) as daemon:
        began = wait_for(lambda: sessions(daemon), 10)
        daemon.run_pids(began[0])  # killed before its run began, it would be started anew
        daemon.wait_replaced("worker", daemon.kill("worker"))
        first, second = wait_over(daemon, 2)[:2]
        assert first["status"] == second["status"] == "completed"
        assert pause(first, second) >= 3.9


def test_quiet_hours_hold_scheduled_sessions_back_and_nobody_else(tmp_path: Path) -> None:
    now = datetime.now()
    hours = f"{now - timedelta(minutes=5):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    plan = scheduled(tmp_path, '{"lines": 1}', CLAUDEOPS_QUIET_HOURS=hours)
    with running(tmp_path / "daemon", **plan) as daemon:
        until = f"quiet hours until {now + timedelta(hours=2):%H:%M} {now.astimezone():%Z}"
        wait_for(lambda: [t["reason"] for t in daemon.json("triggers", "list", "--status", "waiting")] == [until], 10)
        assert daemon.wait_ended(daemon.trigger(lines=1)["id"])["status"] == "completed"
        assert len(sessions(daemon)) == 1
        assert any(until in warning for warning in daemon.json("status")["warnings"])
        daemon.ctl("config", "set", "quiet_hours", "")
        daemon.ctl("config", "reset", "quiet_hours")


def test_a_cron_expression_takes_the_place_of_the_interval(tmp_path: Path) -> None:
    plan = scheduled(tmp_path, '{"lines": 1}', CLAUDEOPS_SCHEDULE_CRON="* * * * *")
    with running(tmp_path / "daemon", **plan) as daemon:
        at = datetime.fromisoformat(wait_for(lambda: daemon.json("status")["next_run_at"], 10))
        assert at.second == 0
        assert 0 <= (at.timestamp() - time.time()) <= 60
        assert sessions(daemon) == []
        refused = daemon.ctl("config", "set", "schedule_cron", "every hour", check=False)
        assert refused.returncode == 1
        assert "CLAUDEOPS_SCHEDULE_CRON" in refused.stderr
        far = (datetime.now() + timedelta(days=40)).strftime("0 0 %d %m *")
        daemon.ctl("config", "set", "schedule_cron", far)
        later = datetime.fromisoformat(wait_for(lambda: daemon.json("status")["next_run_at"], 10))
        assert later.timestamp() - time.time() > 30 * 86400
        # Dates that passed while nobody was there: one session makes up for them.
        assert daemon.stop() == 0
        database = Database(daemon.state / "claudeops.db", readonly=False)
        database.script("UPDATE schedules SET due_at = '2026-01-01T00:00:00.000Z'")
        database.close()
        daemon.start()
        assert wait_over(daemon, 1)[0]["trigger"] == "scheduled"
        time.sleep(1.0)
        assert len(sessions(daemon)) == 1
