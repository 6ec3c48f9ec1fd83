"""What a database of the Go program looks like, and how its tables make room for ours. Called by `schema.database`.

Its schema version 7 is carried forward: the tables are renamed to go_<name>, ours are made, `from_go_0007.sql` copies,
and the renamed ones go, all in one transaction.
"""

from collections.abc import Set
from typing import Any

import apsw

from schema import timestamps

VERSION = 7
TABLES = (
    "sessions", "health_checks", "cooldown_actions", "service_health_streak", "config", "events", "memories",
)  # fmt: skip
# Where the program records its version: goose's table, or that of releases before goose.
VERSIONS = {"goose_db_version": "version_id", "schema_migrations": "version"}


def is_one(tables: Set[str]) -> bool:
    """Whether a database with these tables is of the Go program."""
    return "migrations" not in tables and not tables.isdisjoint(VERSIONS)


def version(connection: apsw.Connection, tables: Set[str]) -> int:
    """The version of its schema; 0 where none is recorded."""
    table = next(name for name in VERSIONS if name in tables)
    found = connection.execute(f"SELECT max({VERSIONS[table]}) FROM {table}").get  # noqa: S608 - two fixed names
    return int(found or 0)


def move_aside(connection: apsw.Connection) -> None:
    """Renames its tables and drops its indexes, whose names ours may need."""
    connection.create_scalar_function("utc", utc, 1, deterministic=True)
    indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    for (name,) in connection.execute(indexes).fetchall():
        connection.execute(f'DROP INDEX "{name}"')
    for name in TABLES:
        connection.execute(f"ALTER TABLE {name} RENAME TO go_{name}")


def drop(connection: apsw.Connection, tables: Set[str]) -> None:
    """Removes what was moved aside, and its record of versions."""
    for name in (*(f"go_{name}" for name in TABLES), *(name for name in VERSIONS if name in tables)):
        connection.execute(f"DROP TABLE {name}")


def utc(*values: Any) -> str | None:
    """SQL function: any of its time formats in ours; NULL for NULL and for what can't be read."""
    text = values[0]
    try:
        return timestamps.stamp(timestamps.parse(text)) if isinstance(text, str) else None
    except ValueError:
        return None
