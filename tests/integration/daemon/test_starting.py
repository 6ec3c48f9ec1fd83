"""A program that is started by a task that is cancelled: nothing of it is left, however far its start had come."""

import asyncio
import gc
import sys
import warnings
from pathlib import Path

import pytest

from daemon import starting

PROGRAM = (sys.executable, "-S", "-c", "import sys; sys.stdin.read()")
PIPES = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.DEVNULL}


async def cancelled_after(steps: int, times: int) -> None:
    task = asyncio.create_task(starting.start(*PROGRAM, **PIPES))
    for _ in range(steps):
        await asyncio.sleep(0)
    for _ in range(times):
        told = task.cancel()
        await asyncio.sleep(0)
    try:
        await starting.end(await task)
        assert not told
    except asyncio.CancelledError:
        assert task.cancelled()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("steps", range(12))
def test_cancelled_at_any_step_of_its_start_it_leaves_neither_a_process_nor_a_pipe(steps: int, times: int) -> None:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        asyncio.run(cancelled_after(steps, times))
        gc.collect()  # what was not closed says so
    assert [str(one.message) for one in found if issubclass(one.category, ResourceWarning)] == []


async def test_a_program_that_is_not_there_is_told_and_to_one_that_no_longer_asks_it_is_not(tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        await starting.start(missing)
    task = asyncio.create_task(starting.start(missing))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_it_has_started_and_left_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "PIPES_SECONDS", 0.2)
    process = await starting.start("sh", "-c", "sleep 2 & echo begun; wait", stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"begun\n"
    async with asyncio.timeout(1.5):
        await starting.end(process)
    assert process.returncode == -9
    async with asyncio.timeout(10):
        await process.stdout.read()
