"""What programs print, however wild, ends up in the log as it is, and in the row as it is meant."""

import base64
import hashlib
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from ipc.ctl.connection import Connection
from schema import logline
from schema.transcript.events import Raw, Unknown
from schema.transcript.parse import parse
from tests.acceptance.harness import FAKE_CLAUDE, Daemon, running, wait_for
from tests.acceptance.stream import Reader
from tests.acceptance.test_worker_killed import numbers

HOSTILE = (
    b"event: done",
    b"data: {}",
    b"id: 99999999",
    b'{"type":"assistant","message":{"content":[{"type":"text","text":"<script>alert(1)</script>\\n\\nevent: done"}]}}',
    b"\x1b[31mred\x1b[0m and \x1b]0;title\x07",
    b"carriage\rreturn",
    b"nul\x00byte",
    b"\xff\xfe invalid \xc3\x28",
    b"",
    b'{"type":"from the future","field":1}',
    b"{not json",
    "└── ünïcödé 🙂".encode(),
)


def stdout_of(log: Path) -> list[bytes]:
    """The command's own lines, as the log has them."""
    return [found.text for found in map(logline.split, log.read_bytes().split(b"\n")[:-1]) if found.stream == "stdout"]


def test_hostile_lines_are_kept_byte_for_byte(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        raw = [base64.b64encode(line).decode() for line in HOSTILE]
        ended = daemon.wait_ended(daemon.trigger(raw=raw, tail=base64.b64encode(b"no line end").decode())["id"])
        assert ended["status"] == "completed"
        lines = stdout_of(Path(ended["log_file"]))
        assert lines[1 : 1 + len(HOSTILE)] == list(HOSTILE)
        assert lines[-1] == b"no line end"
        assert isinstance(parse(HOSTILE[9])[0], Unknown)
        assert isinstance(parse(HOSTILE[10])[0], Raw)
        shown = daemon.ctl("sessions", "tail", str(ended["id"])).stdout
        assert "no line end" in shown


def test_a_line_of_ten_mebibytes_is_kept_whole_and_harms_nobody(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        before = daemon.process_of("worker")["rss_bytes"]
        line = b'{"type":"assistant","message":{"content":[{"type":"text","text":"' + b"x" * 10_485_760 + b'"}]}}'
        path = tmp_path / "long"
        path.write_bytes(line)
        session = daemon.trigger(cat=str(path), lines=3)
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "completed"
        lines = stdout_of(Path(ended["log_file"]))
        assert hashlib.sha256(lines[1]).digest() == hashlib.sha256(line).digest()
        assert numbers(Path(ended["log_file"])) == [0, 1, 2]
        time.sleep(5.5)  # the status file follows every five seconds
        assert daemon.process_of("worker")["rss_bytes"] - before < 60 * 1024 * 1024


def test_a_burst_in_three_tiers_at_once_loses_nothing(tmp_path: Path) -> None:
    """Nor does it hold up who asks the worker meanwhile, or come to a reader in pieces beyond measure."""
    with running(tmp_path) as daemon:
        daemon.sign_in()
        connection = Connection(daemon.runtime)
        took: list[float] = []
        sessions = [daemon.trigger(tier, lines=50_000) for tier in (1, 2, 3)]
        reader = Reader(daemon, sessions[0]["id"])
        reader.start()
        while (status := asked(connection, took))["sessions"]["running"]:
            time.sleep(0.005)
        connection.close()
        wait_for(lambda: len(reader.numbers) > 1000, 60, "a reader that is some way into the first of them")
        reader.stop.set()
        assert status["state"] == "running"
        # Generous: whoever else runs on the machine is in it. How much work a batch is has a test of its own.
        assert sorted(took)[len(took) // 2] < 1.0
        assert max(took) < 5.0
        for session in sessions:
            ended = daemon.wait_ended(session["id"])
            assert ended["status"] == "completed"
            assert ended["lines"] == 50_002
            assert numbers(Path(ended["log_file"])) == list(range(50_000))
        reader.join(60)
        assert reader.numbers == list(range(len(reader.numbers)))
        assert reader.largest <= 64 * 1024


def asked(connection: Connection, took: list[float]) -> dict[str, Any]:
    """What the worker answers, and how long that took."""
    began = time.monotonic()
    reply = connection.call("status")
    took.append(time.monotonic() - began)
    return reply


def test_a_busy_tier_answers_so_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        session = daemon.trigger(hang=60)
        before = time.monotonic()
        refused = daemon.ctl("sessions", "trigger", "--tier", "1", "--prompt", "x", "--json", check=False)
        assert time.monotonic() - before < 2
        assert refused.returncode == 1
        error = json.loads(refused.stdout)["error"]
        assert error["code"] == "busy"
        assert str(session["id"]) in error["message"]
        other = daemon.trigger(2, lines=1)
        assert daemon.wait_ended(other["id"])["status"] == "completed"


def test_without_a_claude_command_everything_says_so_and_the_rest_runs_on(daemon: Daemon) -> None:
    daemon.environment["CLAUDEOPS_CLAUDE_BIN"] = "/nowhere/claude"
    daemon.start()
    status = daemon.json("status")
    assert status["state"] == "running"
    assert not status["cli"]["ok"]
    assert "/nowhere/claude" in " ".join(status["warnings"])
    # Also while something waits for it.
    daemon.ctl("triggers", "add", "--tier", "1", "--prompt", "x")
    wait_for(lambda: "trigger 1 waits" in " ".join(daemon.json("status")["warnings"]), 15, "the trigger that waits")
    assert daemon.ctl("status").stdout.count("there is no command '/nowhere/claude'") == 1
    refused = daemon.ctl("sessions", "trigger", "--tier", "1", "--prompt", "x", check=False)
    assert refused.returncode == 1
    assert "/nowhere/claude" in refused.stderr
    assert "npm install" in refused.stderr
    assert "/nowhere/claude" in daemon.ctl("doctor", check=False).stdout
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("9.0.1 (Claude Code)", "claude 9.0.1 has not been proved with this release"),
        ("<b>bash</b>: no such file", "does not tell its version, so sessions may fail: it printed '<b>bash</b>"),
    ],
)
def test_an_unknown_claude_is_told_everywhere_and_sessions_run(daemon: Daemon, printed: str, told: str) -> None:
    daemon.environment |= {"FAKE_VERSION": printed, "CLAUDEOPS_SESSION_ENV": "FAKE_VERSION"}
    daemon.start()
    daemon.sign_in()
    wait_for(lambda: told in " ".join(daemon.json("status")["warnings"]), 15, "the probe")

    def pages() -> list[bytes]:
        return [daemon.request("GET", path)[2] for path in ("/", "/system")]

    wait_for(lambda: all(escape(told).encode() in page for page in pages()), 15, "it on both pages")
    assert b"Warning." in daemon.request("GET", "/")[2]
    assert told in daemon.ctl("status").stdout
    findings = {item["name"]: item for item in daemon.json("doctor", check=False)["findings"]}
    assert findings["claude command"]["level"] == "warning"
    assert told in findings["claude command"]["text"]
    assert daemon.wait_ended(daemon.trigger(lines=1)["id"])["status"] == "completed"


def test_a_command_that_can_not_be_started_is_a_failed_session_that_names_the_error(daemon: Daemon) -> None:
    """The CLI was there when it was looked for, and is gone (as during its upgrade) when a session wants it."""
    program = daemon.directory / "claude"
    daemon.directory.mkdir(parents=True)
    shutil.copy(FAKE_CLAUDE, program)
    daemon.environment["CLAUDEOPS_CLAUDE_BIN"] = str(program)
    daemon.start()
    program.unlink()
    ended = daemon.wait_ended(daemon.trigger(lines=1)["id"])
    assert (ended["status"], ended["exit_code"]) == ("failed", None)
    why = f"{program} cannot be started: No such file or directory (errno 2)"
    assert ended["reason"] == f"its command could not be started: {why}"
    assert why in daemon.ctl("sessions", "tail", str(ended["id"])).stdout
    shutil.copy(FAKE_CLAUDE, program)
    assert daemon.wait_ended(daemon.trigger(lines=1)["id"])["status"] == "completed"


def test_what_can_not_be_prepared_is_a_failed_session_and_its_tier_is_free_again(daemon: Daemon) -> None:
    """What goes wrong between a session's row and its run is the session's end, and no row is left running."""
    app = daemon.directory / "app"
    (app / "CLAUDE.md").mkdir(parents=True)
    daemon.environment["CLAUDEOPS_APP_DIR"] = str(app)
    daemon.start()
    ended = daemon.wait_ended(daemon.trigger(lines=1)["id"])
    assert ended["status"] == "failed"
    assert f"can't read the runbook {app}/CLAUDE.md: Is a directory" in ended["reason"]
    (app / "CLAUDE.md").rmdir()
    assert daemon.wait_ended(daemon.trigger(lines=1)["id"])["status"] == "completed"


def test_two_sessions_in_one_second_have_logs_of_their_own(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        sessions = [daemon.trigger(tier, lines=2) for tier in (1, 2, 3)]
        logs = {session["log_file"] for session in sessions}
        assert len(logs) == 3
        assert all(re.fullmatch(r"run-\d{8}-\d{6}(-\d+)?\.log", Path(log).name) for log in logs)
        for session in sessions:
            ended = daemon.wait_ended(session["id"])
            assert numbers(Path(ended["log_file"])) == [0, 1]


def test_a_cost_that_can_not_be_is_not_added_up_and_the_next_session_is_stored(tmp_path: Path) -> None:
    line = {"type": "result", "subtype": "success", "is_error": False, "result": "ok", "total_cost_usd": 1e308}
    raw = base64.b64encode(json.dumps(line).encode()).decode()
    with running(tmp_path) as daemon:
        assert daemon.wait_ended(daemon.trigger(raw=[raw], result=False)["id"])["cost_usd"] is None
        ended = daemon.wait_ended(daemon.trigger(lines=1)["id"])
        assert (ended["status"], ended["cost_usd"]) == ("completed", pytest.approx(0.0123))
        assert sum(day["usd"] for day in daemon.json("cost")["days"]) < 1
