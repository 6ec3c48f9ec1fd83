"""Services that tell of themselves: a job asks its URL when it begins, when it has ended, and how.

Built by `daemon.services.services`, which runs `run`. What was heard and what was missed goes through the same
recorder as what is probed.
"""

import asyncio
import contextlib
import sys
import time
from functools import partial

from daemon.services.catalogue import Known
from daemon.services.recorder import Finding, Recorder
from daemon.services.rules import heartbeats as rules
from daemon.services.rules.heartbeats import Deaf, Heard
from daemon.services.rules.schedule import Agenda
from daemon.services.rules.status import OUT, Outcome
from daemon.services.rules.verdict import Verdict
from daemon.store import Store
from ipc.errors import CallError, Code
from ipc.messages.services import HearService, Said
from schema import timestamps
from schema.database import Database, DatabaseError
from schema.facts import Cause, Facts
from schema.states import ServiceStatus

TEXT_MAX = 500
RETRY_SECONDS = 5.0
LOOK_SECONDS = 60.0
START_SECONDS = 5.0
AGAIN_SECONDS = 15.0
NEVER = "no sign of life has come since it was added; its job asks the address that `services push-url` makes"
HELD_BACK = frozenset({ServiceStatus.MAINTENANCE, ServiceStatus.BLOCKED})
GONE = "there is no such heartbeat; `claudeopsctl services push-url` makes a new address"


