"""Judges anew what jobs said of themselves, and sessions of services, where that has become no incident yet.

What is probed is judged with each probe. What a job says stands until it says something else, which may be a day later:
meanwhile its maintenance window ends, or what it depends on turns out to work. Built by `daemon.services.services`,
which runs `run`. What there is to judge is read from the database, so that a kill loses nothing.
"""

import asyncio
import sys
import time

from daemon.services.recorder import BLOCKED_BY, Finding, Recorder
from daemon.services.rules.status import Outcome
from daemon.services.rules.verdict import Verdict
from daemon.store import Store
from ipc.errors import CallError
from schema import monitored
from schema.database import DatabaseError, Row
from schema.facts import Cause, Facts

LOOK_SECONDS = 5.0


class Settling:
    """All services that tell of themselves, or of which sessions tell."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store, self._recorder = store, recorder

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                for row in await self._store.read(lambda db: db.rows("results.unsettled")):
                    await self._settle(row)
            except (DatabaseError, CallError) as error:
                print(f"services: what was said of them waits: {error}", file=sys.stderr, flush=True)

    async def _settle(self, row: Row) -> None:
        detail = row["detail"]
        if detail.startswith(BLOCKED_BY):
            detail = detail.partition(": ")[2]
        facts = Facts(latency_ms=None if row["latency_us"] is None else row["latency_us"] / 1000)
        verdict = Verdict(Outcome.DOWN, Cause.FAILED, detail)
        now = int(time.time() * 1000)
        finding = Finding(row["id"], row["version"], now, facts, verdict, probed=False, again=True)
        await self._recorder.store(finding, monitored.definition_of(row["definition"]))
