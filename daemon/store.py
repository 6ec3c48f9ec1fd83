"""The worker's only way to the database: one connection on one thread, and a queue in front of it.

What waits is written in one transaction (group commit), each part in a savepoint, so that a part that fails fails
alone. The loop never waits for the disk. Built by `daemon.worker`.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from ipc.errors import CallError, Code
from schema.database import CorruptError, Database, DatabaseError, DiskFullError

T = TypeVar("T")
GROUP_MAX = 500
QUEUE_MAX = 10_000
CHECKPOINT_EVERY = 30.0


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
        while True:
            try:
                first = self._queue.get(timeout=CHECKPOINT_EVERY)
            except queue.Empty:
                with contextlib.suppress(DatabaseError):  # the next write meets the same trouble and reports it
                    self._database.checkpoint()
                continue
            group, ended = self._gather(first)
            self._carry_out(group)
            if ended:
                self._database.close()
                return

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
        try:
            with self._database.transaction():
                for part in writes:
                    results.append((part, *self._try_part(part)))
                    if not self._database.in_transaction:
                        # A full disk rolls back all of it, what was done before too.
                        raise results[-1][2] or DatabaseError("the transaction was rolled back")
        except DatabaseError as error:
            self._note(error)
            results = [(part, None, error) for part in writes]
        else:
            self._note(None)
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
            if isinstance(error, DatabaseError):
                self._note(error)
            return None, error

    def _note(self, error: DatabaseError | None) -> None:
        """Remembers trouble that people should see, until a write succeeds again."""
        if error is None or isinstance(error, DiskFullError | CorruptError):
            self.problem = None if error is None else str(error)

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
