"""The database on a real disk: migrations, transactions, plans, copies, and what SQLite's errors become."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from schema import sql, timestamps
from schema.database import (
    ConstraintError,
    CorruptError,
    Database,
    DatabaseError,
    LockedError,
    UnknownVersionError,
)
from schema.sessions import from_row
from schema.states import SessionStatus, Trigger

SESSION = {
    "tier": 1,
    "model": "haiku",
    "prompt_file": "p.md",
    "prompt_text": None,
    "trigger": "manual",
    "requested_by": "someone",
    "started_at": "2026-01-31T08:05:00.000Z",
    "log_file": "/r/run.log",
    "run_id": "run-1",
    "cli_session_id": None,
    "cli_version": None,
    "context": None,
    "parent_session_id": None,
    "chain_id": None,
    "dry_run": 0,
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "claudeops.db", readonly=False)
    database.migrate()
    yield database
    database.close()


def put(database: Database, key: str, value: str = "v") -> None:
    database.change("settings.set", key=key, value=value, updated_at=timestamps.now())


def refused_after(database: Database, key: str) -> None:
    """Writes a row, and then one that the schema refuses."""
    put(database, key)
    database.change("settings.set", key="d", value=None, updated_at="t")


def keys(database: Database) -> list[str]:
    return sorted(row["key"] for row in database.rows("settings.overrides"))


# Migrations


def test_a_new_database_gets_every_migration_once(tmp_path: Path) -> None:
    database = Database(tmp_path / "claudeops.db", readonly=False)
    assert database.migrate() == [migration.name for migration in sql.migrations()]
    assert database.migrate() == []
    database.close()


def test_applied_migrations_are_recorded_with_their_checksum(tmp_path: Path, database: Database) -> None:
    plain = apsw.Connection(str(tmp_path / "claudeops.db"))
    recorded = plain.execute("SELECT number, name, checksum FROM migrations ORDER BY number").fetchall()
    plain.close()
    assert recorded == [(m.number, m.name, m.checksum) for m in sql.migrations()]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path, database: Database) -> None:
    database.script("INSERT INTO migrations VALUES (9999, 'later', 'x', 't')")
    with pytest.raises(UnknownVersionError, match=r"newer version \(step 9999\); install that version"):
        database.migrate()


def test_an_edited_migration_is_noticed(database: Database) -> None:
    database.script("UPDATE migrations SET checksum = 'edited' WHERE number = 1")
    with pytest.raises(UnknownVersionError, match="migration 0001 is not the one"):
        database.migrate()


def test_a_step_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = sql.Migration(1, "broken", "CREATE TABLE half (a); SELECT nonsense;", "x")
    monkeypatch.setattr(sql, "migrations", lambda: (broken,))
    database = Database(tmp_path / "claudeops.db", readonly=False)
    with pytest.raises(DatabaseError):
        database.migrate()
    monkeypatch.undo()
    assert database.migrate() == [migration.name for migration in sql.migrations()]
    with pytest.raises(DatabaseError, match="no such table: half"):
        database.script("SELECT * FROM half")
    database.close()


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    other = apsw.Connection(str(tmp_path / "claudeops.db"))
    other.execute("CREATE TABLE bookmarks (url)")
    other.close()
    database = Database(tmp_path / "claudeops.db", readonly=False)
    with pytest.raises(UnknownVersionError, match="another program's tables: bookmarks"):
        database.migrate()
    database.close()


def test_the_writer_uses_a_log_and_syncs_at_checkpoints_only(tmp_path: Path, database: Database) -> None:
    pragma = database._connection.pragma
    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 1, 1)
    assert pragma("journal_size_limit") == 16777216


# Transactions


def test_a_transaction_is_whole_or_not_there(database: Database) -> None:
    with pytest.raises(ConstraintError), database.transaction():
        refused_after(database, "a")
    assert keys(database) == []
    with database.transaction():
        put(database, "a")
        put(database, "b")
    assert keys(database) == ["a", "b"]


def test_a_savepoint_fails_alone(database: Database) -> None:
    with database.transaction():
        put(database, "a")
        with pytest.raises(ConstraintError), database.savepoint():
            refused_after(database, "b")
        with database.savepoint():
            put(database, "e")
        assert database.in_transaction
    assert keys(database) == ["a", "e"]


def test_a_transaction_can_not_begin_within_another(database: Database) -> None:
    with database.transaction(), pytest.raises(DatabaseError), database.transaction():
        pass


def test_a_change_tells_how_many_rows_it_changed(database: Database) -> None:
    put(database, "a")
    assert database.change("settings.reset", key="a") == 1
    assert database.change("settings.reset", key="a") == 0


def test_a_second_running_session_of_a_tier_is_refused(database: Database) -> None:
    database.rows("sessions.insert", **SESSION)
    with pytest.raises(ConstraintError):
        database.rows("sessions.insert", **SESSION | {"run_id": "run-2"})
    database.rows("sessions.insert", **SESSION | {"tier": 2, "run_id": "run-3"})


def test_a_session_ends_once(database: Database) -> None:
    (row,) = database.rows("sessions.insert", **SESSION)
    end = {"ended_at": "t", "exit_code": 0, "reason": None, "duration_ms": 5}
    assert database.change("sessions.finish", id=row["id"], status="completed", **end) == 1
    assert database.change("sessions.finish", id=row["id"], status="stopped", **end) == 0
    assert database.one("sessions.by_id", id=row["id"])["status"] == "completed"  # type: ignore[index]


def test_progress_moves_only_from_where_it_was_read(database: Database) -> None:
    (row,) = database.rows("sessions.insert", **SESSION)
    nothing = dict.fromkeys(
        [
            "model_id",
            "cli_version",
            "response",
            "structured",
            "cost_usd",
            "num_turns",
            "duration_ms",
            "usage",
            "estimated_usd",
            "result",
            "servers",
            "spent_at",
        ]
    )
    step = {"id": row["id"], "lines": 3, **nothing}
    assert database.change("sessions.progress", from_offset=0, offset=100, **step) == 1
    assert database.change("sessions.progress", from_offset=0, offset=100, **step) == 0
    session = from_row(database.one("sessions.by_id", id=row["id"]) or {})
    assert (session.log_offset, session.lines) == (100, 3)


def test_what_a_session_spent_before_it_waited_for_a_person_is_added_to_what_it_spends_after(
    database: Database,
) -> None:
    (row,) = database.rows("sessions.insert", **SESSION)
    columns = (
        "model_id",
        "cli_version",
        "response",
        "structured",
        "usage",
        "estimated_usd",
        "result",
        "servers",
        "spent_at",
    )
    told = {"id": row["id"], "lines": 1, **dict.fromkeys(columns)}
    spent = {"cost_usd": 0.25, "num_turns": 3, "duration_ms": 1000}
    database.change("sessions.progress", from_offset=0, offset=10, **told, **spent)
    end = {"id": row["id"], "exit_code": 0, "reason": None, "duration_ms": None}
    database.change("sessions.finish", status="awaiting_approval", ended_at=None, **end)
    again = {"id": row["id"], "status": "running", "log_file": "run.log", "log_offset": 10, "now": "t"}
    assert database.change("sessions.resume", run_id="run-2", **again) == 1
    assert database.change("sessions.resume", run_id="run-3", **again) == 0
    database.change("sessions.progress", from_offset=10, offset=20, **told, **spent)
    session = from_row(database.one("sessions.by_id", id=row["id"]) or {})
    assert (session.cost_usd, session.num_turns, session.duration_ms) == (0.5, 6, 2000)
    assert (session.run_id, session.log_offset) == ("run-2", 20)


def test_a_foreign_key_holds(database: Database) -> None:
    with pytest.raises(ConstraintError, match="FOREIGN KEY"):
        database.change("users.sign_in", token_hash="h", user_id=99, csrf="c", created_at="t", expires_at="t")


def test_a_stored_session_is_read_as_a_value(database: Database) -> None:
    (row,) = database.rows("sessions.insert", **SESSION)
    session = from_row(database.one("sessions.by_id", id=row["id"]) or {})
    assert (session.status, session.trigger, session.tier) == (SessionStatus.RUNNING, Trigger.MANUAL, 1)


# Copies and readers


def test_a_backup_is_a_whole_database_while_the_writer_goes_on(tmp_path: Path, database: Database) -> None:
    put(database, "a")
    database.backup(tmp_path / "copy.db")
    put(database, "b")
    copy = Database(tmp_path / "copy.db", readonly=True)
    assert keys(copy) == ["a"]
    copy.check()
    copy.close()
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]


def test_a_backup_that_was_put_in_place_opens_and_is_up_to_date(tmp_path: Path, database: Database) -> None:
    put(database, "a")
    (tmp_path / "restored").mkdir()
    database.backup(tmp_path / "restored" / "claudeops.db")
    restored = Database(tmp_path / "restored" / "claudeops.db", readonly=False)
    restored.check()
    assert restored.migrate() == []
    assert keys(restored) == ["a"]
    restored.close()


def test_a_half_written_copy_of_an_earlier_try_does_no_harm(tmp_path: Path, database: Database) -> None:
    (tmp_path / "copy.db.partial").write_bytes(b"half of it")
    database.backup(tmp_path / "copy.db")
    assert not (tmp_path / "copy.db.partial").exists()


def test_a_reader_can_not_write_and_does_not_make_a_file(tmp_path: Path, database: Database) -> None:
    reader = Database(tmp_path / "claudeops.db", readonly=True)
    with pytest.raises(DatabaseError, match="readonly"):
        put(reader, "a")
    reader.close()
    with pytest.raises(DatabaseError):
        Database(tmp_path / "nowhere.db", readonly=True)
    assert not (tmp_path / "nowhere.db").exists()


def test_a_reader_sees_what_was_committed_and_that_it_changed(tmp_path: Path, database: Database) -> None:
    reader = Database(tmp_path / "claudeops.db", readonly=True)
    before = reader.data_version()
    put(database, "a")
    assert reader.data_version() != before
    assert keys(reader) == ["a"]
    reader.close()


def test_a_long_reader_pins_the_log_and_a_checkpoint_after_it_recovers(tmp_path: Path, database: Database) -> None:
    put(database, "before")
    reader = apsw.Connection(str(tmp_path / "claudeops.db"), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM config").get == 1
    for number in range(300):
        put(database, f"k{number}", "x" * 2000)
    frames, moved = database.checkpoint()
    assert moved < frames
    assert reader.execute("SELECT count(*) FROM config").get == 1
    reader.execute("COMMIT")
    frames, moved = database.checkpoint()
    assert moved == frames
    # The next write begins the log anew, so it does not grow any more.
    size = (tmp_path / "claudeops.db-wal").stat().st_size
    for number in range(20):
        put(database, f"k{number}", "y" * 2000)
    assert (tmp_path / "claudeops.db-wal").stat().st_size <= size
    reader.close()


def test_a_lock_that_another_holds_is_waited_for_and_then_told(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = apsw.Connection(str(tmp_path / "claudeops.db"))
    other.execute("BEGIN IMMEDIATE")
    database._connection.set_busy_timeout(200)
    with pytest.raises(LockedError, match="another process keeps the database locked"), database.transaction():
        pass
    assert not database.in_transaction
    other.execute("COMMIT")
    other.close()
    with database.transaction():
        put(database, "a")
    assert keys(database) == ["a"]


def test_a_check_of_a_whole_database_passes(database: Database) -> None:
    put(database, "a")
    database.check()


def test_a_check_that_takes_too_long_counts_as_passed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.script(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)"
        " INSERT INTO config SELECT 'k' || i, 'v', 't' FROM n"
    )
    monkeypatch.setattr("schema.database.CHECK_SECONDS", -1.0)
    database.check()


def test_a_query_of_no_name_is_a_mistake_in_the_program(database: Database) -> None:
    with pytest.raises(KeyError):
        database.rows("sessions.nonsense")


def test_errors_are_ours(database: Database) -> None:
    with pytest.raises(DatabaseError) as caught:
        database.script("SELECT nonsense")
    assert not isinstance(caught.value, CorruptError | LockedError | ConstraintError)
    assert "nonsense" in str(caught.value)
