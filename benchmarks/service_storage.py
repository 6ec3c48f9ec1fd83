"""What findings take on the disk: bytes of a raw result, and of a service and year with what is kept by default.

A database of its own holds services whose findings the worker's own functions have stored, summed up and forgotten.
"""

import asyncio
import json
import random
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from daemon.services import recorder, rollups, stored
from daemon.services.recorder import Finding, Ways
from daemon.services.rollups import DAY, HOUR, MINUTE, Keep
from daemon.services.rules.policies import Policy
from daemon.services.rules.status import Outcome
from daemon.services.rules.verdict import Verdict
from daemon.store import Store
from schema.database import Database
from schema.definitions import Definition
from schema.facts import Cause, Facts

BEGIN = 1_768_003_200_000  # 2026-01-10 00:00 UTC
EVERY = 10_000  # ms; the shortest interval that people use much
DAYS = 14
OUT = range(10 * HOUR, 10 * HOUR + 5 * MINUTE)  # of each day, for which it does not work
YEAR = 365 * DAY
WAYS = Ways(lambda definition, at: False, lambda definition: Policy(), str)
NOTE = (
    "A service that is probed every 10 s and is out for five minutes of each day; the year is added up from what two"
    " weeks of such findings take in each table, indexes and free space in pages included"
)


class Size(NamedTuple):
    """What a table takes."""

    rows: int
    size: int

    @property
    def each(self) -> float:
        """Bytes of a row."""
        return self.size / self.rows


def _record(service_id: int, definition: Definition, begin: int, end: int, db: Database) -> None:
    dice = random.Random(begin)
    for at in range(begin, end, EVERY):
        down = at % DAY in OUT
        took = dice.lognormvariate(3.5, 0.5)
        phases = {"connect": took * 0.1, "wait": took * 0.8, "transfer": took * 0.1}
        verdict = Verdict(Outcome.DOWN, Cause.CONDITION, "[STATUS] (503) == 200") if down else Verdict(Outcome.HEALTHY)
        facts = Facts(latency_ms=took, connected=True, status=503 if down else 200, phases=phases)
        recorder.record(db, Finding(service_id, 1, at, facts, verdict), definition, WAYS)


async def _measure() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name:
        path = Path(name) / "claudeops.db"
        database = Database(path, readonly=False)
        database.migrate()
        store = Store(path, database)
        definition = Definition(name="service", url="https://service.example.org/health", interval=EVERY / 1000)
        moment = datetime.fromtimestamp(BEGIN / 1000, UTC)
        id_ = await store.write(lambda db: stored.insert(db, definition, by="bench", moment=moment))
        for hour in range(BEGIN, BEGIN + DAYS * DAY, HOUR):
            await store.write(partial(_record, id_, definition, hour, hour + HOUR))
        await rollups.roll(store, BEGIN + DAYS * DAY)
        sizes = await store.read(_sizes)
        spans = await store.read(_spans)
        await store.close()
    keep = Keep()
    each = sizes["rollups"].size / sum(rows * weight for rows, weight in spans.values())
    kept = {MINUTE: min(keep.minutes, YEAR), HOUR: min(keep.hours, YEAR), DAY: YEAR}
    year = keep.results / EVERY * sizes["results"].each
    year += sum(kept[span] / span * weight * each for span, (_, weight) in spans.items())
    for table in ("service_changes", "incidents", "incident_entries", "notifications"):
        year += sizes[table].size / DAYS * 365
    figures = {"result_bytes": round(sizes["results"].each, 1), "year_mb": round(year / 1e6, 2)}
    figures |= {f"sum_of_{span // 1000}_s_bytes": round(weight * each, 1) for span, (_, weight) in spans.items()}
    return figures


def _sizes(db: Database) -> dict[str, Size]:
    """Of each table that grows with findings, with its indexes."""
    tables = ("results", "rollups", "service_changes", "incidents", "incident_entries", "notifications")
    ask = db._connection.execute
    return {
        table: Size(
            int(ask(f"SELECT count(*) FROM {table}").get),
            int(
                ask(
                    "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = ?)",
                    (table,),
                ).get
            ),
        )
        for table in tables
    }


def _spans(db: Database) -> dict[int, tuple[int, float]]:
    """Of each span, how many sums there are, and what one weighs: its numbers and its histogram."""
    query = "SELECT span, count(*), avg(60 + coalesce(length(histogram), 0)) FROM rollups GROUP BY span"
    rows = db._connection.execute(query)
    return {span * 1000: (count, weight) for span, count, weight in rows}


def measure() -> dict[str, float]:
    """Bytes of a result, and MB of a service and year."""
    return asyncio.run(_measure())


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
