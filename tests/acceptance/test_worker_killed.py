"""The worker dies, again and again: every session has one row, every line is there once, in order."""

import json
import random
import re
import signal
import time
from functools import partial
from pathlib import Path

from schema.database import Database
from tests.acceptance.harness import Daemon, alive, running, wait_for
from tests.acceptance.stream import Reader

NUMBER = re.compile(rb'"text":"line (\d+)"')


def numbers(log: Path) -> list[int]:
    """The numbers of the fake CLI's lines, as the log has them."""
    return [int(found) for found in NUMBER.findall(log.read_bytes())]


def longer(log: Path, size: int) -> bool:
    """Whether a log has grown beyond a size."""
    return log.stat().st_size > size


def rows(daemon: Daemon) -> list[dict[str, object]]:
    """All sessions, straight from the database."""
    database = Database(daemon.state / "claudeops.db", readonly=True)
    try:
        return database.rows("sessions.page", before=10**9, limit=1000)
    finally:
        database.close()


def test_twenty_kills_of_the_worker_cost_not_one_line(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        session = daemon.trigger(until=str(tmp_path / "enough"), interval=0.002, exit=0)
        reader = Reader(daemon, session["id"])
        reader.start()
        shim, command = daemon.run_pids(session)
        log = Path(session["log_file"])
        chance = random.Random(1)
        for _ in range(20):
            pid = daemon.kill("worker")
            size = log.stat().st_size
            daemon.wait_replaced("worker", pid)
            wait_for(partial(longer, log, size), 10, "lines written while the worker was away")
            time.sleep(chance.uniform(0.0, 0.15))
        # However quickly workers come back on this machine, there are lines enough for one to go missing.
        wait_for(lambda: len(numbers(log)) > 3000, 60, "three thousand lines")
        assert alive(shim)
        assert alive(command)
        (tmp_path / "enough").touch()
        ended = daemon.wait_ended(session["id"], 90)
        assert ended["status"] == "completed"
        assert ended["exit_code"] == 0
        found = numbers(log)
        assert found == list(range(len(found)))
        # init, the lines, the result: counted once each, whichever worker read them.
        assert ended["lines"] == len(found) + 2
        assert ended["log_offset"] == Path(ended["log_file"]).stat().st_size
        assert len(rows(daemon)) == 1
        assert daemon.process_of("worker")["restarts"] >= 20
        # Nor did a browser that watched.
        reader.join(60)
        assert reader.done.is_set()
        assert reader.numbers == found
        assert reader.connections == 1


def test_a_worker_killed_just_after_a_trigger_leaves_no_session_in_between(tmp_path: Path) -> None:
    """Kills at random points between the row, the run and the end: each session has one row and one end."""
    with running(tmp_path) as daemon:
        chance = random.Random(2)
        for _ in range(12):
            pid = daemon.pid("worker")
            before = {row["id"] for row in rows(daemon)} if (daemon.state / "claudeops.db").exists() else set()
            trigger = daemon.ctl("sessions", "trigger", "--tier", "1", "--prompt", json.dumps({"lines": 3}), "--json",
                                 check=False)  # fmt: skip
            time.sleep(chance.uniform(0.0, 0.12))
            daemon.kill("worker")
            daemon.wait_replaced("worker", pid)
            assert trigger.returncode == 0, trigger.stderr
            id_ = json.loads(trigger.stdout)["id"]
            assert id_ not in before
            ended = daemon.wait_ended(id_)
            assert ended["status"] == "completed"
            assert numbers(Path(ended["log_file"])) == [0, 1, 2]
        assert wait_for(lambda: not list((daemon.state / "runs").iterdir()), 10) is not False
        assert len(rows(daemon)) == 12


def test_rows_left_running_are_swept_at_start(daemon: Daemon) -> None:
    """A row without a run, and a run that ended while nobody looked."""
    daemon.start()
    session = daemon.trigger(lines=5, interval=0.2)
    daemon.kill("supervisor")
    wait_for(lambda: not alive(daemon.process.pid if daemon.process else 0), 5)
    log = Path(session["log_file"])
    wait_for(lambda: b'"type":"result"' in log.read_bytes(), 20, "the session to end without a daemon")
    database = Database(daemon.state / "claudeops.db", readonly=False)
    with database.transaction():
        lost = database.value(
            "sessions.insert", tier=2, model="m", prompt_file="p", prompt_text=None, trigger="manual",
            requested_by=None, started_at="2026-01-01T00:00:00.000Z", log_file=str(log), run_id="never-there",
            cli_session_id=None, cli_version=None, context=None, parent_session_id=None, chain_id=None, dry_run=0,
        )  # fmt: skip
    database.close()
    daemon.start()
    assert daemon.wait_ended(session["id"])["status"] == "completed"
    swept = daemon.wait_ended(lost)
    assert swept["status"] == "interrupted"
    assert swept["ended_at"]


def test_the_scheduled_session_is_not_started_twice(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_SCHEDULE_ENABLED="true", CLAUDEOPS_INTERVAL="3600") as daemon:
        first = wait_for(lambda: daemon.json("sessions", "list"), 15)[0]
        assert daemon.wait_ended(first["id"])["trigger"] == "scheduled"
        due = wait_for(lambda: daemon.json("status")["next_run_at"], 10)
        for _ in range(3):
            pid = daemon.kill("worker")
            daemon.wait_replaced("worker", pid)
        assert len(daemon.json("sessions", "list")) == 1
        after = daemon.json("status")["next_run_at"]
        assert abs(time.mktime(time.strptime(after[:19], "%Y-%m-%dT%H:%M:%S"))
                   - time.mktime(time.strptime(due[:19], "%Y-%m-%dT%H:%M:%S"))) <= 1  # fmt: skip


def test_a_hung_worker_is_aborted_with_its_stack_and_replaced(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_HEARTBEAT_TIMEOUT="2") as daemon:
        session = daemon.trigger(lines=200, interval=0.05)
        pid = daemon.kill("worker", signal.SIGSTOP)
        status, _, _ = daemon.request("GET", "/healthz")
        assert status == 200
        daemon.wait_replaced("worker", pid, 20)
        assert "Current thread" in daemon.log()
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "completed"
        assert numbers(Path(ended["log_file"])) == list(range(200))
