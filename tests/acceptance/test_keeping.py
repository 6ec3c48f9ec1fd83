"""Backup, kill, restore and housekeeping with the whole daemon."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.demo.turns import Conversation, Script, Turn
from tests.acceptance.harness import Daemon, running, wait_for
from tests.acceptance.real import acts, messages_api, real, report, say
from tests.fakes.messages_api import bash


def rows(path: Path) -> int:
    """How many sessions a database has."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return int(database.execute("SELECT count(*) FROM sessions").fetchone()[0])
    finally:
        database.close()


def test_a_backup_is_restored_and_the_daemon_goes_on_from_it(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        first = daemon.trigger(lines=3)
        daemon.wait_ended(first["id"])
        hanging = daemon.trigger(tier=2, hang=60, lines=2)
        made = daemon.json("backup", "--to", str(tmp_path / "copy.db"))
        daemon.ctl("sessions", "stop", str(hanging["id"]))
        later = daemon.trigger(lines=1)
        daemon.wait_ended(later["id"])
        daemon.ctl("memories", "add", "later", "--category", "timing")
        refused = daemon.ctl("restore", made["path"], check=False)
        assert refused.returncode == 1
        assert "claudeopsctl stop" in refused.stderr
        assert daemon.stop() == 0
        told = daemon.json("restore", made["path"])
        assert rows(Path(told["before"])) == 3
        assert (told["version"], rows(Path(told["path"]))) == (made["version"], 2)
        daemon.start()
        assert [session["id"] for session in daemon.json("sessions", "list")] == [2, 1]
        assert daemon.session(first["id"])["status"] == "completed"
        assert daemon.session(hanging["id"])["status"] == "interrupted"
        assert daemon.json("memories", "list") == []
        assert daemon.trigger(lines=1)["id"] == 3
        assert daemon.stop() == 0


DEPLOY = "docker compose up -d web"


def told(conversation: Conversation) -> Turn:
    """A report with what the model was told of its call."""
    result = conversation.result_of("deploy")
    return report(f"told: {result.text if result else 'nothing'}")


def test_a_backup_and_the_home_of_the_sessions_go_on_on_another_machine(tmp_path: Path) -> None:
    """An empty state directory under another path; one session runs and one waits for a person when it is made."""
    asks: Script = [say("This needs a new container.", bash(DEPLOY, "deploy")), told]
    hangs: Script = [say("Waiting.", bash("sleep 300", "wait"))]
    app = tmp_path / "app"  # by which the CLI finds its conversations
    app.mkdir()
    settings = {"CLAUDEOPS_APPROVAL_HOLD": "0", "CLAUDEOPS_APP_DIR": str(app)}
    with messages_api(deploy=asks, hang=hangs) as (url, _):
        with real(tmp_path / "one", url, **settings) as one:
            asked = one.json("sessions", "trigger", "--tier", "2", "--prompt", "script deploy")["id"]
            wait_for(lambda: one.session(asked)["status"] == "awaiting_approval", 60, "a call that waits")
            runs = one.json("sessions", "trigger", "--tier", "1", "--prompt", "script hang")["id"]
            wait_for(lambda: one.session(runs)["lines"] > 3, 60, "a session that runs")
            one.ctl("backup", "--to", str(tmp_path / "ops.db"))
            one.ctl("stop")
            assert one.process is not None
            assert one.process.wait(30) == 0
        state = tmp_path / "two" / "daemon" / "state"
        shutil.copytree(one.state / "home", state / "home")
        shutil.rmtree(tmp_path / "one")
        assert one.ctl("restore", str(tmp_path / "ops.db"), "--state-dir", str(state)).returncode == 0
        with real(tmp_path / "two", url, **settings) as two:
            assert two.session(runs)["status"] == "interrupted"
            assert two.session(asked)["status"] == "awaiting_approval"
            (approval,) = two.json("approvals", "list")
            two.ctl("approvals", "approve", str(approval["id"]))
            wait_for(lambda: two.session(asked)["status"] == "completed", 90, "the end of the call")
            ended = two.session(asked)
            assert json.loads(ended["structured"])["summary"] == "told: done"
            assert Path(ended["log_file"]).parent == two.results
            assert acts(tmp_path / "two") == [DEPLOY]
            assert two.json("approvals", "show", str(approval["id"]))["status"] == "used"
            assert two.json("audit", "verify")["ok"] is True


def damaged(source: Path, target: Path) -> None:
    """A copy with a page that is not what it was, and no manifest that would tell."""
    shutil.copy(source, target)
    with target.open("r+b") as file:
        file.seek(4096 + 8)
        file.write(os.urandom(2000))


@pytest.mark.parametrize("how", ["damaged", "changed", "in use", "foreign", "missing"])
def test_what_is_no_whole_backup_is_refused_with_nothing_changed(tmp_path: Path, how: str) -> None:
    daemon = Daemon(tmp_path)
    try:
        daemon.start()
        source = Path(daemon.json("backup")["path"])
        assert daemon.stop() == 0
        bad = tmp_path / "bad.db"
        if how == "damaged":
            damaged(source, bad)
        elif how == "changed":
            shutil.copy(source, bad)
            (tmp_path / "bad.db.json").write_text(json.dumps({"sha256": "0" * 64}))
        elif how == "in use":
            shutil.copy(source, bad)
            (tmp_path / "bad.db-wal").write_text("x")
        elif how == "foreign":
            with sqlite3.connect(bad) as database:
                database.execute("CREATE TABLE theirs (x)")
            database.close()
        before = {path.name: path.read_bytes() for path in daemon.state.glob("claudeops.db*")}
        told = daemon.ctl("restore", str(bad), check=False)
        assert told.returncode in (1, 2), told.stdout
        assert told.stderr
        assert {path.name: path.read_bytes() for path in daemon.state.glob("claudeops.db*")} == before
    finally:
        daemon.close()


def test_a_worker_killed_in_the_middle_of_a_backup_leaves_no_half_file(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        assert daemon.stop() == 0
        with sqlite3.connect(daemon.state / "claudeops.db") as database:
            numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)"
            database.execute(
                f"{numbers} INSERT INTO events (level, message, created_at)"
                " SELECT 'info', hex(randomblob(1000)), '2999-01-31T08:00:00.000Z' FROM n"
            )
        database.close()
        daemon.start()
        target = tmp_path / "copy.db"
        partial = tmp_path / "copy.db.partial"
        with subprocess.Popen(
            [sys.executable, "-m", "ipc.ctl", "backup", str(target)], env=daemon.environment, cwd=Path.cwd()
        ) as asked:
            wait_for(lambda: partial.exists() and partial.stat().st_size > 1_000_000, 20, "half a copy")
            worker = daemon.kill("worker")
            assert not target.exists()
            daemon.wait_replaced("worker", worker)
            # It is asked for again under the same id, and the next worker makes it whole.
            assert asked.wait(60) == 0
        assert rows(target) == 0
        assert not partial.exists()
        assert daemon.stop() == 0


def test_housekeeping_by_command_while_a_session_runs(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        old = daemon.trigger(lines=3)
        daemon.wait_ended(old["id"])
        hanging = daemon.trigger(tier=2, hang=60, lines=2)
        log = Path(daemon.session(old["id"])["log_file"])
        assert log.exists()
        daemon.ctl("config", "set", "keep_logs_max_mb", "1")
        log.write_bytes(b"x" * 2_000_000)
        counted = daemon.json("housekeep", "--dry-run")
        assert {item["kind"]: item["rows"] for item in counted["removed"] if item["rows"]} == {"logs": 1}
        assert log.exists()
        done = daemon.json("housekeep")
        assert {item["kind"]: item["rows"] for item in done["removed"] if item["rows"]} == {"logs": 1}
        assert not log.exists()
        assert daemon.session(old["id"])["log_removed_at"]
        assert Path(daemon.session(hanging["id"])["log_file"]).exists()
        assert daemon.session(hanging["id"])["status"] == "running"
        (line,) = daemon.json("audit", "list", "--action", "house.kept")
        assert line["detail"] == "1 logs"
        assert "the database uses" in daemon.ctl("housekeep").stdout
        assert daemon.stop() == 0


def test_export_and_import_between_two_daemons(tmp_path: Path) -> None:
    document = tmp_path / "taken.json"
    with running(tmp_path / "one") as one:
        one.ctl("config", "set", "interval", "600")
        one.ctl("memories", "add", "slow at noon", "--category", "timing", "--service", "web")
        one.ctl("export", "--to", str(document))
        assert one.stop() == 0
    text = document.read_text()
    assert "sk-made-up" not in text
    with running(tmp_path / "two") as two:
        assert two.json("import", str(document), "--dry-run")["memories_added"] == 1
        assert two.json("memories", "list") == []
        assert two.json("import", str(document))["settings_changed"] == 1
        assert two.json("import", str(document))["memories_unchanged"] == 1
        assert two.json("config", "get", "interval")["value"] == "600"
        document.write_text(text.replace('"600"', '"often"'))
        told = two.ctl("import", str(document), check=False)
        assert told.returncode == 1
        assert "settings.interval: " in told.stderr
        assert two.ctl("doctor").returncode == 0
        assert two.stop() == 0
    assert two.ctl("doctor", check=False).returncode == 1
