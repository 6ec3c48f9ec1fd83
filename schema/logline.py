"""The lines of a run's log file, `<time>\\t<text>\\n`: reading them by byte offset, and taking one apart.

The log file is the truth about a run's output; worker, web and claudeopsctl each read it with their own offset. A line
that is not finished yet is not read; one that is very long is read cut, with the number of bytes left out.
"""

import os
from typing import NamedTuple

DEFAULT_LIMIT = 256 * 1024  # bytes that one read asks for
LONGEST_LINE = 4 * 1024 * 1024  # of a longer line, this much is kept
SCAN = 1024 * 1024
STAMP_LENGTHS = range(20, 31)  # "2026-01-31T08:05:00Z" to nine digits of a second
STREAMS = ((b"[stderr] ", "stderr"), (b"[run] ", "run"))


class Line(NamedTuple):
    """A complete line without its newline, and the offset where it begins. `cut` bytes at its end were left out."""

    offset: int
    data: bytes
    cut: int = 0


class LogLine(NamedTuple):
    """A line taken apart. `at`: RFC 3339 UTC, or None for a line of an old log. `stream`: stdout, stderr or run."""

    at: str | None
    stream: str
    text: bytes


def split(line: bytes) -> LogLine:
    """Take a line apart. A line without a time stamp (old logs, hand-made ones) is all text of stdout."""
    stamp, tab, text = line.partition(b"\t")
    if not tab or not _is_stamp(stamp):
        return LogLine(None, "stdout", line)
    at = stamp.decode("ascii")
    for tag, stream in STREAMS:
        if text.startswith(tag):
            return LogLine(at, stream, text[len(tag) :])
    return LogLine(at, "stdout", text)


def _is_stamp(text: bytes) -> bool:
    return (
        len(text) in STAMP_LENGTHS
        and text.endswith(b"Z")
        and text[4:5] == text[7:8] == b"-"
        and text[10:11] == b"T"
        and text[13:14] == text[16:17] == b":"
        and text[:4].isdigit()
        and text[17:19].isdigit()
    )


class LogReader:
    """Reads complete lines from an offset on. Remembers how far it has looked for the end of a long line.

    The file may grow meanwhile. `offset` is where the next unread line begins. Close it, or use it in `with`.
    """

    def __init__(self, path: str | os.PathLike[str], offset: int = 0) -> None:
        self.offset = offset
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._scanned = offset

    def __enter__(self) -> "LogReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._fd)

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self._fd).st_size

    def read(self, limit: int = DEFAULT_LIMIT) -> list[Line]:
        """The next complete lines, about `limit` bytes of them, at least one if there is one. Empty: none yet."""
        if self._scanned == self.offset:
            window = os.pread(self._fd, limit, self.offset)
            end = window.rfind(b"\n")
            if end >= 0:
                return self._lines(window[:end])
            self._scanned = self.offset + len(window)
            if len(window) < limit:
                return []
        return self._long_line()

    def rest(self) -> Line | None:
        """What stands after the last newline: only for a log that nobody finishes any more."""
        size = self.size
        if self.offset >= size:
            return None
        line = Line(self.offset, self._pread(self.offset, min(size - self.offset, LONGEST_LINE)))
        cut = size - self.offset - len(line.data)
        self.offset = self._scanned = size
        return line._replace(cut=cut)

    def _lines(self, block: bytes) -> list[Line]:
        lines = []
        at = self.offset
        for data in block.split(b"\n"):
            lines.append(Line(at, data))
            at += len(data) + 1
        self.offset = self._scanned = at
        return lines

    def _long_line(self) -> list[Line]:
        """Look on for the newline, in bounded memory."""
        while block := os.pread(self._fd, SCAN, self._scanned):
            end = block.find(b"\n")
            if end < 0:
                self._scanned += len(block)
                continue
            length = self._scanned + end - self.offset
            line = Line(self.offset, self._pread(self.offset, min(length, LONGEST_LINE)), max(0, length - LONGEST_LINE))
            self.offset = self._scanned = self.offset + length + 1
            return [line]
        return []

    def _pread(self, offset: int, length: int) -> bytes:
        parts = []
        while length > 0 and (part := os.pread(self._fd, length, offset)):
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)


def read_lines(path: str | os.PathLike[str], offset: int, limit: int = DEFAULT_LIMIT) -> tuple[list[Line], int]:
    """Complete lines from `offset` on, about `limit` bytes, and the offset after them. For one read, stateless."""
    with LogReader(path, offset) as reader:
        return reader.read(limit), reader.offset
