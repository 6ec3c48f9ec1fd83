"""How sessions end when something else than themselves ends them. No process is ever left."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.harness import KEY, Daemon, alive, running, wait_for
from tests.acceptance.memory import in_memory


def gone(pids: list[int]) -> bool:
    return not [pid for pid in pids if alive(pid)]


def tree(daemon: Daemon, session: dict[str, object]) -> list[int]:
    """Every process of a run: those that carry its id in their environment."""
    mark = f"CLAUDEOPS_RUN_ID={session['run_id']}".encode()
    found = []
    for pid in daemon.left_over():
        try:
            if mark in Path(f"/proc/{pid}/environ").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found


def test_a_stop_keeps_the_cost_that_the_cli_reports(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_STOP_GRACE_INT="5") as daemon:
        session = daemon.trigger(hang=60, children=2)
        wait_for(lambda: len(tree(daemon, session)) >= 3, 10, "the children")
        pids = tree(daemon, session)
        daemon.ctl("sessions", "stop", str(session["id"]))
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "stopped"
        assert ended["cost_usd"] == pytest.approx(0.02)
        assert gone(pids)


def test_a_deaf_session_is_killed_with_its_whole_tree(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        session = daemon.trigger(hang=60, deaf=True, children=2)
        wait_for(lambda: len(tree(daemon, session)) >= 3, 10, "the children")
        pids = tree(daemon, session)
        daemon.ctl("sessions", "stop", str(session["id"]))
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "stopped"
        assert gone(pids)


def test_the_timeout_holds_with_the_worker_stopped(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_SESSION_TIMEOUT="2", CLAUDEOPS_HEARTBEAT_TIMEOUT="60") as daemon:
        session = daemon.trigger(hang=60, children=1, deaf=True)
        wait_for(lambda: len(tree(daemon, session)) >= 2, 10, "the children")
        pids = tree(daemon, session)
        worker = daemon.kill("worker", signal.SIGSTOP)
        wait_for(lambda: gone(pids), 15, "the tree's end")
        os.kill(worker, signal.SIGCONT)
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "timed_out"
        assert "longer than 2 s" in ended["reason"]


def test_a_shim_that_was_stopped_keeps_its_timeout_nevertheless(tmp_path: Path) -> None:
    """A call of the session can do that: it runs as the same user."""
    with running(tmp_path, CLAUDEOPS_SESSION_TIMEOUT="2") as daemon:
        session = daemon.trigger(hang=60)
        os.kill(daemon.run_pids(session)[0], signal.SIGSTOP)
        ended = daemon.wait_ended(session["id"], 20)
        assert ended["status"] == "timed_out"


def test_a_stop_reaches_a_shim_that_was_stopped(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        session = daemon.trigger(hang=60)
        os.kill(daemon.run_pids(session)[0], signal.SIGSTOP)
        began = time.monotonic()
        daemon.ctl("sessions", "stop", str(session["id"]))
        assert daemon.wait_ended(session["id"], 20)["status"] == "stopped"
        assert time.monotonic() - began < 4
        # So does the daemon's own end, with no worker to tell of it.
        shim, command = daemon.run_pids(daemon.trigger(hang=60))
        daemon.kill("worker")
        os.kill(shim, signal.SIGSTOP)
        began = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - began < 10
        assert gone([shim, command])


def test_a_killed_shim_takes_its_command_along_and_the_session_is_interrupted(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        session = daemon.trigger(lines=3, hang=60, children=2)
        wait_for(lambda: len(tree(daemon, session)) >= 3, 10, "the children")
        wait_for(lambda: b"line 2" in Path(session["log_file"]).read_bytes(), 10, "the last line")
        shim, _ = daemon.run_pids(session)
        pids = tree(daemon, session)
        os.kill(shim, signal.SIGKILL)
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "interrupted"
        assert "keeper" in ended["reason"]
        wait_for(lambda: gone(pids), 5, "the tree's end")
        assert b"line 2" in Path(ended["log_file"]).read_bytes()


def test_a_session_whose_directory_was_removed_ends_with_its_command(tmp_path: Path) -> None:
    """Nobody can tell how it ended; its tier is free again."""
    with running(tmp_path) as daemon:
        session = daemon.trigger(until=str(tmp_path / "enough"), interval=0.05)
        worker, pids = daemon.pid("worker"), list(daemon.run_pids(session))
        shutil.rmtree(daemon.state / "runs")
        (tmp_path / "enough").touch()
        ended = daemon.wait_ended(session["id"], 20)
        assert ended["status"] == "interrupted"
        assert b'"type":"result"' in Path(ended["log_file"]).read_bytes()
        assert gone(pids)
        assert daemon.wait_ended(daemon.trigger(lines=1)["id"])["status"] == "completed"
        assert daemon.pid("worker") == worker


def test_a_killed_command_is_a_failed_session_with_the_signal_as_reason(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        session = daemon.trigger(lines=500, hang=60)
        _, command = daemon.run_pids(session)
        wait_for(lambda: b'"line 499"' in Path(session["log_file"]).read_bytes(), 20, "all its lines")
        os.kill(command, signal.SIGKILL)
        ended = daemon.wait_ended(session["id"])
        assert (ended["status"], ended["exit_code"]) == ("failed", 137)
        assert "SIGKILL" in ended["reason"]
        assert ended["lines"] == 501, "the first event, and each line"
        assert daemon.ctl("sessions", "tail", str(session["id"])).stdout.count('"text":"line ') == 500


def test_a_command_that_fails_says_why_in_the_row_and_in_the_log(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        session = daemon.trigger(stderr=["Error: unknown option --frobnicate"], exit=1, result=False)
        ended = daemon.wait_ended(session["id"])
        assert (ended["status"], ended["exit_code"]) == ("failed", 1)
        assert "unknown option" in ended["reason"]
        assert "[stderr] Error: unknown option" in daemon.ctl("sessions", "tail", str(session["id"])).stdout


def test_more_output_than_allowed_ends_the_session(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_SESSION_MAX_BYTES="100000") as daemon:
        session = daemon.trigger(lines=100000)
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "failed"
        assert "CLAUDEOPS_SESSION_MAX_BYTES" in ended["reason"]
        assert Path(ended["log_file"]).stat().st_size < 200_000


def test_after_stop_nothing_is_left_and_the_exit_code_is_0(daemon: Daemon) -> None:
    daemon.start()
    session = daemon.trigger(hang=60, children=3)
    other = daemon.trigger(2, hang=60, deaf=True, children=1)
    wait_for(lambda: len(tree(daemon, session)) >= 4 and len(tree(daemon, other)) >= 2, 10)
    assert {pid for run in (session, other) for pid in daemon.run_pids(run)} <= set(daemon.left_over())
    assert daemon.stop() == 0
    assert daemon.left_over() == []
    daemon.start()
    assert daemon.session(session["id"])["status"] == "interrupted"
    assert daemon.session(other["id"])["status"] == "interrupted"


def test_a_second_sigterm_ends_everything_within_a_second(daemon: Daemon) -> None:
    daemon.environment |= {"CLAUDEOPS_STOP_GRACE_INT": "20", "CLAUDEOPS_STOP_GRACE_TERM": "20"}
    daemon.start()
    session = daemon.trigger(hang=60, deaf=True, children=2)
    wait_for(lambda: len(tree(daemon, session)) >= 3, 10)
    assert daemon.process is not None
    daemon.process.terminate()
    time.sleep(1.0)
    assert daemon.process.poll() is None
    before = time.monotonic()
    daemon.process.terminate()
    daemon.process.wait(10)
    assert time.monotonic() - before < 1.5
    wait_for(lambda: daemon.left_over() == [], 2, "nothing left")


def test_sessions_outlive_a_killed_supervisor_and_are_adopted(daemon: Daemon) -> None:
    daemon.start()
    session = daemon.trigger(lines=100, interval=0.05)
    shim, command = daemon.run_pids(session)
    worker, web = daemon.pid("worker"), daemon.pid("web")
    daemon.kill("supervisor")
    wait_for(lambda: gone([worker, web]), 1.5, "worker and web gone")
    assert alive(shim)
    assert alive(command)
    daemon.start()
    ended = daemon.wait_ended(session["id"])
    assert ended["status"] == "completed"
    assert ended["lines"] == 102


def test_a_stop_after_adoption_ends_the_runs_that_are_no_children(daemon: Daemon) -> None:
    daemon.start()
    daemon.trigger(hang=60, children=1)
    daemon.kill("supervisor")
    assert daemon.process is not None
    daemon.process.wait(5)
    daemon.start()
    assert daemon.stop() == 0
    assert daemon.left_over() == []


TOKENS = {"CLAUDE_CODE_OAUTH_TOKEN": "oauth-made-up-0123456789", "GITHUB_TOKEN": "ghp-made-up-0123456789"}


def test_secrets_appear_nowhere(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_SESSION_ENV="GITHUB_TOKEN", **TOKENS) as daemon:
        leak = ["ANTHROPIC_API_KEY", *TOKENS]
        session = daemon.trigger(until=str(tmp_path / "enough"), leak=leak, interval=0.05, children=1)
        wait_for(lambda: len(tree(daemon, session)) >= 2, 10, "the tool")
        pids = daemon.left_over()
        secrets = [secret.encode() for secret in (KEY, *TOKENS.values())]
        shim, command = daemon.run_pids(session)
        assert {shim, command, *map(daemon.pid, ("supervisor", "worker", "web"))} <= set(pids)
        argv = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids}
        assert b"--append-system-prompt-file" in argv[command]
        for secret in secrets:
            assert [pid for pid in pids if secret in argv[pid]] == []
            # Who acts has it, so that one sees that looking finds it; who shows has not.
            assert in_memory(daemon.pid("worker"), secret)
            assert in_memory(command, secret)
            assert not in_memory(daemon.pid("web"), secret)
        (tmp_path / "enough").touch()
        daemon.wait_ended(session["id"])
        shown = "".join(
            daemon.ctl(*words).stdout
            for words in (("status", "--json"), ("sessions", "show", "1", "--json"), ("sessions", "tail", "1"),
                          ("config", "list", "--json"), ("doctor", "--json"))
        )  # fmt: skip
        for name in leak:
            assert f"[REDACTED:{name}]" in shown
        assert not [secret for secret in secrets if secret in shown.encode()]
        for file in [*daemon.state.rglob("*"), *daemon.results.rglob("*"), *daemon.runtime.rglob("*"), daemon.output]:
            if file.is_file():
                assert not [secret for secret in secrets if secret in file.read_bytes()], file
        for secret in secrets:
            assert not in_memory(daemon.pid("web"), secret)
