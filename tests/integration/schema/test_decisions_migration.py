"""A database of the first release gets the tables of limits and chains, and loses nothing by it."""

from pathlib import Path

import pytest

from schema import sql
from schema.database import ConstraintError, Database, translated

ROWS = """
INSERT INTO sessions (id, tier, model, prompt_file, status, started_at, parent_session_id) VALUES
    (1, 1, 'haiku', 'p', 'escalated', '2026-01-01T00:00:00.000Z', NULL),
    (2, 2, 'sonnet', 'p', 'escalated', '2026-01-01T00:01:00.000Z', 1),
    (3, 3, 'opus', 'p', 'completed', '2026-01-01T00:02:00.000Z', 2),
    (7, 1, 'haiku', 'p', 'completed', '2026-01-02T00:00:00.000Z', NULL),
    (9, 1, 'haiku', 'p', 'completed', '2026-01-03T00:00:00.000Z', NULL);
INSERT INTO events (session_id, level, message, created_at) VALUES (3, 'info', 'm', '2026-01-01T00:02:00.000Z');
INSERT INTO memories (category, observation, created_at, updated_at, session_id)
VALUES ('timing', 'o', '2026-01-01T00:02:00.000Z', '2026-01-01T00:02:00.000Z', 7);
DELETE FROM sessions WHERE id = 9;
"""


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """One as the first release left it, with rows."""
    first = sql.migrations()[0]
    database = Database(tmp_path / "claudeops.db", readonly=False)
    database.script(first.sql)
    with translated():
        database.script(
            f"INSERT INTO migrations VALUES ({first.number}, '{first.name}', '{first.checksum}', '2026-01-01')"
        )
    database.script(ROWS)
    return database


def test_rows_keep_their_ids_and_chains_are_found(database: Database) -> None:
    assert database.migrate()[0] == "decisions"
    rows = {row["id"]: row for row in database.rows("sessions.page", before=100, limit=10)}
    assert {id_: row["chain_id"] for id_, row in rows.items()} == {1: None, 2: 1, 3: 1, 7: None}
    assert [row["id"] for row in database.rows("sessions.chain", chain=1)] == [1, 2, 3]
    assert rows[3]["status"] == "completed"


def test_who_referred_to_a_session_still_does_and_no_id_is_used_again(database: Database) -> None:
    database.migrate()
    with pytest.raises(ConstraintError):
        database.script("DELETE FROM sessions WHERE id = 3")
    database.script(
        "INSERT INTO sessions (tier, model, prompt_file, status, started_at)"
        " VALUES (1, 'haiku', 'p', 'completed', '2026-01-04T00:00:00.000Z')"
    )
    assert database.value("sessions.newest_id") == 10
    database.check()


def test_a_second_step_changes_nothing(database: Database) -> None:
    database.migrate()
    assert database.migrate() == []
