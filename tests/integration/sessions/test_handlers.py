"""A page of sessions from a real database: what it finds, and how often it has to look."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon.sessions import handlers
from daemon.store import Store
from ipc.messages.sessions import ListSessions
from schema.database import Database
from schema.states import SessionStatus, Trigger
from tests.fixtures import databases

MANY = 50_000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path / "claudeops.db", databases.opened(tmp_path / "claudeops.db"))
    yield store
    await store.close()


class Reads:
    """Counts what a store is asked to read."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        self._read = store.read
        monkeypatch.setattr(store, "read", self._count)

    async def _count(self, work: object) -> object:
        self.number += 1
        return await self._read(work)  # type: ignore[arg-type]  # as it was given


async def fill(store: Store, number: int) -> None:
    """So many sessions that are over, of tiers 1 and 2 in turn below id 11, and of tier 1 above."""
    insert = (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})"
        " INSERT INTO sessions (id, tier, model, prompt_file, status, trigger, started_at)"
        " SELECT i, CASE WHEN i <= 10 THEN 1 + i % 2 ELSE 1 END, 'm', 'p', 'completed', 'scheduled', 't' FROM n"
    )

    def write(db: Database) -> None:
        db.script(insert)

    await store.write(write)


@pytest.mark.parametrize("limit", [1, 50])
async def test_what_two_filters_want_is_found_in_few_looks_however_far_down_it_lies(
    store: Store, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    await fill(store, MANY)
    reads = Reads(store, monkeypatch)
    found = await handlers.read_page(store, ListSessions(limit=limit, status=SessionStatus.COMPLETED, tier=2))
    assert [session.id for session in found.sessions] == [9, 7, 5, 3, 1][:limit]
    assert reads.number <= 2 + MANY // handlers.SEARCHED


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (ListSessions(limit=3), [30, 29, 28]),
        (ListSessions(limit=3, before=12), [11, 10, 9]),
        (ListSessions(limit=3, tier=2), [9, 7, 5]),
        (ListSessions(limit=3, status=SessionStatus.COMPLETED, tier=2), [9, 7, 5]),
        (ListSessions(limit=3, status=SessionStatus.COMPLETED, tier=2, before=5), [3, 1]),
        (ListSessions(limit=3, tier=2, trigger=Trigger.SCHEDULED, before=9), [7, 5, 3]),
        (ListSessions(limit=3, tier=2, trigger=Trigger.MANUAL), []),
        (ListSessions(limit=3, status=SessionStatus.FAILED, trigger=Trigger.SCHEDULED), []),
        (ListSessions(limit=2, status=SessionStatus.COMPLETED, tier=1, trigger=Trigger.SCHEDULED, before=11), [10, 8]),
    ],
)
async def test_a_page_is_the_newest_that_match_wherever_one_look_ends(
    store: Store, monkeypatch: pytest.MonkeyPatch, wanted: ListSessions, found: list[int]
) -> None:
    monkeypatch.setattr(handlers, "SEARCHED", 4)
    await fill(store, 30)
    page = await handlers.read_page(store, wanted)
    assert [session.id for session in page.sessions] == found


async def test_a_database_without_sessions_has_an_empty_page(store: Store) -> None:
    page = await handlers.read_page(store, ListSessions(status=SessionStatus.COMPLETED, tier=2))
    assert page.sessions == []
