"""The supervisor as PID 1, as in a container: whoever's parent ends becomes its child, and it ends on SIGTERM."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.harness import alive, wait_for
from tests.acceptance.supervisor.surroundings import FirstProcess, Unprivileged, children_of


@pytest.fixture
def first(tmp_path: Path) -> Iterator[FirstProcess]:
    """A daemon that is PID 1. Needs unshare and nsenter (util-linux), and root or user namespaces."""
    daemon = FirstProcess(tmp_path / "daemon")
    yield daemon.start()
    daemon.close()


def test_a_hundred_orphans_are_reaped_within_a_second_and_their_exit_codes_change_nothing(first: FirstProcess) -> None:
    before = first.file()
    own = {pid for pid, _ in children_of(first.first)}
    assert len(own) == 2
    first.inside("for code in 0 3 4 70 76 78; do sh -c \"(sleep .3; exit $code) & exit\"; done;"
                 "i=0; while [ $i -lt 94 ]; do sh -c 'sleep .2 & exit'; i=$((i+1)); done")  # fmt: skip
    strangers = {pid for pid, _ in children_of(first.first)} - own
    assert strangers, "no orphan came to PID 1"
    wait_for(lambda: {pid for pid, _ in children_of(first.first)} == own, 1.5, "no zombie, no orphan")
    after = first.file()
    assert after["state"] == "running"
    assert [(p["name"], p["pid"], p["restarts"]) for p in after["processes"]] == [
        (p["name"], p["pid"], p["restarts"]) for p in before["processes"]
    ]


def test_sigterm_ends_it_with_exit_code_0_and_its_orphans_with_it(first: FirstProcess) -> None:
    first.inside("sh -c 'sleep 600 & exit'")
    pids = [pid for pid, _ in children_of(first.first)]
    assert len(pids) == 3
    began = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - began < 3
    assert not [pid for pid in pids if alive(pid)]
    assert "stopping" in first.log()


@pytest.fixture
def unprivileged() -> Iterator[Unprivileged]:
    """A daemon that is PID 1 and nobody special. pytest's own directories are closed to other users."""
    with tempfile.TemporaryDirectory(prefix="co-user-") as place:
        Path(place).chmod(0o755)
        daemon = Unprivileged(Path(place) / "daemon")
        yield daemon.start()
        daemon.close()


def test_without_root_and_capabilities_a_session_runs_and_outlives_the_worker(unprivileged: Unprivileged) -> None:
    daemon = unprivileged
    status = Path(f"/proc/{daemon.first}/status").read_text()
    assert f"Uid:\t{Unprivileged.UID}\t" in status or os.geteuid() != 0
    assert "CapEff:\t0000000000000000" in status or os.geteuid() != 0
    session = daemon.trigger(lines=40, interval=0.05, say="line {n}")
    worker = daemon.pid("worker")
    daemon.inside(f"kill -9 {worker}")
    daemon.wait_replaced("worker", worker)
    shown = daemon.wait_ended(session["id"])
    assert (shown["status"], shown["exit_code"]) == ("completed", 0)
    log = Path(shown["log_file"])
    assert [f"line {n}" in log.read_text() for n in range(40)] == [True] * 40
    assert log.stat().st_uid == (Unprivileged.UID if os.geteuid() == 0 else os.geteuid())
    assert daemon.stop() == 0
    assert not [pid for pid, _ in children_of(daemon.first)]
