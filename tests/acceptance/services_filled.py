"""Services that a daemon has from its start: written into its database as the worker would write them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from daemon.services import stored
from schema.database import Database
from schema.definitions import Definition
from tests.acceptance.harness import Daemon


def fill(daemon: Daemon, definitions: Iterable[Definition]) -> None:
    """Before it is started."""
    daemon.state.mkdir(parents=True, exist_ok=True)
    database = Database(daemon.state / "claudeops.db", readonly=False)
    database.migrate()
    with database.transaction():
        for definition in definitions:
            stored.insert(database, definition, by="ada", moment=datetime.now(UTC))
    database.close()
