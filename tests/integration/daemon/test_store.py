"""The store on a real database: grouped writes, failures that stay alone, trouble that is told."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.store import Store
from schema.database import ConstraintError, Database


@pytest.fixture
async def store(tmp_path: Path) -> Store:
    database = Database(tmp_path / "x.db", readonly=False)
    database.migrate()
    return Store(tmp_path / "x.db", database)


def put(key: str) -> Callable[[Database], int]:
    """A write of one row."""
    return lambda db: db.change("settings.set", key=key, value="v", updated_at="t")


async def test_fifty_writers_at_once_share_transactions_and_lose_nothing(store: Store) -> None:
    await asyncio.gather(*(store.write(put(f"k{n}")) for n in range(50)))
    rows = await store.read(lambda db: db.rows("settings.overrides"))
    assert len(rows) == 50
    await store.close()


async def test_a_part_that_fails_fails_alone(store: Store) -> None:
    def broken(db: Database) -> None:
        db.change("settings.set", key="half", value="done", updated_at="t")
        raise ValueError("no")

    results = await asyncio.gather(
        store.write(put("a")),
        store.write(broken),
        store.write(put("b")),
        return_exceptions=True,
    )
    assert isinstance(results[1], ValueError)
    rows = await store.read(lambda db: db.rows("settings.overrides"))
    assert [row["key"] for row in rows] == ["a", "b"]
    await store.close()


async def test_a_second_running_session_of_a_tier_is_refused_by_the_schema(store: Store) -> None:
    values = {
        "tier": 1, "model": "haiku", "prompt_file": "p", "prompt_text": None, "trigger": "manual",
        "requested_by": None, "started_at": "t", "log_file": "l", "cli_session_id": None, "cli_version": None,
        "context": None, "parent_session_id": None, "chain_id": None, "dry_run": 0,
    }  # fmt: skip
    await store.write(lambda db: db.value("sessions.insert", run_id="one", **values))
    with pytest.raises(ConstraintError):
        await store.write(lambda db: db.value("sessions.insert", run_id="two", **values))
    await store.close()


async def test_the_loop_goes_on_while_another_process_holds_the_database(store: Store) -> None:
    other = Database(store.path, readonly=False)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with other.transaction():
            held.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    await asyncio.to_thread(held.wait)
    write = asyncio.ensure_future(store.write(put("later")))
    worst = 0.0
    loop = asyncio.get_running_loop()
    for _ in range(20):
        before = loop.time()
        await asyncio.sleep(0.01)
        worst = max(worst, loop.time() - before - 0.01)
    assert not write.done()
    release.set()
    assert await write == 1
    assert worst < 0.1
    await asyncio.to_thread(thread.join)
    other.close()
    await store.close()


async def test_what_waits_is_written_before_the_store_closes(store: Store) -> None:
    writes = [asyncio.ensure_future(store.write(put(f"k{n}"))) for n in range(20)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writes)
    reader = Database(store.path, readonly=True)
    assert len(reader.rows("settings.overrides")) == 20
    reader.close()
    assert os.path.getsize(store.path) > 0
