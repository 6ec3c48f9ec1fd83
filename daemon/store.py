"""The worker's only way to the database: one connection on one thread, and a queue in front of it.

What waits is written in one transaction (group commit), each part in a savepoint, so that a part that fails fails
alone. The loop never waits for the disk. Built by `daemon.worker`.
"""

import asyncio
import contextlib
import os
import queue
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from ipc.errors import CallError, Code
from schema.database import (
    BUSY_TIMEOUT_MS,
    WAL_KEPT,
    ConstraintError,
    CorruptError,
    Database,
    DatabaseError,
    DiskFullError,
    LockedError,
)
from schema.database_file import wal_size

T = TypeVar("T")
EXIT_INTERNAL = 70
GROUP_MAX = 500
QUEUE_MAX = 10_000
CHECKPOINT_EVERY = 30.0
PROBE_EVERY = 2.0  # while there is trouble
ROOM = 1048576  # with less free space a full disk is full still
LOCKED_TIMEOUT_MS = 1000  # once the busy timeout has passed in vain: who comes then is told soon, and can try again


class _Part(NamedTuple, Generic[T]):
    """One thing to do on the thread: `write` within the group's transaction, or by itself."""

    work: Callable[[Database], T]
    future: "asyncio.Future[T]"
    write: bool


class Store:
    """Reads and writes, in the order in which they were asked for."""

    def __init__(self, path: Path, database: Database) -> None:
        """`database` is open and migrated; from now on only the store's thread touches it."""
        self.path = path
        self._database = database
        self._queue: queue.Queue[_Part[Any] | None] = queue.Queue(QUEUE_MAX)
        self._loop = asyncio.get_running_loop()
        self.problem: str | None = None
        """What keeps it from its work, as a sentence, from the first failure until a write goes through."""
        self._trouble: BaseException | None = None
        self._look_at = time.monotonic() + CHECKPOINT_EVERY
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Database], T]) -> T:
        """Runs `work` in a transaction; its result once committed. DatabaseError; CallError if too much waits."""
        return await self._put(work, write=True)

    async def read(self, work: Callable[[Database], T]) -> T:
        """Runs `work` outside a transaction, after all writes asked for before."""
        return await self._put(work, write=False)

    async def _put(self, work: Callable[[Database], T], *, write: bool) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        try:
            self._queue.put_nowait(_Part(work, future, write))
        except queue.Full:
            raise CallError(Code.OVERLOADED, "too many changes wait for the disk; try again in a moment") from None
        return await future

    async def close(self) -> None:
        """Writes what waits, then closes the connection."""
        await asyncio.to_thread(self._queue.put, None)
        await asyncio.to_thread(self._thread.join, 10.0)

    def _run(self) -> None:
        """The thread. One that ended unnoticed would leave a worker that beats on and answers nobody."""
        try:
            self._serve()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the worker has to end; a fresh one adopts what runs
            print(f"store: its thread failed: {error!r}", file=sys.stderr)
            traceback.print_exception(error, file=sys.stderr)
            sys.stderr.flush()
            os._exit(EXIT_INTERNAL)

    def _serve(self) -> None:
        while True:
            try:
                first = self._queue.get(timeout=max(0.0, self._look_at - time.monotonic()))
            except queue.Empty:
                self._look_after()
                continue
            group, ended = self._gather(first)
            self._carry_out(group)
            if ended:
                self._database.close()
                return

    def _look_after(self) -> None:
        """While nothing waits: whether the trouble is over, and whether the WAL has grown."""
        if self.problem is not None:
            self._probe()
        with contextlib.suppress(DatabaseError, OSError):  # the next write meets the same trouble and reports it
            self._database.checkpoint(truncate=wal_size(self.path) > WAL_KEPT)
        self._look_at = time.monotonic() + (CHECKPOINT_EVERY if self.problem is None else PROBE_EVERY)

    def _probe(self) -> None:
        """Takes the trouble back once there is room, and something can be written.

        A commit that changed nothing shows nothing, and what is small may find room in the WAL of a full disk. Damage
        stays, wherever else can be written.
        """
        if isinstance(self._trouble, CorruptError):
            return
        try:
            if isinstance(self._trouble, DiskFullError) and shutil.disk_usage(self.path.parent).free < ROOM:
                return
            self._database.try_write()
        except (DatabaseError, OSError) as error:
            self._note(error)
        else:
            self._note(None)

    def _gather(self, first: _Part[Any] | None) -> tuple[list[_Part[Any]], bool]:
        group: list[_Part[Any]] = []
        part = first
        while part is not None:
            group.append(part)
            if len(group) >= GROUP_MAX:
                return group, False
            try:
                part = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _carry_out(self, group: list[_Part[Any]]) -> None:
        """Runs a group: neighbouring writes share a transaction, reads stand between."""
        writes: list[_Part[Any]] = []
        for part in group:
            if part.write:
                writes.append(part)
                continue
            self._commit(writes)
            writes = []
            self._answer([(part, *self._try(part))])
        self._commit(writes)

    def _commit(self, writes: list[_Part[Any]]) -> None:
        if not writes:
            return
        results: list[tuple[_Part[Any], Any, BaseException | None]] = []
        patience = BUSY_TIMEOUT_MS if self.problem is None else LOCKED_TIMEOUT_MS
        try:
            with self._database.waiting(patience), self._database.transaction():
                for part in writes:
                    results.append((part, *self._try_part(part)))
                    if not self._database.in_transaction:
                        # A full disk rolls back all of it, what was done before too.
                        raise _why_rolled_back(results[-1][2])
        except DatabaseError as error:
            if not isinstance(error, ConstraintError):
                self._note(error)
            results = [(part, None, error) for part in writes]
        else:
            told = next((error for *_, error in results if _is_trouble(error)), None)
            if told is not None:
                self._note(told)
            elif self.problem is not None:
                self._probe()
        self._answer(results)

    def _try_part(self, part: _Part[Any]) -> tuple[Any, BaseException | None]:
        try:
            with self._database.savepoint():
                return part.work(self._database), None
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            return None, error

    def _try(self, part: _Part[Any]) -> tuple[Any, BaseException | None]:
        try:
            return part.work(self._database), None
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            if _is_trouble(error):
                self._note(error)
            return None, error

    @property
    def locked(self) -> bool:
        """Whether another process keeps the database locked, and for longer than is waited for."""
        return isinstance(self._trouble, LockedError)

    def _note(self, error: BaseException | None) -> None:
        """Remembers trouble that people should see, and says in the log when it comes and goes."""
        problem = None if error is None else str(error)
        if problem == self.problem or isinstance(self._trouble, CorruptError):
            return
        self.problem, self._trouble = problem, error
        self._look_at = time.monotonic() + PROBE_EVERY
        print(f"store: {problem or 'what is stored reaches the disk again'}", file=sys.stderr, flush=True)

    def _answer(self, results: list[tuple[_Part[Any], Any, BaseException | None]]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            self._loop.call_soon_threadsafe(_tell, results)


def _tell(results: list[tuple[_Part[Any], Any, BaseException | None]]) -> None:
    for part, result, error in results:
        if part.future.done():
            continue
        if error is None:
            part.future.set_result(result)
        else:
            part.future.set_exception(error)


def _why_rolled_back(error: BaseException | None) -> DatabaseError:
    """What all are told whose writes went with a part that failed: the database's own word, if it is one."""
    if isinstance(error, DatabaseError):
        return error
    told = DatabaseError("the transaction was rolled back; try again")
    told.__cause__ = error
    return told


def _is_trouble(error: BaseException | None) -> bool:
    """Whether an error tells of the database as a whole, and not of what somebody wanted of it."""
    return isinstance(error, DiskFullError | LockedError | CorruptError)
