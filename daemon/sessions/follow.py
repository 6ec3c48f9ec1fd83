"""Reads the log of one running session and stores what it means, until its run is over.

What a batch means (the row's columns, and what was said) and the offset after it go into one transaction, so a worker
that is killed between two batches leaves nothing half-done: the next one reads on from the stored offset.
"""

import asyncio
import sys
from datetime import UTC, datetime

import msgspec

from daemon.approvals.approvals import Approvals, cancel_given_up
from daemon.runs.follow import Chunk, follow
from daemon.runs.run import Run
from daemon.runs.spec import read_known
from daemon.sessions import said
from daemon.sessions.progress import Batch, Reading, read_said
from daemon.store import Store
from ipc.errors import CallError
from ipc.messages.sessions import SessionChanged, SessionGrew
from ipc.server import Publisher
from schema.database import Database, DatabaseError
from schema.limits import Approval
from schema.sessions import Session, Usage
from schema.settings import Settings

BATCH_BYTES = 128 * 1024  # some 10 ms of work, however short its lines: whoever asks the worker waits that long
ANNOUNCE_SECONDS = 0.25
RETRY_SECONDS = 1.0


class Follower:
    """Reads one session's log. `reading` holds what was said so far, for the final judgement."""

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        session: Session,
        run: Run,
        waiting: Approvals,
        *,
        healthy_checks: int = Settings().cooldown_healthy_checks,
    ) -> None:
        """`waiting`: the calls that wait for people. `healthy_checks` in a row clear a service's cooldowns:
        CLAUDEOPS_COOLDOWN_HEALTHY_CHECKS as it is now.
        """
        usage = msgspec.json.decode(session.usage, type=Usage) if session.usage else None
        self.reading = Reading(session.model_id or session.model, usage, read_said(session.result))
        self.offset = session.log_offset
        self._store = store
        self._publisher = publisher
        self._session = session
        self._run = run
        self._approvals = waiting
        self._healthy_checks = healthy_checks
        self._announced = 0.0

    async def follow(self) -> None:
        """Returns once the run is over and its log is read to the end."""
        path = self._session.log_file or self._run.log_path
        async for chunk in follow(self._run.run_dir, path, self.offset, limit=BATCH_BYTES):
            self._publisher.publish(SessionGrew(id=self._session.id, size=chunk.next_offset))
            await self._store_chunk(chunk)

    async def _store_chunk(self, chunk: Chunk) -> None:
        batch = self.reading.fold(((line.data, line.cut) for line in chunk.lines), datetime.now(UTC))
        while True:
            try:
                told, cancelled = await self._store.write(lambda db: self._store_batch(db, chunk, batch))
                break
            except (DatabaseError, CallError) as error:
                # The log keeps what can't be stored now; the same lines are stored once there is room again.
                print(f"session {self._session.id}: can't store its progress yet: {error}", file=sys.stderr, flush=True)
                await asyncio.sleep(RETRY_SECONDS)
        self.offset = chunk.next_offset
        for publication in told.publications():
            self._publisher.publish(publication)
        await self._approvals.announce(cancelled)
        self._announce()

    def _store_batch(self, db: Database, chunk: Chunk, batch: Batch) -> tuple[said.Told, list[Approval]]:
        """Within a transaction. Where the row has moved on from this chunk's start, it has been stored already."""
        moved = db.change(
            "sessions.progress",
            id=self._session.id,
            from_offset=self.offset,
            offset=chunk.next_offset,
            lines=len(chunk.lines),
            **batch.columns,
        )
        cancelled = cancel_given_up(db, self._session.id, batch.answered if moved else ())
        return said.store(db, self._session, batch.said if moved else (), self._healthy_checks), cancelled

    def _announce(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._announced >= ANNOUNCE_SECONDS:
            self._announced = now
            self._publisher.publish(SessionChanged(id=self._session.id, status=self._session.status))


def timeout_of(run: Run) -> float:
    """The timeout that the run was started with, which is not always the present setting."""
    known = read_known(run.run_dir)
    return known.timeout_s if known else 0.0


def budget_of(run: Run) -> float:
    """The budget that its session had when the run was started, in dollars; 0 for none."""
    known = read_known(run.run_dir)
    return float(known.labels.get("budget", 0)) if known else 0.0
