"""Probes services when they are due, each by itself, within bounds, and hands what was found to the recorder.

Built by `daemon.services.services`, which runs `run`. Who is due is decided by `daemon.services.rules.schedule`; what a
finding means by the recorder, in the database.
"""

import asyncio
import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from daemon.services.probes import probe
from daemon.services.probes.probe import Probe, Target
from daemon.services.recorder import Finding, Recorder
from daemon.services.rules import definitions, schedule
from daemon.services.rules.masking import verdict_without_secrets
from daemon.services.rules.schedule import Agenda
from daemon.services.rules.status import Outcome
from daemon.services.rules.verdict import Verdict, verdict
from ipc.errors import CallError, Code
from schema.database import DatabaseError
from schema.definitions import KINDS, Definition, Kind
from schema.facts import Cause, Facts
from schema.states import ServiceStatus

# Those that gave no answer in time, and those that people try, may take this share of the places, so that they never
# keep the others waiting.
SLOW_SHARE = 0.5
# Those that are due so close together are started together: a round has its cost, however few it starts.
TOGETHER_SECONDS = 0.1


class Watched:
    """A service that is probed, as it was defined last. `version` is that of its definition."""

    def __init__(self, target: Target, version: int) -> None:
        self.target, self.version = target, version
        self.kind = definitions.kind_of(target.definition.url) or Kind.HTTP
        self.conditions = definitions.conditions_of(target.definition)
        self.due = 0.0
        self.slow = False
        self.running: asyncio.Task[None] | None = None
        self.again = False  # asked for while it was being probed


class Trial(NamedTuple):
    """A probe that a person asked for and waits for; `turn` is done once it has a place. An id of 0: not stored yet."""

    service_id: int
    turn: "asyncio.Future[None]"


