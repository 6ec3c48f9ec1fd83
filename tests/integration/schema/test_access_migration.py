"""The audit log of a database from before the chain is sealed whole, in its order; edits of the file are found."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon import audit
from schema import audit_chain, sql
from schema.audit_actions import Action
from schema.database import ConstraintError, Database

INSERT = "INSERT INTO audit (at, actor, action, session_id, subject, detail) VALUES ('t', 'é', 'a', NULL, ?, '')"


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Database]:
    """A database of the step before, with more lines than are sealed at a time."""
    database = Database(tmp_path / "claudeops.db", readonly=False)
    for migration in sql.migrations():
        if migration.number < 3:
            with database.transaction():
                database._step(migration)
    with database.transaction():
        for number in range(audit_chain.BATCH * 2 + 5):
            database._connection.execute(INSERT, (f"line {number}",))
    yield database
    database.close()


def test_what_was_there_becomes_a_chain_and_new_lines_go_on_with_it(old: Database, tmp_path: Path) -> None:
    old.migrate()
    found = audit_chain.verify(audit_chain.lines(old))
    assert (found.ok, found.lines) == (True, audit_chain.BATCH * 2 + 5)
    with old.transaction():
        audit.add(old, actor="ada", action=Action.MEMORY_ADDED, subject="y", at=datetime.now(UTC), session_id=4711)
    after = audit.verify(tmp_path / "claudeops.db", found.head)
    assert (after.ok, after.lines) == (True, found.lines + 1)
    row = old.one("audit.page", before=2**62, limit=1)
    assert row is not None
    assert row["prev"] == found.head
    assert row["session_id"] == 4711, "a line names its session without a reference"


def test_a_migrated_log_has_the_lines_that_it_had(old: Database) -> None:
    before = old._connection.execute("SELECT id, at, actor, action, session_id, subject, rule, detail FROM audit")
    rows = before.fetchall()
    old.migrate()
    after = old._connection.execute("SELECT id, at, actor, action, session_id, subject, rule, detail FROM audit")
    assert after.fetchall() == rows


@pytest.mark.parametrize(
    ("edit", "first_bad"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE id = 7", 7),
        ("UPDATE audit SET session_id = 1 WHERE id = 7", 7),
        ("UPDATE audit SET rule = '' WHERE id = 7", 7),
        ("DELETE FROM audit WHERE id = 7", 8),
        ("DELETE FROM audit WHERE id < 7", 7),
        ("UPDATE audit SET id = 7777 WHERE id = 7", 8),
        ("INSERT INTO audit (at, actor, action, subject) VALUES ('t', 'a', 'b', 'c')", audit_chain.BATCH * 2 + 6),
    ],
)
def test_an_edit_of_the_file_is_found(old: Database, tmp_path: Path, edit: str, first_bad: int) -> None:
    old.migrate()
    with sqlite3.connect(tmp_path / "claudeops.db") as other:
        other.execute(edit)
    other.close()
    found = audit.verify(tmp_path / "claudeops.db")
    assert (found.ok, found.first_bad) == (False, first_bad)
    assert found.reason


def _lose_a_line(database: Database) -> None:
    audit.add(database, actor="ada", action=Action.MEMORY_ADDED, subject="lost", at=datetime.now(UTC))
    database.script("INSERT INTO users (name, password_hash, role, created_at) VALUES ('x', '', 'boss', 't')")


def test_a_line_that_is_rolled_back_leaves_no_gap(old: Database, tmp_path: Path) -> None:
    old.migrate()
    now = datetime.now(UTC)
    with old.transaction():
        audit.add(old, actor="ada", action=Action.MEMORY_ADDED, subject="kept", at=now)
        with pytest.raises(ConstraintError), old.savepoint():
            _lose_a_line(old)
        audit.add(old, actor="ada", action=Action.MEMORY_ADDED, subject="kept too", at=now)
    assert audit.verify(tmp_path / "claudeops.db").ok
