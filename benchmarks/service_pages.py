"""The list of services, 1,000 of them with 100 findings each: its time at the server, its bytes, a row's by SSE."""

import http.client
import json
import re
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.watched import watching
from schema.database import Database
from tests.acceptance.harness import Daemon

ROUNDS = 20
SERVICES = 1000
PAGES = ("/services", "/services?q=service&sort=latency", "/partials/services-table")
BEATS = "hhhhhhhghhhhhdhhhhhthhhhhphhhhhhhhhhhhhh"


def fill(path: Path) -> None:
    """A hundred findings of each kind for each service, as the worker keeps them for the list."""
    database = Database(path, readonly=False)
    now = int(time.time() * 1000)
    with database.transaction():
        beats = (BEATS * 3)[:100]
        database.script(
            f"UPDATE service_states SET status = 'healthy', beats = '{beats}', checked_at = {now},"
            f" latency_us = 30000 + service_id, since = {now} - 3600000 WHERE service_id > 1"
        )
        database.script(
            "INSERT INTO service_tags (service_id, tag) SELECT id, 'eu' FROM services WHERE id % 3 = 0"
            " ON CONFLICT DO NOTHING"
        )
    database.close()


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds and kB of each page, the median; bytes of one row's update."""
    # An interval of a day: three in a second are probed while the pages are read, for the first five minutes.
    with (
        tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name,
        watching(Path(name), SERVICES, 86_400.0) as here,
    ):
        fill(here.daemon.state / "claudeops.db")
        here.daemon.start().sign_in()
        connection = http.client.HTTPConnection("127.0.0.1", here.daemon.port, timeout=30)
        figures: dict[str, float] = {}
        for page in PAGES:
            asked = [_ask(connection, here.daemon, page) for _ in range(rounds + 1)][1:]
            figures[f"{page} ms"] = round(statistics.median(took for took, _ in asked), 1)
            figures[f"{page} kB"] = round(asked[-1][1] / 1000, 1)
        connection.close()
        row = _row_bytes(here.daemon)
    worst = max(value for name, value in figures.items() if name.endswith(" ms"))
    heaviest = max(value for name, value in figures.items() if name.endswith(" kB"))
    return {**figures, "worst_ms": worst, "heaviest_kb": heaviest, "row_bytes": row}


def _ask(connection: http.client.HTTPConnection, daemon: Daemon, page: str) -> tuple[float, int]:
    before = time.perf_counter()
    connection.request("GET", page, headers={"Cookie": daemon.cookie, "Accept": "text/html"})
    response = connection.getresponse()
    body = response.read()
    took = (time.perf_counter() - before) * 1000
    if response.status != 200 or body.count(b"/services/service-") < 50:
        raise RuntimeError(f"{page}: {response.status}, {body.count(b'/services/service-')} services")
    return took, len(body)


def _row_bytes(daemon: Daemon) -> int:
    """What comes over the stream when one of the services that a page shows was probed."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
    shown = ",".join(str(number) for number in range(1, 101))
    connection.request("GET", f"/live?page=services&shown={shown}", headers={"Cookie": daemon.cookie})
    stream = connection.getresponse()
    daemon.json("services", "edit", "service-00001", "--description", "probed again")
    said = b""
    deadline = time.monotonic() + 30
    while not (found := [one for one in said.split(b"\n\n") if b"service-00001" in one]):
        if time.monotonic() > deadline:
            raise RuntimeError(f"no row came: {said[-500:]!r}")
        said += stream.read1(65536)
    connection.close()
    (row,) = re.findall(rb'data: (<li id="probed-2".*?</li>)', found[-1], re.DOTALL)
    return len(row)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
