"""The schedule on a real database that refuses for a while: it is told, nothing ends, and it fires once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest

from daemon.sessions.lifecycle import Sessions
from daemon.store import Store
from daemon.triggers import schedule
from daemon.triggers.queue import Asked, Queue
from daemon.triggers.schedule import FIRED, Schedule
from ipc.errors import CallError, Code
from schema.database import Database, LockedError
from tests.integration.limits.desk import Desk

T = TypeVar("T")
OVERLOADED = CallError(Code.OVERLOADED, "too many changes wait for the disk")
LOCKED = LockedError("another process keeps the database locked")


class Refusing:
    """A store in front of the real one that refuses with the errors it is given, one each time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads: list[Exception] = []
        self.writes: list[Exception] = []

    async def read(self, work: Callable[[Database], T]) -> T:
        if self.reads:
            raise self.reads.pop(0)
        return await self._store.read(work)

    async def write(self, work: Callable[[Database], T]) -> T:
        if self.writes:
            raise self.writes.pop(0)
        return await self._store.write(work)


class Place:
    """A schedule, the store before it, and what it has put into the queue."""

    def __init__(self, desk: Desk) -> None:
        self.asked: list[Asked] = []
        self.store = Refusing(desk.store)
        sessions = SimpleNamespace(on_change=[])
        queue = SimpleNamespace(add=self._add)
        self.schedule = Schedule(
            cast("Any", self.store),
            desk.settings,
            cast("Sessions", sessions),
            cast("Queue", queue),
            desk.heard,
            "this boot",
        )

    async def _add(self, asked: Asked) -> None:
        self.asked.append(asked)


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(schedule, "SETTLE_SECONDS", 0.02)
    monkeypatch.setattr(schedule, "RETRY_SECONDS", 0.05)
    desk = Desk(tmp_path, CLAUDEOPS_INTERVAL="3600")
    yield Place(desk)
    await desk.close()


@contextlib.asynccontextmanager
async def running(place: Place) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(place.schedule.run())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def fired(place: Place) -> None:
    async with asyncio.timeout(5):
        while not place.asked:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("error", [OVERLOADED, LOCKED])
@pytest.mark.parametrize("where", ["reads", "writes"])
async def test_it_goes_on_and_fires_once_when_the_database_refuses(place: Place, where: str, error: Exception) -> None:
    getattr(place.store, where).extend([error] * 5)
    told = set()
    async with running(place) as task:
        while not place.asked:
            assert not task.done(), task.exception()
            told.add(place.schedule.problem)
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.2)
        assert not task.done()
        assert place.asked == [FIRED]
        assert place.schedule.problem is None
    assert f"the schedule can't be read or stored: {error}" in told


async def test_nothing_is_fired_whose_next_date_is_not_stored(place: Place) -> None:
    """Else a worker that is killed then fires the same date again."""
    async with running(place):
        await asyncio.sleep(0)
        while place.schedule.next_run_at() is None:
            await asyncio.sleep(0)
        place.store.writes.extend([LOCKED] * 3)
        await fired(place)
        assert place.store.writes == []
        assert place.asked == [FIRED]
