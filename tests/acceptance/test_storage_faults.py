"""The disk is full, the database locked or damaged, descriptors or memory run out: a clear state, nothing lost."""

import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schema.database import Database
from tests.acceptance.harness import Daemon, alive, running, wait_for
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
        session = daemon.trigger(lines=400, interval=0.02)
        wait_for(lambda: numbers(Path(session["log_file"])), 10)
        worker = daemon.pid("worker")
        fill(small_disk)
        wait_for(lambda: daemon.json("status")["state"] == "degraded", 20, "state degraded")
        assert "disk" in daemon.json("status")["reason"]
        refused = daemon.ctl("sessions", "trigger", "--tier", "2", "--prompt", "x", check=False)
        assert refused.returncode == 1
        assert "CLAUDEOPS_FREE_DISK_MIN" in refused.stderr
        (small_disk / "filler").unlink()
        ended = daemon.wait_ended(session["id"], 60)
        assert ended["status"] in ("completed", "failed")
        assert ended["status"] == "completed" or "disk" in ended["reason"]
        wait_for(lambda: daemon.json("status")["state"] == "running", 20, "state running again")
        assert daemon.pid("worker") == worker
        again = daemon.wait_ended(daemon.trigger(2, lines=3)["id"])
        assert again["status"] == "completed"
    finally:
        daemon.close()


def test_a_locked_database_delays_what_is_stored_and_loses_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
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
            # Longer than the busy timeout: the write fails, is told, and is done again.
            time.sleep(7)
            assert daemon.json("status")["state"] in ("running", "degraded")
        other.close()
        ended = daemon.wait_ended(held["id"])
        assert (ended["status"], ended["lines"]) == ("completed", 5)
        assert daemon.process_of("worker")["restarts"] == 0


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


def test_descriptors_that_run_short_are_told(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        worker = daemon.pid("worker")
        used = len(os.listdir(f"/proc/{worker}/fd"))
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (used + 5, used + 5))
        assert "LimitNOFILE" in " ".join(daemon.json("status")["warnings"])


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
        reader = subprocess.Popen(
            [daemon.environment["PATH"].split(":")[0] + "/python", "-c",
             "import apsw, sys, time; c = apsw.Connection(sys.argv[1]); c.execute('BEGIN; SELECT count(*)"
             " FROM sessions').fetchall(); print('open', flush=True); time.sleep(60)",
             str(daemon.state / "claudeops.db")],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"open\n"
        daemon.wait_ended(daemon.trigger(lines=3000, interval=0.001, say="y" * 200)["id"])
        wal = daemon.state / "claudeops.db-wal"
        pinned = wal.stat().st_size
        reader.send_signal(signal.SIGKILL)
        reader.wait()
        reader.stdout.close()
        for _ in range(5):
            daemon.wait_ended(daemon.trigger(lines=10)["id"])
        assert wal.stat().st_size <= max(pinned, 16 * 1024 * 1024)
        assert daemon.stop() == 0
        assert not wal.exists() or wal.stat().st_size == 0
