"""What a daemon of the acceptance tests has stored, read beside it."""

from typing import Any

from schema.database import Database
from tests.acceptance.harness import Daemon


def rows(daemon: Daemon, query: str) -> list[dict[str, Any]]:
    """The rows of a question in SQL; the daemon may run or not."""
    database = Database(daemon.state / "claudeops.db", readonly=True)
    try:
        cursor = database._connection.execute(query)
        return [dict(zip((column[0] for column in cursor.get_description()), row, strict=True)) for row in cursor]
    finally:
        database.close()
