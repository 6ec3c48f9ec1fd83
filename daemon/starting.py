"""Starts a program from a task that may be cancelled at any moment; called by the sender of notifications and `cli`.

asyncio, cancelled twice while it starts one, leaves the process and its pipes to the garbage collector.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

PIPES_SECONDS = 2.0


async def start(*command: str, **options: Any) -> asyncio.subprocess.Process:
    """`asyncio.create_subprocess_exec`; cancelled meanwhile, it ends what it has started before it says so."""
    starting = asyncio.create_task(asyncio.create_subprocess_exec(*command, **options))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _to_its_end(_discard(starting))
        raise


async def end(process: asyncio.subprocess.Process) -> None:
    """Kills it, unless it has ended, and reads its pipes to their end, so that they are closed with it."""
    await _to_its_end(_end(process))


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if process.returncode is None:
            process.kill()
    # What it has started itself may hold them for longer than anybody waits.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PIPES_SECONDS):
            await process.communicate()


async def _discard(starting: "asyncio.Task[asyncio.subprocess.Process]") -> None:
    with contextlib.suppress(OSError):  # there is no such program, and nobody left to tell
        await _end(await starting)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Waits for it however often whoever waits is cancelled, which is told afterwards."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()