class Heartbeats:
    """All services that are waited for."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store, self._recorder = store, recorder
        self._known: dict[int, Known] = {}
        self._agenda = Agenda()
        self._wake = asyncio.Event()
        # Those that were missed in a window, or with what they depend on: that is stored once, however long it lasts.
        self._held_back: set[int] = set()
        # Of each service the last time in which nobody listened.
        self._deaf: dict[int, Deaf] = {}
        now = _ms(time.time())
        # The time in which nobody listened before this start: until now; `load` reads since when. None once all
        # services that there were are waited for.
        self._stood_still: Deaf | None = Deaf(now, now)
        self._listening = asyncio.Event()

    async def load(self) -> None:
        """Reads since when nobody listened. Before anything is found, which would be taken for a sign that one did."""
        now = _ms(time.time())
        alive = await self._store.read(lambda db: db.value("results.alive"))
        self._stood_still = Deaf(min(alive or now, now), now)

    async def set(self, known: Known) -> None:
        """A heartbeat is new, or another."""
        heard = await self._store.read(partial(_heard, known.id))
        now = _ms(time.time())
        # One that is resumed was not listened to since some time after it was heard last. One that is another has its
        # new time from now on.
        self._deaf[known.id] = self._stood_still or Deaf(heard.begun_at or heard.at or now, now)
        self._known[known.id] = known
        self._expect(known.id, heard)

    def version(self, service_id: int) -> int | None:
        """That of the definition that it goes by; None for a service that it does not look after."""
        known = self._known.get(service_id)
        return None if known is None else known.version

    def drop(self, service_id: int) -> None:
        """It is waited for no more."""
        self._known.pop(service_id, None)
        self._deaf.pop(service_id, None)
        self._held_back.discard(service_id)
        self._agenda.drop(service_id)

    def _expect(self, service_id: int, heard: Heard) -> None:
        self._held_back.discard(service_id)
        known = self._known.get(service_id)
        if known is None:
            return  # it was removed or paused meanwhile
        at = rules.deadline(known.stored, heard, self._deaf[service_id])
        if at is None:
            self._agenda.drop(service_id)
        else:
            self._agenda.set(service_id, at / 1000)
        self._wake.set()

    async def run(self) -> None:
        """Notes what is missed; until cancelled."""
        self._stood_still = None
        self._listening.set()
        looked = wanted = time.time()
        while True:
            now = time.time()
            if still := rules.stood_still(_ms(looked), _ms(wanted), _ms(now)):
                await self._forgive(still)
            self._wake.clear()
            while due := self._agenda.take(now):
                await self._miss(due.service_id)
            at = self._agenda.next_at()
            # The wall clock may jump; a job keeps to it, so it is asked again before long.
            wait = LOOK_SECONDS if at is None else min(max(0.0, at - now), LOOK_SECONDS)
            looked, wanted = now, now + wait
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def _forgive(self, further: Deaf) -> None:
        """The machine slept, or we stood still: no job is down for what it told in a time in which nobody listened."""
        for service_id, known in list(self._known.items()):
            if service_id not in self._agenda:
                continue  # it is missed already
            try:
                heard = await self._store.read(partial(_heard, service_id))
            except (DatabaseError, CallError) as error:
                # Unlike this it would be missed; it has its next time from now on, whatever was heard of it.
                print(f"services: {known.stored.name}: {error}", file=sys.stderr, flush=True)
                heard = Heard(further.until)
            if service_id in self._deaf:
                self._deaf[service_id] = rules.longer(self._deaf[service_id], heard, further)
                self._expect(service_id, heard)

    async def _miss(self, service_id: int) -> None:
        known = self._known.get(service_id)
        if known is None:
            return
        now, deaf = _ms(time.time()), self._deaf[service_id]
        try:
            heard = await self._store.read(partial(_heard, service_id))
            at = rules.deadline(known.stored, heard, deaf)
            if at is None or at > now:
                self._expect(service_id, heard)
                return
            what = _missed(heard)
            verdict = Verdict(Outcome.DOWN, Cause.MISSED, what)
            facts = Facts(cause=Cause.MISSED, detail=what)
            again = service_id in self._held_back
            finding = Finding(known.id, known.version, now, facts, verdict, again=again)
            found = await self._recorder.store(finding, known.stored)
            self._held_back.discard(service_id)
            if found is not None and found.status not in OUT:
                # This host was cut off and could hear of nothing, it is in a window, blocked, or tried again: it is
                # judged again, for nothing else finds anything of it until it is heard.
                self._agenda.set(service_id, time.time() + AGAIN_SECONDS)
                if found.status in HELD_BACK:
                    self._held_back.add(service_id)
        except (DatabaseError, CallError) as error:
            print(f"services: {known.stored.name}: {error}", file=sys.stderr, flush=True)
            self._agenda.set(service_id, time.time() + RETRY_SECONDS)

    async def hear(self, request: HearService) -> None:
        """A sign of life. CallError `not_found` for an address that is none, `unavailable` while a start takes long."""
        row = await self._store.read(lambda db: db.one("definitions.by_token", token_hash=request.token_hash))
        if row is not None and not self._listening.is_set():
            # The worker has just started, and answers before it knows all of them.
            try:
                async with asyncio.timeout(START_SECONDS):
                    await self._listening.wait()
            except TimeoutError:
                raise CallError(Code.UNAVAILABLE, "the worker is still starting; tell it again in a moment") from None
        known = self._known.get(row["id"]) if row else None
        if row is None or (known is None and not row["paused"]):
            raise CallError(Code.NOT_FOUND, GONE)
        if known is None:
            return  # paused: the job goes on, and nobody minds
        now, text = _ms(time.time()), request.text[:TEXT_MAX]
        if request.said is Said.START:
            await self._store.write(lambda db: db.change("results.begun", service_id=known.id, at=now))
        else:
            failed = request.said is Said.FAIL or request.exit_code != 0
            code = f"exit code {request.exit_code}" if request.exit_code else "it says that it failed"
            detail = f"{code}: {text}" if text else code
            verdict = Verdict(Outcome.DOWN, Cause.FAILED, detail) if failed else Verdict(Outcome.HEALTHY)
            heard = await self._store.read(partial(_heard, known.id))
            took = request.took_ms
            if took is None and heard.begun_at is not None:
                took = float(now - heard.begun_at)
            facts = Facts(connected=True, latency_ms=took, body=text.encode())
            finding = Finding(known.id, known.version, now, facts, verdict, probed=False)
            await self._recorder.store(finding, known.stored, partial(_note_heard, known.id, now))
        self._expect(known.id, await self._store.read(partial(_heard, known.id)))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _note_heard(service_id: int, at: int, db: Database) -> None:
    db.change("results.heard", service_id=service_id, at=at)


def _heard(service_id: int, db: Database) -> Heard:
    row = db.one("results.heard_of", service_id=service_id)
    return Heard(row["heard_at"], row["begun_at"], timestamps.ms(row["updated_at"])) if row else Heard()


def _missed(heard: Heard) -> str:
    if heard.begun_at is not None:
        return "it began and did not end in time"
    return NEVER if heard.at is None else "no sign of life came in time"
