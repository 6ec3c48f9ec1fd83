"""The disk is full, the database locked or damaged, descriptors or memory run out: a clear state, nothing lost."""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import time
import urllib.parse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from schema.database import WAL_KEPT, Database, DiskFullError
from schema.database_file import WAL_LARGE, wal_size
from schema.version import VERSION
from tests.acceptance.harness import Daemon, alive, running, wait_for
from tests.acceptance.supervisor.surroundings import patched
from tests.acceptance.test_worker_killed import numbers
from tests.fixtures import machine


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    with machine.small_disk(tmp_path / "disk", "24m") as place:
        yield place


def fill(place: Path) -> None:
    """Takes every byte that is left."""
    with (place / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 65536)
        except OSError:
            pass


def test_a_full_disk_is_told_survived_and_recovered_from_without_a_restart(small_disk: Path) -> None:
    daemon = Daemon(small_disk, CLAUDEOPS_FREE_DISK_MIN="1000000")
    daemon.output = small_disk.parent / "daemon.log"
    try:
        daemon.start()
        assert health(daemon, "/healthz") == (200, {"status": "ok", "version": VERSION})
        session = daemon.trigger(lines=400, interval=0.02)
        wait_for(lambda: numbers(Path(session["log_file"])), 10)
        worker = daemon.pid("worker")
        fill(small_disk)
        wait_for(lambda: daemon.json("status")["state"] == "degraded", 20, "state degraded")
        told = daemon.json("status")["reason"]
        assert "disk" in told
        refused = daemon.ctl("sessions", "trigger", "--tier", "2", "--prompt", "x", check=False)
        assert refused.returncode == 1
        assert "CLAUDEOPS_FREE_DISK_MIN" in refused.stderr
        wait_for(lambda: health(daemon, "/healthz")[1]["status"] == "degraded", 5, "/healthz degraded")
        for probe in ("/healthz", "/readyz"):
            status, answer = health(daemon, probe)
            assert (status, answer["status"]) == (200, "degraded")
            assert "disk" in json.dumps(answer)
        assert b"claudeops_degraded 1.0" in daemon.request("GET", "/metrics")[2]
        (small_disk / "filler").unlink()
        ended = daemon.wait_ended(session["id"], 60)
        assert ended["status"] in ("completed", "failed")
        assert ended["status"] == "completed" or "disk" in ended["reason"]
        wait_for(lambda: daemon.json("status")["state"] == "running", 20, "state running again")
        wait_for(lambda: health(daemon, "/healthz") == (200, {"status": "ok", "version": VERSION}), 5, "/healthz ok")
        assert health(daemon, "/readyz") == (200, {"status": "ok", "reasons": []})
        assert b"claudeops_degraded 0.0" in daemon.request("GET", "/metrics")[2]
        assert daemon.pid("worker") == worker
        again = daemon.wait_ended(daemon.trigger(2, lines=3)["id"])
        assert again["status"] == "completed"
    finally:
        daemon.close()


def health(daemon: Daemon, path: str) -> tuple[int, dict[str, Any]]:
    """What a probe is told, without a sign-in."""
    status, _, body = daemon.request("GET", path)
    return status, json.loads(body)


def test_a_start_on_a_full_disk_waits_for_room_and_ends_no_session(small_disk: Path) -> None:
    """There is no room for the file that SQLite makes beside the database, which it calls an I/O error."""
    daemon = Daemon(small_disk, CLAUDEOPS_FREE_DISK_MIN="1000000")
    daemon.output = small_disk.parent / "daemon.log"
    over = small_disk.parent / "over"
    try:
        daemon.start()
        session = daemon.trigger(after=str(over))
        command = daemon.run_pids(session)[1]
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGQUIT)
        assert daemon.process.wait(20) == 0
        fill(small_disk)
        daemon.start(wait=False)
        wait_for(lambda: daemon.process_of("worker").get("restarts", 0) >= 3, 30, "another try")
        assert "the disk that holds the database is full" in daemon.log()
        assert alive(command)
        (small_disk / "filler").unlink()
        daemon.wait_running()
        over.touch()
        assert daemon.wait_ended(session["id"])["status"] == "completed"
    finally:
        daemon.close()


