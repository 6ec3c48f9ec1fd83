"""The supervisor as PID 1, as in a container: whoever's parent ends becomes its child, and it ends on SIGTERM."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.harness import alive, wait_for
from tests.acceptance.supervisor.surroundings import FirstProcess, children_of


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
