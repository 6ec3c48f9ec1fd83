"""The check-up's table, each fault made on a real disk, socket, lock or program."""

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon import audit
from ipc.ctl.checkup import entrance, holders, places, records, things
from ipc.ctl.checkup.host import Finding, Host, look, ok, warn
from ipc.ctl.doctor import CHECKS, examine
from schema import database_file, timestamps
from schema.audit_actions import Action
from schema.database import Database
from tests.fixtures import certificates


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Host]:
    """Makes a host with a database; what is given are variables, and `pid` of a daemon."""
    for name in list(os.environ):
        if name.startswith(("CLAUDEOPS_", "ANTHROPIC_")) or name.endswith("_PROXY"):
            monkeypatch.delenv(name)
    (tmp_path / "state").mkdir(mode=0o750)
    (tmp_path / "results").mkdir(mode=0o750)
    (tmp_path / "run").mkdir(mode=0o750)
    database = Database(tmp_path / "state" / "claudeops.db", readonly=False)
    database.migrate()
    database.close()

    def make(pid: int | None = None, **environ: str) -> Host:
        defaults = {
            "CLAUDEOPS_RESULTS_DIR": str(tmp_path / "results"),
            "CLAUDEOPS_CLAUDE_BIN": "/bin/true",
            "CLAUDEOPS_DASHBOARD_HOST": "127.0.0.1",
            "CLAUDEOPS_DASHBOARD_PORT": "0",
            "CLAUDEOPS_SYSTEMD_MARK": str(tmp_path / "no systemd"),
            "CLAUDEOPS_FREE_DISK_MIN": "0",
            "ANTHROPIC_API_KEY": "sk-made-up",
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        }
        for name, value in {**defaults, **environ}.items():
            monkeypatch.setenv(name, value)
        return look(tmp_path / "run", tmp_path / "state", pid, [])

    return make


Make = Callable[..., Host]


def test_a_host_that_is_well_has_nothing_bad_but_that_no_daemon_runs(host: Make) -> None:
    found = {item["name"]: item["level"] for item in examine(host())}
    assert [name for name, level in found.items() if level == "error"] == ["supervisor"]
    assert len(found) > 12


def test_every_check_has_a_name_of_its_own_and_says_what_it_is() -> None:
    assert len({name for name, _ in CHECKS}) == len(CHECKS)
    assert all(check.__doc__ for _, check in CHECKS)


def test_a_check_that_hangs_or_crashes_keeps_no_other_from_its_answer(host: Make) -> None:
    def hangs(_: Host) -> Finding:
        time.sleep(5)
        return ok("")

    def crashes(_: Host) -> Finding:
        raise RuntimeError("broken")

    began = time.monotonic()
    found = examine(host(), (("hangs", hangs), ("crashes", crashes), ("clock", things.clock)), seconds=0.3)
    assert time.monotonic() - began < 2
    assert [item["level"] for item in found] == ["error", "error", "ok"]
    assert "no answer within" in found[0]["text"]
    assert "RuntimeError: broken" in found[1]["text"]


def test_settings_that_cannot_be_used_are_named(host: Make, tmp_path: Path) -> None:
    found = things.settings(host(CLAUDEOPS_INTERVAL="often"))
    assert (found.level, "CLAUDEOPS_INTERVAL" in found.text) == ("error", True)
    (tmp_path / "env").write_text("no line\n")
    found = things.settings(host(CLAUDEOPS_INTERVAL="60", CLAUDEOPS_ENV_FILE=str(tmp_path / "env")))
    assert (found.level, "line 1" in found.text) == ("error", True)


def test_a_missing_command_and_one_that_fails_are_bad(host: Make) -> None:
    assert "there is no command" in things.claude(host(CLAUDEOPS_CLAUDE_BIN="/nowhere/claude")).text
    found = things.claude(host(CLAUDEOPS_CLAUDE_BIN="/bin/false"))
    assert (found.level, "exit code 1" in found.text) == ("error", True)


