"""`claudeopsctl restart, reload, stop, config, backup, setup-link, logs`: through the worker, and around a dead one."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from tests.integration.ctl.stage import Stage, wait_for


def signals(stage: Stage) -> list[str]:
    path = stage.runtime / "signals"
    return path.read_text().split() if path.exists() else []


def test_restart_goes_through_the_worker_once(served: Stage) -> None:
    assert served.ctl("restart", "web").stdout == "web is being replaced\n"
    assert len(served.calls("process.restart")) == 1


def test_a_restart_that_cuts_its_own_answer_off_is_not_asked_twice(served: Stage) -> None:
    (served.runtime / "hang").touch()
    process = served.popen("restart", "worker")
    wait_for(lambda: served.calls("process.restart"))
    served.kill_worker()
    (served.runtime / "hang").unlink()
    served.start_worker()
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert len(served.calls("process.restart")) == 1


def test_with_the_worker_dead_web_gets_sigterm(orphaned: Stage) -> None:
    told = orphaned.ctl("restart", "web")
    assert told.returncode == 0, told.stderr
    assert wait_for(lambda: (orphaned.runtime / "child_signal").exists())
    wait_for(lambda: (orphaned.runtime / "child_signal").read_text() == str(int(signal.SIGTERM)))


def test_with_the_worker_hanging_it_is_killed(orphaned: Stage) -> None:
    assert orphaned.ctl("restart", "worker").returncode == 0
    wait_for(lambda: (orphaned.runtime / "child_signal").exists())
    wait_for(lambda: (orphaned.runtime / "child_signal").read_text() == str(int(signal.SIGKILL)))


def test_nobody_elses_process_is_signalled(orphaned: Stage) -> None:
    """The status file is old, and the pid in it belongs to somebody else by now."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        facts = json.loads((orphaned.runtime / "status.json").read_text())
        facts["processes"] = [{**process, "pid": stranger.pid} for process in facts["processes"]]
        (orphaned.runtime / "status.json").write_text(json.dumps(facts))
        told = orphaned.ctl("restart", "web")
        assert told.returncode == 1
        assert "no longer what it was" in told.stderr
        assert stranger.poll() is None
        stranger.kill()


def test_a_child_that_is_not_there_is_told(orphaned: Stage) -> None:
    facts = json.loads((orphaned.runtime / "status.json").read_text())
    facts["processes"] = [{**process, "pid": None} for process in facts["processes"]]
    (orphaned.runtime / "status.json").write_text(json.dumps(facts))
    told = orphaned.ctl("restart", "web")
    assert told.returncode == 1
    assert "starts it by itself" in told.stderr


def test_with_the_worker_dead_reload_is_sighup_to_the_supervisor(orphaned: Stage) -> None:
    told = orphaned.ctl("reload")
    assert told.returncode == 0, told.stderr
    wait_for(lambda: signals(orphaned) == [str(int(signal.SIGHUP))])


def test_stop_waits_until_the_lock_is_free(orphaned: Stage) -> None:
    told = orphaned.ctl("stop")
    assert (told.returncode, told.stdout) == (0, "stopped\n"), told.stderr
    assert signals(orphaned) == [str(int(signal.SIGTERM))]
    assert orphaned.supervisor is not None
    assert orphaned.supervisor.wait(5) == 0
    again = orphaned.ctl("stop")
    assert again.returncode == 0
    assert "not running" in again.stdout


def test_stop_need_not_wait(served: Stage) -> None:
    assert served.ctl("stop", "--no-wait").stdout == "the daemon is stopping\n"
    told = served.json("stop", "--timeout", "0.2", code=1)
    assert told["error"]["code"] == "deadline"


