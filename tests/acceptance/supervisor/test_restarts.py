"""What the supervisor does about children that hang, crash, can't be started, or are to be replaced."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from ipc.ctl.connection import Connection
from tests.acceptance.harness import ROOT, Daemon, alive, running, wait_for
from tests.acceptance.stream import Reader
from tests.acceptance.supervisor.surroundings import children_of, descriptors, patched

BREAK = "import os\nif MODULE == {module!r} and os.path.exists(HERE + '/broken'):\n    os._exit({code})\n"
NO_FORK = """
import os
if MODULE == "daemon":
    fork = os.fork
    def refuse():
        if os.path.exists(HERE + "/full"):
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return fork()
    os.fork = refuse
"""


QUEUED = 1000  # messages that zmq keeps for a subscriber that does not read
SLOW_DATABASE = """
if MODULE == "daemon.worker":
    import time
    from schema import database
    before = database.Database.migrate
    def migrate(self):
        time.sleep(3.0)
        return before(self)
    database.Database.migrate = migrate
"""


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def test_a_hung_web_process_is_replaced_and_the_worker_neither_waits_nor_grows(tmp_path: Path) -> None:
    """More is published meanwhile than the queue to one reader holds; who watches resumes and misses nothing."""
    with running(tmp_path, CLAUDEOPS_HEARTBEAT_TIMEOUT="6") as daemon, hearing(daemon) as heard:
        daemon.sign_in()
        enough = tmp_path / "enough"
        watched, *others = [daemon.trigger(tier, until=str(enough), interval=0.004) for tier in (1, 2, 3)]
        shim, _ = daemon.run_pids(watched)
        reader = Reader(daemon, watched["id"])
        reader.start()
        connection = Connection(daemon.runtime)
        for number in range(400):
            # Long ones: until the cache of the database is full, what is written makes the worker larger.
            connection.call("settings.set", {"name": "webhook_system_prompt", "value": f"{number} {'x' * 8000}"})
        wait_for(lambda: len(reader.numbers) > 100, 10, "the first lines")
        worker = daemon.pid("worker")
        before = resident(worker)
        old = daemon.kill("web", signal.SIGSTOP)
        published, slowest, seen = heard.count, 0.0, len(reader.numbers)
        while daemon.process_of("web").get("pid") == old:
            began = time.monotonic()
            change(connection)
            slowest = max(slowest, time.monotonic() - began)
        assert heard.count - published > QUEUED
        assert slowest < 1.0
        daemon.wait_replaced("web", old, 10)
        grown = resident(worker) - before
        connection.close()
        assert not alive(old)
        assert "web is silent for" in daemon.log()
        assert daemon.request("GET", "/healthz")[0] == 200
        assert daemon.pid("worker") == worker
        assert alive(shim)
        enough.touch()
        for session in others:
            assert daemon.wait_ended(session["id"])["status"] == "completed"
        ended = daemon.wait_ended(watched["id"])
        assert ended["status"] == "completed"
        reader.join(60)
        assert reader.done.is_set()
        assert reader.connections >= 2
        assert len(reader.numbers) > seen
        assert reader.numbers == list(range(ended["lines"] - 2))
        assert reader.refused == 0
        assert grown < 1024 * 1024


def change(connection: Connection) -> None:
    """Something that the worker does at once, and publishes."""
    connection.call("settings.set", {"name": "interval", "value": str(600 + time.monotonic_ns() % 1000)})


class Hearing(threading.Thread):
    """Another subscriber of the worker's, that counts."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__()
        self.count = 0
        self.over = threading.Event()
        self._path = daemon.runtime / "pub.sock"

    def run(self) -> None:
        """Until it is over."""
        with zmq.Context() as context, context.socket(zmq.SUB) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.subscribe(b"")
            socket.connect(f"ipc://{self._path}")
            while not self.over.is_set():
                if socket.poll(50):
                    socket.recv()
                    self.count += 1


@contextlib.contextmanager
def hearing(daemon: Daemon) -> Iterator[Hearing]:
    """Hears meanwhile what the worker publishes."""
    made = Hearing(daemon)
    made.start()
    try:
        yield made
    finally:
        made.over.set()
        made.join()


def test_what_a_worker_says_of_its_start_is_told_at_once_and_not_beyond_it(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, **patched(tmp_path / "hooks", SLOW_DATABASE))
    try:
        daemon.start(wait=False)
        said = wait_for(lambda: daemon.file().get("warnings"), 10, "what keeps the worker")
        assert said == ["the database is being checked and brought up to date"]
        assert daemon.process_of("worker")["state"] == "starting"
        daemon.wait_running()
        assert daemon.file()["warnings"] == []
        assert daemon.json("status")["warnings"] == []
        assert daemon.stop() == 0
    finally:
        daemon.close()


