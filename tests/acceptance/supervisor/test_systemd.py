"""What systemd hears: ready once both serve, signs of life while the worker beats, reloads and the end."""

import itertools
import signal
import time
from pathlib import Path

from daemon.supervisor import rules
from tests.acceptance.harness import Daemon, running, wait_for
from tests.acceptance.supervisor.surroundings import Systemd, patched


def test_ready_comes_once_both_serve_and_the_end_is_told(tmp_path: Path) -> None:
    with Systemd(tmp_path) as systemd, running(tmp_path, NOTIFY_SOCKET=systemd.name) as daemon:
        wait_for(lambda: systemd.times("READY"), 5, "READY")
        served = [line for line in daemon.log().splitlines() if " serves (pid" in line]
        assert len(served) == 2
        wait_for(lambda: any(text.startswith("running") for text in systemd.values("STATUS")), 5, "a status")
        assert systemd.values("STATUS")[0].startswith("starting")
        assert daemon.stop() == 0
        wait_for(lambda: systemd.times("STOPPING"), 5, "STOPPING")
        assert systemd.values("READY") == systemd.values("STOPPING") == ["1"]
        assert not systemd.times("WATCHDOG")


# A web process that does nothing yet.
HELD = """
import os, time
while MODULE == "webui" and os.path.exists(HERE + "/held"):
    time.sleep(0.05)
"""


def test_ready_does_not_come_while_one_child_can_not_serve(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    with Systemd(tmp_path) as systemd:
        daemon = Daemon(tmp_path / "daemon", NOTIFY_SOCKET=systemd.name, **patched(hooks, HELD))
        (hooks / "held").touch()
        try:
            daemon.start(wait=False)
            web = daemon.pid("web")
            wait_for(lambda: daemon.process_of("worker").get("state") == "running", 15, "the worker")
            time.sleep(0.5)
            assert not systemd.times("READY")
            (hooks / "held").unlink()
            wait_for(lambda: systemd.times("READY"), 10, "READY")
            assert daemon.pid("web") == web
        finally:
            daemon.close()


# A worker that has a large database to bring up to date; and a supervisor that tells four times a second.
SLOW = """
import os, time
if MODULE == "daemon.worker":
    from daemon import state
    opened = state.open_database
    def open_slowly(*given):
        while os.path.exists(HERE + "/slow"):
            time.sleep(0.05)
        return opened(*given)
    state.open_database = open_slowly
if MODULE == "daemon":
    from daemon.supervisor import report
    report.STATUS_EVERY = 0.25
"""


def test_more_time_is_asked_for_while_the_worker_is_at_work_on_its_database(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    with Systemd(tmp_path) as systemd:
        daemon = Daemon(tmp_path / "daemon", NOTIFY_SOCKET=systemd.name, **patched(hooks, SLOW))
        try:
            (hooks / "slow").touch()
            daemon.start(wait=False)
            wait_for(lambda: len(systemd.times("EXTEND_TIMEOUT_USEC")) >= 4, 20, "EXTEND_TIMEOUT_USEC")
            assert not systemd.times("READY")
            asked = [int(value) / 1_000_000 for value in systemd.values("EXTEND_TIMEOUT_USEC")]
            assert min(asked) >= 2 * rules.READY_SECONDS
            assert any("brought up to date" in warning for warning in daemon.file()["warnings"])
            (hooks / "slow").unlink()
            wait_for(lambda: systemd.times("READY"), 20, "READY")
            count = len(systemd.times("EXTEND_TIMEOUT_USEC"))
            time.sleep(1.5)
            assert len(systemd.times("EXTEND_TIMEOUT_USEC")) == count
            assert daemon.process_of("worker")["restarts"] == 0
        finally:
            daemon.close()


def test_the_sign_of_life_comes_twice_as_often_as_asked_and_stops_while_the_worker_is_silent(tmp_path: Path) -> None:
    more = {"WATCHDOG_USEC": "2000000", "CLAUDEOPS_HEARTBEAT_TIMEOUT": "6"}
    with Systemd(tmp_path) as systemd, running(tmp_path, NOTIFY_SOCKET=systemd.name, **more) as daemon:
        begin = len(systemd.times("WATCHDOG"))
        wait_for(lambda: len(systemd.times("WATCHDOG")) >= begin + 5, 10, "signs of life")
        times = systemd.times("WATCHDOG")[-5:]
        assert max(later - earlier for earlier, later in itertools.pairwise(times)) <= 1.0
        worker = daemon.kill("worker", signal.SIGSTOP)
        stopped = time.monotonic()
        daemon.wait_replaced("worker", worker)
        replaced = time.monotonic()
        silent = [at for at in systemd.times("WATCHDOG") if stopped + 4.0 < at < stopped + 4.8]
        # The last beat was up to a second before.
        assert replaced - stopped > 4.8
        assert silent == []
        wait_for(lambda: systemd.times("WATCHDOG")[-1] > replaced, 5, "signs of life again")


def test_a_reload_is_told_with_its_time_and_ends_with_ready(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("")
    with (
        Systemd(tmp_path) as systemd,
        running(tmp_path, NOTIFY_SOCKET=systemd.name, CLAUDEOPS_ENV_FILE=str(file)) as daemon,
    ):
        systemd.wait_more("READY", 0)  # that of the start, which comes by a way of its own
        for text in ("CLAUDEOPS_INTERVAL=77", "CLAUDEOPS_INTERVAL=never"):  # one that is taken over, one that is not
            ready, seen = len(systemd.times("READY")), len(systemd.heard)
            file.write_text(text)
            before = time.monotonic_ns() // 1000
            daemon.kill("supervisor", signal.SIGHUP)
            systemd.wait_more("READY", ready)
            told = [lines for _, lines in systemd.heard[seen:] if "RELOADING" in lines or "READY" in lines]
            assert [sorted(lines) for lines in told] == [["MONOTONIC_USEC", "RELOADING"], ["READY"]]
            assert before <= int(told[0]["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
