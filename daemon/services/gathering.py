"""Gathers changes for a moment, so that the findings of many services share one transaction, and one way to the disk
and back.

Built by `daemon.services.services` for `daemon.services.recorder`. A kill loses the findings of the last moment, as it
loses the probes under way; what follows from a finding is stored with it, never before.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from daemon.store import Store
from ipc.errors import CallError
from schema.database import ConstraintError, Database, DatabaseError

GATHER_SECONDS = 0.1
GROUP_MAX = 200
T = TypeVar("T")


class _Waiting(NamedTuple):
    change: Callable[[Database], Any]
    future: "asyncio.Future[Any]"


class Gathering:
    """Changes that are not stored yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writing: set[asyncio.Task[None]] = set()

    async def write(self, change: Callable[[Database], T]) -> T:
        """Carries out a change, soon, in a transaction with others; what it returns. DatabaseError, CallError.

        One that fails is carried out anew with none of the others, which may be carried out twice for it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Waiting(change, future))
        if len(self._waiting) >= GROUP_MAX:
            self._flush()
        elif self._timer is None:
            self._timer = loop.call_later(GATHER_SECONDS, self._flush)
        return await future

    async def close(self) -> None:
        """Stores what waits."""
        self._flush()
        await asyncio.gather(*self._writing)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting = self._waiting, []
        if group:
            task = asyncio.create_task(self._write(group))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write(self, group: list[_Waiting]) -> None:
        try:
            _answer(group, await self._store.write(partial(_carry_out, group)))
        except (CallError, DatabaseError) as error:
            if not isinstance(error, ConstraintError):
                _fail(group, error)  # the whole database is in trouble, or its queue is full
                return
            await self._one_by_one(group, error)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked for it
            await self._one_by_one(group, error)

    async def _one_by_one(self, group: list[_Waiting], error: Exception) -> None:
        """One of them can't be stored: the others are, and that one's error goes to whoever asked for it."""
        if len(group) == 1:
            _fail(group, error)
            return
        for one in group:
            await self._write([one])


def _carry_out(group: list[_Waiting], db: Database) -> list[Any]:
    return [one.change(db) for one in group]


def _answer(group: list[_Waiting], found: list[Any]) -> None:
    for one, result in zip(group, found, strict=True):
        if not one.future.done():  # who asked may be gone: its service was paused or removed
            one.future.set_result(result)


def _fail(group: list[_Waiting], error: Exception) -> None:
    for one in group:
        if not one.future.done():
            one.future.set_exception(error)
