"""The list of sessions with 100,000 rows: how long the server takes for a page of it, first, deep and filtered."""

import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path

from schema.database import Database
from tests.acceptance.harness import Daemon

ROWS = 100_000
ROUNDS = 30
PAGES = ("/sessions", "/sessions?before=50000", "/sessions?status=failed", "/sessions?tier=2&status=completed",
         "/sessions?trigger=api")  # fmt: skip


def fill(path: Path, rows: int) -> None:
    """Sessions of every kind."""
    database = Database(path, readonly=False)
    database.migrate()
    statuses = ("completed", "completed", "completed", "failed", "timed_out", "stopped", "interrupted")
    triggers = ("scheduled", "scheduled", "manual", "api", "alert")
    with database.transaction():
        database.script(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
            f"{rows}) INSERT INTO sessions (tier, model, prompt_file, prompt_text, status, trigger, started_at,"
            " ended_at, exit_code, response, cost_usd, num_turns, duration_ms) SELECT i % 3 + 1, 'haiku', "
            "'/app/prompts/p.md', "
            "'look at service ' || i, "
            f"CASE i % 7 {' '.join(f'WHEN {n} THEN {word!r}' for n, word in enumerate(statuses))} END, "
            f"CASE i % 5 {' '.join(f'WHEN {n} THEN {word!r}' for n, word in enumerate(triggers))} END, "
            "strftime('%Y-%m-%dT%H:%M:%S.000Z', 1700000000 + i * 60, 'unixepoch'), "
            "strftime('%Y-%m-%dT%H:%M:%S.000Z', 1700000030 + i * 60, 'unixepoch'), 0, "
            "'all services answer, nothing needs a person, next look in an hour', 0.0123, 7, 30000 FROM n"
        )
    database.close()


def measure(rows: int = ROWS, rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds for each page, request to last byte, on one connection: the median."""
    with tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name:
        daemon = Daemon(Path(name))
        daemon.state.mkdir(parents=True)
        fill(daemon.state / "claudeops.db", rows)
        try:
            daemon.start().sign_in()
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
            figures = {}
            for page in PAGES:
                took = []
                for _ in range(rounds):
                    before = time.perf_counter()
                    connection.request("GET", page, headers={"Cookie": daemon.cookie})
                    response = connection.getresponse()
                    body = response.read()
                    took.append((time.perf_counter() - before) * 1000)
                    if response.status != 200 or body.count(b"/sessions/") < 20:
                        raise AssertionError(f"{page}: {response.status}, {len(body)} bytes")
                figures[f"{page} ms"] = round(statistics.median(took), 1)
            connection.close()
        finally:
            daemon.close()
    figures["worst_ms"] = max(figures.values())
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
