"""One `Tail` for each session that somebody watches: it follows the log file, and makes each piece once for all.

A reader has nothing here but its own offset. Pieces are kept by the offset that they begin at, up to a bound; a slow
reader that falls behind it has its piece made again. The file is the truth: nothing is lost with this process.
"""

import asyncio
import os
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from ipc.errors import CallError
from ipc.messages.envelope import Event
from ipc.messages.sessions import SessionChanged, SessionGrew
from schema.logline import Line, LogReader, read_lines
from schema.sessions import Session
from schema.states import SessionStatus
from webui.live import sse
from webui.live.streams import Stream
from webui.pages.row_html import RenderRow
from webui.pages.transcript_rows import Calls, read_line

READ_BYTES = 8 * 1024  # of the log at a time; as HTML it is some five times that
GATHERED_BYTES = 16 * 1024  # less than a full piece, which travels alone and is not copied
KEPT_BYTES = 1024 * 1024
POLL_SECONDS = 0.015
COALESCE_SECONDS = 0.004  # lines that come so close together travel together
LOOK_SECONDS = 1.0  # the session's row is read this often, whether or not the worker is heard
SCAN = 64 * 1024

ReadSession = Callable[[int], Awaitable[Session]]


class Batch(NamedTuple):
    """Encoded events for the bytes up to `end` of the log."""

    end: int
    payload: bytes


class Tail:
    """The log of one session, followed while somebody watches."""

    def __init__(self, session: Session, path: Path | None, render: RenderRow) -> None:
        self.session = session
        self.version = 1  # of the session's row
        self.edge = 0  # all before it is whole lines
        self.over = session.status is not SessionStatus.RUNNING
        self.watchers: set[Stream] = set()
        self.poked = asyncio.Event()
        self.changed = asyncio.Event()
        self._path = path
        self._render = render
        self._scanned = 0
        self._calls = Calls()
        self._batches: OrderedDict[int, Batch] = OrderedDict()
        self._kept = 0
        self.parts: dict[tuple[str, bool], tuple[int, str]] = {}  # rendered heads, by name and role
        self.advance()

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

    def _encode(self, lines: list[Line], end: int) -> bytes:
        raw = f"/sessions/{self.session.id}/log"
        html = "".join(self._render(row) for line in lines for row in read_line(line, raw, self._calls))
        # A batch without rows still moves the reader's offset.
        return sse.encode("rows", html, str(end))

    def take(self, session: Session) -> None:
        """A new state of the row. One that has ended: what is in the file now is all there will be."""
        if session != self.session:
            self.session = session
            self.version += 1
        if session.status is not SessionStatus.RUNNING and not self.over:
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

    def __init__(self, read: ReadSession, render: RenderRow) -> None:
        self._read = read
        self._render = render
        self._tails: dict[int, Tail] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def lag(self) -> dict[int, int]:
        """By session, how many bytes of the watched logs the worker has not stored yet."""
        return {id_: max(0, tail.edge - tail.session.log_offset) for id_, tail in self._tails.items()}

    def join(self, session: Session, path: Path | None, stream: Stream) -> Tail:
        """A stream watches a session from now on."""
        tail = self._tails.get(session.id)
        if tail is None:
            tail = self._tails[session.id] = Tail(session, path, self._render)
            if not tail.over:
                self._tasks[session.id] = asyncio.create_task(self._follow(tail))
        tail.watchers.add(stream)
        return tail

    def leave(self, tail: Tail, stream: Stream) -> None:
        """It watches no longer; the last one takes the tail with it."""
        tail.watchers.discard(stream)
        if not tail.watchers and self._tails.get(tail.session.id) is tail:
            del self._tails[tail.session.id]
            task = self._tasks.pop(tail.session.id, None)
            if task is not None:
                task.cancel()

    def hear(self, event: Event | None) -> None:
        """What the worker publishes."""
        if isinstance(event, SessionGrew) and event.id in self._tails:
            self._tails[event.id].poked.set()
        elif isinstance(event, SessionChanged) and event.id in self._tails:
            self._look_again(self._tails[event.id])
        elif event is None:
            for tail in self._tails.values():
                self._look_again(tail)

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
        timer = asyncio.get_running_loop().call_later(POLL_SECONDS, tail.poked.set)
        await tail.poked.wait()
        timer.cancel()
        tail.poked.clear()
