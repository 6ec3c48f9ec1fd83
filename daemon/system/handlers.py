"""Answers requests about the daemon itself."""

import asyncio
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from daemon import audit
from daemon.keeping.keeper import Keeper
from daemon.sessions import prepare, rules
from daemon.sessions.cli import Cli
from daemon.sessions.lifecycle import Sessions
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.system.processes import Daemon
from daemon.triggers.queue import Queue
from daemon.triggers.schedule import Schedule
from ipc.control import DESCRIPTORS_ALARM, Control, descriptors, short_of_descriptors
from ipc.errors import CallError, Code
from ipc.messages.envelope import PROTOCOL, PROTOCOL_OLDEST, Done
from ipc.messages.system import (
    Doctor,
    DoctorReply,
    Finding,
    Hello,
    Reload,
    RestartProcess,
    SessionCount,
    Status,
    StatusReply,
    Stop,
    Welcome,
)
from ipc.server import Call, Handler, Publisher
from schema import database_file
from schema.audit_actions import Action
from schema.database import Database, DatabaseError
from schema.version import VERSION

LOOK_SECONDS = 2.0  # at the disk and at the table of descriptors: each heartbeat asks several times


def _check(path: Path) -> None:
    """SQLite's quick check by a connection of its own, so that nobody waits for it. DatabaseError."""
    database = Database(path, readonly=True)
    try:
        database.check()
    finally:
        database.close()