def test_what_people_do_on_a_full_disk_is_refused_in_words(small_disk: Path) -> None:
    """Whatever writes: each says that the disk is full and what to do, and nothing of it was done."""
    daemon = Daemon(small_disk, CLAUDEOPS_FREE_DISK_MIN="0")
    daemon.output = small_disk.parent / "daemon.log"
    try:
        daemon.start().sign_in()
        # With a reader at the WAL, each write needs room at its end; else some would find it at its beginning.
        reader = Database(daemon.state / "claudeops.db", readonly=True)
        reader.script("BEGIN")
        before = reader.value("triggers.count_waiting")
        fill(small_disk)
        use_up(daemon.state / "claudeops.db")
        for words in (
            ("config", "set", "interval", "1234"),
            ("memories", "add", "--category", "timing", "a thing to remember " + "x" * 1500),
            ("triggers", "add", "--tier", "3", "--prompt", "look"),
            ("sessions", "trigger", "--tier", "2", "--prompt", "look"),
            ("setup-link",),
        ):
            refused = daemon.ctl(*words, check=False)
            assert refused.returncode == 1, words
            assert "disk" in refused.stderr, words
            assert "full" in refused.stderr, words
            assert "free some space" in refused.stderr, words
            assert "internal error" not in refused.stderr
        told = json.loads(daemon.ctl("config", "set", "interval", "1234", "--json", check=False).stdout)
        assert told["error"]["code"] == "disk_full"
        status, answer = signing_in(daemon)
        assert status == 507
        assert "free some space" in answer
        assert "Traceback" not in daemon.log()
        assert daemon.json("status")["state"] == "degraded"
        reader.close()
        (small_disk / "filler").unlink()
        wait_for(lambda: daemon.json("status")["state"] == "running", 10, "state running again")
        daemon.ctl("config", "set", "interval", "1234")
        assert signing_in(daemon)[0] == 303
        assert before == 0
        assert daemon.json("triggers", "list", "--status", "waiting") == []
        assert daemon.process_of("worker")["restarts"] == 0
    finally:
        daemon.close()


def use_up(path: Path) -> None:
    """Writes page after page until the WAL has no room for another one."""
    database = Database(path, readonly=False)
    full = False
    while not full:
        try:
            database.try_write()
        except DiskFullError:
            full = True
    database.close()


def signing_in(daemon: Daemon) -> tuple[int, str]:
    """(status, page) of somebody who signs in with the right password."""
    _, headers, body = daemon.request("GET", "/sign-in", headers={"Cookie": ""})
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', body.decode()))
    form |= {"name": "ada", "password": "correct horse battery"}
    cookie = headers["Set-Cookie"].split(";")[0]
    status, _, page = daemon.request("POST", "/sign-in", urllib.parse.urlencode(form), headers={"Cookie": cookie})
    return status, page.decode()


def test_a_results_directory_that_is_gone_is_told_and_ends_nothing(tmp_path: Path) -> None:
    """As a volume that is not mounted any more: a link that leads nowhere for a while."""
    volume, away = tmp_path / "volume", tmp_path / "away"
    volume.mkdir()
    (tmp_path / "daemon").mkdir()
    (tmp_path / "daemon" / "results").symlink_to(volume)
    with running(tmp_path / "daemon", CLAUDEOPS_INTERVAL="3600") as daemon:
        worker = daemon.pid("worker")
        session = daemon.trigger(until=str(tmp_path / "over"), interval=0.05)
        wait_for(lambda: len(numbers(Path(session["log_file"]))) > 5, 10, "its first lines")
        volume.rename(away)
        told = f"CLAUDEOPS_RESULTS_DIR: {daemon.results} can't be used: No such file or directory"
        wait_for(lambda: told in str(daemon.json("status")["reason"]), 10, "the reason")
        assert daemon.json("status")["state"] == "degraded"
        wait_for(lambda: told in health(daemon, "/healthz")[1].get("reason", ""), 5, "/healthz degraded")
        refused = daemon.ctl("sessions", "trigger", "--tier", "2", "--prompt", "x", check=False)
        assert (refused.returncode, told in refused.stderr) == (1, True), refused.stderr
        queued = daemon.json("triggers", "add", "--tier", "3", "--prompt", json.dumps({"lines": 2}))["id"]
        wait_for(lambda: told in str(waiting(daemon, queued)["reason"]), 10, "why the trigger waits")
        looked = {item["name"]: item for item in daemon.json("doctor", check=False)["findings"]}
        assert looked["results directory"]["level"] != "ok"
        away.rename(volume)
        wait_for(lambda: daemon.json("status")["state"] == "running", 10, "state running again")
        # The session went on, and so does who reads it; the trigger that waited starts by itself.
        (tmp_path / "over").touch()
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "completed"
        assert numbers(Path(ended["log_file"])) == list(range(ended["lines"] - 2))
        wait_for(lambda: daemon.json("sessions", "list")[0]["tier"] == 3, 20, "the trigger's session")
        assert daemon.wait_ended(daemon.json("sessions", "list")[0]["id"])["status"] == "completed"
        # One that was removed is made anew, as at the start.
        shutil.rmtree(volume)
        daemon.results.unlink()
        assert daemon.wait_ended(daemon.trigger(lines=3)["id"])["status"] == "completed"
        # What is no directory is named by the session that wanted a log there.
        shutil.rmtree(daemon.results)
        daemon.results.write_text("in the way")
        refused = daemon.ctl("sessions", "trigger", "--tier", "2", "--prompt", "x", check=False)
        assert refused.returncode == 1
        assert f"CLAUDEOPS_RESULTS_DIR: can't make the log {daemon.results}/run-" in refused.stderr
        assert "Not a directory" in refused.stderr
        assert daemon.pid("worker") == worker


