"""One `Tail` for each session that somebody watches: it follows the log file, and makes each piece once for all.

A reader has nothing here but its own offset. Pieces are kept by the offset that they begin at, up to a bound; a slow
reader that falls behind it has its piece made again. The file is the truth: nothing is lost with this process.
"""

import asyncio
import contextlib
import os
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ipc.errors import CallError
from ipc.messages.envelope import Event
from ipc.messages.limits import ApprovalChanged, CallJudged
from ipc.messages.sessions import SessionChanged, SessionGrew
from schema.logline import Line, LogReader, read_lines
from schema.sessions import Session
from schema.states import SessionStatus
from webui.live import sse
from webui.live.streams import Stream
from webui.pages.call_times import Calls
from webui.pages.log_files import lines_before
from webui.pages.row_html import RenderRow
from webui.pages.session_rows import OPEN
from webui.pages.transcript_rows import read_line
from webui.pages.watched import Watched

READ_BYTES = 8 * 1024  # of the log at a time; as HTML it is some five times that
GATHERED_BYTES = 16 * 1024  # less than a full piece, which travels alone and is not copied
# Those who read a log from its beginning are apart by what each has in its socket: with less than that, every piece is
# made for each of them.
KEPT_BYTES = 3 * 1024 * 1024
POLL_SECONDS = 0.015
COALESCE_SECONDS = 0.004  # lines that come so close together travel together
LOOK_SECONDS = 1.0  # the session's row is read this often, whether or not the worker is heard
SCAN = 64 * 1024

ReadWatched = Callable[[int], Awaitable[Watched]]


class Batch(NamedTuple):
    """Encoded events for the bytes up to `end` of the log."""

    end: int
    payload: bytes


class Tail:
    """The log of one session, followed while somebody watches.

    `prefix` stands before each row's anchor and each event's id, where a page shows more than one session.
    """

    def __init__(self, watched: Watched, path: Path | None, render: RenderRow, prefix: str = "") -> None:
        self.watched = watched
        self.prefix = prefix
        self.version = 1  # of what is watched
        self.edge = 0  # all before it is whole lines
        self.over = watched.session.status not in OPEN
        self.watchers: set[Stream] = set()
        self.poked = asyncio.Event()
        self.changed = asyncio.Event()
        self._path = path
        self._render = render
        self._scanned = 0
        self._calls = Calls()
        self._batches: OrderedDict[int, Batch] = OrderedDict()
        self._kept = 0
        self.parts: dict[tuple[tuple[str, ...], bool], tuple[int, str]] = {}  # rendered heads, by name and role
        self.advance()

    @property
    def session(self) -> Session:
        """The session's row."""
        return self.watched.session

    def advance(self) -> bool:
        """Looks how far the file has whole lines; whether that is farther than before."""
        if self._path is None:
            return False
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return self._scan(descriptor)
        finally:
            os.close(descriptor)

    def _scan(self, descriptor: int) -> bool:
        size = os.fstat(descriptor).st_size
        before, position = self.edge, size
        if self.over:
            # Nobody finishes the last line any more.
            self.edge = self._scanned = size
            return size > before
        while position > self._scanned:
            step = min(SCAN, position - self._scanned)
            at = os.pread(descriptor, step, position - step).rfind(b"\n")
            if at >= 0:
                self.edge = position - step + at + 1
                break
            position -= step
        self._scanned = max(self._scanned, size)
        return self.edge > before

    def batch(self, offset: int) -> Batch:
        """The events from an offset on, at least one line. Only below `edge`."""
        known = self._batches.get(offset)
        if known is not None:
            self._batches.move_to_end(offset)
            return known
        lines, end = self._read(offset)
        # A page that somebody opened while a call ran showed the call, and its result comes here.
        self._calls.earlier = lambda: self._before(offset)
        made = Batch(max(end, offset + 1), self._encode(lines, end))
        self._batches[offset] = made
        self._kept += len(made.payload)
        while self._kept > KEPT_BYTES and len(self._batches) > 1:
            _, old = self._batches.popitem(last=False)
            self._kept -= len(old.payload)
        return made

    def gather(self, offset: int) -> tuple[int, bytes]:
        """Where the next events end, and they: many small pieces travel together to a reader that is behind."""
        payloads, size = [], 0
        while offset < self.edge and size < GATHERED_BYTES:
            offset, payload = self.batch(offset)
            payloads.append(payload)
            size += len(payload)
        return offset, b"".join(payloads)

    def _read(self, offset: int) -> tuple[list[Line], int]:
        if self._path is None:
            return [], self.edge
        lines, end = read_lines(self._path, offset, READ_BYTES)
        if not lines and self.over:
            with LogReader(self._path, offset) as reader:
                rest = reader.rest()
                return ([rest] if rest else []), reader.offset
        return lines, end

    def _before(self, offset: int) -> list[Line]:
        """What a page shows before an offset."""
        return lines_before(self._path, offset) if self._path is not None and offset else []

    def _encode(self, lines: list[Line], end: int) -> bytes:
        raw = f"/sessions/{self.session.id}/log"
        known, prefix = self.watched.verdicts, self.prefix
        rows = (row for line in lines for row in read_line(line, raw, self._calls, prefix=prefix, verdicts=known))
        # A batch without rows still moves the reader's offset.
        return sse.encode("rows", "".join(map(self._render, rows)), f"{prefix}{end}")

    def take(self, watched: Watched) -> None:
        """A new state. One that has ended: what is in the file now is all there will be."""
        if watched != self.watched:
            self.watched = watched
            self.version += 1
        if watched.session.status not in OPEN and not self.over:
            self.over = True
            self.advance()
            self.version += 1
        self.wake()

    def wake(self) -> None:
        """Tells the watchers that there is something new."""
        for stream in self.watchers:
            stream.wake.set()

    @property
    def size(self) -> int:
        """Bytes in the file."""
        try:
            return self._path.stat().st_size if self._path is not None else 0
        except FileNotFoundError:
            return 0