def test_a_reused_pid_in_the_lock_file_is_not_signalled(orphaned: Stage) -> None:
    """The supervisor is dead, its worker still holds the inherited lock, and a stranger has got the pid."""
    command = ["sh", "-c", "exec sleep 60"]
    lock = orphaned.runtime / "lock"
    with subprocess.Popen(command) as stranger:
        time.sleep(0.05)
        lock.write_text(f"{stranger.pid}\n")
        old = time.time() - 3600
        os.utime(lock, (old, old))
        os.utime(orphaned.runtime / "status.json", (old, old))
        assert orphaned.supervisor is not None
        # The kernel's word counts, not the file's: the real holder, which started after the lock was written.
        told = orphaned.ctl("reload")
        assert told.returncode == 1
        assert "no longer what it was" in told.stderr
        assert stranger.poll() is None
        assert signals(orphaned) == []
        stranger.kill()


def test_commands_without_a_daemon_say_what_to_do(stage: Stage) -> None:
    for words in (("reload",), ("restart", "web"), ("stop",), ("sessions", "list"), ("logs",), ("setup-link",)):
        told = stage.ctl(*words)
        assert told.returncode == 5, words
        assert "start it, or name its place by CLAUDEOPS_RUNTIME_DIR" in told.stderr
        assert stage.json(*words, code=5)["error"]["code"] == "not_running"


def test_settings_are_read_set_and_reset(served: Stage) -> None:
    assert served.ctl("config", "get", "CLAUDEOPS_INTERVAL").stdout == "3600\n"
    assert served.json("config", "set", "interval", "600")["source"] == "override"
    assert served.json("config", "get", "interval")["value"] == "600"
    assert served.json("config", "reset", "interval")["value"] == "3600"
    assert {item["name"] for item in served.json("config", "list")} == {"interval", "anthropic_api_key"}


def test_a_setting_that_does_not_fit_is_exit_code_1(served: Stage) -> None:
    told = served.ctl("config", "set", "interval", "often")
    assert told.returncode == 1
    assert told.stderr == "claudeopsctl: interval: 'often' is not a whole number of s\n"
    assert served.json("config", "get", "intervall", code=1)["error"]["code"] == "not_found"


def test_a_backup_is_asked_for_by_its_absolute_path(served: Stage, tmp_path: Path) -> None:
    assert served.json("backup", "here.db", code=0)["path"] == str(Path.cwd() / "here.db")
    assert served.ctl("backup").stdout == "/state/backups/x.db (4 KiB)\n"


def test_a_setup_link_is_printed_alone(served: Stage) -> None:
    assert served.ctl("setup-link").stdout == "http://127.0.0.1:8080/setup/abc\n"


def test_logs_shows_the_file_that_the_daemon_writes(stage: Stage) -> None:
    path = stage.runtime / "daemon.log"
    with path.open("wb") as file:
        file.write(b"one\ntwo\nthree \x1b[2J\n")
        file.flush()
        stage.start_supervisor(stderr=file)
    assert stage.ctl("logs", "-n", "2").stdout == "two\nthree \x1b[2J\n"
    told = stage.ctl("logs", "--json")
    assert [json.loads(line)["line"] for line in told.stdout.splitlines()] == ["one", "two", "three \x1b[2J"]
    follower = stage.popen("logs", "-f")
    assert follower.stdout is not None
    assert follower.stdout.readline() == b"one\n"
    with path.open("ab") as file:
        file.write(b"four\n")
    assert [follower.stdout.readline() for _ in range(3)][-1] == b"four\n"
    follower.kill()
    follower.communicate()


def test_logs_says_where_to_look_when_the_log_goes_into_a_pipe(stage: Stage) -> None:
    stage.start_supervisor(stderr=subprocess.PIPE)
    told = stage.ctl("logs")
    assert told.returncode == 1
    assert "`docker logs`" in told.stderr
    assert stage.supervisor is not None
    assert stage.supervisor.stderr is not None
    stage.supervisor.stderr.close()


def test_wrong_usage_is_exit_code_2(stage: Stage) -> None:
    for words in ((), ("sessions",), ("sessions", "show", "seven"), ("restart", "supervisor"), ("nothing",)):
        assert stage.ctl(*words).returncode == 2, words