class System:
    """Status, check-up and the commands that go on to the supervisor."""

    def __init__(
        self,
        *,
        daemon: Daemon,
        control: Control,
        store: Store,
        settings: LiveSettings,
        sessions: Sessions,
        schedule: Schedule,
        queue: Queue,
        cli: Cli,
        publisher: Publisher,
        keeper: Keeper,
    ) -> None:
        self._daemon = daemon
        self._control = control
        self._store = store
        self._settings = settings
        self._sessions = sessions
        self._schedule = schedule
        self._queue = queue
        self._cli = cli
        self._publisher = publisher
        self._keeper = keeper

        self._looked = -LOOK_SECONDS
        self._room = rules.Room(0)
        self._descriptors = (0, 0)
        self._pinned: str | None = None
        self.tellers: list[Callable[[], list[str]]] = []
        """What other parts have to say that people should know, as sentences."""

    def _look(self, *, anew: bool = False) -> None:
        if anew or time.monotonic() >= self._looked + LOOK_SECONDS:
            self._room, self._descriptors = prepare.room(self._settings.current), descriptors()
            self._pinned = database_file.pinned(self._store.path)
            self._looked = time.monotonic()

    def problem(self) -> str | None:
        """What keeps the daemon from its work, as a sentence: a full disk, a directory that is gone, damage."""
        if self._store.problem:
            return self._store.problem
        self._look()
        return rules.short_of_space(self._room, self._settings.current.free_disk_min)

    def warnings(self) -> list[str]:
        """What people should know, as sentences; empty when all is well."""
        problems = (self.problem(), self._schedule.problem, self._queue.problem, self._keeper.problem)
        found = [text for text in (*problems, self._keeper.full) if text]
        # The queue says of a missing CLI in the same words what waits for it; once is enough.
        if (missing := self._cli.found.text) and not any(text.startswith(missing) for text in found):
            found.insert(0, missing)
        found += [text for teller in self.tellers for text in teller()]
        found += self._daemon.web_warnings()
        self._look()
        found += [self._pinned] if self._pinned else []
        return [*found, *short_of_descriptors("the worker", *self._descriptors)]

    def status(self) -> StatusReply:
        """How the daemon is."""
        self._look(anew=True)
        facts = self._daemon.facts()
        settings = self._settings.current
        state = str(facts.get("state", "running"))
        problem = self.problem()
        return StatusReply(
            state="degraded" if problem and state == "running" else state,
            reason=facts.get("reason") or problem,
            processes=self._daemon.processes(facts),
            sessions=SessionCount(running=self._sessions.running),
            next_run_at=self._schedule.next_run_at(),
            version=VERSION,
            started_at=str(facts.get("started_at", "")),
            address=settings.public_url or str(facts.get("address", "")),
            demo=settings.demo,
            cli=self._cli.found,
            warnings=self.warnings(),
        )

    async def command(self, command: str, by: str, action: Action, subject: str, **more: str) -> Done:
        """Passes a command on to the supervisor; what it has taken is a line of the audit log."""
        refused = await self._control.command(command, **more)
        if refused:
            raise CallError(Code.INVALID, refused)
        line: dict[str, Any] = {"actor": by, "action": action, "subject": subject, "at": datetime.now(UTC)}
        await audit.add_after(self._store, lambda db: audit.add(db, **line))
        return Done()

    async def doctor(self) -> DoctorReply:
        """Looks at what only the worker can see."""
        settings = self._settings.current
        found = []
        try:
            await asyncio.to_thread(_check, self._store.path)
            found.append(Finding(name="database", level="ok", text=f"{self._store.path} passes its check"))
        except DatabaseError as error:
            found.append(Finding(name="database", level="error", text=str(error)))
        for name, place in (("state directory", settings.state_dir), ("results directory", settings.results_dir)):
            try:
                free = shutil.disk_usage(place).free
                level = "ok" if free >= settings.free_disk_min else "error"
                text = f"{place}: {free // 1048576} MiB free"
            except OSError as error:
                level, text = "error", f"{place} can't be used: {error.strerror}; mount it again, or put it back"
            found.append(Finding(name=name, level=level, text=text))
        cli = await self._cli.probe()
        level = "ok" if not cli.text else "warning" if cli.ok else "error"
        found.append(Finding(name="claude command", level=level, text=cli.text or f"{cli.path}, version {cli.version}"))
        open_now, allowed = descriptors()
        level = "ok" if open_now < DESCRIPTORS_ALARM * allowed and allowed >= 1024 else "warning"
        found.append(Finding(name="file descriptors", level=level, text=f"{open_now} of {allowed} in use"))
        keyed = settings.anthropic_api_key or settings.anthropic_auth_token or settings.claude_code_oauth_token
        found.append(
            Finding(name="credentials", level="ok", text="the sessions have credentials")
            if keyed
            else Finding(
                name="credentials",
                level="warning",
                text="neither ANTHROPIC_API_KEY nor CLAUDE_CODE_OAUTH_TOKEN is set; set one for sessions to work",
            )
        )
        return DoctorReply(findings=found)

    def greet(self, request: Hello) -> Welcome:
        """Agrees on a protocol."""
        spoken = range(max(request.oldest, PROTOCOL_OLDEST), min(request.newest, PROTOCOL) + 1)
        if not spoken:
            text = (
                f"this worker speaks protocol {PROTOCOL_OLDEST} to {PROTOCOL}, not {request.oldest} to {request.newest}"
            )
            raise CallError(Code.PROTOCOL, text, {"oldest": PROTOCOL_OLDEST, "newest": PROTOCOL})
        return Welcome(
            protocol=spoken[-1], version=VERSION, epoch=self._publisher.epoch, sequence=self._publisher.sequence
        )


def handlers(system: System) -> dict[type, Handler]:
    """The table's part for the daemon itself."""

    async def hello(call: Call, request: Hello) -> Welcome:
        return system.greet(request)

    async def status(call: Call, request: Status) -> StatusReply:
        return system.status()

    async def restart(call: Call, request: RestartProcess) -> Done:
        by, action = call.asker(), Action.PROCESS_RESTARTED
        return await system.command("restart", by, action, request.name, name=request.name)

    async def reload(call: Call, request: Reload) -> Done:
        return await system.command("reload", call.asker(), Action.DAEMON_RELOADED, "the environment")

    async def stop(call: Call, request: Stop) -> Done:
        return await system.command("stop", call.asker(), Action.DAEMON_STOPPED, "the daemon")

    async def doctor(call: Call, request: Doctor) -> DoctorReply:
        return await system.doctor()

    return {
        Hello: hello,
        Status: status,
        RestartProcess: restart,
        Reload: reload,
        Stop: stop,
        Doctor: doctor,
    }