def test_a_command_that_hangs_is_bad(host: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(things, "COMMAND_SECONDS", 0.3)
    program = tmp_path / "claude"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    found = things.claude(host(CLAUDEOPS_CLAUDE_BIN=str(program)))
    assert (found.level, "timed out" in found.text) == ("error", True)


def test_credentials_are_told_to_be_there_and_never_shown(host: Make) -> None:
    assert things.credentials(host(ANTHROPIC_API_KEY="")).level == "warning"
    found = things.credentials(host(ANTHROPIC_API_KEY="sk-very-secret"))
    assert found.level == "ok"
    assert "sk-very" not in found.text


def test_a_database_that_has_long_outgrown_its_bound_is_told(host: Make, tmp_path: Path) -> None:
    database = Database(tmp_path / "state" / "claudeops.db", readonly=False)
    database.script("INSERT INTO config (key, value, updated_at) VALUES ('x', hex(zeroblob(1000000)), 't')")
    database.close()
    assert things.database(host()).level == "ok"
    found = things.database(host(CLAUDEOPS_KEEP_DATABASE_MAX_MB="1"))
    assert (found.level, "claudeopsctl housekeep" in found.text) == ("warning", True)
    assert things.database(host(CLAUDEOPS_KEEP_DATABASE_MAX_MB="4")).level == "ok"


OPENS = """
import os, sys, time
from setproctitle import setproctitle
held = os.open(sys.argv[1], int(sys.argv[2]))
setproctitle(sys.argv[3])
print("open", flush=True)
time.sleep(60)
"""


@contextlib.contextmanager
def opened(path: Path, flags: int, title: str) -> Iterator[int]:
    """Another process that has a file open; its pid."""
    command = [sys.executable, "-c", OPENS, str(path), str(flags), title]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process.pid
        process.kill()


def test_another_daemon_and_whoever_else_writes_to_the_database_are_named(host: Make, tmp_path: Path) -> None:
    path = tmp_path / "state" / "claudeops.db"
    assert holders.others(host()) == holders.others(host(pid=1))
    with opened(path, os.O_RDONLY, "a reader"):
        assert getattr(holders.others(host()), "level", None) == "ok"
    with opened(path, os.O_RDWR, "sqlite3 claudeops.db") as pid:
        found = holders.others(host())
        assert found is not None
        assert (found.level, f"sqlite3 claudeops.db (pid {pid}) may write" in found.text) == ("warning", True)
        assert getattr(holders.others(host(pid=pid)), "level", None) == "ok", "it is this daemon's own"
        assert getattr(holders.others(host(pid=os.getpid())), "level", None) == "ok", "below it"
    with opened(path, os.O_RDWR, "claudeops: worker") as pid:
        found = holders.others(host())
        assert found is not None
        assert (found.level, f"claudeops: worker (pid {pid})" in found.text) == ("error", True)


def test_directories_that_anybody_may_write_or_are_files_are_bad(host: Make, tmp_path: Path) -> None:
    (tmp_path / "state").chmod(0o777)
    assert places.state_directory(host()).level == "error"
    (tmp_path / "results").rmdir()
    assert places.results_directory(host()).level == "warning"
    (tmp_path / "results").write_text("")
    assert "no directory" in places.results_directory(host()).text


def test_a_full_disk_is_bad(host: Make) -> None:
    found = places.state_directory(host(CLAUDEOPS_FREE_DISK_MIN=str(2**52)))
    assert (found.level, "make room" in found.text) == ("error", True)


def test_a_damaged_database_and_one_of_a_newer_version_are_bad(host: Make, tmp_path: Path) -> None:
    path = tmp_path / "state" / "claudeops.db"
    database = Database(path, readonly=False)
    database.script("INSERT INTO migrations VALUES (9999, 'later', 'x', 'y')")
    database.close()
    assert "newer version" in things.database(host()).text
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)
    found = things.database(host())
    assert (found.level, "damaged" in found.text) == ("error", True)


def test_a_database_log_that_grows_is_told(host: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_file, "WAL_LARGE", 100)
    database = Database(tmp_path / "state" / "claudeops.db", readonly=False)
    database.change("settings.set", key="a", value="b", updated_at="c")
    assert things.database(host()).level == "warning"
    database.close()
    assert not database_file.beside(tmp_path / "state" / "claudeops.db", "-wal").exists()


def test_a_clock_that_was_set_back_is_bad(host: Make, tmp_path: Path) -> None:
    later = time.time() + 86400
    os.utime(tmp_path / "state" / "claudeops.db", (later, later))
    found = things.clock(host())
    assert (found.level, "set back" in found.text) == ("error", True)


