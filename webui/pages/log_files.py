"""Reading a session's log file: windows of lines for a page, backwards from an offset.

Called by the session page, the raw log and live streams.
"""

import os
from pathlib import Path
from typing import NamedTuple

from schema.logline import Line, LogReader

WINDOW_LINES = 2000
WINDOW_BYTES = 4 * 1024 * 1024
BLOCK = 256 * 1024
COUNTED = 16 * 1024 * 1024  # lines before a window are counted only where that is cheap


class Window(NamedTuple):
    """Some lines of a log, from offset `start` to `end` of `size`; `before` counts the lines before, 0 if unknown."""

    lines: list[Line]
    start: int
    end: int
    size: int
    before: int


def read_window(path: Path, before: int | None = None, *, from_offset: int | None = None, over: bool = False) -> Window:
    """The last lines before an offset (default: the end), or those from an offset on. OSError if it can't be read.

    `over`: nobody writes any more, so a last line without a newline counts too.
    """
    size = path.stat().st_size
    limit = size if before is None else min(before, size)
    start = _back(path, limit) if from_offset is None else _line_start(path, min(from_offset, size))
    lines = _between(path, start, limit, over=over)
    end = min(size, lines[-1].offset + len(lines[-1].data) + lines[-1].cut + 1) if lines else start
    return Window(lines, start, end, size, _count(path, start))


def lines_before(path: Path, offset: int) -> list[Line]:
    """The lines of the window that ends at an offset. OSError if they can't be read."""
    return _between(path, _back(path, offset), offset, over=False)


def _between(path: Path, start: int, limit: int, *, over: bool) -> list[Line]:
    """The lines from a start on, up to a limit and no more than a window has."""
    lines: list[Line] = []
    with LogReader(path, start) as reader:
        while reader.offset < limit and len(lines) < WINDOW_LINES and reader.offset - start < WINDOW_BYTES:
            more = reader.read(BLOCK)
            if not more and over and (rest := reader.rest()) is not None:
                more = [rest]
            if not more:
                break
            lines += more
    return [line for line in lines[:WINDOW_LINES] if line.offset < limit]


def _back(path: Path, limit: int) -> int:
    """The start of the window that ends at `limit`."""
    found = 0
    with path.open("rb") as file:
        descriptor = file.fileno()
        # The newline before the window's first line is one more than its lines have, unless the last has none.
        wanted = WINDOW_LINES + (limit > 0 and os.pread(descriptor, 1, limit - 1) == b"\n")
        position = limit
        while position > 0 and limit - position < WINDOW_BYTES:
            step = min(BLOCK, position)
            block = os.pread(descriptor, step, position - step)
            newlines = block.count(b"\n")
            if found + newlines >= wanted:
                at = len(block)
                for _ in range(wanted - found):
                    at = block.rfind(b"\n", 0, at)
                return position - step + at + 1
            found += newlines
            position -= step
    return 0 if position <= 0 else _line_start(path, position)


def _line_start(path: Path, offset: int) -> int:
    """The start of the line that an offset lies in."""
    with path.open("rb") as file:
        while offset > 0:
            step = min(BLOCK, offset)
            at = os.pread(file.fileno(), step, offset - step).rfind(b"\n")
            if at >= 0:
                return offset - step + at + 1
            offset -= step
    return 0


def _count(path: Path, end: int) -> int:
    if not 0 < end <= COUNTED:
        return 0
    with path.open("rb") as file:
        return sum(os.pread(file.fileno(), min(BLOCK, end - at), at).count(b"\n") for at in range(0, end, BLOCK))
