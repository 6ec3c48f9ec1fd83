"""The supervisor's lines: whole, short, and never waited for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.supervisor import log

ROOT = Path(__file__).parents[4]


def test_a_line_has_time_level_and_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    log.log("all is well\udcff", "warning")
    line = capfd.readouterr().err
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning supervisor: all is well\?\n", line)


def test_a_reader_that_does_not_read_is_not_waited_for_and_is_told_what_it_missed() -> None:
    text = """
from daemon.supervisor.log import log
for number in range(2000):
    log("x" * 100)
print("through", flush=True)
input()
log("again")
"""
    process = subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline() == b"through\n"
    said = os.read(process.stderr.fileno(), 1 << 20).count(b"\n")
    _, rest = process.communicate(b"\n", timeout=10)
    lines = rest.decode().splitlines()
    lost = re.search(r"again \((\d+) lines before this one were lost\)", lines[-1])
    assert lost
    assert said + len(lines) - 1 + int(lost[1]) == 2000


def test_a_line_is_never_longer_than_a_pipe_takes_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    log.log("x" * 10_000)
    line = capfd.readouterr().err
    assert len(line) == log.LINE_MAX
    assert line.endswith("x\n")


def test_what_is_left_out_is_counted_a_minute_later(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("daemon.supervisor.log.time.monotonic", lambda: now)
    limit = log.Limit(2)
    for _ in range(5):
        limit.log("noise")
    assert capfd.readouterr().err.count("noise") == 2
    now += 60.0
    limit.log("noise")
    said = capfd.readouterr().err.splitlines()
    assert "3 more lines like the ones before were left out" in said[0]
    assert said[1].endswith("noise")