def waiting(daemon: Daemon, id_: int) -> dict[str, Any]:
    """A trigger that waits, as the list shows it."""
    (found,) = [trigger for trigger in daemon.json("triggers", "list") if trigger["id"] == id_]
    assert isinstance(found, dict)
    return found


def test_a_locked_database_delays_what_is_stored_and_loses_nothing(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_BUDGET_DAY_USD="0.015") as daemon:
        other = Database(daemon.state / "claudeops.db", readonly=False)
        session = daemon.trigger(lines=100, interval=0.02)
        with other.transaction():
            before = time.monotonic()
            assert daemon.json("status")["sessions"]["running"] == 1
            assert time.monotonic() - before < 2
            time.sleep(3)
        ended = daemon.wait_ended(session["id"])
        assert (ended["status"], ended["lines"]) == ("completed", 102)
        held = daemon.trigger(lines=3)
        with other.transaction():
            # Longer than the busy timeout: what people ask for fails and is told, the session's end waits.
            refused = daemon.ctl("config", "set", "interval", "1234", check=False)
            assert (refused.returncode, refused.stdout) == (1, "")
            assert "another process keeps the database locked" in refused.stderr
            status = daemon.json("status")
            assert status["state"] == "degraded"
            assert "another process keeps the database locked" in status["reason"]
            told = "another process keeps the database locked"
            wait_for(lambda: told in health(daemon, "/healthz")[1].get("reason", ""), 5, "told by the web process")
            assert health(daemon, "/healthz")[0] == 200
            status, answer = health(daemon, "/readyz")
            assert (status, answer["status"]) == (503, "unavailable")
            assert told in answer["reasons"][0]
        other.close()
        wait_for(lambda: daemon.json("status")["state"] == "running", 10, "state running again")
        wait_for(lambda: health(daemon, "/readyz") == (200, {"status": "ok", "reasons": []}), 5, "/readyz ok")
        assert "store: what is stored reaches the disk again" in daemon.log()
        ended = daemon.wait_ended(held["id"])
        assert (ended["status"], ended["lines"]) == ("completed", 5)
        assert "budget is used up" in daemon.json("events", "list")[0]["message"]
        assert daemon.process_of("worker")["restarts"] == 0


def test_a_daemon_starts_while_its_database_is_locked_and_makes_up_for_it(daemon: Daemon) -> None:
    daemon.start()
    wait_for(lambda: "make the first admin here" in daemon.log(), 10, "the first link")
    assert daemon.stop() == 0
    other = Database(daemon.state / "claudeops.db", readonly=False)
    with other.transaction():
        daemon.start(wait=False)
        wait_for(lambda: "keeps the database locked" in str(daemon.file().get("reason")), 30, "degraded")
        assert daemon.json("sessions", "list") == []
    other.close()
    daemon.wait_running()
    # Nobody can sign in yet: the link was made as soon as it could be stored.
    wait_for(lambda: daemon.log().count("make the first admin here") == 2, 30, "the link")
    assert daemon.process_of("worker")["restarts"] == 0


