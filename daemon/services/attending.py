"""Looks after incidents that go on: people are told again, and a session whose cooldown is over is started after all.

Built by `daemon.services.services`, which runs `run`. What is due is read from the database, so that a kill neither
loses nor doubles it.
"""

import asyncio
import sys
import time
from collections.abc import Callable

from daemon.services import incidents, remedies
from daemon.services.recorder import Ways
from daemon.services.remedies import Sick
from daemon.services.rules import definitions
from daemon.services.rules.status import OUT
from daemon.store import Store
from ipc.errors import CallError
from schema import monitored
from schema.database import Database, DatabaseError, Row
from schema.definitions import KINDS, Definition, Kind

LOOK_SECONDS = 5.0
LATE_SECONDS = 60.0
BITE = 100  # incidents in one transaction


class Attending:
    """All incidents that go on. `queued` hears that something was put into the queue."""

    def __init__(self, store: Store, ways: Ways, queued: Callable[[], None], seconds: float = LOOK_SECONDS) -> None:
        self._store, self._ways, self._queued, self._seconds = store, ways, queued, seconds
        self._began = int(time.time() * 1000)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            wanted = time.time() + self._seconds
            await asyncio.sleep(self._seconds)
            now = time.time()
            if now - wanted > LATE_SECONDS:
                self._began = int(now * 1000)  # the machine slept, or we stood still: as after a start
            try:
                await self.look(int(now * 1000))
            except (DatabaseError, CallError) as error:
                print(f"services: incidents wait: {error}", file=sys.stderr, flush=True)

    async def look(self, now: int) -> None:
        """Does what is due at `now` (ms since 1970), some incidents at a time."""
        if not await self._store.read(lambda db: db.value("incidents.count_open")):
            return
        after: int | None = 0
        while after is not None:
            after = await self._bite(after, now)

    async def _bite(self, after: int, now: int) -> int | None:
        """The last of some incidents after one; None if there are no more."""

        def write(db: Database) -> tuple[int | None, bool]:
            rows, queued = db.rows("incidents.attended", after=after, limit=BITE), False
            for row in rows:
                definition = monitored.definition_of(row["definition"])
                if self._unseen(row, definition):
                    continue
                policy = self._ways.policy(definition)
                incidents.settle(db, row, policy, now)
                incidents.remind(db, row, policy, now)
                if row["status"] in OUT and row["trigger_id"] is None:
                    sick = Sick(row["service_id"], row["id"], row["failures"], now)
                    queued |= remedies.consider(db, sick, policy, self._ways.redact)
            return (rows[-1]["id"] if len(rows) == BITE else None), queued

        last, queued = await self._store.write(write)
        if queued:
            self._queued()
        return last

    def _unseen(self, row: Row, definition: Definition) -> bool:
        """Whether it was found failing before the last standstill alone: it may work again, so it is asked first."""
        kind = definitions.kind_of(definition.url) or Kind.HTTP
        return not KINDS[kind].passive and (row["checked_at"] or 0) < self._began
