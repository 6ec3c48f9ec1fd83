"""Signals become bytes in a pipe. In a process of its own: it changes how signals are handled."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def run(text: str) -> str:
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, select, signal, threading\nfrom daemon.supervisor.signals import *\n" + text,
        ],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def test_a_thousand_of_a_kind_are_one_and_kinds_are_kept_apart() -> None:
    text = """
s = Signals()
for _ in range(1000):
    os.kill(os.getpid(), signal.SIGHUP)
os.kill(os.getpid(), signal.SIGTERM)
print(sorted(s.read()), s.read())
"""
    assert run(text) == "[1, 15] set()"


def test_a_storm_that_fills_the_pipe_neither_blocks_nor_complains() -> None:
    text = """
s = Signals()
for _ in range(70000):
    signal.raise_signal(signal.SIGHUP)
found = set()
while got := s.read():
    found |= got
print(found, threading.active_count())
"""
    assert run(text) == "{1} 1"


def test_what_was_held_comes_when_it_is_let() -> None:
    text = """
hold()
os.kill(os.getpid(), signal.SIGTERM)
os.kill(os.getpid(), signal.SIGUSR2)
s = Signals()
print(select.select([s.descriptor], [], [], 5)[0] == [s.descriptor], sorted(s.read()))
"""
    assert run(text) == f"True {[12, 15]}"