class Tails:
    """The tails of all watched sessions."""

    def __init__(self, read: ReadWatched, render: RenderRow) -> None:
        self._read = read
        self._render = render
        self._tails: dict[tuple[int, str], Tail] = {}
        self._tasks: dict[tuple[int, str], asyncio.Task[None]] = {}

    def lag(self) -> dict[int, int]:
        """By session, how many bytes of the watched logs the worker has not stored yet."""
        return {id_: max(0, tail.edge - tail.session.log_offset) for (id_, _), tail in self._tails.items()}

    def join(self, watched: Watched, path: Path | None, stream: Stream, prefix: str = "") -> Tail:
        """A stream watches a session from now on."""
        key = (watched.session.id, prefix)
        tail = self._tails.get(key)
        if tail is None:
            tail = self._tails[key] = Tail(watched, path, self._render, prefix)
            if not tail.over:
                self._tasks[key] = asyncio.create_task(self._follow(tail))
        tail.watchers.add(stream)
        return tail

    @contextlib.contextmanager
    def following(self, watched: Watched, path: Path | None, stream: Stream) -> Iterator[Tail]:
        """A stream watches a session as long as this lasts."""
        tail = self.join(watched, path, stream)
        try:
            yield tail
        finally:
            self.leave(tail, stream)

    def leave(self, tail: Tail, stream: Stream) -> None:
        """It watches no longer; the last one takes the tail with it."""
        tail.watchers.discard(stream)
        key = (tail.session.id, tail.prefix)
        if not tail.watchers and self._tails.get(key) is tail:
            del self._tails[key]
            task = self._tasks.pop(key, None)
            if task is not None:
                task.cancel()

    def hear(self, event: Event | None) -> None:
        """What the worker publishes."""
        if isinstance(event, SessionGrew):
            for tail in self._of(event.id):
                tail.poked.set()
        elif isinstance(event, SessionChanged):
            for tail in self._of(event.id):
                self._look_again(tail)
        elif isinstance(event, CallJudged | ApprovalChanged):
            for tail in self._of(event.session_id):
                self._look_again(tail)
        elif event is None:
            for tail in self._tails.values():
                self._look_again(tail)

    def _of(self, id_: int) -> list[Tail]:
        return [tail for (known, _), tail in self._tails.items() if known == id_]

    @staticmethod
    def _look_again(tail: Tail) -> None:
        tail.changed.set()
        tail.poked.set()

    async def _follow(self, tail: Tail) -> None:
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while not tail.over:
            if self._advance(tail):
                tail.wake()
                await asyncio.sleep(COALESCE_SECONDS)
            if tail.changed.is_set() or loop.time() - looked >= LOOK_SECONDS:
                tail.changed.clear()
                looked = loop.time()
                try:
                    tail.take(await self._read(tail.session.id))
                except CallError:
                    continue  # the database is away for now; the log goes on being followed
            await self._pause(tail)

    @staticmethod
    def _advance(tail: Tail) -> bool:
        try:
            return tail.advance()
        except OSError as error:
            # No descriptor is left, or the disk does not answer: readers wait until it does.
            print(f"web: can't read the log of session {tail.session.id}: {error}", file=sys.stderr)
            return False

    @staticmethod
    async def _pause(tail: Tail) -> None:
        # The log of one that waits for a person stays as it is until the session goes on.
        pause = POLL_SECONDS if tail.session.status is SessionStatus.RUNNING else LOOK_SECONDS
        timer = asyncio.get_running_loop().call_later(pause, tail.poked.set)
        await tail.poked.wait()
        timer.cancel()
        tail.poked.clear()
