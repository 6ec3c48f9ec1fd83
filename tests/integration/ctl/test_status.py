"""`claudeopsctl status` and `doctor`, with the worker, without it, and with nothing there."""

import json
import os
import signal
import subprocess
import sys
import time

from tests.fixtures import machine
from tests.integration.ctl.stage import Stage

CONTRACT = {"state", "processes", "sessions", "next_run_at", "version"}
PROCESS = {"name", "pid", "state", "restarts", "uptime_s", "rss_bytes"}


def test_a_worker_that_serves_is_asked(served: Stage) -> None:
    told = served.json("status")
    assert told.keys() >= CONTRACT
    assert told["state"] == "running"
    assert told["version"] == "9.9.9"
    assert told["sessions"]["running"] == 2
    assert all(process.keys() >= PROCESS for process in told["processes"])


def test_people_get_a_table_without_colours_where_there_is_no_terminal(served: Stage) -> None:
    told = served.ctl("status")
    assert told.returncode == 0
    assert "worker" in told.stdout
    assert "1.9 MiB" in told.stdout
    assert "\x1b" not in told.stdout


def test_a_dead_worker_is_told_from_the_supervisors_file_and_exit_code_0(orphaned: Stage) -> None:
    told = orphaned.json("status")
    assert told.keys() >= CONTRACT
    assert told["state"] == "degraded"
    assert told["version"] == "0.0.1"
    assert told["next_run_at"] == "2026-01-31T09:00:00.000Z"
    assert {process["name"] for process in told["processes"]} == {"worker", "web"}
    assert all(process.keys() >= PROCESS for process in told["processes"])
    assert "not answering" in told["warnings"][0]
    assert " ago, by the supervisor" in told["warnings"][0]


def test_a_worker_that_hangs_costs_two_seconds(served: Stage) -> None:
    assert served.worker is not None
    served.worker.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert served.json("status")["state"] == "starting", "no status file here yet"
    assert time.monotonic() - began < 5


def test_exit_code_3_when_the_daemon_has_ended(stage: Stage) -> None:
    stage.start_supervisor()
    assert stage.supervisor is not None
    stage.supervisor.terminate()
    stage.supervisor.wait()
    told = stage.json("status", code=3)
    assert told.keys() >= CONTRACT
    assert told["state"] == "stopped"
    assert told["processes"] == []
    assert "not running" in stage.ctl("status").stdout


def test_exit_code_4_when_nothing_is_known(stage: Stage) -> None:
    told = stage.json("status", "--runtime-dir", str(stage.runtime / "nowhere"), code=4)
    assert told.keys() >= CONTRACT
    assert told["state"] == "unknown"


def test_exit_code_4_when_we_may_not_look(served: Stage) -> None:
    machine.need_root("it looks as another user")
    served.runtime.chmod(0o750)
    told = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *served.command("status", "--json")],
        env=served.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 4, told.stderr
    assert "not open to you" in json.loads(told.stdout)["reason"]


def test_a_command_from_a_user_who_may_not_says_so_in_one_sentence(served: Stage) -> None:
    machine.need_root("it asks as another user")
    served.runtime.chmod(0o750)
    told = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *served.command("sessions", "list")],
        env=served.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 5
    assert told.stderr.count("\n") == 1
    assert "not open to you; run this as root" in told.stderr


def test_looking_never_holds_the_lock(stage: Stage) -> None:
    """A daemon that starts in the very moment must not find the lock taken by whoever looks."""
    (stage.runtime / "lock").touch()
    trace = (
        "import fcntl, sys\n"
        "def refuse(*_): raise AssertionError('the lock was touched')\n"
        "fcntl.flock = fcntl.lockf = refuse\n"
        "from ipc.ctl.__main__ import main\n"
        "sys.exit(main())"
    )
    command = [sys.executable, "-c", trace, "status"]
    told = subprocess.run(command, env=stage.environment, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (3, "")


def test_a_lock_of_another_namespace_is_believed_where_somebody_listens(stage: Stage) -> None:
    (stage.runtime / "lock").write_text("1\n")
    stage.listen()
    assert stage.json("status")["state"] == "starting"
    told = stage.ctl("reload")
    assert told.returncode == 1
    assert "can't be seen from here" in told.stderr, "pid 1 of another namespace is not ours to signal"


def test_the_daemon_is_found_in_the_usual_places(served: Stage, tmp_path: object) -> None:
    bare = {name: served.environment[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH")}
    home = served.runtime / "elsewhere"
    (home / ".claudeops" / "demo").mkdir(parents=True)
    (home / ".claudeops" / "demo" / "run").symlink_to(served.runtime)
    (home / "state").mkdir()
    (home / "state" / "run").symlink_to(served.runtime)
    for added in (
        {},
        {"RUNTIME_DIRECTORY": f"{served.runtime}:/other"},
        {"CLAUDEOPS_STATE_DIR": str(home / "state")},
        {"CLAUDEOPS_RUNTIME_DIR": str(served.runtime), "CLAUDEOPS_STATE_DIR": "/nowhere"},
    ):
        told = served.ctl("status", env={**bare, **added}, cwd=home)
        assert told.returncode == 0, (added, told.stdout)
    assert served.ctl("--runtime-dir", str(served.runtime), "status", env=bare).returncode == 0
    assert served.ctl("status", env={**bare, "CLAUDEOPS_STATE_DIR": "/nowhere"}, cwd=home).returncode == 4


def test_doctor_joins_what_it_sees_with_what_the_worker_sees(served: Stage) -> None:
    served.runtime.chmod(0o750)
    (served.runtime / "pub.sock").symlink_to(served.runtime / "rpc.sock")
    facts = {"state": "running", "version": "0.0.1", "pid": os.getpid(), "processes": []}
    (served.runtime / "status.json").write_text(json.dumps(facts))
    found = {item["name"]: item["level"] for item in served.json("doctor")["findings"]}
    assert found["database"] == "ok"
    assert found["supervisor"] == "ok"
    assert found["version"] == "warning", "a warning alone is no failure"


def test_doctor_finds_a_socket_that_anybody_may_use(served: Stage) -> None:
    (served.runtime / "rpc.sock").chmod(0o666)
    found = {item["name"]: item for item in served.json("doctor", code=1)["findings"]}
    assert "anybody may reach the daemon" in found["rpc.sock"]["text"]
    assert found["pub.sock"]["level"] == "error", "it is missing"


def test_doctor_says_what_it_could_not_check_without_the_worker(orphaned: Stage) -> None:
    process = orphaned.popen("doctor")
    # The check-up has time; a worker that dies before it answers must not cost all of it.
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGCONT)
    assert orphaned.supervisor is not None
    time.sleep(1.0)
    orphaned.supervisor.terminate()
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"what only it can see is not checked" in out


def test_doctor_without_a_daemon_says_what_to_do(stage: Stage) -> None:
    told = stage.ctl("doctor")
    assert told.returncode == 1
    assert "start it" in told.stdout