def test_a_port_that_another_program_has_is_bad(host: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = things.port(host(CLAUDEOPS_DASHBOARD_PORT=str(taken.getsockname()[1])))
        assert (found.level, "CLAUDEOPS_DASHBOARD_PORT" in found.text) == ("error", True)


def test_a_dashboard_that_does_not_answer_is_bad(host: Make, tmp_path: Path) -> None:
    (tmp_path / "run" / "status.json").write_text(json.dumps({"address": "http://127.0.0.1:9"}))
    assert things.port(host(os.getpid())).level == "error"


def test_an_api_that_cannot_be_reached_is_told(host: Make) -> None:
    assert things.api(host()).level == "warning"
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert things.api(host(ANTHROPIC_BASE_URL=address)).level == "ok"
        assert "(proxy)" in things.api(host(ANTHROPIC_BASE_URL="http://192.0.2.1", HTTP_PROXY=address)).text
    assert things.api(host(HTTP_PROXY="", ANTHROPIC_BASE_URL="nonsense")).level == "error"


def test_a_shim_without_a_session_is_bad(host: Make, tmp_path: Path) -> None:
    run = tmp_path / "state" / "runs" / "r1"
    run.mkdir(parents=True)
    lock = os.open(run / "lock", os.O_RDWR | os.O_CREAT)
    found = places.left_shims(host())
    assert found is not None
    assert found.level == "ok"
    fcntl.flock(lock, fcntl.LOCK_EX)
    found = places.left_shims(host())
    os.close(lock)
    assert found is not None
    assert (found.level, "r1" in found.text) == ("error", True)


def test_a_runtime_directory_and_sockets_that_are_open_to_all_are_bad(host: Make, tmp_path: Path) -> None:
    (tmp_path / "run").chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "run" / "rpc.sock"))
        (tmp_path / "run" / "rpc.sock").chmod(0o666)
        (tmp_path / "run" / "pub.sock").write_text("")
        here = host(os.getpid())
        checks = (places.runtime_directory, places.rpc_socket, places.pub_socket)
        assert [getattr(check(here), "level", "") for check in checks] == ["error"] * 3


def test_a_supervisor_that_hangs_and_a_process_that_failed_are_bad(host: Make, tmp_path: Path) -> None:
    path = tmp_path / "run" / "status.json"
    failed = {"name": "web", "state": "failed", "last_exit": "exit code 1"}
    path.write_text(json.dumps({"version": "0.0.1", "processes": [failed]}))
    old = time.time() - 600
    os.utime(path, (old, old))
    here = host(os.getpid())
    found = [places.status(here), places.processes(here), places.version(here)]
    assert [getattr(item, "level", "") for item in found] == ["error", "error", "warning"]


