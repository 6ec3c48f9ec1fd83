"""A place for runs, and a promise that none of their processes stays behind."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon.runs.sweep import processes_of
from tests.integration.runs.place import Place


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    here = Place(tmp_path)
    yield here
    await here.adopt()  # those that a failed test let go of
    left = []
    for run in here.started:
        run.kill(by="the test's end")
        await here.end(run)
        run.close()
        left += processes_of(run.run_dir)
    for pid, _ in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, f"processes were left behind: {left}"
