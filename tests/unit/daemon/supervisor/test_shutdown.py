"""Which shims live, read from run directories that may be torn, old or strange; and who is asked to end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import procfs
from daemon.supervisor.programs import started_below_us
from daemon.supervisor.shutdown import Leftovers, shims


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours that sleeps."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def write(runs: Path, name: str, text: str) -> None:
    (runs / name).mkdir(parents=True)
    (runs / name / "shim.json").write_text(text)


def facts(pid: int) -> str:
    return json.dumps({"pid": pid, "start_time": procfs.start_time(pid)})


def test_a_shim_that_lives_is_found(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    write(tmp_path, "run", facts(sleeper.pid))
    assert shims(tmp_path) == {sleeper.pid: procfs.start_time(sleeper.pid)}


def test_a_pid_that_somebody_else_has_now_is_nobodys_shim(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    write(tmp_path, "reused", json.dumps({"pid": sleeper.pid, "start_time": (procfs.start_time(sleeper.pid) or 0) - 1}))
    write(tmp_path, "first", json.dumps({"pid": 1, "start_time": 0}))
    assert shims(tmp_path) == {}
    assert sleeper.pid not in Leftovers(tmp_path, started_below_us()).find()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"pid": null, "start_time": 1}', '{"pid": "x", "start_time": 1}', '{"pid": 5}',
             '{"pid": -1, "start_time": 1}', "\x00\xff"],
)  # fmt: skip
def test_a_torn_record_is_nobodys(tmp_path: Path, text: str, sleeper: subprocess.Popen[bytes]) -> None:
    write(tmp_path, "torn", text)
    write(tmp_path, "whole", facts(sleeper.pid))
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    assert set(shims(tmp_path)) == {sleeper.pid}


def test_no_runs_are_no_shims(tmp_path: Path) -> None:
    assert shims(tmp_path / "never-made") == {}


def test_a_dead_one_is_no_shim(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "60"])
    write(tmp_path, "run", facts(process.pid))
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert shims(tmp_path) == {}  # a zombie still has its pid and its start time
    process.wait()
    assert shims(tmp_path) == {}


def test_each_is_asked_once_and_what_is_below_a_shim_is_left_to_it(tmp_path: Path) -> None:
    """A parent that counts SIGTERM, with a child of its own, stands for a shim."""
    text = """
import signal, subprocess, sys, time
count = 0
def on(*_):
    global count
    count += 1
    print(count, flush=True)
signal.signal(signal.SIGTERM, on)
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
while True:
    time.sleep(60)
"""
    spared = started_below_us()
    shim = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
    assert shim.stdout is not None
    below = int(shim.stdout.readline())
    write(tmp_path, "run", facts(shim.pid))
    leftovers = Leftovers(tmp_path, spared)
    try:
        assert leftovers.find() == {shim.pid, below}
        assert leftovers.ask()
        assert shim.stdout.readline() == b"1\n"
        assert leftovers.ask()
        assert procfs.start_time(below) is not None
        os.kill(shim.pid, signal.SIGTERM)
        assert shim.stdout.readline() == b"2\n"  # ours is the second: there was one from `ask`, not two
        leftovers.kill()
        assert shim.wait(5) == -signal.SIGKILL
    finally:
        for pid in (shim.pid, below):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        shim.stdout.close()


def test_what_was_there_before_is_spared_but_not_whoever_has_its_pid_now(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    before = started_below_us()
    assert sleeper.pid in before
    assert sleeper.pid not in Leftovers(tmp_path, before).find()
    assert sleeper.pid in Leftovers(tmp_path, {**before, sleeper.pid: before[sleeper.pid] - 1}).find()
