"""The log file of a run: appended to, and patient with a disk that is full. Used by the shim's output."""

import os
import time
from collections.abc import Callable


class LogFile:
    """Appends bytes. What the disk does not take waits in `backlog` until `retry`, or until `give_up`.

    `size` and `lines` count what we wrote; `lost` the bytes given up; `trouble` is the last error's sentence.
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._clock = clock
        self.size = 0
        self.lines = 0
        self.lost = 0
        self.backlog = b""
        self.failing_since: float | None = None
        self.trouble: str | None = None
        self.given_up = False
        self._torn = False  # the last byte in the file is not a newline

    def append(self, data: bytes, lines: int | None = None) -> None:
        """Write `data`. Who knows how many line ends it has says so in `lines`: counting takes longer than writing."""
        if self.given_up:
            self.lost += len(data)
        elif self.backlog:
            self.backlog += data
        else:
            self._write(data, lines)

    def retry(self) -> None:
        """Try again to write what waits."""
        waiting, self.backlog = self.backlog, b""
        if waiting:
            self._write(waiting)

    def failing_for(self) -> float:
        """Seconds since writing began to fail; 0 while it works."""
        return 0.0 if self.failing_since is None else self._clock() - self.failing_since

    def give_up(self) -> None:
        """Count what waits, and all that follows, as lost."""
        self.given_up = True
        self.lost += len(self.backlog)
        self.backlog = b""

    def close(self, last_lines: bytes = b"") -> None:
        """Write the last lines, even after `give_up` (there may be room by now), and make the file durable."""
        if self.given_up:
            self._write((b"\n" if self._torn else b"") + last_lines)
        else:
            self.retry()
            self.append(last_lines)
            self.lost += len(self.backlog)
        try:
            os.fsync(self._fd)
        except OSError as error:
            self.trouble = error.strerror
        finally:
            os.close(self._fd)

    def _write(self, data: bytes, lines: int | None = None) -> None:
        view = memoryview(data)
        try:
            while view:
                count = os.write(self._fd, view)
                self._count(data, len(data) - len(view), count, lines)
                view = view[count:]
        except OSError as error:
            # No space, quota, file size limit or a failing disk: it may pass, and the command must not notice.
            self.trouble = error.strerror
            if self.failing_since is None:
                self.failing_since = self._clock()
            self.backlog = bytes(view)
            return
        self.failing_since = None

    def _count(self, data: bytes, start: int, count: int, lines: int | None) -> None:
        self.size += count
        if lines is None or count != len(data):
            lines = data.count(b"\n", start, start + count)
        self.lines += lines
        if count:
            self._torn = data[start + count - 1] != 0x0A
