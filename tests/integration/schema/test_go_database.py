"""A database of the Go program opens, and nothing in it is lost; what can't be taken over is refused and left alone."""

import hashlib
from pathlib import Path

import apsw
import pytest

from schema import sql
from schema.configuration import load
from schema.database import Database, DatabaseError, UnknownVersionError
from schema.sessions import Session, from_row
from schema.states import SessionStatus, Trigger
from tests.fixtures.go_state import rows

TEXT = Path(__file__).with_name("go_database.sql").read_text(encoding="utf-8")
GOOSE = (
    "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,"
    " is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));"
    "INSERT INTO goose_db_version (version_id, is_applied)"
    " VALUES (0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1)"
)
LEGACY = (
    "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL);"
    "INSERT INTO schema_migrations VALUES (1, 't'), (2, 't'), (3, 't'), (4, 't'), (5, 't'), (6, 't')"
)
LAST = {
    "goose": "INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, 1)",
    "legacy": "INSERT INTO schema_migrations VALUES (7, 't')",
}


def made(path: Path, *, versions: str, last: str = "") -> Path:
    """A database of the Go program, in WAL mode and closed, as it leaves it."""
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    for text in (TEXT, versions, last):
        connection.execute(text)
    connection.close()
    return path


@pytest.fixture(params=["goose", "legacy", "both"])
def go_database(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "claudeops.db"
    if request.param == "goose":
        return made(path, versions=GOOSE, last=LAST["goose"])
    if request.param == "legacy":
        return made(path, versions=LEGACY, last=LAST["legacy"])
    return made(path, versions=f"{GOOSE};{LEGACY}", last=f"{LAST['goose']};{LAST['legacy']}")


def carried(path: Path) -> list[str]:
    database = Database(path, readonly=False)
    try:
        assert database.is_foreign()
        return database.migrate()
    finally:
        database.close()


def test_it_is_carried_forward_once(go_database: Path) -> None:
    assert carried(go_database)[0] == "carried forward from the Go program"
    database = Database(go_database, readonly=False)
    assert not database.is_foreign()
    assert database.migrate() == []
    database.check()
    database.close()


def test_afterwards_it_is_like_a_new_one(go_database: Path, tmp_path: Path) -> None:
    carried(go_database)
    fresh = Database(tmp_path / "fresh.db", readonly=False)
    fresh.migrate()
    fresh.close()
    query = "(SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name)"
    assert rows(go_database, query) == rows(tmp_path / "fresh.db", query)
    assert [row["number"] for row in rows(go_database, "migrations")] == [m.number for m in sql.migrations()]


@pytest.mark.parametrize(
    ("table", "times"),
    [
        ("health_checks", {"checked_at"}),
        ("cooldown_actions", {"timestamp"}),
        ("service_health_streak", {"last_checked_at"}),
        ("config", {"updated_at"}),
        ("events", {"created_at"}),
        ("memories", {"created_at", "updated_at"}),
        ("sessions", {"started_at", "ended_at"}),
    ],
)
def test_every_row_and_every_value_is_there(go_database: Path, table: str, times: set[str]) -> None:
    before = rows(go_database, table)
    carried(go_database)
    after = rows(go_database, table)
    assert len(after) == len(before)
    links = {"session_id", "parent_session_id"}
    changed = times | links | ({"status", "trigger", "tier"} if table == "sessions" else set())
    for old, new in zip(before, after, strict=True):
        assert {name: new[name] for name in old if name not in changed} == {
            name: old[name] for name in old if name not in changed
        }


def sessions(path: Path) -> dict[int, Session]:
    return {row["id"]: from_row(row) for row in rows(path, "sessions")}


def test_both_formats_of_time_become_ours(go_database: Path) -> None:
    carried(go_database)
    found = sessions(go_database)
    assert found[1].started_at == "2026-01-31T08:05:00.123Z"
    assert found[2].started_at == "2026-01-31T08:06:00.000Z"
    assert (found[3].started_at, found[3].ended_at) == ("2026-01-31T09:00:00.000Z", "2026-01-31T09:00:05.000Z")
    assert [row["created_at"] for row in rows(go_database, "events")][1] == "2026-01-31T08:05:31.000Z"
    assert [row["last_checked_at"] for row in rows(go_database, "service_health_streak")] == [
        None,
        "2026-01-31T08:09:00.000Z",
    ]


def test_what_ended_keeps_its_status_and_what_did_not_is_interrupted(go_database: Path) -> None:
    carried(go_database)
    found = sessions(go_database)
    assert [found[id_].status.value for id_ in sorted(found)] == [
        *("escalated", "completed", "failed", "timed_out", "stopped"),
        *("interrupted", "interrupted", "interrupted"),
    ]
    assert found[6].reason == 'was "running" when the database was carried forward'
    assert found[6].ended_at == "2026-01-31T12:00:00.000Z"
    assert found[1].reason is None


def test_what_our_schema_does_not_know_is_brought_within_it(go_database: Path) -> None:
    carried(go_database)
    odd = sessions(go_database)[8]
    assert (odd.tier, odd.status, odd.trigger) == (1, SessionStatus.INTERRUPTED, Trigger.MANUAL)
    assert odd.reason == 'was "paused" when the database was carried forward'
    assert odd.started_at == "1970-01-01T00:00:00.000Z"
    assert odd.parent_session_id is None


def test_links_to_sessions_are_kept_where_the_session_is_there(go_database: Path) -> None:
    carried(go_database)
    assert sessions(go_database)[2].parent_session_id == 1
    assert [row["session_id"] for row in rows(go_database, "health_checks")] == [1, None]
    assert [row["session_id"] for row in rows(go_database, "cooldown_actions")] == [2, None]
    connection = apsw.Connection(str(go_database), flags=apsw.SQLITE_OPEN_READONLY)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_a_cli_sessions_uuid_in_an_event_is_kept_as_what_it_is(go_database: Path) -> None:
    carried(go_database)
    assert [(row["session_id"], row["cli_session_id"]) for row in rows(go_database, "events")] == [
        (1, None),
        (None, "0f6c2c0e-8a1e-4d5b-9a51-3f5f8f0e7a11"),
        (None, None),
    ]


def test_its_overrides_count_from_then_on(go_database: Path) -> None:
    carried(go_database)
    database = Database(go_database, readonly=True)
    overrides = {row["key"]: row["value"] for row in database.rows("settings.overrides")}
    database.close()
    settings = load({}, overrides)
    assert (settings.interval, settings.dry_run) == (600, True)


def test_new_rows_get_new_ids(go_database: Path) -> None:
    carried(go_database)
    database = Database(go_database, readonly=False)
    values = dict.fromkeys(
        (
            "prompt_text",
            "requested_by",
            "log_file",
            "cli_session_id",
            "cli_version",
            "context",
            "parent_session_id",
            "chain_id",
        ),
    ) | {
        "dry_run": 0,
        "tier": 1,
        "model": "m",
        "prompt_file": "p",
        "trigger": "manual",
        "started_at": "t",
        "run_id": "r",
    }
    assert database.rows("sessions.insert", **values)[0]["id"] == 9
    database.close()


@pytest.mark.parametrize("versions", [GOOSE, LEGACY], ids=["goose", "legacy"])
def test_an_older_version_is_refused_and_left_alone(tmp_path: Path, versions: str) -> None:
    path = made(tmp_path / "claudeops.db", versions=versions)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(UnknownVersionError, match="version 6, not 7; start its last release on it once"):
        carried(path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    last = "INSERT INTO goose_db_version (version_id, is_applied) VALUES (8, 1)"
    with pytest.raises(UnknownVersionError, match="version 8, not 7"):
        carried(made(tmp_path / "claudeops.db", versions=GOOSE, last=last))


def test_a_record_of_versions_that_is_empty_is_refused(tmp_path: Path) -> None:
    versions = "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY)"
    with pytest.raises(UnknownVersionError, match="version 0, not 7"):
        carried(made(tmp_path / "claudeops.db", versions=versions))


def test_a_failure_half_way_leaves_all_as_it_was(go_database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {table: rows(go_database, table) for table in ("sessions", "events", "memories", "config")}
    monkeypatch.setattr(sql, "carry_forward", lambda: "INSERT INTO config SELECT * FROM go_config; SELECT nonsense")
    with pytest.raises(DatabaseError, match="nonsense"):
        carried(go_database)
    monkeypatch.undo()
    assert {table: rows(go_database, table) for table in before} == before
    assert carried(go_database)
