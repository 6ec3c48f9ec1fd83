"""A real store with sessions in it, and somebody who listens to what is published."""

from pathlib import Path

from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.messages.envelope import Event
from ipc.server import Publisher
from schema.database import Database, Row
from schema.sessions import Session, from_row
from tests.fixtures import databases


class Heard(Publisher):
    """Takes what is published and keeps it."""

    def __init__(self) -> None:
        """Without a socket."""
        self.events: list[Event] = []

    def publish(self, event: Event) -> None:
        """Keeps it."""
        self.events.append(event)


class Place:
    """A database with its store, and what happened to it."""

    def __init__(self, directory: Path) -> None:
        path = directory / "claudeops.db"
        self.directory = directory
        self.store = Store(path, databases.opened(path))
        self.heard = Heard()

    def settings(self, **environ: str) -> LiveSettings:
        """Settings of this place."""
        return LiveSettings({"CLAUDEOPS_STATE_DIR": str(self.directory), **environ}, self.store)

    async def session(self, tier: int = 1, status: str = "running", **columns: str | float) -> Session:
        """A new session; a tier's earlier one that runs is completed first."""
        values = {
            "tier": tier,
            "model": "haiku",
            "prompt_file": "p",
            "started_at": "2026-01-31T08:00:00.000Z",
            "status": status,
            "log_file": str(self.directory / "run.log"),
            **columns,
        }
        names = ", ".join(values)
        literals = ", ".join(f"'{v.replace(chr(39), chr(39) * 2)}'" if isinstance(v, str) else str(v)
                             for v in values.values())  # fmt: skip
        return await self.store.write(
            lambda db: _insert(
                db,
                f"UPDATE sessions SET status = 'completed' WHERE tier = {tier} AND status = 'running';"
                f"INSERT INTO sessions ({names}) VALUES ({literals})",
            )
        )

    async def script(self, text: str) -> None:
        """Runs SQL."""
        await self.store.write(lambda db: db.script(text))

    async def rows(self, query: str) -> list[Row]:
        """The rows of an ad-hoc query."""

        def read(db: Database) -> list[Row]:
            cursor = db._connection.execute(query)
            return [dict(zip((c[0] for c in cursor.get_description()), row, strict=True)) for row in cursor]

        return await self.store.read(read)


def _insert(db: Database, text: str) -> Session:
    db.script(text)
    return from_row(db.one("sessions.page", before=2**62, limit=1) or {})