REFUSED = """
import os
if MODULE == "daemon.worker":
    from daemon import state
    from schema.database import DiskFullError, LockedError
    opened = state.open_database
    def refuse(*given):
        for name, error in (("locked", LockedError), ("full", DiskFullError)):
            if os.path.exists(HERE + "/" + name):
                raise error("the database is " + name)
        return opened(*given)
    state.open_database = refuse
"""


@pytest.mark.parametrize("how", ["locked", "full"])
def test_a_database_that_can_not_be_opened_for_now_is_opened_later(tmp_path: Path, how: str) -> None:
    """It is no reason to give up for good, as a damaged one is."""
    hooks = tmp_path / "hooks"
    daemon = Daemon(tmp_path / "daemon", **patched(hooks, REFUSED))
    try:
        (hooks / how).touch()
        daemon.start(wait=False)
        wait_for(lambda: daemon.process_of("worker").get("restarts", 0) >= 2, 20, "another try")
        assert daemon.process_of("worker")["last_exit"] == "exit code 70"
        assert f"the database is {how}; started again" in daemon.log()
        (hooks / how).unlink()
        daemon.wait_running()
    finally:
        daemon.close()


@pytest.mark.parametrize("damage", ["header", "pages"])
def test_a_damaged_database_is_copied_aside_and_never_replaced_by_an_empty_one(daemon: Daemon, damage: str) -> None:
    daemon.start()
    for _ in range(3):
        daemon.wait_ended(daemon.trigger(lines=3, say="x" * 3000)["id"])
    assert daemon.stop() == 0
    path = daemon.state / "claudeops.db"
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[:16] = b"not a database!!"
    else:
        for page in range(2, len(content) // 4096):
            content[page * 4096 : page * 4096 + 200] = os.urandom(200)
    path.write_bytes(content)
    daemon.start(wait=False)
    assert daemon.process is not None
    assert daemon.process.wait(30) == 78
    assert "damaged" in daemon.log()
    copies = [file for file in daemon.state.iterdir() if ".damaged-" in file.name and "-wal" not in file.name]
    assert [copy.read_bytes() for copy in copies] == [bytes(content)]
    assert path.read_bytes() == bytes(content)


def test_a_database_of_a_newer_version_is_left_alone(daemon: Daemon) -> None:
    daemon.start()
    assert daemon.stop() == 0
    database = Database(daemon.state / "claudeops.db", readonly=False)
    database.script("INSERT INTO migrations VALUES (9999, 'from the future', 'x', 't')")
    database.close()
    daemon.start(wait=False)
    assert daemon.process is not None
    assert daemon.process.wait(30) == 78
    assert "newer version" in daemon.log()


def test_no_descriptors_left_kills_the_worker_and_costs_nothing(tmp_path: Path) -> None:
    """libzmq aborts its process where it can't accept; the next worker adopts the session."""
    with running(tmp_path) as daemon:
        session = daemon.trigger(lines=300, interval=0.03)
        shim, _ = daemon.run_pids(session)
        worker = daemon.pid("worker")
        used = len(os.listdir(f"/proc/{worker}/fd"))
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (used + 4, used + 4))
        peers = []
        for _ in range(50):
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(1)
            try:
                peer.connect(str(daemon.runtime / "rpc.sock"))
            except OSError:
                break
            peers.append(peer)
        daemon.wait_replaced("worker", worker)
        for peer in peers:
            peer.close()
        assert alive(shim)
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "completed"
        assert ended["lines"] == 302
        assert numbers(Path(ended["log_file"])) == list(range(300))


