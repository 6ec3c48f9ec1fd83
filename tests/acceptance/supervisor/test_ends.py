"""How the daemon ends: asked once, twice, early, late, by kill -9; and what is left of it, which is nothing."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.harness import Daemon, alive, running, wait_for
from tests.acceptance.supervisor.surroundings import patched

# They take their time to end: one that is gone at once is not there to be told a second time.
COUNT_TERMS = """
if MODULE in ("daemon.worker", "webui"):
    import os, signal, time
    before = signal.signal
    def counting(number, handler):
        def handle(*given):
            with open(f"{HERE}/{MODULE}-{os.getpid()}-{number}", "a") as file:
                file.write("x")
            time.sleep(0.5)
            handler(*given)
        return before(number, handle if number == signal.SIGTERM and callable(handler) else handler)
    signal.signal = counting
"""


HANG = """
if MODULE == "daemon.worker":
    import ctypes, os, threading, time
    def hang():
        while not os.path.exists(HERE + "/hang"):
            time.sleep(0.05)
        ctypes.PyDLL(None).sleep(600)  # without letting the interpreter's lock go
    threading.Thread(target=hang, daemon=True).start()
"""


def gone(pids: list[int]) -> bool:
    return not [pid for pid in pids if alive(pid)]


def begin_deaf(daemon: Daemon) -> None:
    """A session with a tool, neither of which hears SIGINT or SIGTERM by now; else the daemon could end before it is
    told a second time.
    """
    session = daemon.trigger(lines=1, hang=60, deaf=True, children=1)
    wait_for(lambda: b'"line 0"' in Path(session["log_file"]).read_bytes(), 10, "its line")


def test_worker_and_web_are_gone_within_a_second_of_a_killed_supervisor_and_the_next_start_is_clean(
    daemon: Daemon,
) -> None:
    daemon.start()
    pids = [daemon.pid("worker"), daemon.pid("web")]
    boot = daemon.file()["boot_id"]
    daemon.kill("supervisor")
    wait_for(lambda: gone(pids), 1.0, "worker and web gone")
    daemon.start()
    assert daemon.file()["boot_id"] != boot
    assert daemon.json("status")["state"] == "running"
    assert daemon.stop() == 0
    assert daemon.left_over() == []


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_ends_all_with_exit_code_0_and_asks_each_child_once(tmp_path: Path, signum: int) -> None:
    hooks = tmp_path / "hooks"
    with running(tmp_path, **patched(hooks, COUNT_TERMS)) as daemon:
        begin_deaf(daemon)
        assert daemon.process is not None
        daemon.process.send_signal(signum)
        assert daemon.process.wait(15) == 0
        assert daemon.left_over() == []
        told = {path.name.split("-")[0]: path.read_text() for path in hooks.glob(f"*-{signal.SIGTERM:d}")}
        # Web may have ended by the word on its channel before the signal came.
        assert told in ({"daemon.worker": "x", "webui": "x"}, {"daemon.worker": "x"})


def test_a_second_signal_ends_all_within_a_second(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_STOP_GRACE_INT="20", CLAUDEOPS_STOP_GRACE_TERM="20") as daemon:
        begin_deaf(daemon)
        assert daemon.process is not None
        daemon.process.terminate()
        wait_for(lambda: daemon.file()["state"] == "stopping", 5)
        time.sleep(0.3)
        assert daemon.process.poll() is None
        began = time.monotonic()
        daemon.process.terminate()
        assert daemon.process.wait(15) == 0
        assert time.monotonic() - began < 1.5
        wait_for(lambda: daemon.left_over() == [], 1.0, "nothing left")


@pytest.mark.parametrize("delay", [0.0, 0.15, 0.35])
def test_a_signal_during_the_start_ends_all(daemon: Daemon, delay: float) -> None:
    daemon.start(wait=False)
    wait_for(lambda: (daemon.runtime / "pub.sock").exists(), 10, "the supervisor")
    time.sleep(delay)
    assert daemon.stop(10) == 0
    assert daemon.left_over() == []


def test_a_signal_during_a_replacement_asks_no_child_twice(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    with running(tmp_path, **patched(hooks, COUNT_TERMS)) as daemon:
        daemon.ctl("restart", "web")
        assert daemon.stop(10) == 0
        assert daemon.left_over() == []
        told = [path.read_text() for path in hooks.glob(f"*-{signal.SIGTERM:d}")]
        assert told
        assert set(told) == {"x"}


def test_quit_keeps_the_sessions_which_the_next_daemon_adopts(daemon: Daemon) -> None:
    daemon.start()
    session = daemon.trigger(lines=40, interval=0.05)
    shim, command = daemon.run_pids(session)
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGQUIT)
    assert daemon.process.wait(10) == 0
    assert alive(shim)
    assert alive(command)
    daemon.start()
    ended = daemon.wait_ended(session["id"])
    assert (ended["status"], ended["lines"]) == ("completed", 42)


def test_a_stop_while_the_worker_is_stopped_still_ends_its_sessions(daemon: Daemon) -> None:
    daemon.start()
    daemon.trigger(hang=60, children=1)
    daemon.kill("worker", signal.SIGSTOP)
    began = time.monotonic()
    assert daemon.stop(20) == 0
    assert time.monotonic() - began < 8
    assert daemon.left_over() == []


def test_a_stop_while_the_worker_hangs_gives_the_sessions_their_time(tmp_path: Path) -> None:
    """A worker that neither ends nor beats is killed after its silence, long before time is up for all."""
    hooks = tmp_path / "hooks"
    more = {"CLAUDEOPS_HEARTBEAT_TIMEOUT": "2", "CLAUDEOPS_STOP_TIMEOUT": "25", **patched(hooks, HANG)}
    with running(tmp_path, **more) as daemon:
        session = daemon.trigger(hang=60, children=1)
        (hooks / "hang").write_text("")  # the interpreter's lock is held from here on
        time.sleep(0.3)
        began = time.monotonic()
        assert daemon.stop(20) == 0
        assert time.monotonic() - began < 10
        assert daemon.left_over() == []
        assert (
            b"interrupted" in Path(session["log_file"]).read_bytes()
        )  # what the CLI says when it is asked, not killed


def test_the_supervisor_has_one_thread_all_along(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        assert daemon.process is not None
        pid = daemon.process.pid
        pids = {name: daemon.kill(name) for name in ("web", "worker")}
        for name, old in pids.items():
            assert os.listdir(f"/proc/{pid}/task") == [str(pid)]
            daemon.wait_replaced(name, old)
        assert os.listdir(f"/proc/{pid}/task") == [str(pid)]


def test_a_signal_right_after_a_reload_ends_all_and_asks_no_child_twice(tmp_path: Path) -> None:
    hooks, file = tmp_path / "hooks", tmp_path / "claudeops.env"
    file.write_text("CLAUDEOPS_INTERVAL=3600\n")
    with running(tmp_path, CLAUDEOPS_ENV_FILE=str(file), **patched(hooks, COUNT_TERMS)) as daemon:
        begin_deaf(daemon)
        file.write_text("CLAUDEOPS_INTERVAL=1800\nCLAUDEOPS_DASHBOARD_HOST=127.0.0.1\n")
        daemon.kill("supervisor", signal.SIGHUP)
        assert daemon.stop(15) == 0
        assert daemon.left_over() == []
        told = [path.read_text() for path in hooks.glob(f"*-{signal.SIGTERM:d}")]
        assert told
        assert set(told) == {"x"}
