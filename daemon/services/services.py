"""Services as a part of the worker: catalogue, monitor, windows and rollups, and who tells whom.

Built by `daemon.parts`, which runs `run`.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from daemon.services import rollups
from daemon.services.attending import Attending
from daemon.services.catalogue import Catalogue, Known
from daemon.services.connectivity import Connectivity
from daemon.services.credentials import Credentials
from daemon.services.gathering import Gathering
from daemon.services.heartbeats import Heartbeats
from daemon.services.maintenance import Maintenance
from daemon.services.monitor import Monitor
from daemon.services.observed import Observed
from daemon.services.policies import Policies
from daemon.services.probes import kinds
from daemon.services.probes.probe import Target
from daemon.services.recorder import Finding, Recorded, Recorder, Ways
from daemon.services.rules import addresses, definitions
from daemon.services.rules.status import Outcome
from daemon.services.rules.verdict import Verdict
from daemon.services.settling import Settling
from daemon.services.trying import Trying
from daemon.services.watched_files import WatchedFiles
from daemon.sessions import prepare
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.errors import CallError
from ipc.messages.incidents import MaintenanceChanged
from ipc.messages.services import ServiceChanged, ServicesProbed
from ipc.server import Publisher
from schema.database import DatabaseError
from schema.definitions import Definition, Kind
from schema.facts import Facts

ROLL_SECONDS = 60.0
TELL_SECONDS = 0.2
FORGET_MS = 3_600_000
NAMED_MAX = 5


class Services:
    """All of it."""

    def __init__(
        self,
        store: Store,
        settings: LiveSettings,
        publisher: Publisher,
        watch: Callable[["asyncio.Task[None]"], None],
        queued: Callable[[], None] = lambda: None,
    ) -> None:
        """`watch` hears the end of every probe's task; `queued` that an incident has changed the queue."""
        self._queued = queued
        self._store, self._settings, self._publisher = store, settings, publisher
        self._credentials = Credentials(Path(settings.current.state_dir))
        self.maintenance = Maintenance(store)
        self.catalogue = Catalogue(store, self._credentials, lambda: settings.environ, self._changed, self.replan)
        self._kinds = kinds.Kinds(settings)
        ways = Ways(self.maintenance.holds, Policies(settings).of, lambda text: prepare.redactor(settings).text(text))
        self.connectivity = Connectivity(store, settings)
        recorder = Recorder(Gathering(store), self.connectivity, ways, self._recorded, self._outdated)
        self._recorder = recorder
        self.monitor = Monitor(recorder, self._kinds, lambda: settings.current.probes_at_once, watch)
        self.trying = Trying(store, settings, self._credentials, self.monitor, self._target)
        self.heartbeats = Heartbeats(store, recorder)
        self.observed = Observed(store, recorder, self.connectivity)
        self._parts = (self.monitor, self.heartbeats, self.observed)
        self.settling = Settling(store, recorder)
        self.attending = Attending(store, ways, queued)
        self.files = WatchedFiles(store, settings, self.catalogue)
        self._probed: set[int] = set()
        # Services that lack something, by number: their name, and what it is.
        self._lacking: dict[int, tuple[str, str]] = {}
        self._kept = rollups.keep(settings.current)
        self._forgotten = 0  # when what is old was removed last, ms since 1970
        self._environ: Mapping[str, str] = settings.environ
        settings.on_change.append(self._reloaded)
        self._reload = asyncio.Event()
        self._behind: asyncio.Queue[int] = asyncio.Queue()

    async def run(self) -> None:
        """Probes until cancelled."""
        await self._kinds.tidy()
        await self.catalogue.tidy()
        await self.maintenance.load()
        await self.heartbeats.load()
        await self.catalogue.announcing.each(self._watch_over)
        work = (
            self.monitor.run(),
            self.heartbeats.run(),
            self.observed.run(),
            self.settling.run(),
            self.attending.run(),
            self.connectivity.run(),
            self.files.run(),
            self._roll(),
            self._reread(),
            self._catch_up(),
        )
        tasks = [asyncio.create_task(one) for one in work]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                if not task.cancelling():  # one that is cancelled twice can't end what it is about
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._kinds.close()

    async def _watch_over(self, known: Known) -> None:
        if known.paused or known.problem:
            before = self._lacking.get(known.id)
            self._drop(known.id)
            if not known.paused:
                await self._lacks(known, before)
            return
        self._lacking.pop(known.id, None)
        kind = definitions.kind_of(known.stored.url) or Kind.HTTP
        if kind is Kind.HEARTBEAT:
            self._drop(known.id, but=self.heartbeats)
            await self.heartbeats.set(known)
        elif kind is Kind.OBSERVED:
            self._drop(known.id, but=self.observed)
            self.observed.set(known)
        else:
            self._drop(known.id, but=self.monitor)
            self._kinds.load(kind)
            self.monitor.set(self._target(known.id, known.filled), known.version)

    async def _lacks(self, known: Known, before: tuple[str, str] | None) -> None:
        """It can't be probed: what was known of it before must not stand there as if it were so still."""
        self._lacking[known.id] = (known.stored.name, known.problem)
        if self._lacking[known.id] == before:
            return
        print(f"services: {known.stored.name} is not probed: {known.problem}", file=sys.stderr, flush=True)
        nothing = Verdict(Outcome.NOTHING, None, f"it is not probed: {known.problem}")
        finding = Finding(known.id, known.version, int(time.time() * 1000), Facts(), nothing)
        try:
            await self._recorder.store(finding, known.stored)
        except (DatabaseError, CallError) as error:
            print(f"services: {known.stored.name}: {error}", file=sys.stderr, flush=True)

    def warnings(self) -> list[str]:
        """What people should know: services that can't be probed, together where they lack the same."""
        found: dict[str, list[str]] = {}
        for name, problem in self._lacking.values():
            found.setdefault(problem, []).append(name)
        return [f"{_listed(names)} not probed: {problem}" for problem, names in sorted(found.items())]

    def _drop(self, id_: int, but: Monitor | Heartbeats | Observed | None = None) -> None:
        for part in self._parts:
            if part is not but:
                part.drop(id_)
        if but is None:
            self._lacking.pop(id_, None)

    def _target(self, id_: int, filled: Definition) -> Target:
        allowed = self._settings.current.probe_link_local
        denied = partial(addresses.denied, allowed=allowed)
        return Target(id=id_, definition=filled, denied=denied, lookups=self._kinds.lookups)

    async def _changed(self, id_: int, known: Known | None) -> None:
        if known is None:
            self._drop(id_)
        else:
            await self._watch_over(known)
            self.monitor.now(id_)
        self._publisher.publish(ServiceChanged(id=id_, kind="removed" if known is None else "defined"))

    async def replan(self) -> None:
        """Maintenance windows may be others, and pages should know."""
        if await self.maintenance.load():
            self._publisher.publish(MaintenanceChanged())

    def tell(self, id_: int) -> None:
        """Something about a service is another, and pages should know."""
        self._publisher.publish(ServiceChanged(id=id_, kind="defined"))

    def _recorded(self, id_: int, found: Recorded) -> None:
        if found.queued:
            self._queued()
        for asked in found.asks:
            self.monitor.now(asked)
        if found.status is found.before:
            # Most findings change nothing: pages hear of many of them at once.
            if not self._probed:
                asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell_probed)
            self._probed.add(id_)
            return
        self._publisher.publish(ServiceChanged(id=id_, kind="found", status=found.status, before=found.before))

    def _outdated(self, finding: Finding) -> None:
        """It went by another definition than the stored one: mostly, for its service was changed while it was probed.

        Where that one is still gone by, nothing that is found would ever be stored: the service is read again.
        """
        if finding.version in (part.version(finding.service_id) for part in self._parts):
            self._behind.put_nowait(finding.service_id)

    def _tell_probed(self) -> None:
        ids, self._probed = sorted(self._probed), set()
        self._publisher.publish(ServicesProbed(ids=ids))

    def _reloaded(self) -> None:
        if rollups.keep(self._settings.current) != self._kept:
            self._forgotten = 0
        if self._settings.environ != self._environ:
            self._environ = self._settings.environ
            self._reload.set()

    async def _reread(self) -> None:
        """Variables of the environment may be others after a reload."""
        while True:
            await self._reload.wait()
            self._reload.clear()
            try:
                await self.catalogue.announcing.each(self._watch_over)
            except (DatabaseError, CallError) as error:
                print(f"services: {error}", file=sys.stderr, flush=True)

    async def _catch_up(self) -> None:
        """Who goes by a definition that is not the stored one hears of that one."""
        while True:
            id_ = await self._behind.get()
            try:
                await self.catalogue.announcing.of([id_])
            except (DatabaseError, CallError) as error:
                print(f"services: {error}", file=sys.stderr, flush=True)

    async def _roll(self) -> None:
        while True:
            try:
                now = int(time.time() * 1000)
                await rollups.roll(self._store, now)
                if now - self._forgotten > FORGET_MS:
                    self._forgotten, self._kept = now, rollups.keep(self._settings.current)
                    await rollups.forget(self._store, now, self._kept)
            except (DatabaseError, CallError) as error:
                print(f"services: the sums wait: {error}", file=sys.stderr, flush=True)
            await asyncio.sleep(ROLL_SECONDS)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f"{', '.join(names[:NAMED_MAX])}{more} {'is' if len(names) == 1 else 'are'}"
