"""The schema as it is in a database, and what else declares it: rows, Enums, named queries and their indexes."""

import re
import typing
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

from schema import sql
from schema.database import Database
from schema.knowledge import Level
from schema.notifications import Kind
from schema.sessions import Session
from schema.states import ApprovalStatus, DeliveryStatus, Role, SessionStatus, Trigger, TriggerStatus
from schema.triggers import QueuedTrigger
from tests.fixtures import databases


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One for all that read what is declared."""
    database = Database(tmp_path_factory.mktemp("schema") / "claudeops.db", readonly=False)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Database]:
    """One to be written."""
    database = databases.opened(tmp_path / "claudeops.db")
    yield database
    database.close()


@pytest.mark.parametrize(("table", "row"), [("sessions", Session), ("triggers", QueuedTrigger)])
def test_a_row_has_a_field_for_every_column(database: Database, table: str, row: type[msgspec.Struct]) -> None:
    columns = {column[1]: column for column in database._connection.execute(f"PRAGMA table_info({table})")}
    fields = {field.name: field for field in msgspec.structs.fields(row)}
    assert set(columns) == set(fields)
    for name, (_, _, _, required, _, key) in columns.items():
        optional = type(None) in typing.get_args(typing.get_type_hints(row)[name])
        assert optional != bool(required or key), name


@pytest.mark.parametrize(
    ("table", "column", "enum"),
    [
        ("sessions", "status", SessionStatus),
        ("sessions", "trigger", Trigger),
        ("triggers", "status", TriggerStatus),
        ("triggers", "kind", Trigger),
        ("approvals", "status", ApprovalStatus),
        ("users", "role", Role),
        ("notifications", "kind", Kind),
        ("notifications", "level", Level),
        ("deliveries", "status", DeliveryStatus),
        ("api_tokens", "role", Role),
    ],
)
def test_what_a_column_may_hold_is_what_its_enum_lists(
    database: Database, table: str, column: str, enum: type[StrEnum]
) -> None:
    text = database._connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).get
    listed = re.search(rf"CHECK \({column} IN\s+\(([^)]*)\)\)", str(text))
    assert listed, f"no CHECK on {table}.{column}"
    assert set(re.findall(r"'(\w+)'", listed[1])) == {member.value for member in enum}


def test_every_table_is_strict(database: Database) -> None:
    tables = database._connection.execute("PRAGMA table_list").fetchall()
    loose = [row[1] for row in tables if row[2] == "table" and not row[5] and not str(row[1]).startswith("sqlite_")]
    assert loose == []


# What people, programs, logs and messages name by its number.
NAMED_BY_NUMBER = {
    "sessions", "triggers", "calls", "approvals", "approval_rules", "memories", "events", "health_checks",
    "cooldown_actions", "audit", "notifications", "users", "api_tokens", "sign_in_failures", "services", "incidents",
    "maintenance_windows", "status_pages",
}  # fmt: skip
# Tables in which the number of a row that was removed may come again, and why that does no harm.
COMES_AGAIN = {
    "cost_chains": "the number of its first session",
    "service_states": "the number of its service",
    "incident_entries": "an order within one incident; nothing names an entry",
    "deliveries": "its sender alone knows it, while it is open, and what is open is not removed",
    "cut_offs": "nothing is removed",
    "migrations": "the number of a file",
}


def test_no_number_is_given_twice_so_that_what_is_gone_is_never_taken_for_another(database: Database) -> None:
    tables = database._connection.execute(
        "SELECT m.name, m.sql LIKE '%AUTOINCREMENT%' FROM sqlite_master m JOIN pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND c.pk = 1 AND c.type = 'INTEGER'"
        " AND NOT EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE pk > 1)"
    ).fetchall()
    assert {name for name, once in tables if once} == NAMED_BY_NUMBER
    assert {name for name, once in tables if not once} == COMES_AGAIN.keys()


# Queries that read a whole table, and why that is right.
WHOLE = {
    "settings.overrides": "a handful of overrides; all are wanted",
    "users.count": "a handful of people",
    "pages.services_down": "a row a service",
    "services.trouble": "a row a service",
    "services.count": "a row a service",
    "results.alive": "a row a service, once in a start",
    "sessions.count_by_status": "counts all, along an index",
    "api.totals": "adds all up, along an index",
    "monitored.counts": "counts all, along an index",
    "definitions.relations": "all are wanted, to find a circle",
    "keeping.space": "figures of the file's header",
    "keeping.trees": "of a file that is too large, for a dry run",
}


@pytest.mark.parametrize("name", sorted(sql.queries()))
def test_every_query_uses_an_index(database: Database, name: str) -> None:
    plan = database.plan(name)
    scans = [line for line in plan if line.startswith("SCAN") and "CONSTANT ROW" not in line]
    # An index of few rows, such as of what waits, is made to be read from one end to the other.
    few = database._connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%) WHERE %'")
    partial = {row[0] for row in few}
    scans = [line for line in scans if line.rpartition(" INDEX ")[2] not in partial]
    if name in WHOLE:
        assert scans, f"{name} does not read a whole table any more; take it off the list"
        along = ("sessions.count_by_status", "api.totals", "monitored.counts")
        assert name not in along or "USING COVERING INDEX" in scans[0]
    elif name == "sessions.last_ended":
        # From the newest row down to the first that has ended: a running one for each tier at most lies above it.
        assert scans == ["SCAN sessions"]
    else:
        assert scans == []
    # A minute's findings of one service are few, and its own.
    assert name == "rollups.sum_minutes" or not [line for line in plan if "TEMP B-TREE" in line]


def test_the_last_ended_session_is_found_from_the_newest_down(filled: Database) -> None:
    # As a scan by rowid stops at the first row that fits, 20,000 older rows cost it nothing.
    insert = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        " INSERT INTO sessions (tier, model, prompt_file, status, started_at)"
        " SELECT 1, 'm', 'p', 'completed', 't' FROM n"
    )
    filled.script(insert)
    steps = 0

    def count() -> bool:
        nonlocal steps
        steps += 1
        return False

    filled._connection.set_progress_handler(count, 1)
    try:
        row = filled.one("sessions.last_ended")
    finally:
        filled._connection.set_progress_handler(None)
    assert row is not None
    assert row["id"] == 20000
    assert steps < 200
