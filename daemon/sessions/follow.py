"""Reads the log of one running session and stores what it means, until its run is over.

What a batch means and the offset after it go into one transaction, so a worker that is killed between two batches
leaves nothing half-done: the next one reads on from the stored offset.
"""

import asyncio
import sys

import msgspec

from daemon.runs.executor import Run
from daemon.sessions.progress import Reading, read_said
from daemon.store import Store
from ipc.errors import CallError
from ipc.messages.sessions import SessionChanged, SessionGrew
from ipc.server import Publisher
from schema import logline
from schema.database import DatabaseError
from schema.sessions import Session, Usage

POLL_SECONDS = 0.02
BATCH_BYTES = 512 * 1024
ANNOUNCE_SECONDS = 0.25
RETRY_SECONDS = 1.0


class Follower:
    """Reads one session's log. `reading` holds what was said so far, for the final judgement."""

    def __init__(self, store: Store, publisher: Publisher, session: Session, run: Run) -> None:
        usage = msgspec.json.decode(session.usage, type=Usage) if session.usage else None
        self.reading = Reading(session.model_id or session.model, usage, read_said(session.result))
        self.offset = session.log_offset
        self._store = store
        self._publisher = publisher
        self._session = session
        self._path = session.log_file or ""
        self._run = run
        self._announced = 0.0

    async def follow(self) -> None:
        """Returns once the run is over and its log is read to the end."""
        while True:
            over = self._run.ended
            grown = await self._read_all()
            if over and not grown:
                return
            if not grown:
                await asyncio.sleep(POLL_SECONDS)

    async def _read_all(self) -> bool:
        """Reads what is there; whether there was anything."""
        grown = False
        while True:
            lines, end = logline.read_lines(self._path, self.offset, BATCH_BYTES)
            if end == self.offset:
                return grown
            grown = True
            self._publisher.publish(SessionGrew(id=self._session.id, size=end))
            columns = self.reading.fold((line.text, line.missing) for line in lines)
            await self._store_batch(columns, end, len(lines))
            await asyncio.sleep(0)

    async def _store_batch(self, columns: dict[str, object], end: int, lines: int) -> None:
        start = self.offset
        id_ = self._session.id
        while True:
            try:
                await self._store.write(
                    lambda db: db.change(
                        "sessions.progress", id=id_, from_offset=start, offset=end, lines=lines, **columns
                    )
                )
                break
            except (DatabaseError, CallError) as error:
                # The log keeps what can't be stored now; the same batch is stored once there is room again.
                print(f"session {id_}: can't store its progress yet: {error}", file=sys.stderr, flush=True)
                await asyncio.sleep(RETRY_SECONDS)
        self.offset = end
        self._announce()

    def _announce(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._announced >= ANNOUNCE_SECONDS:
            self._announced = now
            self._publisher.publish(SessionChanged(id=self._session.id, status=self._session.status))
