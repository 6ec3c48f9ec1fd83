"""What the daemon says, on standard error and in its log file: text, or one JSON object a line.

Never called from a signal handler. Whoever reads standard error may stop reading: lines are left out then, and it is
said later how many. The supervisor never waits for long. With JSON or a file, what the children say goes through here
too (`daemon.supervisor.voices`), with secrets replaced.
"""

import json
import os
import select
import sys
import time
from collections.abc import Callable

from daemon.supervisor.logfile import LogFile

LINE_MAX = 4096  # PIPE_BUF: a pipe that can be written to takes as much at once
RECORD_MAX = 32768
PATIENCE_MS = 200


class Limit:
    """At most `most` lines a minute, for what a process out of hand can cause; then a count of those left out."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._since = float("-inf")
        self._said = 0
        self._left_out = 0

    def log(self, text: str, level: str = "warning") -> None:
        """The line, or a count with the next one that is not left out."""
        now = time.monotonic()
        if now - self._since >= 60.0:
            if self._left_out:
                log(f"{self._left_out} more lines like the ones before were left out", level)
            self._since, self._said, self._left_out = now, 0, 0
        if self._said >= self._most:
            self._left_out += 1
            return
        self._said += 1
        log(text, level)


class Log:
    """How lines are written now. `redact` takes secrets out of a text."""

    def __init__(self) -> None:
        self.json = False
        self.file: LogFile | None = None
        self.redact: Callable[[str], str] | None = None
        self._lost = 0

    @property
    def gathers(self) -> bool:
        """Whether what the children say goes through here."""
        return self.json or self.file is not None

    def write(self, process: str, level: str, text: str, trace: str = "") -> None:
        """One record, wherever records go."""
        if self.redact is not None:
            text, trace = self.redact(text), self.redact(trace)
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"
        lost = self._lost
        self._tell(self._line(stamp, level, process, text, trace, lost), lost)
        if self.file is not None:
            self.file.write(self._line(stamp, level, process, text, trace, self.file.lost))

    def complain(self, text: str) -> None:
        """That the file can't be written, where that can still be read."""
        file, self.file = self.file, None
        try:
            self.write("supervisor", "error", text)
        finally:
            self.file = file

    def _line(self, stamp: str, level: str, process: str, text: str, trace: str, lost: int) -> bytes:
        if self.json:
            record: dict[str, object] = {"time": stamp, "level": level, "process": process, "message": text[:LINE_MAX]}
            if trace:
                record["traceback"] = trace[-RECORD_MAX // 2 :]
            if lost:
                record["lines_lost"] = lost
            return json.dumps(record).encode() + b"\n"
        said = f" ({lost} lines before this one were lost)" if lost else ""
        whole = f"{text}\n{trace}".rstrip("\n") if trace else text
        line = f"{stamp} {level} {process}: {whole}".encode(errors="replace")
        end = f"{said}\n".encode()
        return line[: (RECORD_MAX if trace else LINE_MAX) - len(end)] + end

    def _tell(self, line: bytes, lost: int) -> None:
        """On standard error. One that is gone is no reason to end."""
        ready = select.poll()
        ready.register(2, select.POLLOUT)
        try:
            for start in range(0, len(line), LINE_MAX):
                # What is longer than a pipe takes at once is waited for a moment, so that no half of it stays.
                found = ready.poll(PATIENCE_MS if start else 0)
                if not any(event & select.POLLOUT for _, event in found):
                    self._lost += 1
                    return
                os.write(2, line[start : start + LINE_MAX])
        except OSError:
            return
        self._lost -= lost


LOG = Log()


def log(text: str, level: str = "info") -> None:
    """One line of the supervisor: UTC time, level, sentence."""
    LOG.write("supervisor", level, text)


def crashed(error: BaseException) -> None:
    """The last word: an error that nobody handled."""
    import traceback

    trace = "".join(traceback.format_exception(error))
    if LOG.gathers:
        LOG.write("supervisor", "error", f"{type(error).__name__}: {error}", trace)
    else:
        print(trace, file=sys.stderr, end="")
