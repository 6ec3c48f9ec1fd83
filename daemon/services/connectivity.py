"""Whether this host itself is cut off: then what its probes fail at says nothing of the services.

Built by `daemon.services.services`; asked by `daemon.services.recorder` with each failure. Where it is cut off, that is
a row, and one notice, in the transaction of the first finding that is not believed; `run` ends it.
"""

import asyncio
import contextlib
import sys
import time

from daemon.notifications import outbox
from daemon.services.rules import reaching
from daemon.services.rules.reaching import Place
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.errors import CallError
from schema import timestamps
from schema.database import Database, DatabaseError
from schema.knowledge import Level
from schema.notifications import Kind

CONNECT_SECONDS = 2.0
# While it is cut off, so long after it was asked it is taken to be so still.
FRESH_SECONDS = 2.0
LOOK_SECONDS = 5.0


class Connectivity:
    """Asks CLAUDEOPS_CONNECTIVITY_TARGETS. Without any, this host is never cut off."""

    def __init__(self, store: Store, settings: LiveSettings) -> None:
        self._store, self._settings = store, settings
        self._asking = asyncio.Lock()
        self._text, self._places = "", list[Place]()
        self._asked_at = 0.0
        self._reached = True
        self._noted = asyncio.Event()
        self._noted.set()  # what a worker before this one has left is looked at
        settings.checks["connectivity_targets"] = reaching.places

    def _read(self) -> list[Place]:
        """The targets as the settings name them; a text that names none is told of once."""
        text = self._settings.current.connectivity_targets
        if text != self._text:
            self._text, self._places = text, []
            try:
                self._places = reaching.places(text)
            except ValueError as error:
                print(f"services: CLAUDEOPS_CONNECTIVITY_TARGETS: {error}; none is asked", file=sys.stderr, flush=True)
        return self._places

    async def is_cut_off(self) -> bool:
        """Whether none of the targets is reached now. What was known before the question says nothing of it."""
        if not (places := self._read()):
            return False
        since = time.monotonic()
        async with self._asking:
            # Whoever waited meanwhile shares the answer of one question.
            fresh = self._asked_at >= since or (not self._reached and since - self._asked_at < FRESH_SECONDS)
            if not fresh:
                self._asked_at = time.monotonic()
                self._reached = await _any(places)
            return not self._reached

    def note(self, db: Database, at: int) -> None:
        """Within a transaction: it is cut off, which people are told once. `watch` follows."""
        if db.one("cut_offs.open") is not None:
            return
        id_ = db.value("cut_offs.begin", at=at)
        outbox.add(
            db,
            Kind.DAEMON,
            Level.CRITICAL,
            "This host is cut off: nothing is known of its services",
            body=f"It reaches none of {self._settings.current.connectivity_targets}, so failures that its probes find"
            " count for nothing until it does.",
            link="/services",
            key=f"cut-off:{id_}:began",
        )

    def watch(self) -> None:
        """It was noted that this host is cut off: has the end of that looked for."""
        self._noted.set()

    async def run(self) -> None:
        """Ends what has begun, once a target is reached again; until cancelled."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            try:
                while await self._store.read(lambda db: db.one("cut_offs.open")) is not None:
                    if not await self.is_cut_off():
                        await self._store.write(_over)
                    else:
                        await asyncio.sleep(LOOK_SECONDS)
            except (DatabaseError, CallError) as error:
                print(f"services: {error}", file=sys.stderr, flush=True)
                self._noted.set()
                await asyncio.sleep(LOOK_SECONDS)


def _over(db: Database) -> None:
    """Ends the time in which this host was cut off, and has people told: a function of a transaction."""
    row, at = db.one("cut_offs.open"), int(time.time() * 1000)
    if row is None:
        return
    db.change("cut_offs.end", id=row["id"], at=at)
    body = f"It was cut off for {timestamps.lasting((at - row['began_at']) / 1000)}; services are judged again."
    title, key = "This host is connected again", f"cut-off:{row['id']}:ended"
    # Routed as the notice of its begin was: whoever was told that it is cut off is told that it is over.
    outbox.add(db, Kind.DAEMON, Level.INFO, title, body=body, link="/services", key=key, told_as=Level.CRITICAL)


async def _any(places: list[Place]) -> bool:
    """Whether one of them takes a connection; the first that does is enough."""
    tasks = [asyncio.create_task(_reaches(place)) for place in places]
    try:
        for done in asyncio.as_completed(tasks):
            if await done:
                return True
        return False
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _reaches(place: Place) -> bool:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(place.host, place.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
