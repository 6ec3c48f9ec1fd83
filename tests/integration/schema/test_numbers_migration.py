"""A database of the step before gives no number of a service, incident, window or page again, and loses nothing."""

import re
from pathlib import Path

import pytest

from schema import sql
from schema.database import ConstraintError, Database, translated
from tests.fixtures.rebuilding import columns, rows_survive, told

BEFORE = 13
REBUILT = ("services", "incidents", "maintenance_windows", "status_pages")


def at_the_step_before(path: Path) -> Database:
    database = Database(path, readonly=False)
    for step in sql.migrations()[:BEFORE]:
        database.script(step.sql)
        with translated():
            database.script(f"INSERT INTO migrations VALUES ({step.number}, '{step.name}', '{step.checksum}', '2026')")
    return database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """One with two services, incidents, windows and pages, each of which has had more, and what refers to them."""
    database = at_the_step_before(tmp_path / "claudeops.db")
    database.script("""
        INSERT INTO services VALUES
            (1, 'web', 'tcp://a:1', 'tcp', '{"name": "web"}', 'shop', 1, 'a.yml', 7, 'hash-1', 'c1', 'u1', 'ada'),
            (4, 'Job', 'heartbeat:', 'heartbeat', '{"name": "Job"}', '', 0, '', 2, NULL, 'c4', 'u4', 'bob');
        INSERT INTO service_tags VALUES (1, 'eu'), (4, 'night');
        INSERT INTO service_needs VALUES (1, 4);
        INSERT INTO sessions (id, tier, model, prompt_file, status, started_at)
        VALUES (3, 1, 'm', 'p', 'failed', '2026');
        INSERT INTO incidents VALUES
            (2, 1, 'b2', 'e2', 'probe', 'refused', 'd2', 'a2', 'ada', 'r2', 12),
            (5, 4, 'b5', NULL, NULL, 'missed', 'd5', NULL, NULL, NULL, NULL);
        INSERT INTO incident_entries VALUES
            (1, 2, '2026', 'session', 't', 'ada', 3), (2, 5, '2026', 'began', 't', NULL, NULL);
        UPDATE sessions SET incident_id = 2;
        INSERT INTO service_states (service_id, status, since, incident_id)
        VALUES (1, 'paused', 1, NULL), (4, 'down', 2, 5);
        INSERT INTO results VALUES (1, 10, 'h', 5, NULL, NULL), (4, 11, 'd', NULL, NULL, 'no sign');
        INSERT INTO service_changes VALUES (1, 10, 'paused'), (4, 11, 'down');
        INSERT INTO rollups (service_id, span, at, checks) VALUES (1, 60, 0, 3);
        INSERT INTO maintenance_windows VALUES (3, 'night', '{"title": "night"}', 'a.yml', 'c3', 'ada');
        INSERT INTO status_pages (id, slug, title, description, published, latency, tags, groups, version, created_at,
            updated_at, updated_by)
        VALUES (6, 'Shop', 'the shop', 'd', 1, 1, '["eu"]', '["shop"]', 9, 'c6', 'u6', 'ada');
        INSERT INTO status_page_services VALUES (6, 1), (6, 4);
        INSERT INTO notifications (key, kind, level, title, link, created_at) VALUES
            ('incident:9:began', 'service', 'critical', 'gone is down', '/services/8', '2026'),
            ('incident:10:still:1700000000000', 'service', 'critical', 'gone is still down', '/services/8', '2026'),
            ('incident:nonsense', 'service', 'critical', 't', '/services/', '2026'),
            ('other:99:began', 'event', 'info', 't', '/sessions/99', '2026'),
            (NULL, 'test', 'info', 't', '', '2026');
    """)
    return database


KEPT = (*REBUILT, "service_tags", "service_needs", "service_states", "results", "service_changes", "rollups",
        "incident_entries", "sessions", "status_page_services", "notifications")  # fmt: skip


def test_every_row_and_every_column_survives(database: Database) -> None:
    rows_survive(database, KEPT, BEFORE)


