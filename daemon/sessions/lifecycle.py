"""The sessions of the daemon: start, adopt, follow, stop, end. One active session a tier.

Each step is on disk before the next: the row, then the run, then what its log means, then the final state. Built by
`daemon.parts`; called by the queue of triggers and by the handlers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from daemon import audit, procfs, trouble
from daemon.approvals.approvals import Approvals
from daemon.runs.adopt import Found
from daemon.runs.executor import LocalExecutor
from daemon.runs.launch import LaunchError
from daemon.runs.run import Run
from daemon.runs.states import EndReason
from daemon.sessions import prepare, rules
from daemon.sessions.cli import Cli
from daemon.sessions.ending import Ending, judge
from daemon.sessions.follow import Follower, budget_of, timeout_of
from daemon.sessions.opening import Asked, Opener, Sources, put_back
from daemon.sessions.remains import Remains
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.triggers import record
from ipc.errors import CallError, Code
from ipc.messages.sessions import SessionChanged
from ipc.server import Publisher
from schema.database import ConstraintError
from schema.sessions import Session, from_row
from schema.states import SessionStatus, Trigger
from schema.triggers import QueuedTrigger

TIERS = (1, 2, 3)


class Sessions:
    """All sessions that run, by id, each with the task that follows it."""

    def __init__(
        self,
        store: Store,
        settings: LiveSettings,
        cli: Cli,
        publisher: Publisher,
        executor: LocalExecutor,
        sources: Sources,
        waiting: Approvals,
        watch_task: Callable[[asyncio.Task[None]], None],
    ) -> None:
        """`watch_task` hears the end of every task, for what may not go unnoticed."""
        self._watch_task = watch_task
        self._store = store
        self._settings = settings
        self._cli = cli
        self._publisher = publisher
        self._executor = executor
        self._opener = Opener(store, settings, cli, sources)
        self._waiting = waiting
        self._ending = Ending(store, settings, publisher, waiting)
        self._remains = Remains(settings, watch_task)
        self._runs: dict[int, Run] = {}
        self._to_stop: dict[int, str] = {}
        """Sessions that somebody wants stopped and that have no run yet, with who it was."""
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._idle = {tier: asyncio.Event() for tier in TIERS}
        for event in self._idle.values():
            event.set()
        self._closing = False
        self.on_change: list[Callable[[], None]] = []
        """Called when a session has started or ended."""
        self.on_end: list[Callable[[Session], None]] = []
        """Called with each session that has ended, after its end is stored; must not take long."""

    @property
    def running(self) -> int:
        """How many sessions run."""
        return len(self._tasks)

    def is_idle(self, tier: int) -> bool:
        """Whether no session of the tier runs."""
        return self._idle[tier].is_set()

    async def busy_with(self, tier: int) -> int | None:
        """The session that keeps a tier busy; 0 while one is about to start, None if there is none."""
        if self.is_idle(tier):
            return None
        row = await self._store.read(lambda db: db.one("sessions.running_of_tier", tier=tier))
        return row["id"] if row else 0

    def warnings(self) -> list[str]:
        """What people should see to, as sentences."""
        return self._remains.warnings()

    def redact(self, text: str) -> str:
        """Text without the secrets that are known."""
        return prepare.redactor(self._settings).text(text)

    def refusal(self, tier: int) -> str | None:
        """Why no session of a tier can start now, busy or not; None if one can."""
        settings, cli = self._settings.current, self._cli.found
        if self._closing:
            return "the daemon is stopping"
        return rules.refusal(
            tier=tier,
            max_tier=settings.max_tier,
            cli=None if cli.ok else cli.text,
            room=prepare.room(settings),
            free_min=settings.free_disk_min,
        )

    async def start(self, *, tier: int, prompt: str, trigger: Trigger, by: str, request_id: str = "") -> Session:
        """Starts a session at once; its row. CallError `busy` where the tier has one; others say what is in the way.

        With a `request_id`, the reply to that request is stored with the row.
        """
        if wrong := rules.no_tier(tier, self._settings.current.max_tier):
            raise CallError(Code.INVALID, wrong)
        return await self._start(tier, lambda: self._opener.new(Asked(tier, prompt, trigger, by, request_id)))

    async def start_queued(self, queued: QueuedTrigger) -> Session:
        """Starts the session that a trigger asks for, or has the one go on that waited for a person."""
        if queued.kind is Trigger.APPROVAL:
            session = await self.show(queued.session_id or 0)
            return await self._start(queued.tier, lambda: self._opener.again(session, queued))
        asked = Asked(queued.tier, queued.prompt, queued.kind, queued.requested_by or "", queued=queued)
        return await self._start(queued.tier, lambda: self._opener.new(asked))

    async def _start(self, tier: int, opened: Callable[[], Awaitable[tuple[Session, prepare.Material]]]) -> Session:
        if refused := self.refusal(tier):
            raise CallError(Code.UNAVAILABLE if 1 <= tier <= 3 else Code.INVALID, refused)
        if not self.is_idle(tier):
            raise await self._busy(tier)
        self._idle[tier].clear()
        try:
            session, material = await opened()
        except BaseException as error:
            self._idle[tier].set()
            if isinstance(error, ConstraintError):
                raise await self._busy(tier) from error
            if isinstance(error, OSError):
                raise trouble.refusal(error, "the session can't be prepared: ") from error
            raise
        await self._launch(session, material)
        return session

    async def _busy(self, tier: int) -> CallError:
        row = await self._store.read(lambda db: db.one("sessions.running_of_tier", tier=tier))
        which = f"session {row['id']}" if row else "a session that is about to start"
        text = f"tier {tier} is busy with {which}; wait for its end or stop it"
        return CallError(Code.BUSY, text, {"tier": tier, "id": row["id"] if row else None})

    async def _launch(self, session: Session, material: prepare.Material) -> None:
        """From here on there is a row, so whatever is in the way is how the session has ended."""
        try:
            run = await self._executor.start(prepare.run_spec(self._settings, session, material))
        except (OSError, ValueError, LaunchError, CallError) as error:
            ending = rules.Ending(EndReason.SPAWN_FAILED.value, error=str(error))
            await self._end(session, rules.outcome(ending, None, timeout_s=0))
            self._remains.clear(self._executor.directory(session.run_id or "none"))
            return
        self._watch(session, run)

    def _watch(self, session: Session, run: Run) -> None:
        self._idle[session.tier].clear()
        self._runs[session.id] = run
        if session.id in self._to_stop:
            run.stop(EndReason.STOPPED, self._to_stop.pop(session.id))
        task = asyncio.create_task(self._live(session, run), name=f"session {session.id}")
        task.add_done_callback(self._watch_task)
        self._tasks[session.id] = task
        self._publisher.publish(SessionChanged(id=session.id, status=session.status))
        self._tell_change()

    def _tell_change(self) -> None:
        for listener in self.on_change:
            listener()

    async def _live(self, session: Session, run: Run) -> None:
        """Follows a session to the end of its run."""
        healthy_checks = self._settings.current.cooldown_healthy_checks
        follower = Follower(self._store, self._publisher, session, run, self._waiting, healthy_checks=healthy_checks)
        kills = procfs.kills_for_memory()
        ended = asyncio.create_task(self._remains.end_of(run))
        try:
            await follower.follow()
            record = await ended
        finally:
            ended.cancel()
        starved = procfs.kills_for_memory() > kills
        money = rules.Money(session.cost_before, budget_of(run))
        outcome = judge(record, follower.reading, timeout_s=timeout_of(run), short_of_memory=starved, money=money)
        await self._end(session, outcome, record.ended_at, record.duration_ms)
        self._remains.put_away(run)

    async def _end(
        self, session: Session, outcome: rules.Outcome, ended_at: str | None = None, duration_ms: int | None = None
    ) -> None:
        """Stores the end, makes room for the next, tells who wants to know."""
        ended = await self._ending.end(session, outcome, ended_at, duration_ms)
        self._runs.pop(session.id, None)
        self._to_stop.pop(session.id, None)
        self._tasks.pop(session.id, None)
        self._idle[session.tier].set()
        for listener in self.on_end:
            listener(ended)
        self._tell_change()

    async def stop(self, id_: int, by: str) -> Session:
        """Has a session stopped that runs or waits for a person. CallError `not_found`, `conflict` when it is over."""
        session = await self.show(id_)
        run = self._runs.get(id_)
        if run is None and session.status is SessionStatus.AWAITING_APPROVAL:
            await self._ending.stop_waiting(session, by)
            self._tell_change()
            return await self.show(id_)
        if run is None and session.status is not SessionStatus.RUNNING:
            raise CallError(Code.CONFLICT, f"session {id_} is over: {session.status.value}")
        # Stopped first: a full disk may not keep a session running. Who asks once more adds no second line.
        if run.stop(EndReason.STOPPED, by) if run else self._stop_starting(id_, by):
            await audit.add_after(self._store, partial(record.stopped, session=session, by=by))
        return session

    def _stop_starting(self, id_: int, by: str) -> bool:
        """Has a session stopped as soon as it has a run; False if somebody wanted that before."""
        if id_ in self._to_stop:
            return False
        self._to_stop[id_] = by
        return True

    async def stop_for(self, id_: int, reason: str) -> None:
        """Has a running session stopped by the daemon itself; `reason` begins with `stopped`. Over already: nothing."""
        run = self._runs.get(id_)
        if run is not None:
            run.stop(EndReason.STOPPED, reason)

    async def show(self, id_: int) -> Session:
        """One session. CallError `not_found`."""
        row = await self._store.read(lambda db: db.one("sessions.by_id", id=id_))
        if row is None:
            raise CallError(Code.NOT_FOUND, f"there is no session {id_}; `claudeopsctl sessions list` shows them")
        return from_row(row)

    async def adopt(self) -> None:
        """At start: every row that says running is followed on, or given its end; runs without a row are ended."""
        rows = await self._store.read(lambda db: db.rows("sessions.running"))
        found = {item.run.run_id: item for item in await self._executor.adopt()}
        for row in rows:
            session = from_row(row)
            item = found.pop(session.run_id or "", None)
            if item is None or item.run.processes is None:
                await self._never_ran(session, item)
            else:
                self._watch(session, item.run)
        # A worker was killed between the final state of these runs' sessions and their removal.
        for item in found.values():
            self._remains.end(item.run)

    async def _never_ran(self, session: Session, item: Found | None) -> None:
        """Killed between its row and its run: nothing was started. A trigger that asked for it waits again."""
        trigger = await self._store.read(lambda db: db.one("triggers.of_session", session_id=session.id))
        if trigger is None or trigger["status"] != "started":
            await self._end(session, rules.outcome(rules.Ending("lost"), None, timeout_s=0))
        else:
            await self._store.write(lambda db: put_back(db, session, trigger["id"], trigger["kind"]))
        if item is not None:
            self._remains.end(item.run)
        else:
            self._remains.clear(self._executor.directory(session.run_id or "none"))

    async def close(self, *, end: bool, grace: float) -> None:
        """Stops following. With `end`, every session is stopped first and gets its final state."""
        self._closing = True
        if end and self._tasks:
            for run in self._runs.values():
                run.stop(EndReason.INTERRUPTED, "its stop")
            await asyncio.wait(list(self._tasks.values()), timeout=grace)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._remains.close()
        for run in self._runs.values():
            run.close()