def test_a_unit_that_ends_sessions_is_bad(host: Make, tmp_path: Path) -> None:
    (tmp_path / "mark").mkdir()
    program = tmp_path / "systemctl"
    said = ["LoadState=loaded", "UnitFileState=enabled", "ActiveState=active", "KillMode=control-group", "Delegate=no"]
    program.write_text("#!/bin/sh\n" + "".join(f"echo {line}\n" for line in said))
    program.chmod(0o755)
    variables = {"CLAUDEOPS_SYSTEMD_MARK": str(tmp_path / "mark"), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    found = things.systemd(host(**variables))
    assert found is not None
    assert (found.level, "KillMode=control-group" in found.text) == ("error", True)


def test_backups_that_stopped_are_told(host: Make, tmp_path: Path) -> None:
    (tmp_path / "state" / "backups").mkdir()
    copy = tmp_path / "state" / "backups" / "nightly-1.db"
    copy.write_text("")
    assert getattr(places.backups(host()), "level", "") == "ok"
    os.utime(copy, (1e9, 1e9))
    assert getattr(places.backups(host()), "level", "") == "warning"
    assert getattr(places.backups(host(CLAUDEOPS_BACKUP_KEEP="0")), "level", "") == "warning"


def test_a_control_group_that_is_too_small_is_told(host: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = next(line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::/"))
    group = tmp_path / line.removeprefix("0::/")
    group.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(things, "CGROUPS", tmp_path)
    (group / "memory.max").write_text("max\n")
    (group / "pids.max").write_text("100\n")
    found = things.cgroup(host())
    assert found is not None
    assert (found.level, "pids.max is 100" in found.text) == ("warning", True)


def test_a_clock_that_jumped_since_the_start_is_told(host: Make, tmp_path: Path) -> None:
    def status(started: str, written: str, uptime: float) -> None:
        own = {"name": "supervisor", "pid": 1, "state": "running", "uptime_s": uptime}
        facts = {"started_at": started, "written_at": written, "processes": [own]}
        (tmp_path / "run" / "status.json").write_text(json.dumps(facts))

    status("2026-01-31T08:00:00.000Z", "2026-01-31T09:00:00.000Z", 3599.0)
    assert things.clock(host(pid=1)).level == "ok"
    status("2026-01-31T08:00:00.000Z", "2026-01-31T10:00:00.000Z", 3600.0)
    found = things.clock(host(pid=1))
    assert (found.level, "went 3600 s ahead" in found.text) == ("warning", True)
    status("2026-01-31T08:00:00.000Z", "2026-01-31T08:10:00.000Z", 3600.0)
    assert "went 3000 s back" in things.clock(host(pid=1)).text


def written(tmp_path: Path, text: str) -> None:
    database = Database(tmp_path / "state" / "claudeops.db", readonly=False)
    database.script(text)
    database.close()


def test_an_audit_log_that_was_changed_is_bad(host: Make, tmp_path: Path) -> None:
    database = Database(tmp_path / "state" / "claudeops.db", readonly=False)
    with database.transaction():
        for number in range(3):
            audit.add(database, actor="ada", action=Action.COOLDOWN_RESET, subject=f"web{number}", at=datetime.now(UTC))
    database.close()
    found = records.audit(host())
    assert found is not None
    assert (found.level, found.text) == ("ok", "3 lines are as they were written")
    written(tmp_path, "DROP TRIGGER IF EXISTS audit_stays; UPDATE audit SET actor = 'bo' WHERE id = 2")
    found = records.audit(host())
    assert found is not None
    assert (found.level, "line 2 is not as it was written" in found.text) == ("error", True)


def test_a_channel_that_takes_nothing_is_bad(host: Make, tmp_path: Path) -> None:
    now, before = timestamps.now(), timestamps.at(time.time() - 3600)
    assert records.notifications(host()) == ok("no channel is behind")
    written(tmp_path, f"""
        INSERT INTO notifications (id, key, kind, level, title, body, link, created_at, routed_at)
            VALUES (1, 'k', 'event', 'critical', 't', '', '', '{before}', '{before}');
        INSERT INTO deliveries (notification_id, channel, status, urgent, since, next_at, changed_at, attempts, error)
            VALUES (1, 'ntfy', 'retrying', 1, '{before}', '{now}', '{now}', 7, 'connection refused');""")  # fmt: skip
    found = records.notifications(host())
    assert found is not None
    assert found.level == "error"
    assert "ntfy has taken nothing for" in found.text
    assert "connection refused" in found.text


def test_what_the_daemon_warns_of_is_told_here_too(host: Make, tmp_path: Path) -> None:
    (tmp_path / "run" / "status.json").write_text(json.dumps({"warnings": ["the disk is full"], "proxy": "it lies"}))
    assert records.warnings(host(pid=1)) == warn("the disk is full")
    assert entrance.proxy(host(pid=1)) == warn("it lies")
    assert records.warnings(host()) is None


def test_a_setting_that_is_none_is_named(host: Make) -> None:
    found = things.settings(host(CLAUDEOPS_INTERVALL="60"))
    assert (found.level, "did you mean CLAUDEOPS_INTERVAL?" in found.text) == ("warning", True)


@pytest.mark.parametrize(
    ("days", "mode", "level", "words"),
    [(90, 0o600, "ok", "valid until"), (5, 0o600, "warning", "expires on"), (-1, 0o600, "error", "has expired on"),
     (90, 0o644, "warning", "others may read")],
)  # fmt: skip
def test_a_certificate_is_looked_at(host: Make, tmp_path: Path, days: int, mode: int, level: str, words: str) -> None:
    assert entrance.certificate(host()) is None
    pair = certificates.make(tmp_path / "tls", days=days)
    pair.key.chmod(mode)
    found = entrance.certificate(host(CLAUDEOPS_TLS_CERT=str(pair.cert), CLAUDEOPS_TLS_KEY=str(pair.key)))
    assert found is not None
    assert (found.level, words in found.text) == (level, True), found


def test_a_certificate_that_can_not_be_used_is_bad(host: Make, tmp_path: Path) -> None:
    one, other = certificates.make(tmp_path / "a"), certificates.make(tmp_path / "b")
    for cert, key, words in (
        (one.cert, other.key, "KEY VALUES MISMATCH"), (tmp_path / "none.pem", one.key, "No such file"),
        (one.key, one.key, "BEGIN CERTIFICATE"),
    ):  # fmt: skip
        found = entrance.certificate(host(CLAUDEOPS_TLS_CERT=str(cert), CLAUDEOPS_TLS_KEY=str(key)))
        assert found is not None
        assert (found.level, words in found.text) == ("error", True), found
