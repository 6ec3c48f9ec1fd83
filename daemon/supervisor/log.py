"""The supervisor's lines on standard error. Never called from a signal handler.

Whoever reads them may stop reading: the supervisor leaves lines out then, and says later how many. It never waits.
"""

import os
import select
import time

LINE_MAX = 4096  # PIPE_BUF: a pipe that can be written to takes as much at once


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


_lost = 0


def log(text: str, level: str = "info") -> None:
    """One line: UTC time, level, sentence. A standard error that is gone is no reason to end."""
    global _lost
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"
    said = f" ({_lost} lines before this one were lost)" if _lost else ""
    line = f"{stamp} {level} supervisor: {text}{said}".encode(errors="replace")[: LINE_MAX - 1] + b"\n"
    try:
        ready = select.poll()
        ready.register(2, select.POLLOUT)
        if not any(event & select.POLLOUT for _, event in ready.poll(0)):
            _lost += 1
            return
        os.write(2, line)
    except OSError:
        return
    _lost = 0
