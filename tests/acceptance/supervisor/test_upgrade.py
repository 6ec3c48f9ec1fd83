"""SIGUSR2: the supervisor's code is replaced in place, then web, then worker; sessions never notice."""

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from schema.version import VERSION
from tests.acceptance.harness import ROOT, Daemon, alive, running, wait_for
from tests.acceptance.supervisor.surroundings import children_of, descriptors, patched, sockets, threads

NEW_VERSION = "99.1.2"
SLOW_END = """
if MODULE == "webui":
    import signal, time
    before = signal.signal
    def slow(number, handler):
        def handle(*given):
            time.sleep(1.0)
            handler(*given)
        return before(number, handle if callable(handler) else handler)
    signal.signal = slow
"""


def test_pid_lock_sockets_boot_id_and_session_survive(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        session = daemon.trigger(lines=100, interval=0.05)
        shim, command = daemon.run_pids(session)
        supervisor, worker, web = (daemon.pid(name) for name in ("supervisor", "worker", "web"))
        before, file, count = sockets(daemon), daemon.file(), descriptors(supervisor)
        daemon.kill("supervisor", signal.SIGUSR2)
        daemon.wait_replaced("web", web)
        daemon.wait_replaced("worker", worker)
        assert sockets(daemon) == before
        after = wait_for(lambda: daemon.serves() and daemon.file(), 5)
        for name in ("pid", "boot_id", "started_at", "address"):
            assert after[name] == file[name]
        assert daemon.process_of("supervisor")["restarts"] == 1
        assert daemon.process_of("supervisor")["uptime_s"] >= file["processes"][0]["uptime_s"]
        assert (descriptors(supervisor), threads(supervisor)) == (count, 1)
        told = re.findall(r"(web|worker) (has ended|serves)", daemon.log().partition("goes on")[2])
        assert told == [("web", "has ended"), ("web", "serves"), ("worker", "has ended"), ("worker", "serves")]
        assert alive(shim)
        assert alive(command)
        ended = daemon.wait_ended(session["id"])
        assert (ended["status"], ended["lines"]) == ("completed", 102)
        assert daemon.stop() == 0
        assert daemon.left_over() == []


def test_each_of_many_in_a_row_ends_with_one_worker_and_one_web_process(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        for times in range(1, 4):
            daemon.kill("supervisor", signal.SIGUSR2)  # while the one before is still replacing children
            wait_for(lambda: daemon.log().count("goes on") == times, 20)  # noqa: B023 - called before the next
        wait_for(daemon.serves, 20, "all replaced")
        assert len(children_of(daemon.pid("supervisor"))) == 2
        daemon.kill("supervisor", signal.SIGUSR2)
        assert daemon.stop() == 0
        assert daemon.left_over() == []


def test_it_waits_for_a_child_that_is_about_to_end_so_that_there_are_never_two(tmp_path: Path) -> None:
    with running(tmp_path, **patched(tmp_path / "hooks", SLOW_END)) as daemon:
        daemon.ctl("restart", "web")
        wait_for(lambda: daemon.process_of("web")["state"] == "stopping", 5)
        daemon.kill("supervisor", signal.SIGUSR2)
        wait_for(lambda: "goes on" in daemon.log(), 10)
        log = daemon.log()
        assert log.index("web has ended") < log.index("re-executing in place")
        wait_for(daemon.serves, 20, "all replaced")
        assert len(children_of(daemon.pid("supervisor"))) == 2


def test_settings_that_have_become_invalid_are_found_before_anything_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("")
    with running(tmp_path, CLAUDEOPS_ENV_FILE=str(file)) as daemon:
        file.write_text("CLAUDEOPS_INTERVAL=never")
        worker, web = daemon.pid("worker"), daemon.pid("web")
        daemon.kill("supervisor", signal.SIGUSR2)
        wait_for(lambda: "not re-executed" in daemon.log(), 10)
        assert "CLAUDEOPS_INTERVAL" in daemon.log()
        assert (daemon.pid("worker"), daemon.pid("web")) == (worker, web)
        assert daemon.json("status")["state"] == "running"


class Installed:
    """Two versions of the code; `current` leads to the one that is installed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in ("v1", "v2"):
            for package in ("daemon", "ipc", "schema", "webui"):
                shutil.copytree(
                    ROOT / package, directory / name / package, ignore=shutil.ignore_patterns("__pycache__")
                )
        self._change("schema/version.py", re.escape(f'"{VERSION}"'), f'"{NEW_VERSION}"')
        self._change("ipc/messages/envelope.py", r"(?m)^PROTOCOL = \d+", "PROTOCOL = 2")
        self._change("ipc/messages/envelope.py", r"(?m)^PROTOCOL_OLDEST = \d+", "PROTOCOL_OLDEST = 2")
        self.current = directory / "current"
        self.install("v1")

    def _change(self, file: str, old: str, new: str) -> None:
        path = self.directory / "v2" / file
        text, count = re.subn(old, new, path.read_text())
        assert count == 1, f"{file} has changed; so must this test"
        path.write_text(text)

    def install(self, name: str) -> None:
        """Swaps the link, as an upgrade does."""
        fresh = self.directory / "fresh"
        fresh.symlink_to(self.directory / name)
        fresh.replace(self.current)


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed(tmp_path / "code")


@pytest.fixture
def old(tmp_path: Path, installed: Installed) -> Iterator[Daemon]:
    """A daemon of the first version, with a session that runs."""
    daemon = Daemon(tmp_path / "daemon", PYTHONPATH=str(installed.current))
    daemon.directory.mkdir()
    yield daemon.start(cwd=daemon.directory)
    daemon.close()


def test_new_code_takes_over_in_place_and_the_session_goes_on(old: Daemon, installed: Installed) -> None:
    session = old.trigger(lines=150, interval=0.05)
    shim, command = old.run_pids(session)
    supervisor, worker, web, before = old.pid("supervisor"), old.pid("worker"), old.pid("web"), sockets(old)
    assert old.file()["version"] == VERSION
    installed.install("v2")
    old.kill("supervisor", signal.SIGUSR2)
    old.wait_replaced("worker", worker)
    old.wait_replaced("web", web)
    old.wait_running()
    assert old.file()["version"] == NEW_VERSION
    assert old.pid("supervisor") == supervisor
    assert sockets(old) == before
    assert alive(shim)
    assert alive(command)
    log = Path(session["log_file"])
    wait_for(lambda: b'"type":"result"' in log.read_bytes(), 20, "the session's end")
    assert [line for line in log.read_bytes().splitlines() if b'"line 149"' in line]
    assert old.stop() == 0
    assert old.left_over() == []


def test_a_web_process_that_meets_a_worker_of_another_protocol_is_started_anew_from_the_new_code(
    old: Daemon, installed: Installed
) -> None:
    web = old.pid("web")
    installed.install("v2")
    old.wait_replaced("worker", old.kill("worker"))
    new = old.wait_replaced("web", web)
    old.wait_running()
    assert "web has ended: exit code 76" in old.log()
    assert "is not spoken here" in old.log() or "speaks protocol" in old.log()
    assert old.process_of("web")["restarts"] == 1
    assert Path(f"/proc/{new}").exists()


def test_new_code_that_can_not_start_is_found_out_before_anything_is_replaced(
    old: Daemon, installed: Installed
) -> None:
    (installed.directory / "v2" / "daemon" / "supervisor" / "loop.py").write_text("this is no Python")
    installed.install("v2")
    worker = old.pid("worker")
    old.kill("supervisor", signal.SIGUSR2)
    wait_for(lambda: "not re-executed: what is installed now can't start" in old.log(), 10)
    assert old.pid("worker") == worker
    assert old.file()["state"] == "running"
