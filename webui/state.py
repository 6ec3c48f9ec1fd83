"""Reading the database and the supervisor's status file, for pages. Nothing is ever written from here.

The database may not be there yet, be locked, damaged or replaced: each read says so as a `CallError` that a page can
show, and the next read tries anew. One thread of its own does the reading, so a slow disk never holds the loop up.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from ipc.errors import CallError, Code
from schema.database import CorruptError, Database, DatabaseError, LockedError

T = TypeVar("T")
WAITING_MAX = 200
TIMEOUT = 6.0  # above SQLite's busy timeout
DAMAGED = "The database is damaged; sessions that run go on. Restore a backup: the newest lie in {}."
MISSING = "There is no database yet; the worker makes it when it starts. Try again in a moment."
LOCKED = "The database is locked by another process. Try again in a moment."


class State:
    """The read-only side of the daemon's state."""

    def __init__(self, state_dir: str, runtime_dir: str) -> None:
        self.path = Path(state_dir) / "claudeops.db"
        self._backups = Path(state_dir) / "backups"
        self._status_path = Path(runtime_dir) / "status.json"
        self._status: tuple[float, dict[str, Any]] = (0.0, {})
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._waiting = 0
        self._database: Database | None = None
        self._identity: tuple[int, int] | None = None

    async def read(self, query: Callable[[Database], T]) -> T:
        """What `query` gives. CallError `unavailable`: why the database can't be read now, and what to do."""
        if self._waiting >= WAITING_MAX:
            raise CallError(Code.OVERLOADED, LOCKED)
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._read, query)
        future.add_done_callback(self._done)
        try:
            async with asyncio.timeout(TIMEOUT):
                return await asyncio.shield(future)
        except TimeoutError:
            raise CallError(Code.UNAVAILABLE, LOCKED) from None

    def _done(self, future: "asyncio.Future[Any]") -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # told to whoever still waits; after a timeout nobody does

    def _read(self, query: Callable[[Database], T]) -> T:
        try:
            return query(self._open())
        except CorruptError as error:
            self._close()
            raise CallError(Code.UNAVAILABLE, DAMAGED.format(self._backups)) from error
        except LockedError as error:
            raise CallError(Code.UNAVAILABLE, LOCKED) from error
        except DatabaseError as error:
            self._close()
            raise CallError(Code.UNAVAILABLE, f"The database can't be read: {error}.") from error

    def _open(self) -> Database:
        """The connection; a new one if the file was replaced, such as by a restored backup."""
        try:
            found = os.stat(self.path)
        except OSError:
            self._close()
            raise CallError(Code.UNAVAILABLE, MISSING) from None
        identity = (found.st_dev, found.st_ino)
        if self._database is None or identity != self._identity:
            self._close()
            self._database = Database(self.path, readonly=True)
            self._identity = identity
        return self._database

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def status(self) -> dict[str, Any]:
        """The supervisor's status file, at most a second old; the last one known while it can't be read."""
        read_at, known = self._status
        if time.monotonic() - read_at > 1.0 or not known:
            try:
                found = json.loads(self._status_path.read_bytes())
            except (OSError, ValueError):
                found = known  # written by rename, so this is before the first one; what is known stays
            self._status = (time.monotonic(), found if isinstance(found, dict) else known)
        return self._status[1]

    async def close(self) -> None:
        """Closes the connection in its own thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)
