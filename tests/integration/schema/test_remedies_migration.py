"""A database of the step before gets incidents that start sessions, and loses nothing of its sessions and its queue."""

import re
from pathlib import Path
from typing import Any

import pytest

from schema import sql
from schema.database import ConstraintError, Database, translated
from tests.fixtures.rebuilding import columns, rows_survive, told

BEFORE = 10
MEANT_TO_BE_NEW = {
    "sessions_by_incident", "incidents_by_trigger", "incidents_started", "incidents_by_time", "services_observed",
    "cut_offs", "cut_offs_open",
}  # fmt: skip
STAMP = "2026-01-0{}T00:00:00.000Z"


def filled(database: Database, table: str, number: int, **fixed: Any) -> None:
    """A row with a value of its own in every column, so that none can be lost or change places unnoticed."""
    row: dict[str, Any] = {"id": number}
    for name, kind, *_ in columns(database, table)[1:]:
        row[name] = {"INTEGER": number * 100 + len(row), "REAL": number + len(row) / 64}.get(
            kind, f"{name} of {number}"
        )
    row |= fixed
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    database._connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", row)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """One as the step before left it, with sessions, a chain, a queue, and what refers to them."""
    database = Database(tmp_path / "claudeops.db", readonly=False)
    for step in sql.migrations()[:BEFORE]:
        database.script(step.sql)
        with translated():
            database.script(f"INSERT INTO migrations VALUES ({step.number}, '{step.name}', '{step.checksum}', '2026')")
    common = {"parent_session_id": None, "chain_id": None, "dry_run": 0, "trigger": "alert"}
    filled(database, "sessions", 1, tier=1, status="escalated", started_at=STAMP.format(1), **common)
    filled(database, "sessions", 2, tier=2, status="running", started_at=STAMP.format(2),
           **common | {"parent_session_id": 1, "chain_id": 1, "trigger": "escalation"})  # fmt: skip
    filled(database, "sessions", 4, tier=1, status="failed", started_at=STAMP.format(3), **common)
    filled(database, "sessions", 9, tier=1, status="failed", started_at=STAMP.format(3), **common)
    waits = {"status": "waiting", "parent_session_id": None, "session_id": None, "tier": 1}
    filled(database, "triggers", 1, kind="escalation", choosing=0,
           **waits | {"status": "started", "tier": 2, "parent_session_id": 1, "session_id": 2})  # fmt: skip
    filled(database, "triggers", 3, kind="alert", choosing=1, **waits)
    filled(database, "triggers", 8, kind="manual", choosing=0, **waits)
    database.script("""
        DELETE FROM sessions WHERE id = 9;
        DELETE FROM triggers WHERE id = 8;
        UPDATE sessions SET cost_usd = 5.5 WHERE id = 2;
        INSERT INTO events (session_id, level, message, created_at) VALUES (2, 'info', 'm', '2026-01-01T00:02:00.000Z');
        INSERT INTO services (id, name, url, kind, definition, created_at, updated_at)
        VALUES (1, 'web', 'tcp://a:1', 'tcp', '{"name": "web", "url": "tcp://a:1"}', '2026', '2026');
        INSERT INTO service_states (service_id, status, since, incident_id) VALUES (1, 'unknown', 0, NULL);
        INSERT INTO incidents (id, service_id, began_at, cause) VALUES (1, 1, '2026-01-01T00:00:00.000Z', 'refused');
        UPDATE service_states SET incident_id = 1;
        INSERT INTO incident_entries (incident_id, at, kind, text, session_id) VALUES (1, '2026', 'session', 't', 2);
        INSERT INTO notifications (key, kind, level, title, created_at) VALUES ('k', 'service', 'info', 't', '2026');
    """)
    return database


KEPT = ("sessions", "triggers", "events", "incidents", "incident_entries", "service_states", "notifications",
        "cost_days", "cost_chains")  # fmt: skip


def test_every_row_and_every_column_survives(database: Database) -> None:
    rows_survive(database, KEPT, BEFORE)


def test_every_index_and_every_trigger_is_there_still_and_every_column_is_as_it_was(database: Database) -> None:
    listed = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger', 'table', 'view')"
    before = {(kind, name): text for kind, name, text in told(database, listed)}
    shapes = {table: columns(database, table) for table in ("sessions", "triggers")}
    database.migrate()
    after = {(kind, name): text for kind, name, text in told(database, listed)}
    later = "".join(step.sql for step in sql.migrations()[BEFORE + 1 :])
    new = {name for _, name in after.keys() - before.keys()}
    assert new >= MEANT_TO_BE_NEW
    # A later step may make one of them anew.
    assert {
        name for name in new if re.sub(r"^sqlite_autoindex_(\w+)_\d+$", r"\1", name) not in later
    } <= MEANT_TO_BE_NEW
    assert before.keys() <= after.keys()
    for (kind, name), text in before.items():
        if kind in ("index", "trigger"):
            assert after[kind, name] == text, name
    for table, shape in shapes.items():
        assert columns(database, table)[: len(shape)] == shape


def test_sums_go_on_and_no_id_is_used_again(database: Database) -> None:
    database.migrate()
    (spent,) = told(database, "SELECT sum(micro_usd) FROM cost_days")[0]
    database.script(f"""
        UPDATE sessions SET cost_usd = cost_usd + 1.0 WHERE id = 2;
        INSERT INTO sessions (tier, model, prompt_file, status, trigger, started_at, cost_usd, incident_id)
        VALUES (3, 'opus', 'p', 'completed', 'service', '{STAMP.format(4)}', 2.0, 1);
        INSERT INTO triggers (kind, status, tier, priority, created_at, updated_at)
        VALUES ('service', 'waiting', 3, 3, '2026', '2026');
    """)
    assert told(database, "SELECT sum(micro_usd) FROM cost_days") == [(spent + 3_000_000,)]
    assert told(database, "SELECT max(id) FROM sessions UNION ALL SELECT max(id) FROM triggers") == [(10,), (9,)]


def test_bounds_hold_still(database: Database) -> None:
    database.migrate()
    for wrong in (
        "INSERT INTO triggers (kind, status, tier, priority, created_at, updated_at)"
        " VALUES ('nonsense', 'waiting', 1, 1, '2026', '2026')",
        "UPDATE sessions SET status = 'running', tier = 2 WHERE id = 4",
        "UPDATE sessions SET incident_id = 77 WHERE id = 4",
        "DELETE FROM sessions WHERE id = 2",
    ):
        with pytest.raises(ConstraintError):
            database.script(wrong)


def test_a_service_that_is_removed_leaves_its_sessions(database: Database) -> None:
    database.migrate()
    database.script("UPDATE sessions SET incident_id = 1 WHERE id = 2; DELETE FROM services WHERE id = 1")
    assert told(database, "SELECT incident_id FROM sessions WHERE id = 2") == [(None,)]


def test_a_database_without_rows_takes_the_step_too(tmp_path: Path) -> None:
    database = Database(tmp_path / "empty.db", readonly=False)
    database.migrate()
    database.script(
        "INSERT INTO sessions (tier, model, prompt_file, status, started_at) VALUES (1, 'm', 'p', 'failed', '2026')"
    )
    assert told(database, "SELECT id FROM sessions") == [(1,)]
    database.close()
