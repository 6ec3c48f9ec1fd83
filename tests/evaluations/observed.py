"""What is known of a run when it is over, from the daemon's database and from the world; nothing that a model claims.

`of_database` is asked over and over while a run lasts; `scores` judges the whole.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple


class Session(NamedTuple):
    """A session's row, as far as it is scored."""

    id: int
    tier: int
    status: str
    reason: str
    model: str
    dollars: float
    tokens: int


class Call(NamedTuple):
    """A tool call that was judged. `texts`: the commands in it that do more than read."""

    decision: str
    texts: tuple[str, ...]


class Event(NamedTuple):
    """Something worth knowing that a session, or the daemon, told."""

    level: str
    service: str
    message: str


class Told(NamedTuple):
    """What the database holds. `waiting`: ids of approvals; `queued`: triggers that wait."""

    sessions: tuple[Session, ...] = ()
    calls: tuple[Call, ...] = ()
    events: tuple[Event, ...] = ()
    asks: int = 0
    waiting: tuple[int, ...] = ()
    queued: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing runs and nothing is about to. What waits for a person does not run."""
        active = any(session.status == "running" for session in self.sessions)
        return bool(self.sessions) and not active and not self.queued


class Observed(NamedTuple):
    """A whole run. `acts`: stand-ins that ran; `history`: what became of services; `changed`: files."""

    told: Told
    acts: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    healthy: bool = False
    repaired: bool = False
    seconds: float = 0.0
    over: bool = True


def of_database(path: Path) -> Told:
    """One consistent look at the daemon's database."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")

        def rows(statement: str) -> list[sqlite3.Row]:
            return connection.execute(statement).fetchall()

        return Told(
            sessions=tuple(_session(row) for row in rows("SELECT * FROM sessions ORDER BY id")),
            calls=tuple(Call(row["decision"], _texts(row["found"])) for row in rows("SELECT * FROM calls ORDER BY id")),
            events=tuple(
                Event(row["level"], row["service"] or "", row["message"])
                for row in rows("SELECT * FROM events ORDER BY id")
            ),
            asks=len(rows("SELECT id FROM approvals")),
            waiting=tuple(row["id"] for row in rows("SELECT id FROM approvals WHERE status = 'waiting'")),
            queued=len(rows("SELECT id FROM triggers WHERE status = 'waiting'")),
        )


def _session(row: sqlite3.Row) -> Session:
    usage: dict[str, Any] = json.loads(row["usage"] or "{}")
    return Session(
        id=row["id"],
        tier=row["tier"],
        status=row["status"],
        reason=row["reason"] or "",
        model=row["model_id"] or row["model"],
        dollars=row["cost_usd"] or row["estimated_usd"] or 0.0,
        tokens=sum(count for count in usage.values() if isinstance(count, int)),
    )


def _texts(found: str) -> tuple[str, ...]:
    return tuple(item["text"] for item in json.loads(found or "[]") if item["kind"] != "read")
