"""Services as a part of the worker: catalogue, monitor, windows and rollups, and what people ask of them.

Built by `daemon.parts`, which runs `run`.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from daemon.services import rollups, stored
from daemon.services.attending import Attending
from daemon.services.catalogue import Catalogue, Known
from daemon.services.connectivity import Connectivity
from daemon.services.credentials import Credentials, carried_over, joined
from daemon.services.gathering import Gathering
from daemon.services.heartbeats import Heartbeats
from daemon.services.maintenance import Maintenance
from daemon.services.monitor import Monitor
from daemon.services.observed import Observed
from daemon.services.policies import Policies
from daemon.services.probes import kinds
from daemon.services.probes.probe import Target
from daemon.services.recorder import Recorded, Recorder, Ways
from daemon.services.rules import addresses, definitions, variables
from daemon.services.rules.conditions import Answer, judge
from daemon.services.rules.definitions import Problem
from daemon.services.rules.notation import parse
from daemon.services.rules.verdict import verdict
from daemon.services.watched_files import WatchedFiles
from daemon.sessions import prepare
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.errors import CallError, Code
from ipc.messages.incidents import MaintenanceChanged
from ipc.messages.services import (
    ListResults,
    ListServices,
    ResultsReply,
    ServiceChanged,
    ServiceReply,
    ServicesProbed,
    ServicesReply,
    ShowService,
    TriedCondition,
    TriedReply,
    TryService,
)
from ipc.server import Publisher
from schema import monitored, timestamps
from schema.database import Database, DatabaseError
from schema.definitions import KINDS, Definition, Kind
from schema.states import ServiceStatus

LIMIT_MAX = 1000
BODY_SHOWN = 4096
ROLL_SECONDS = 60.0
TELL_SECONDS = 0.2
FORGET_MS = 3_600_000
FOREVER = 2**62


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
        recorder = Recorder(Gathering(store), self.connectivity, ways, self._recorded)
        self.monitor = Monitor(recorder, self._kinds, lambda: settings.current.probes_at_once, watch)
        self.heartbeats = Heartbeats(store, recorder)
        self.observed = Observed(store, recorder, self.connectivity)
        self.attending = Attending(store, ways, queued)
        self.files = WatchedFiles(store, settings, self.catalogue)
        self._probed: set[int] = set()
        self._kept = rollups.keep(settings.current)
        self._forgotten = 0  # when what is old was removed last, ms since 1970
        self._environ: Mapping[str, str] = settings.environ
        settings.on_change.append(self._reloaded)
        self._reload = asyncio.Event()

    async def run(self) -> None:
        """Probes until cancelled."""
        await self._kinds.tidy()
        await self.maintenance.load()
        await self.heartbeats.load()
        for known in await self.catalogue.all():
            await self._watch_over(known)
        work = (
            self.monitor.run(),
            self.heartbeats.run(),
            self.observed.run(),
            self.attending.run(),
            self.connectivity.run(),
            self.files.run(),
            self._roll(),
            self._reread(),
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
            self._drop(known.id)
            if known.problem:
                print(f"services: {known.stored.name} is not probed: {known.problem}", file=sys.stderr, flush=True)
            return
        kind = definitions.kind_of(known.stored.url) or Kind.HTTP
        if KINDS[kind].passive:
            self._drop(known.id)
        if kind is Kind.HEARTBEAT:
            await self.heartbeats.set(known)
        elif kind is Kind.OBSERVED:
            self.observed.set(known)
        else:
            self.heartbeats.drop(known.id)
            self.observed.drop(known.id)
            self._kinds.load(kind)
            self.monitor.set(self._target(known.id, known.filled), known.version)

    def _drop(self, id_: int) -> None:
        for part in (self.monitor, self.heartbeats, self.observed):
            part.drop(id_)

    def _target(self, id_: int, filled: Definition) -> Target:
        allowed = self._settings.current.probe_link_local
        return Target(id=id_, definition=filled, denied=partial(addresses.denied, allowed=allowed))

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
        if found.status is found.before:
            # Most findings change nothing: pages hear of many of them at once.
            if not self._probed:
                asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell_probed)
            self._probed.add(id_)
            return
        self._publisher.publish(ServiceChanged(id=id_, kind="found", status=found.status, before=found.before))

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
                for known in await self.catalogue.all():
                    await self._watch_over(known)
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

    async def page(self, request: ListServices) -> ServicesReply:
        """Services by name."""
        limit = max(1, min(request.limit, LIMIT_MAX))

        def read(db: Database) -> ServicesReply:
            rows = db.rows("monitored.page", after=request.after, limit=limit)
            counts = {row["status"]: row["count"] for row in db.rows("monitored.counts")}
            return ServicesReply(services=[monitored.from_row(row) for row in rows], counts=counts)

        return await self._store.read(read)

    async def show(self, request: ShowService) -> ServiceReply:
        """One service. CallError `not_found`."""

        def read(db: Database) -> ServiceReply:
            if request.id:
                return stored.shown(db, request.id)
            row = db.one("definitions.by_name", name=request.name)
            if row is None:
                raise CallError(Code.NOT_FOUND, f"there is no service {request.name!r}")
            return stored.shown(db, row["id"])

        return await self._store.read(read)

    async def results(self, request: ListResults) -> ResultsReply:
        """Findings, newest first. CallError `invalid`, `not_found`."""
        before = FOREVER
        if request.before:
            try:
                before = round(timestamps.parse(request.before).timestamp() * 1000)
            except ValueError as error:
                raise CallError(Code.INVALID, f"before: {request.before!r} is no time") from error
        limit = max(1, min(request.limit, LIMIT_MAX))

        def read(db: Database) -> ResultsReply:
            stored.existing(db, request.id)
            rows = db.rows("results.newest", service_id=request.id, before=before, limit=limit)
            return ResultsReply(results=[monitored.result_from_row(row) for row in rows])

        return await self._store.read(read)

    async def test(self, request: TryService) -> TriedReply:
        """Probes once, now; nothing is stored. CallError `invalid`, `not_found`."""
        definition = await self._asked(request)
        kind = definitions.kind_of(definition.url)
        if kind is None or KINDS[kind].passive:
            raise CallError(Code.INVALID, "there is nothing to ask: it tells of itself", {"fields": {"url": "…"}})
        facts = await self.monitor.once(self._target(request.id, definition), kind)
        wanted = definitions.conditions_of(definition)
        judged = verdict(facts, wanted, definition.warnings)
        answer = Answer(facts)
        shown = [judge(parse(text), answer) for text in (*wanted, *definition.warnings)] if not facts.cause else []
        return TriedReply(
            status=ServiceStatus(judged.outcome.value),
            facts=msgspec.structs.replace(facts, body=facts.body[:BODY_SHOWN]),
            detail=judged.detail,
            conditions=[TriedCondition(one.shown, one.holds) for one in shown],
        )

    async def _asked(self, request: TryService) -> Definition:
        def read(db: Database) -> Definition:
            known = None
            if request.id:
                row = stored.existing(db, request.id)
                before, kept = monitored.definition_of(row["definition"]), self._credentials.of(request.id)
                known = joined(before, kept)
                if request.definition is not None:
                    # A form shows passwords masked: what is left so is as it was.
                    known, again = carried_over(request.definition, before, kept)
                    stored.refuse(again)
            return self._to_test(known or request.definition)

        return await self._store.read(read)

    def _to_test(self, wanted: Definition | None) -> Definition:
        if wanted is None:
            raise CallError(Code.INVALID, "say what to test: a service's id, or a definition")
        found = [one for one in definitions.problems(wanted, {}) if one.field not in ("name", "needs")]
        stored.refuse(found)
        try:
            return variables.filled(wanted, self._settings.environ)
        except variables.UnknownVariableError as error:
            raise stored.refusal([Problem("url", str(error))]) from error