def test_all_else_is_declared_as_it_was(database: Database) -> None:
    listed = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_sequence'"
    before = {(kind, name): text for kind, name, text in told(database, listed)}
    shapes = {table: columns(database, table) for table in REBUILT}
    keys = {table: told(database, f"SELECT * FROM pragma_foreign_key_list('{table}')") for table in KEPT}
    database.migrate()
    after = {(kind, name): text for kind, name, text in told(database, listed)}
    later = "".join(step.sql for step in sql.migrations()[BEFORE + 1 :])
    new = {name for _, name in after.keys() - before.keys()}
    assert {name for name in new if re.sub(r"^sqlite_autoindex_(\w+)_\d+$", r"\1", name) not in later} == set()
    for (kind, name), text in before.items():
        assert (kind, name) in after
        if name not in REBUILT and name not in later:
            assert after[kind, name] == text, name
    for table, shape in shapes.items():
        assert sorted(columns(database, table)[: len(shape)]) == sorted(shape)
    assert {table: told(database, f"SELECT * FROM pragma_foreign_key_list('{table}')") for table in KEPT} == keys


ADD = {
    "services": "(name, url, kind, definition, created_at, updated_at) VALUES ('new', 'u', 'tcp', '{}', 'c', 'u')",
    "incidents": "(service_id, began_at, cause) VALUES (1, '2026', 'refused')",
    "maintenance_windows": "(title, definition, created_at) VALUES ('new', '{}', '2026')",
    "status_pages": "(slug, title, created_at, updated_at) VALUES ('new', 'new', '2026', '2026')",
}


@pytest.mark.parametrize(("table", "number"), [("maintenance_windows", 4), ("status_pages", 7)])
def test_a_number_that_is_taken_back_is_not_given_again(database: Database, table: str, number: int) -> None:
    database.migrate()
    for wanted in (number, number + 1):
        assert told(database, f"INSERT INTO {table} {ADD[table]} RETURNING id") == [(wanted,)]
        database.script(f"DELETE FROM {table} WHERE id = {wanted}")


@pytest.mark.parametrize(("table", "number"), [("services", 9), ("incidents", 11)])
def test_a_number_that_people_were_told_is_not_given_again_even_of_what_is_gone_already(
    database: Database, table: str, number: int
) -> None:
    database.script("DELETE FROM incidents WHERE id = 5; DELETE FROM services WHERE id = 4")
    database.migrate()
    for wanted in (number, number + 1):
        assert told(database, f"INSERT INTO {table} {ADD[table]} RETURNING id") == [(wanted,)]
        database.script(f"DELETE FROM {table} WHERE id = {wanted}")


def test_a_service_that_is_removed_takes_with_it_what_is_its_own_and_leaves_the_rest(database: Database) -> None:
    database.migrate()
    database.script("DELETE FROM services WHERE id = 1")
    for table in ("results", "service_changes", "service_states", "incidents", "service_tags", "status_page_services"):
        assert told(database, f"SELECT DISTINCT service_id FROM {table}") == [(4,)], table
    assert told(database, "SELECT incident_id FROM incident_entries") == [(5,)]
    assert told(database, "SELECT id, incident_id FROM sessions") == [(3, None)]
    assert told(database, "SELECT * FROM service_needs") == []


def test_bounds_hold_still(database: Database) -> None:
    database.migrate()
    for wrong in (
        "UPDATE services SET name = 'JOB' WHERE id = 1",
        "UPDATE services SET kind = 'nonsense' WHERE id = 1",
        "UPDATE services SET token_hash = 'hash-1' WHERE id = 4",
        "UPDATE incidents SET service_id = 77 WHERE id = 2",
        "UPDATE incidents SET trigger_id = 12 WHERE id = 5",
        "UPDATE status_pages SET latency = 2",
        "INSERT INTO status_pages (slug, title, created_at, updated_at) VALUES ('SHOP', 't', '2026', '2026')",
        "INSERT INTO results (service_id, at, beat) VALUES (77, 1, 'h')",
    ):
        with pytest.raises(ConstraintError):
            database.script(wrong)


def test_a_database_without_rows_takes_the_step_too(tmp_path: Path) -> None:
    database = at_the_step_before(tmp_path / "empty.db")
    database.migrate()
    for table in REBUILT:
        if table != "incidents":
            assert told(database, f"INSERT INTO {table} {ADD[table]} RETURNING id") == [(1,)]
    database.close()
