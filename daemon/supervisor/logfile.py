"""The log file of CLAUDEOPS_LOG_FILE: appended to by the supervisor alone, and begun anew before it grows too large.

Called by `daemon.supervisor.log`, whose next line says how many were lost. A full disk costs lines and nothing else.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

RETRY_SECONDS = 5.0


class LogFile:
    """`complain` is told once, when lines begin to be lost."""

    def __init__(self, path: str, max_bytes: int, keep: int, complain: Callable[[str], None]) -> None:
        self._path = Path(path)
        self._max = max_bytes
        self._keep = keep
        self._complain = complain
        self._descriptor = -1
        self._size = 0
        self.lost = 0
        """How many lines were lost since the last one that was written."""
        self._again_at = float("-inf")

    def write(self, line: bytes) -> None:
        """Appends a whole line, or counts it as lost."""
        if self.lost and time.monotonic() < self._again_at:
            self.lost += 1
            return
        try:
            if self._descriptor < 0:
                self._open()
            if self._size and self._size + len(line) > self._max:
                self._rotate()
            self._append(line)
        except OSError as error:
            self._again_at = time.monotonic() + RETRY_SECONDS
            self.close()
            if not self.lost:
                self._complain(f"can't write {self._path}: {error.strerror}; lines are lost there until it is mended")
            self.lost += 1

    def reopen(self) -> None:
        """Goes on in the file that has the name now, for who moves logs by other means."""
        self.close()
        self._again_at = float("-inf")

    def close(self) -> None:
        """Closes the file; the next line opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(self._path, flags, 0o640)
        self._size = os.fstat(self._descriptor).st_size

    def _append(self, line: bytes) -> None:
        written = os.write(self._descriptor, line)
        if written < len(line):  # a disk that is nearly full: no half of a line stays
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise OSError(28, "No space left on device")
        self._size += written
        self.lost = 0

    def _rotate(self) -> None:
        """`log` becomes `log.1`, that `log.2`, and so on; the oldest goes."""
        self.close()
        if self._keep == 0:
            self._path.unlink(missing_ok=True)
        for number in range(self._keep - 1, -1, -1):
            older = self._numbered(number)
            if older.exists():
                os.replace(older, self._numbered(number + 1))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path if number == 0 else self._path.with_name(f"{self._path.name}.{number}")