class Monitor:
    """All services that are probed."""

    def __init__(
        self,
        recorder: Recorder,
        probes: Mapping[Kind, Probe],
        places: Callable[[], int],
        watch: Callable[["asyncio.Task[None]"], None],
    ) -> None:
        """`places`: how many may be probed at once; `watch` hears the end of each probe's task."""
        self._recorder, self._probes, self._places, self._watch = recorder, probes, places, watch
        self._agenda = Agenda()
        self._watched: dict[int, Watched] = {}
        self._running = 0
        self._slow_running = 0
        self._waiting: dict[int, None] = {}  # due, slow, and without a place, in the order in which they came due
        self._trials: deque[Trial] = deque()  # without a place, or while their service is being probed
        self._tried: set[int] = set()  # services that are being tried
        self._wake = asyncio.Event()
        self._number = 0

    def set(self, target: Target, version: int) -> None:
        """A service is new, or is another from now on; it is probed soon."""
        before = self._watched.get(target.id)
        watched = self._watched[target.id] = Watched(target, version)
        if before is not None:
            watched.running = before.running
            watched.again = before.running is not None
        self._waiting.pop(target.id, None)
        now = time.monotonic()
        self._number += 1
        # What a person has just made or changed is looked at now; at the start all are spread.
        watched.due = now if before is not None else schedule.first(self._number, target.definition.interval, now)
        if not KINDS[watched.kind].passive and watched.running is None:
            self._agenda.set(target.id, watched.due)
        self._wake.set()

    def version(self, service_id: int) -> int | None:
        """That of the definition that it goes by; None for a service that it does not look after."""
        watched = self._watched.get(service_id)
        return None if watched is None else watched.version

    def now(self, service_id: int) -> None:
        """Probes a service as soon as there is a place for it."""
        watched = self._watched.get(service_id)
        if watched is None or service_id in self._waiting:
            return
        if watched.running is not None:
            watched.again = True
            return
        watched.due = time.monotonic()
        self._agenda.set(service_id, watched.due)
        self._wake.set()

    async def once(self, target: Target, kind: Kind) -> Facts:
        """Probes once because a person asks, and stores nothing: within the same bounds, before those that wait.

        CallError where the worker ends before there is a place.
        """
        trial = Trial(target.id, asyncio.get_running_loop().create_future())
        self._trials.append(trial)
        self._wake.set()
        try:
            await trial.turn
        except asyncio.CancelledError:
            if trial in self._trials:
                self._trials.remove(trial)
            else:
                self._tried_out(trial)
            raise
        try:
            return await probe.ask(self._probes[kind], target)
        finally:
            self._tried_out(trial)

    def _tried_out(self, trial: Trial) -> None:
        self._running -= 1
        self._slow_running -= 1
        self._tried.discard(trial.service_id)
        watched = self._watched.get(trial.service_id)
        if watched is not None and watched.again and watched.running is None:
            # It came due meanwhile, and runs before the next trial; its schedule is unchanged.
            self._agenda.set(trial.service_id, time.monotonic())
        self._wake.set()

    def drop(self, service_id: int) -> None:
        """A service is paused or removed; what is being found of it counts no more."""
        watched = self._watched.pop(service_id, None)
        self._agenda.drop(service_id)
        self._waiting.pop(service_id, None)
        if watched is not None and watched.running is not None:
            watched.running.cancel()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._wake.clear()
                started = time.monotonic()
                self._start_due()
                at = self._agenda.next_at()
                full = self._running >= self._places()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if at is None or full else max(0.0, at - time.monotonic())):
                        await self._wake.wait()
                if (left := started + TOGETHER_SECONDS - time.monotonic()) > 0:
                    await asyncio.sleep(left)
        finally:
            running = [one.running for one in self._watched.values() if one.running is not None]
            for task in running:
                task.cancel()
            for trial in self._trials:
                if not trial.turn.done():  # or whoever asked has just gone
                    trial.turn.set_exception(CallError(Code.UNAVAILABLE, "the worker ends; ask again"))
            await asyncio.gather(*running, return_exceptions=True)
            await self._recorder.close()

    def _start_due(self) -> None:
        places = self._places()
        slow_places = max(1, int(places * SLOW_SHARE))
        self._start_trials(places, slow_places)
        while self._waiting and self._slow_running < slow_places and self._running < places:
            service_id = next(iter(self._waiting))
            del self._waiting[service_id]
            self._start(self._watched[service_id])
        while self._running < places:
            due = self._agenda.take(time.monotonic())
            if due is None:
                return
            watched = self._watched[due.service_id]
            if watched.slow and self._slow_running >= slow_places:
                self._waiting[due.service_id] = None
                continue
            self._start(watched)

    def _start_trials(self, places: int, slow_places: int) -> None:
        for trial in list(self._trials):
            if self._slow_running >= slow_places or self._running >= places:
                return
            watched = self._watched.get(trial.service_id)
            if trial.service_id in self._tried or (watched is not None and (watched.running or watched.again)):
                continue
            if trial.turn.done():
                continue  # whoever asked has just gone, and takes it off the list
            self._trials.remove(trial)
            self._running += 1
            self._slow_running += 1
            if trial.service_id:
                self._tried.add(trial.service_id)
            trial.turn.set_result(None)

    def _start(self, watched: Watched) -> None:
        if watched.target.id in self._tried:
            watched.again = True
            return
        watched.again = False
        self._running += 1
        self._slow_running += watched.slow
        watched.running = asyncio.create_task(self._probe(watched, slow=watched.slow))
        watched.running.add_done_callback(self._watch)

    async def _probe(self, watched: Watched, *, slow: bool) -> None:
        retry = False
        try:
            retry = await self._find(watched)
        except (DatabaseError, CallError) as error:
            print(f"services: {watched.target.definition.name}: {error}", file=sys.stderr, flush=True)
        finally:
            self._running -= 1
            self._slow_running -= slow
            self._next(watched, retry=retry)

    async def _find(self, watched: Watched) -> bool:
        """Probes once and stores what was found; True if it is tried again soon."""
        definition = watched.target.definition
        at = time.time()
        facts = await probe.ask(self._probes[watched.kind], watched.target)
        judged = _judged(facts, watched.conditions, definition)
        watched.slow = judged.outcome is Outcome.TIMEOUT
        finding = Finding(watched.target.id, watched.version, int(at * 1000), facts, judged)
        found = await self._recorder.store(finding, definition)
        if found is None:
            return False
        return found.status is ServiceStatus.PENDING

    def _next(self, watched: Watched, *, retry: bool) -> None:
        ended, watched.running = watched.running, None
        current = self._watched.get(watched.target.id)
        # One that was resumed meanwhile has its own time, and may be asked already.
        if current is not None and (current is watched or current.running is ended):
            current.running = None
            now, definition = time.monotonic(), current.target.definition
            if current.again or current is not watched:
                current.again, at = False, now
            elif retry:
                at = schedule.again(definition.interval, definition.retry_interval, now)
            else:
                at = schedule.following(current.due, definition.interval, now)
            current.due = at
            self._agenda.set(watched.target.id, at)
        self._wake.set()


def _judged(facts: Facts, conditions: Sequence[str], definition: Definition) -> Verdict:
    """What the facts mean. An answer is a stranger's: none of them may end the worker, and all other probes with it."""
    try:
        return verdict_without_secrets(verdict(facts, conditions, definition.warnings), definition)
    except Exception as error:  # noqa: BLE001 - whatever an answer brings about is that one service's failure
        probe.log_fault(error, definition)
        what = f"its conditions could not be judged, as the daemon's log tells: {type(error).__name__}"
        return Verdict(Outcome.DOWN, Cause.FAILED, what)
