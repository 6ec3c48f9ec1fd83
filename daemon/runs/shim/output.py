"""From what the command writes to the lines of its log: redacted, stamped, whole, and within the quota.

Works on chunks of many lines at a time, never line by line. The keeper feeds it what it reads from the two pipes.
"""

import time
from collections.abc import Callable

from daemon.runs.redaction import Redactor
from daemon.runs.shim.logfile import LogFile

LINE_HELD = 256 * 1024  # an unfinished line is kept back up to here, then written piece by piece
STREAM_HELD = 1024 * 1024  # what one stream may have waiting while the other is within a long line
HOLD_S = 1.0  # how long it may wait


class Stream:
    """One of the command's outputs, and what of it is not in the log yet."""

    def __init__(self, name: str, tag: bytes) -> None:
        self.name = name
        self.tag = tag
        self.pending = b""
        self.held_since: float | None = None  # whole lines wait, because the other stream is within a line
        self.ended = False


def stamp_ns(nanoseconds: int) -> bytes:
    """RFC 3339 in UTC with nine digits, of nanoseconds since 1970."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}Z".encode()


class Output:
    """Writes both streams and the shim's own remarks into one log.

    `cut` counts the command's bytes that the quota kept out; `over` says that it was reached.
    """

    def __init__(
        self,
        log: LogFile,
        redactor: Redactor,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.stdout = Stream("stdout", b"")
        self.stderr = Stream("stderr", b"[stderr] ")
        self.cut = 0
        self.over = False
        self._log = log
        self._redactor = redactor
        self._max_bytes = max_bytes
        self._clock = clock
        self._wall_ns = wall_ns
        self._open: Stream | None = None  # the stream whose line is begun in the log, not finished
        self._remarks: list[str] = []  # made while a line was open

    def wants(self, stream: Stream) -> bool:
        """Whether more of this stream should be read now: a full disk or a long line of the other holds it back."""
        return not self._log.backlog and (stream.held_since is None or len(stream.pending) < STREAM_HELD)

    def waiting(self) -> bool:
        """Whether one stream waits for the end of the other's line."""
        return self.stdout.held_since is not None or self.stderr.held_since is not None

    def feed(self, stream: Stream, chunk: bytes) -> None:
        """Take what was read."""
        stream.pending = stream.pending + chunk if stream.pending else chunk
        self._settle(stream)
        if self._open is None:
            self._catch_up()

    def end(self, stream: Stream) -> None:
        """The stream has ended: its last line is written, with a newline if it had none."""
        stream.ended = True
        self._settle(stream)
        if self._open is None:
            self._catch_up()

    def remark(self, sentence: str) -> None:
        """A line of the shim's own. It never stands within a line of the command, and no quota keeps it out."""
        self._remarks.append(sentence)
        if self._open is None:
            self._catch_up()

    def tick(self) -> None:
        """Break off a line that has kept the other stream waiting for too long."""
        if self._open is None:
            return
        waiting = self.stderr if self._open is self.stdout else self.stdout
        if waiting.held_since is None:
            return
        if len(waiting.pending) >= STREAM_HELD or self._clock() - waiting.held_since >= HOLD_S:
            name = self._open.name
            self._finish_line()
            self.remark(f"an unfinished line of {name} was broken off here, and goes on below")

    def close(self, *sentences: str) -> None:
        """Write what is left of both streams and the last remarks, and close the log."""
        for stream in (self.stdout, self.stderr):
            if not stream.ended:
                self.end(stream)
        if self._open is not None:
            self._finish_line()
        self._log.close(b"".join(self._remark_line(text) for text in sentences))

    def _catch_up(self) -> None:
        """What waited for the end of a line: remarks first, then the streams."""
        for sentence in self._remarks:
            self._log.append(self._remark_line(sentence))
        self._remarks.clear()
        for stream in (self.stdout, self.stderr):
            if stream.held_since is not None:
                stream.held_since = None
                self._settle(stream)
                if self._open is not None:
                    return

    def _remark_line(self, sentence: str) -> bytes:
        text = self._redactor.text(sentence.replace("\n", " "))
        return stamp_ns(self._wall_ns()) + b"\t[run] " + text.encode(errors="surrogateescape") + b"\n"

    def _settle(self, stream: Stream) -> None:
        """Write what can be written of a stream: whole lines, long pieces, and at the end all of it."""
        data = stream.pending
        if self.over:
            self.cut += len(data)
            stream.pending = b""
            return
        if self._open is not None and self._open is not stream:
            if stream.held_since is None and (b"\n" in data or len(data) > LINE_HELD or stream.ended):
                stream.held_since = self._clock()
            return
        ready = data.rfind(b"\n") + 1
        if stream.ended:
            ready = len(data)
        elif len(data) - ready > LINE_HELD:
            rest = data[ready:]
            ready += self._redactor.settled(rest) or (len(rest) if len(rest) > 2 * LINE_HELD else 0)
        if ready:
            stream.pending = data[ready:]
            self._write(stream, data[:ready])
        if stream.ended and self._open is stream:
            self._finish_line()

    def _finish_line(self) -> None:
        self._open = None
        self._log.append(b"\n")

    def _write(self, stream: Stream, data: bytes) -> None:
        text = self._redactor.lines(data)
        prefix = stamp_ns(self._wall_ns()) + b"\t" + stream.tag
        first = b"" if self._open is stream else prefix
        whole = text.endswith(b"\n")
        marked = text.replace(b"\n", b"\n" + prefix)
        lines = (len(marked) - len(text)) // len(prefix)
        # No line begins after the last line end: its stamp comes with what follows.
        stamped = b"".join((first, memoryview(marked)[: len(marked) - len(prefix)] if whole else marked))
        self._open = None if whole else stream
        room = self._max_bytes - self._log.size - len(self._log.backlog)
        if len(stamped) > room:
            self._write_last(stamped, max(room, 0), len(prefix), begun=not first)
        else:
            self._log.append(stamped, lines)

    def _write_last(self, stamped: bytes, room: int, prefix: int, *, begun: bool) -> None:
        """The quota is reached: keep the lines that fit, or as much of a long one as fits, and count the rest."""
        self.over = True
        self._open = None
        keep = stamped.rfind(b"\n", 0, room) + 1
        if not keep and (begun or room > prefix):
            keep = room
        kept, rest = stamped[:keep], stamped[keep:]
        # The stamps in the rest are ours: one for each line that starts there.
        starts = rest.count(b"\n", 0, len(rest) - 1) + (kept.endswith(b"\n") or not (kept or begun))
        self.cut += len(rest) - starts * prefix
        if (kept or begun) and not kept.endswith(b"\n"):
            kept += b"\n"
        self._log.append(kept)
        for stream in (self.stdout, self.stderr):
            self.cut += len(stream.pending)
            stream.pending = b""
            stream.held_since = None
