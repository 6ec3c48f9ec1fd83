"""Following a run's log from an offset to its end, in chunks of complete lines, to make sense of them."""

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from daemon.runs import files
from schema.logline import DEFAULT_LIMIT, Line, LogReader

POLL_S = 0.02


class Chunk(msgspec.Struct, frozen=True):
    """Lines in order, and the offset after them: store both in one transaction, and begin there again."""

    lines: list[Line]
    next_offset: int


async def follow(
    run_dir: Path, log_path: str, offset: int = 0, *, limit: int = DEFAULT_LIMIT, poll_s: float = POLL_S
) -> AsyncGenerator[Chunk, None]:
    """Yield the lines of a run's log as it grows; ends when the run has its exit record and all lines are read.

    `limit` is about the bytes of a chunk. A line longer than 4 MiB comes cut (`Line.cut`). A log that does not exist
    yet is waited for. Whoever watches the run (`Run.wait`) sees to it that an exit record appears in any case.
    """
    reader: LogReader | None = None
    exit_path = str(run_dir / files.EXIT)
    try:
        while True:
            # Asked before reading: the log is complete before its exit record appears.
            ended = os.path.exists(exit_path)
            if reader is None and os.path.exists(log_path):
                reader = LogReader(log_path, offset)
            lines = reader.read(limit) if reader else []
            if lines and reader:
                yield Chunk(lines, reader.offset)
                await asyncio.sleep(0)
            elif ended:
                rest = reader.rest() if reader else None
                if rest and reader:
                    yield Chunk([rest], reader.offset)
                return
            else:
                await asyncio.sleep(poll_s)
    finally:
        if reader:
            reader.close()
