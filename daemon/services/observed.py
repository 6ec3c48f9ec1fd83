"""Services that the daemon does not ask: how they are is what sessions report of them, until that is too long ago.

Built by `daemon.services.services`, which runs `run`. What sessions report is stored with their logs; here it is found
there, newer than what was taken last, so that a kill loses and doubles nothing.
"""

import asyncio
import sys
import time
from functools import partial

from daemon.services.catalogue import Known
from daemon.services.connectivity import Connectivity
from daemon.services.recorder import Finding, Recorder
from daemon.services.rules import observing
from daemon.services.rules.status import Outcome
from daemon.services.rules.verdict import Verdict
from daemon.store import Store
from ipc.errors import CallError
from schema import timestamps
from schema.database import Database, DatabaseError, Row
from schema.facts import Facts

LOOK_SECONDS = 1.0
TEXT_MAX = 500


class Observed:
    """All services of which sessions tell."""

    def __init__(self, store: Store, recorder: Recorder, connectivity: Connectivity) -> None:
        self._store, self._recorder, self._connectivity = store, recorder, connectivity
        self._known: dict[int, Known] = {}

    def set(self, known: Known) -> None:
        """A service is new, or another."""
        self._known[known.id] = known

    def version(self, service_id: int) -> int | None:
        """That of the definition that it goes by; None for a service that it does not look after."""
        known = self._known.get(service_id)
        return None if known is None else known.version

    def drop(self, service_id: int) -> None:
        """It is looked after no more."""
        self._known.pop(service_id, None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for known in list(self._known.values()):
                try:
                    await self._look(known)
                except (DatabaseError, CallError) as error:
                    print(f"services: {known.stored.name}: {error}", file=sys.stderr, flush=True)

    async def _look(self, known: Known) -> None:
        name = observing.name_of(known.stored)
        row = await self._store.read(partial(_newest, known.id, name))
        if row is None:
            return
        now, heard_at = int(time.time() * 1000), row["heard_at"]
        reported = timestamps.ms(row["checked_at"]) if row["checked_at"] else None
        if reported is not None and observing.is_news(known.stored, reported, heard_at, now):
            # What is put off was not heard yet: a restart meanwhile loses nothing, and a newer report goes before it.
            if not await self._waits(row["status"]):
                await self._take(known, row, reported)
        elif heard_at is not None and (row["found_at"] or 0) < (ends := observing.ends(known.stored, heard_at)) <= now:
            await self._forget(known, ends)

    async def _waits(self, status: str) -> bool:
        return observing.waits(status, status == observing.UNREACHED and await self._connectivity.is_cut_off())

    async def _take(self, known: Known, row: Row, at: int) -> None:
        also = partial(_note, known.id, at)
        if observing.is_own_word(row["status"], row["session_incident"], row["incident_id"]):
            # Who repairs it does not judge it: that it works again somebody else has to find.
            await self._store.write(also)
            return
        found = observing.verdict(row["status"], (row["detail"] or "")[:TEXT_MAX])
        who = f"session {row['session_id']}" if row["session_id"] else "a session"
        # What was reported before it was looked after counts from then on.
        finding = Finding(known.id, known.version, max(at, row["since"] + 1), Facts(), found, by=who, probed=False)
        await self._recorder.store(finding, known.stored, also)

    async def _forget(self, known: Known, at: int) -> None:
        """No session has told of it for its period, which is over."""
        nothing = Verdict(Outcome.NOTHING, None, "no session has reported of it for its interval")
        await self._recorder.store(Finding(known.id, known.version, at, Facts(), nothing), known.stored)


def _newest(service_id: int, name: str, db: Database) -> Row | None:
    return db.one("results.observed", service_id=service_id, name=name)


def _note(service_id: int, at: int, db: Database) -> None:
    db.change("results.heard", service_id=service_id, at=at)