def test_a_web_process_without_descriptors_accepts_later_and_lives_on(tmp_path: Path) -> None:
    """Who comes meanwhile waits in the backlog, and is answered as soon as there is a descriptor again."""
    with running(tmp_path, CLAUDEOPS_HEARTBEAT_TIMEOUT="3") as daemon, contextlib.ExitStack() as opened:
        session = daemon.trigger(lines=300, interval=0.03)
        assert daemon.request("GET", "/healthz")[0] == 200
        web, worker, port = daemon.pid("web"), daemon.pid("worker"), daemon.port
        allowed = resource.prlimit(web, resource.RLIMIT_NOFILE)
        used = len(os.listdir(f"/proc/{web}/fd"))
        resource.prlimit(web, resource.RLIMIT_NOFILE, (used + 3, allowed[1]))
        peers = [opened.enter_context(socket.create_connection(("127.0.0.1", port), 5)) for _ in range(30)]
        request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
        last = peers[-1]
        last.sendall(request)
        last.settimeout(4)
        with pytest.raises(TimeoutError):  # longer than a process that does not beat is left alone
            last.recv(1)
        assert daemon.pid("web") == web
        assert "Too many open files" in daemon.log()
        resource.prlimit(web, resource.RLIMIT_NOFILE, allowed)
        last.settimeout(10)
        assert last.recv(4096).startswith(b"HTTP/1.1 200 ")
        for peer in peers:
            peer.close()
        assert daemon.request("GET", "/healthz")[0] == 200
        assert (daemon.pid("web"), daemon.pid("worker")) == (web, worker)
        assert daemon.process_of("web")["restarts"] == 0
        assert daemon.wait_ended(session["id"])["status"] == "completed"


def rests_at(pid: int) -> int:
    """How many descriptors a process has open while it does nothing."""
    found = []
    for _ in range(20):
        found.append(len(os.listdir(f"/proc/{pid}/fd")))
        time.sleep(0.1)
    return min(found)


def test_descriptors_that_run_short_are_told(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        for name, called in (("worker", "the worker"), ("web", "the web process")):
            pid = daemon.pid(name)
            allowed = rests_at(pid) + 3
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (allowed, allowed))
            told = f"of {allowed} file descriptors of {called} are in use; raise LimitNOFILE"
            wait_for(partial(warned, daemon, told), 10, told)


def test_a_thousand_half_open_connections_and_garbage_leave_the_worker_alone(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        worker = daemon.pid("worker")
        peers = []
        for number in range(1000):
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(str(daemon.runtime / "rpc.sock"))
            if number % 2:
                peer.send(os.urandom(64))
            peers.append(peer)
        assert daemon.json("status")["state"] == "running"
        for peer in peers:
            peer.close()
        assert daemon.pid("worker") == worker


def test_out_of_memory_ends_one_session_only_and_says_so(tmp_path: Path) -> None:
    """A memory cgroup around one session's command."""
    with machine.small_memory(67_108_864) as group, running(tmp_path) as daemon:
        other = daemon.trigger(2, lines=100, interval=0.05)
        session = daemon.trigger(lines=1, interval=0.5, hang=0, grow_after=200_000_000)
        _, command = daemon.run_pids(session)
        (group / "cgroup.procs").write_text(str(command))
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "failed"
        assert "SIGKILL" in ended["reason"]
        assert "memory" in ended["reason"]
        assert daemon.wait_ended(other["id"])["status"] == "completed"
        assert daemon.process_of("worker")["restarts"] == 0


def test_the_wal_is_checkpointed_when_a_long_reader_has_gone(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        path = daemon.state / "claudeops.db"
        reader, writer = Database(path, readonly=True), Database(path, readonly=False)
        reader.script("BEGIN")
        reader.value("users.count")
        for number in range(70):
            # One row, again and again: the file needs one MiB for it, the log that is pinned all of them.
            writer.change("settings.set", key="a-large-one", value=str(number % 10) * 1048576, updated_at="t")
        writer.close()
        assert daemon.wait_ended(daemon.trigger(lines=100)["id"])["status"] == "completed"
        pinned = wal_size(path)
        assert pinned > WAL_LARGE > 2 * WAL_KEPT
        warning = wait_for(partial(warned, daemon, "claudeops.db-wal"), 5, "a warning")[0]
        assert f"has grown to {pinned // 1048576} MiB: somebody reads for very long" in warning
        assert daemon.json("status")["state"] == "running"
        reader.close()
        worker = daemon.pid("worker")
        for _ in range(2):
            daemon.wait_ended(daemon.trigger(lines=10)["id"])
        wait_for(lambda: wal_size(path) <= WAL_KEPT, 40, "a small WAL")
        assert daemon.pid("worker") == worker
        wait_for(lambda: not warned(daemon, "-wal"), 5, "the warning's end")
        assert daemon.stop() == 0
        assert wal_size(path) == 0


def warned(daemon: Daemon, text: str) -> list[str]:
    """What `claudeopsctl status` warns of with this text in it."""
    return [warning for warning in daemon.json("status")["warnings"] if text in warning]
