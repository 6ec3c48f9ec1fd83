"""What scripts rely on, of a real daemon: a log followed over the worker's deaths, the status, the first setup link."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.acceptance.harness import ROOT, Daemon, alive, running, wait_for
from tests.acceptance.supervisor.surroundings import patched

STATUS = {"state", "processes", "sessions", "next_run_at", "version"}
PROCESS = {"name", "pid", "state", "restarts", "uptime_s", "rss_bytes"}
NO_WORKER = "import os\nif MODULE == 'daemon.worker' and os.path.exists(HERE + '/broken'):\n    os._exit(1)\n"


def wait_longer(path: Path) -> None:
    """Until a file is some lines longer than now."""
    wanted = path.stat().st_size + 5000
    wait_for(lambda: path.stat().st_size > wanted, 20, f"{path.name} longer")


def test_a_log_is_followed_to_its_end_over_two_deaths_of_the_worker(tmp_path: Path) -> None:
    with running(tmp_path / "daemon") as daemon:
        session = daemon.trigger(until=str(tmp_path / "enough"), interval=0.01)
        log = Path(session["log_file"])
        printed = tmp_path / "printed"
        with printed.open("wb") as output:
            tail = subprocess.Popen(
                [sys.executable, "-m", "ipc.ctl", "sessions", "tail", "-f", str(session["id"])],
                env=daemon.environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE,
            )  # fmt: skip
        try:
            for _ in range(2):
                wait_longer(printed)
                daemon.wait_replaced("worker", daemon.kill("worker"))
            wait_longer(printed)
            (tmp_path / "enough").touch()
            assert daemon.wait_ended(session["id"])["status"] == "completed"
            _, told = tail.communicate(timeout=30)
        finally:
            tail.kill()
            tail.wait()
        assert (tail.returncode, told) == (0, b"")
        assert printed.read_bytes() == log.read_bytes()


def test_the_status_of_a_daemon_that_runs_has_all_that_scripts_rely_on(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_SCHEDULE_ENABLED="true", CLAUDEOPS_INTERVAL="3600") as daemon:
        first = wait_for(lambda: daemon.json("sessions", "list"), 15)[0]
        daemon.wait_ended(first["id"])
        daemon.trigger(hang=60)
        told = daemon.json("status")
        assert told.keys() >= STATUS
        assert (told["state"], told["sessions"]["running"]) == ("running", 1)
        assert re.fullmatch(r"\d+\.\d+\.\d+.*", told["version"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["next_run_at"])
        processes = {process["name"]: process for process in told["processes"]}
        assert processes.keys() >= {"supervisor", "worker", "web"}
        for name in ("supervisor", "worker", "web"):
            assert processes[name].keys() >= PROCESS
            assert processes[name]["state"] == "running"
            assert alive(processes[name]["pid"])
            assert processes[name]["rss_bytes"] > 1_000_000
        assert processes["supervisor"]["pid"] == (daemon.process.pid if daemon.process else 0)


def test_without_a_worker_the_status_is_what_the_supervisor_wrote_and_says_so(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    with running(tmp_path / "daemon", **patched(hooks, NO_WORKER)) as daemon:
        session = daemon.trigger(hang=60)
        before = {process["name"]: process["pid"] for process in daemon.json("status")["processes"]}
        wait_for(lambda: daemon.file()["sessions"] == {"running": 1}, 10, "the session in the status file")
        (hooks / "broken").touch()
        worker = daemon.kill("worker")
        # exit code 0: the daemon runs. A moment before, the worker that can't be is being started.
        wait_for(lambda: daemon.json("status")["state"] == "degraded", 10)
        told = daemon.json("status")
        assert told.keys() >= STATUS
        assert re.match(r"the worker is not answering; as of .* ago, by the supervisor", told["warnings"][0])
        processes = {process["name"]: process for process in told["processes"]}
        assert all(processes[name].keys() >= PROCESS for name in ("supervisor", "worker", "web"))
        assert processes["worker"]["pid"] != worker
        assert {processes[name]["pid"] for name in ("supervisor", "web")} == {before["supervisor"], before["web"]}
        assert told["sessions"]["running"] == 1
        assert "not answering" in daemon.ctl("status").stdout
        (hooks / "broken").unlink()
        daemon.wait_running()
        assert daemon.json("status")["state"] == "running"
        assert daemon.session(session["id"])["status"] == "running"
        assert daemon.stop() == 0
        assert daemon.json("status", check=False)["state"] == "stopped"
        assert daemon.ctl("status", check=False).returncode == 3


def links(daemon: Daemon) -> list[str]:
    """The setup links that its log shows."""
    return re.findall(r"http://127\.0\.0\.1:\d+(/setup/[\w-]+)", daemon.log())


def test_the_first_start_prints_a_setup_link_that_works_once_and_later_ones_print_none(daemon: Daemon) -> None:
    daemon.start()
    (link,) = wait_for(lambda: links(daemon), 10, "the link")
    # A worker that dies prints no second one.
    daemon.wait_replaced("worker", daemon.kill("worker", signal.SIGKILL))
    assert links(daemon) == [link]
    daemon.sign_in(link)
    assert daemon.request("GET", "/")[0] == 200
    daemon.cookie = ""
    status, _, body = daemon.request("GET", link)
    assert status == 403
    assert b"used or has expired" in body
    assert daemon.stop() == 0
    daemon.start()
    assert daemon.ctl("users", "list").stdout.count("ada") == 1
    assert links(daemon) == [link]