def test_a_web_process_that_crashes_again_and_again_is_given_up_and_the_rest_goes_on(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    limits = {"CLAUDEOPS_RESTART_LIMIT": "3", **patched(hooks, BREAK.format(module="webui", code=1))}
    with running(tmp_path, **limits) as daemon:
        session = daemon.trigger(lines=60, interval=0.05)
        worker = daemon.pid("worker")
        (hooks / "broken").write_text("")
        daemon.kill("web")
        wait_for(lambda: daemon.process_of("web").get("state") == "failed", 15, "web given up")
        found = daemon.ctl("status", "--json", check=False)
        assert '"degraded"' in found.stdout
        assert daemon.file()["reason"] == "web failed"
        assert "degraded" in daemon.ctl("status", check=False).stdout
        assert daemon.pid("worker") == worker
        assert daemon.wait_ended(session["id"])["status"] == "completed"
        (hooks / "broken").unlink()
        daemon.ctl("restart", "web")
        daemon.wait_running(10)
        assert daemon.file()["reason"] is None


def test_a_web_process_that_was_given_up_is_tried_again_by_itself(tmp_path: Path) -> None:
    """Every five minutes; this supervisor's are two seconds."""
    hooks = tmp_path / "hooks"
    text = BREAK.format(module="webui", code=1) + (
        "if MODULE == 'daemon':\n    from daemon.supervisor import rules\n    rules.RETRY_FAILED_SECONDS = 2.0\n"
    )
    with running(tmp_path, CLAUDEOPS_RESTART_LIMIT="3", **patched(hooks, text)) as daemon:
        (hooks / "broken").write_text("")
        daemon.kill("web")
        wait_for(lambda: daemon.process_of("web").get("state") == "failed", 15, "web given up")
        (hooks / "broken").unlink()
        daemon.wait_running(20)
        assert daemon.file()["reason"] is None


def test_a_worker_over_its_limit_ends_the_daemon_with_70_and_keeps_the_sessions(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    limits = {"CLAUDEOPS_RESTART_LIMIT": "2", **patched(hooks, BREAK.format(module="daemon.worker", code=1))}
    with running(tmp_path, **limits) as daemon:
        session = daemon.trigger(hang=60)
        shim, _ = daemon.run_pids(session)
        web = daemon.pid("web")
        (hooks / "broken").write_text("")
        daemon.kill("worker")
        assert daemon.process is not None
        assert daemon.process.wait(15) == 70
        assert not alive(web)
        assert alive(shim)
        assert "giving up" in daemon.log()


def test_a_worker_that_can_not_work_with_what_it_finds_ends_the_daemon_with_78_at_once(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    try:
        daemon.state.mkdir(parents=True)
        (daemon.state / "claudeops.db").write_bytes(b"this is no database, whatever its name says" * 100)
        daemon.start(wait=False)
        assert daemon.process is not None
        assert daemon.process.wait(15) == 78
        assert daemon.log().count("worker has ended") == 1
        assert daemon.left_over() == []
    finally:
        daemon.close()


def test_a_fork_that_fails_is_tried_again_later_and_leaks_nothing(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    with running(tmp_path, **patched(hooks, NO_FORK)) as daemon:
        assert daemon.process is not None
        pid = daemon.process.pid
        before = descriptors(pid)
        (hooks / "full").write_text("")
        old = daemon.kill("web")
        wait_for(lambda: daemon.log().count("web can't be started: Resource temporarily") >= 3, 10, "three tries")
        assert daemon.process_of("web")["state"] == "backoff"
        assert descriptors(pid) == before - 1  # the channel of the one that is gone
        (hooks / "full").unlink()
        daemon.wait_replaced("web", old, 10)
        assert descriptors(pid) == before
        stamps = [line.split(" ")[0] for line in daemon.log().splitlines() if "web can't be started" in line]
        assert len(stamps) <= 6, stamps  # it waits longer each time


def test_kills_by_an_operator_are_answered_at_once_and_do_not_count_as_crashes(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_RESTART_LIMIT="2") as daemon:
        for _ in range(5):
            began = time.monotonic()
            daemon.wait_replaced("web", daemon.kill("web"))
            assert time.monotonic() - began < 3
        assert daemon.process_of("web")["restarts"] == 5
        assert daemon.process_of("web")["last_exit"] == "SIGKILL"


def test_each_process_is_known_by_its_title(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        session = daemon.trigger(hang=60)
        titles = {daemon.pid(name): f"claudeops: {name}" for name in ("supervisor", "worker", "web")}
        titles[daemon.run_pids(session)[0]] = f"claudeops: run {session['run_id']}"
        daemon.wait_replaced("worker", daemon.kill("worker"))
        titles[daemon.pid("worker")] = "claudeops: worker"
        told = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode() for pid in titles if alive(pid)}
        assert told == {pid: title for pid, title in titles.items() if alive(pid)}
        assert len(told) == 4


def test_claudeopsctl_replaces_each_child_while_a_session_goes_on(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        session = daemon.trigger(until=str(tmp_path / "enough"), interval=0.05)
        shim, _ = daemon.run_pids(session)
        for name in ("web", "worker"):
            old = daemon.pid(name)
            daemon.ctl("restart", name)
            daemon.wait_replaced(name, old)
            assert daemon.process_of(name)["last_exit"] == "exit code 0"
        assert alive(shim)
        (tmp_path / "enough").touch()
        assert daemon.wait_ended(session["id"])["status"] == "completed"


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_child_that_is_told_to_end_again_while_it_ends_ends_as_it_should(tmp_path: Path, name: str) -> None:
    with running(tmp_path) as daemon:
        for _ in range(3):
            pid = daemon.pid(name)
            with contextlib.suppress(ProcessLookupError):
                while alive(pid):
                    os.kill(pid, signal.SIGTERM)
            daemon.wait_replaced(name, pid)
            assert daemon.process_of(name)["last_exit"] == "exit code 0"


def test_a_child_that_does_not_get_ready_is_not_left_starting_for_ever(tmp_path: Path) -> None:
    """The web process of this one sleeps before it does anything; its supervisor has two seconds of patience."""
    hooks = tmp_path / "hooks"
    text = """
import os, time
if MODULE == "webui" and not os.path.exists(HERE + "/slept"):
    open(HERE + "/slept", "w").close()
    time.sleep(600)
if MODULE == "daemon":
    from daemon.supervisor import rules
    rules.READY_SECONDS = 2.0
"""
    with running(tmp_path, **patched(hooks, text)) as daemon:
        assert "web does not get ready" in daemon.log()
        assert daemon.process_of("web")["last_exit"] == "SIGABRT"
        assert daemon.process is not None
        assert len(children_of(daemon.process.pid)) == 2


def test_a_pause_of_the_whole_tree_is_nobodys_silence(tmp_path: Path) -> None:
    """As a container's freezer does it; the supervisor is the first to go on, and could judge before anyone beats."""
    with running(tmp_path, CLAUDEOPS_HEARTBEAT_TIMEOUT="4") as daemon:
        names = ("supervisor", "worker", "web")
        pids = {name: daemon.kill(name, signal.SIGSTOP) for name in names}
        time.sleep(5.0)
        os.kill(pids["supervisor"], signal.SIGCONT)
        time.sleep(0.5)
        for name in ("worker", "web"):
            os.kill(pids[name], signal.SIGCONT)
        time.sleep(1.5)
        assert {name: daemon.pid(name) for name in names} == pids
        assert "silent" not in daemon.log()


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    daemon.directory.mkdir(exist_ok=True)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "daemon"], env=daemon.environment, cwd=ROOT, stderr=writing, stdin=subprocess.DEVNULL
        )
        daemon.process = process
        daemon.wait_running()
        with contextlib.suppress(BlockingIOError):
            while os.write(writing, b"x" * 4096):
                continue
        os.set_blocking(writing, True)
        web = daemon.kill("web")
        daemon.wait_replaced("web", web, 10)
        assert daemon.stop(10) == 0
    finally:
        daemon.close()
        os.close(reading)
        os.close(writing)


def test_with_its_streams_closed_it_serves_as_ever(tmp_path: Path) -> None:
    """As some start daemons; a socket of its own must not become standard error."""
    daemon = Daemon(tmp_path)
    daemon.command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *daemon.command]
    try:
        daemon.start()
        for name in ("supervisor", "worker", "web"):
            held = {os.readlink(f"/proc/{daemon.pid(name)}/fd/{number}") for number in range(3)}
            assert held == {"/dev/null"}, name
        daemon.wait_replaced("web", daemon.kill("web"))
        assert daemon.wait_ended(daemon.trigger(lines=3, stderr=["a word"])["id"])["lines"] == 6
        assert daemon.process_of("worker")["restarts"] == 0
        assert daemon.stop() == 0
    finally:
        daemon.close()


def test_descriptors_that_somebody_left_open_do_not_reach_the_children(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    daemon.directory.mkdir()
    (tmp_path / "stray").write_text("")
    with (tmp_path / "stray").open() as stray, daemon.output.open("ab") as output:
        daemon.process = subprocess.Popen(
            [sys.executable, "-m", "daemon"], env=daemon.environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output,
            stderr=output, pass_fds=[stray.fileno()],
        )  # fmt: skip
    try:
        daemon.wait_running()
        for name in ("worker", "web"):
            held = {os.readlink(found) for found in Path(f"/proc/{daemon.pid(name)}/fd").iterdir()}
            assert str(tmp_path / "stray") not in held
    finally:
        daemon.close()
