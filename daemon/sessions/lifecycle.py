"""The sessions of the daemon: start, adopt, follow, stop, end. One active session a tier.

Each step is on disk before the next: the row, then the run, then what its log means, then the final state. Built by
`daemon.worker`; called by the scheduler and by the handlers.
"""

import asyncio
import sys
import uuid
from collections.abc import Callable
from datetime import datetime

from daemon import procfs
from daemon.runs.adopt import remove
from daemon.runs.executor import LocalExecutor
from daemon.runs.launch import LaunchError
from daemon.runs.run import Run
from daemon.runs.spec import RunSpec
from daemon.runs.states import EndReason
from daemon.runs.sweep import sweep
from daemon.sessions import command, prepare, rules
from daemon.sessions.cli import Cli
from daemon.sessions.follow import Follower, end_of, timeout_of
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.sessions import SessionChanged, SessionReply
from ipc.server import Publisher
from schema import timestamps
from schema.database import ConstraintError, Database, DatabaseError
from schema.sessions import Session, from_row
from schema.settings import Settings
from schema.states import SESSION, SessionStatus, Trigger, follow

TIERS = (1, 2, 3)
RETRY_SECONDS = 1.0


class Sessions:
    """All sessions that run, by id, each with the task that follows it."""

    def __init__(
        self,
        store: Store,
        settings: LiveSettings,
        cli: Cli,
        publisher: Publisher,
        executor: LocalExecutor,
        watch_task: Callable[[asyncio.Task[None]], None],
    ) -> None:
        """`watch_task` hears the end of every task, for what may not go unnoticed."""
        self._watch_task = watch_task
        self._store = store
        self._settings = settings
        self._cli = cli
        self._publisher = publisher
        self._executor = executor
        self._runs: dict[int, Run] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._idle = {tier: asyncio.Event() for tier in TIERS}
        for event in self._idle.values():
            event.set()
        self._closing = False
        self._tidying: list[asyncio.Task[None]] = []

    @property
    def running(self) -> int:
        """How many sessions run."""
        return len(self._tasks)

    def is_idle(self, tier: int) -> bool:
        """Whether no session of the tier runs."""
        return self._idle[tier].is_set()

    async def idle(self, tier: int) -> None:
        """Waits until no session of the tier runs."""
        await self._idle[tier].wait()

    async def start(self, *, tier: int, prompt: str, trigger: Trigger, by: str, request_id: str = "") -> Session:
        """Starts a session; its row. CallError `busy` where the tier has one; others say what is in the way.

        With a `request_id`, the reply to that request is stored with the row.
        """
        settings = self._settings.current
        cli = self._cli.found
        refused = rules.refusal(
            tier=tier,
            max_tier=settings.max_tier,
            cli=None if cli.ok else cli.text,
            free=prepare.free_space(settings),
            free_min=settings.free_disk_min,
        )
        if refused or self._closing:
            raise CallError(Code.UNAVAILABLE if 1 <= tier <= 3 else Code.INVALID, refused or "the daemon is stopping")
        if not self.is_idle(tier):
            raise await self._busy(tier)
        self._idle[tier].clear()
        try:
            session, spec = await self._record(settings, tier, prompt, trigger, by, request_id)
        except BaseException as error:
            self._idle[tier].set()
            if isinstance(error, OSError):
                raise CallError(Code.UNAVAILABLE, f"the session can't be prepared: {error}") from error
            raise
        await self._launch(session, spec)
        return session

    async def _busy(self, tier: int) -> CallError:
        row = await self._store.read(lambda db: db.one("sessions.running_of_tier", tier=tier))
        which = f"session {row['id']}" if row else "a session that is about to start"
        text = f"tier {tier} is busy with {which}; wait for its end or stop it"
        return CallError(Code.BUSY, text, {"tier": tier, "id": row["id"] if row else None})

    async def _record(
        self, settings: Settings, tier: int, prompt: str, trigger: Trigger, by: str, request_id: str
    ) -> tuple[Session, RunSpec]:
        """The session's row, and what is to be run for it. Nothing runs yet."""
        redactor = prepare.redactor(self._settings)
        asked = prepare.prompt(settings, tier, prompt)
        text = redactor.text(asked.text)
        moment = datetime.now()
        run_id = prepare.run_name(moment)
        cli_session = str(uuid.uuid4())
        schema = prepare.output_schema(settings)
        log = prepare.create_log(settings, moment)
        row = {
            "tier": tier,
            "model": command.model_of(settings, tier),
            "prompt_file": asked.file,
            "prompt_text": text if asked.file == "(ad-hoc)" else None,
            "trigger": trigger.value,
            "requested_by": by or None,
            "started_at": timestamps.now(),
            "log_file": str(log),
            "run_id": run_id,
            "cli_session_id": cli_session,
            "cli_version": self._cli.found.version or None,
        }

        def insert(db: Database) -> Session:
            id_ = db.value("sessions.insert", **row)
            session = from_row(db.one("sessions.by_id", id=id_) or {})
            if request_id:
                reply = codec.store(SessionReply(session=session))
                db.change("replies.insert", request_id=request_id, reply=reply, created_at=session.started_at)
            return session

        try:
            session = await self._store.write(insert)
        except BaseException as error:
            log.unlink(missing_ok=True)
            if isinstance(error, ConstraintError):
                raise await self._busy(tier) from error
            raise
        return session, prepare.run_spec(self._settings, session, text, self._cli.found.path, schema)

    async def _launch(self, session: Session, spec: RunSpec) -> None:
        try:
            run = await self._executor.start(spec)
        except (OSError, LaunchError) as error:
            ending = rules.Ending(EndReason.SPAWN_FAILED.value, error=str(error))
            await self._finish(session, rules.outcome(ending, None, timeout_s=spec.timeout_s))
            self._idle[session.tier].set()
            return
        self._watch(session, run)

    def _watch(self, session: Session, run: Run) -> None:
        self._idle[session.tier].clear()
        self._runs[session.id] = run
        task = asyncio.create_task(self._live(session, run), name=f"session {session.id}")
        task.add_done_callback(self._watch_task)
        self._tasks[session.id] = task
        self._publisher.publish(SessionChanged(id=session.id, status=session.status))

    async def _live(self, session: Session, run: Run) -> None:
        """Follows a session to its end."""
        follower = Follower(self._store, self._publisher, session, run)
        kills = procfs.kills_for_memory()
        ended = asyncio.create_task(end_of(run))
        try:
            await follower.follow()
            record = await ended
        finally:
            ended.cancel()
        lost = record.reason is EndReason.INTERRUPTED and record.by is None
        outcome = rules.outcome(
            rules.Ending(
                "lost" if lost else record.reason.value,
                record.exit_code,
                record.signal,
                record.by or "",
                record.error or "",
            ),
            follower.reading.said,
            timeout_s=timeout_of(run),
            last_stderr=follower.reading.last_stderr,
            short_of_memory=procfs.kills_for_memory() > kills,
        )
        await self._finish(session, outcome, record.ended_at, record.duration_ms)
        self._forget(session)
        prepare.tidy(self._settings.current, run.run_id)
        remove(run.run_dir)

    def _forget(self, session: Session) -> None:
        self._runs.pop(session.id, None)
        self._tasks.pop(session.id, None)
        self._idle[session.tier].set()

    async def _finish(
        self, session: Session, outcome: rules.Outcome, ended_at: str | None = None, duration_ms: int | None = None
    ) -> None:
        """Stores the final state; tries until the disk takes it."""
        status = follow(SESSION, SessionStatus.RUNNING, outcome.status)
        values = {
            "id": session.id,
            "status": status.value,
            "ended_at": ended_at or timestamps.now(),
            "exit_code": outcome.exit_code,
            "reason": outcome.reason,
            "duration_ms": duration_ms,
        }
        while True:
            try:
                await self._store.write(lambda db: db.change("sessions.finish", **values))
                break
            except (DatabaseError, CallError) as error:
                print(f"session {session.id}: can't store its end yet: {error}", file=sys.stderr, flush=True)
                await asyncio.sleep(RETRY_SECONDS)
        self._publisher.publish(SessionChanged(id=session.id, status=status))

    async def stop(self, id_: int, by: str) -> Session:
        """Has a running session stopped. CallError `not_found`, or `conflict` when it is over."""
        session = await self.show(id_)
        run = self._runs.get(id_)
        if run is None:
            raise CallError(Code.CONFLICT, f"session {id_} is over: {session.status.value}")
        run.stop(EndReason.STOPPED, by)
        return session

    async def show(self, id_: int) -> Session:
        """One session. CallError `not_found`."""
        row = await self._store.read(lambda db: db.one("sessions.by_id", id=id_))
        if row is None:
            raise CallError(Code.NOT_FOUND, f"there is no session {id_}; `claudeopsctl sessions list` shows them")
        return from_row(row)

    async def adopt(self) -> None:
        """At start: every row that says running is followed on, or given its end; runs without a row are ended."""
        rows = await self._store.read(lambda db: db.rows("sessions.running"))
        found = {item.run.run_id: item.run for item in await self._executor.adopt()}
        for row in rows:
            session = from_row(row)
            run = found.pop(session.run_id or "", None)
            if run is None:
                # Killed between its row and its run: nothing was started.
                await self._finish(session, rules.outcome(rules.Ending("lost"), None, timeout_s=0))
                prepare.tidy(self._settings.current, session.run_id or "none")
                await sweep(self._executor.directory(session.run_id or "none"))
            else:
                self._watch(session, run)
        # A worker was killed between the final state of these runs' sessions and their removal.
        for run in found.values():
            self._tidying.append(asyncio.create_task(self._tidy(run)))

    async def _tidy(self, run: Run) -> None:
        run.stop(EndReason.INTERRUPTED, "the daemon, for no session wants it")
        await end_of(run)
        prepare.tidy(self._settings.current, run.run_id)
        remove(run.run_dir)

    async def close(self, *, end: bool, grace: float) -> None:
        """Stops following. With `end`, every session is stopped first and gets its final state."""
        self._closing = True
        if end and self._tasks:
            for run in self._runs.values():
                run.stop(EndReason.INTERRUPTED, "its stop")
            await asyncio.wait(list(self._tasks.values()), timeout=grace)
        tasks = [*self._tasks.values(), *self._tidying]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for run in self._runs.values():
            run.close()
