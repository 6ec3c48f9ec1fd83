"""The store on a real database: grouped writes, failures that stay alone, trouble that is told."""

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from daemon import store as stores
from daemon.store import Store
from ipc.errors import CallError, Code
from schema.database import WAL_KEPT, ConstraintError, CorruptError, Database, DatabaseError, DiskFullError, LockedError
from schema.database_file import wal_size


@pytest.fixture
async def store(tmp_path: Path) -> Store:
    database = Database(tmp_path / "x.db", readonly=False)
    database.migrate()
    return Store(tmp_path / "x.db", database)


def put(key: str, value: str = "v") -> Callable[[Database], int]:
    """A write of one row."""
    return lambda db: db.change("settings.set", key=key, value=value, updated_at="t")


async def test_fifty_writers_at_once_share_transactions_and_lose_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, release = [], threading.Event()
    transaction = Database.transaction

    def counted(database: Database) -> AbstractContextManager[None]:
        begun.append(1)
        return transaction(database)

    held = asyncio.ensure_future(store.read(lambda db: release.wait(10)))
    writes = [asyncio.ensure_future(store.write(put(f"k{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    monkeypatch.setattr(Database, "transaction", counted)
    release.set()
    await asyncio.gather(held, *writes)
    assert len(begun) == 1
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


async def test_what_rolls_all_of_it_back_and_fails_otherwise_leaves_a_store_that_answers(store: Store) -> None:
    def roll_back(db: Database) -> None:
        db.script("ROLLBACK")
        raise CallError(Code.CONFLICT, "another error than that of the disk")

    async with asyncio.timeout(5):
        results = await asyncio.gather(store.write(put("with it")), store.write(roll_back), return_exceptions=True)
        assert [str(result) for result in results] == ["the transaction was rolled back; try again"] * 2
        assert all(isinstance(result, DatabaseError) for result in results)
        assert await store.write(put("later")) == 1
        rows = await store.read(lambda db: db.rows("settings.overrides"))
    assert [row["key"] for row in rows] == ["later"]
    await store.close()


async def test_a_fault_of_the_thread_ends_the_process_and_says_where(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker without its database would beat on and answer nobody."""
    codes: list[int] = []

    def fault(group: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(store, "_carry_out", fault)
    asking = asyncio.ensure_future(store.read(lambda db: db.rows("settings.overrides")))
    await until(lambda: bool(codes))
    asking.cancel()
    assert codes == [70]
    said = capsys.readouterr().err
    assert said.startswith("store: its thread failed: RuntimeError('a fault of ours')\nTraceback ")


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


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for locks, and between two looks, in hundredths of a second."""
    for name, value in (("BUSY_TIMEOUT_MS", 50), ("LOCKED_TIMEOUT_MS", 20)):
        monkeypatch.setattr(stores, name, value)
    for name in ("PROBE_EVERY", "CHECKPOINT_EVERY"):
        monkeypatch.setattr(stores, name, 0.05)


async def until(condition: Callable[[], bool]) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("hasty")
async def test_a_lock_is_a_problem_until_it_is_gone_and_nobody_has_to_write_for_that(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Database(store.path, readonly=False)
    with other.transaction():
        with pytest.raises(LockedError):
            await store.write(put("refused"))
        assert store.problem is not None
        assert "another process keeps the database locked" in store.problem
        assert await store.read(lambda db: db.rows("settings.overrides")) == []
        await asyncio.sleep(0.2)
        assert store.problem is not None
    other.close()
    await until(lambda: store.problem is None)
    assert capsys.readouterr().err.splitlines() == [
        "store: another process keeps the database locked (database is locked); end it, or try again",
        "store: what is stored reaches the disk again",
    ]
    await store.close()


async def test_a_disk_that_is_full_is_a_problem_until_there_is_room(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a full disk can't take fails, and what is small and finds room in the WAL does not end the trouble."""

    def full(db: Database) -> None:
        raise DiskFullError("the disk is full")

    with pytest.raises(DiskFullError):
        await store.write(full)
    problems = [store.problem]
    for room in (2**62, 0):
        monkeypatch.setattr(stores, "ROOM", room)
        assert await store.write(put("small")) == 1
        problems.append(store.problem)
    assert problems == ["the disk is full", "the disk is full", None]
    await store.close()


@pytest.mark.usefixtures("hasty")
async def test_damage_stays_a_problem_wherever_else_can_be_written(store: Store) -> None:
    def damaged(db: Database) -> None:
        raise CorruptError("the database is damaged")

    with pytest.raises(CorruptError):
        await store.read(damaged)
    assert await store.write(put("elsewhere")) == 1
    await asyncio.sleep(0.2)
    assert store.problem == "the database is damaged"
    await store.close()


async def test_more_than_the_queue_holds_is_refused_at_once_and_what_waits_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "QUEUE_MAX", 3)
    database = Database(tmp_path / "x.db", readonly=False)
    database.migrate()
    store = Store(tmp_path / "x.db", database)
    began, release = threading.Event(), threading.Event()

    def hold(db: Database) -> int:
        began.set()
        release.wait(10)
        return put("held")(db)

    held = asyncio.ensure_future(store.write(hold))
    await asyncio.to_thread(began.wait)
    waiting = [asyncio.ensure_future(store.write(put(f"k{n}"))) for n in range(3)]
    await asyncio.sleep(0)
    for refused in (store.write(put("one too many")), store.read(lambda db: 0)):
        with pytest.raises(CallError, match="too many changes wait") as told:
            await refused
        assert told.value.code is Code.OVERLOADED
    release.set()
    assert await asyncio.gather(held, *waiting) == [1, 1, 1, 1]
    assert await store.write(put("later")) == 1
    rows = await store.read(lambda db: db.rows("settings.overrides"))
    assert [row["key"] for row in rows] == ["held", "k0", "k1", "k2", "later"]
    await store.close()


@pytest.mark.usefixtures("hasty")
async def test_a_wal_that_a_reader_pinned_shrinks_by_itself_while_others_read(store: Store) -> None:
    reader = Database(store.path, readonly=True)
    reader.script("BEGIN")
    reader.rows("settings.overrides")
    for number in range(5):
        await store.write(put(f"k{number}", "x" * 4 * 1048576))
    await asyncio.sleep(0.2)
    assert wal_size(store.path) > WAL_KEPT
    reader.close()

    async def shrunk() -> bool:
        # As the queue of triggers does: there is hardly a moment in which nobody wants anything.
        await store.read(lambda db: db.value("users.count"))
        return wal_size(store.path) == 0

    async with asyncio.timeout(10):
        while not await shrunk():
            await asyncio.sleep(0.01)
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
