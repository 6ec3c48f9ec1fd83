"""Transcript lines parsed and stored by the worker: the real reader and store, on a log that is already there."""

import asyncio
import json
import tempfile
import time
from pathlib import Path

from daemon.approvals.approvals import Approvals
from daemon.runs.files import EXIT
from daemon.runs.run import Run
from daemon.sessions.follow import Follower
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.messages.envelope import Event
from ipc.server import Publisher
from schema.database import Database
from schema.sessions import from_row

LINES = 200_000
FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures" / "transcripts"
BASELINE = 20_000


class Silent(Publisher):
    """Takes events and tells nobody."""

    def __init__(self) -> None:
        """Without a socket."""

    def publish(self, event: Event) -> None:
        """Nothing."""


async def _measure(lines: int) -> dict[str, float]:
    recorded = [
        line
        for file in ("simple.ndjson", "tool_and_denial.ndjson")
        for line in (FIXTURES / file).read_bytes().splitlines()
    ]
    with tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name:
        directory = Path(name)
        log = directory / "run.log"
        with log.open("wb") as file:
            for number in range(lines):
                file.write(b"2026-01-31T08:05:00.000000000Z\t" + recorded[number % len(recorded)] + b"\n")
        run_dir = directory / "run"
        run_dir.mkdir()
        (run_dir / EXIT).write_text("{}")
        database = Database(directory / "claudeops.db", readonly=False)
        database.migrate()
        store = Store(directory / "claudeops.db", database)
        values = {"tier": 1, "model": "haiku", "prompt_file": "p", "prompt_text": None, "trigger": "manual",
                  "requested_by": None, "started_at": "2026-01-31T08:05:00.000Z", "log_file": str(log), "run_id": "run",
                  "cli_session_id": None, "cli_version": None, "context": None, "parent_session_id": None,
                  "chain_id": None, "dry_run": 0}  # fmt: skip
        id_ = await store.write(lambda db: db.value("sessions.insert", **values))
        session = from_row(await store.read(lambda db: db.rows("sessions.by_id", id=id_)[0]))
        waiting = Approvals(store, LiveSettings({"CLAUDEOPS_STATE_DIR": name}, store), Silent())
        follower = Follower(store, Silent(), session, Run(run_dir, str(log), pidfd=None), waiting)
        before = time.perf_counter()
        await follower.follow()
        took = time.perf_counter() - before
        stored = await store.read(lambda db: db.rows("sessions.by_id", id=id_)[0])
        await store.close()
        if stored["lines"] != lines or stored["log_offset"] != log.stat().st_size:
            raise AssertionError(f"not all was stored: {stored['lines']} of {lines}")
        return {"lines_per_s": round(lines / took), "bytes_per_line": round(log.stat().st_size / lines)}


def measure(lines: int = LINES) -> dict[str, float]:
    """Lines per second from the log to the database, and how long the lines are."""
    return asyncio.run(_measure(lines))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
