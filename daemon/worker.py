"""The worker's composition root: builds its parts, starts them in order, stops them in reverse.

The supervisor starts it as `python -m daemon.worker` with its sockets and its channel as inherited descriptors. It may
be killed at any moment: what counts is on disk, and what it started goes on in shims of its own.
"""

import asyncio
import contextlib
import faulthandler
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from setproctitle import setproctitle

from daemon.runs.executor import LocalExecutor
from daemon.sessions import handlers as session_handlers
from daemon.sessions import prepare
from daemon.sessions.cli import Cli
from daemon.sessions.lifecycle import Sessions
from daemon.sessions.scheduler import Scheduler
from daemon.settings import handlers as setting_handlers
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.system import handlers as system_handlers
from daemon.system.peers import Peers
from daemon.system.processes import Daemon
from daemon.users import handlers as user_handlers
from ipc.control import Control
from ipc.messages.system import Beat, StateChanged
from ipc.server import Publisher, Server, bound_socket
from schema.configuration import ConfigurationError, load
from schema.database import CorruptError, Database, DatabaseError
from schema.version import VERSION

EXIT_CONFIGURATION = 78
EXIT_INTERNAL = 70
HOUSE_SECONDS = 3600.0


def log(text: str) -> None:
    """One line on standard error, which is where the daemon logs."""
    print(f"worker: {text}", file=sys.stderr, flush=True)


class Worker:
    """All parts of the worker."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._stop = asyncio.Event()
        self._end_sessions = False
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Builds, serves until told to stop, and stops."""
        await self._build()
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop.set)
        await self._start()
        await self._stop.wait()
        await self._close()

    async def _build(self) -> None:
        environ = self._environ
        prepare.places(load(environ))
        path = Path(load(environ).state_dir) / "claudeops.db"
        self.store = Store(path, open_database(path))
        self.settings = LiveSettings(environ, self.store)
        for told in await self.settings.read_overrides():
            log(told)
        settings = self.settings.current
        runtime = Path(settings.runtime_dir)
        self.context = zmq.asyncio.Context()
        self.publisher = Publisher(bound_socket(self.context, zmq.PUB, int(environ["CLAUDEOPS_PUB_FD"])))
        self.daemon = Daemon(runtime)
        self.cli = Cli(self.settings, str(prepare.home(settings)))
        self.executor = LocalExecutor(Path(settings.state_dir) / "runs")
        self.sessions = Sessions(self.store, self.settings, self.cli, self.publisher, self.executor, self._watch)
        boot = environ.get("CLAUDEOPS_BOOT_ID", "")
        self.scheduler = Scheduler(self.store, self.settings, self.sessions, self.publisher, boot)
        self.control = Control(int(environ["CLAUDEOPS_CONTROL_FD"]), self._note, self._hear)
        self.system = system_handlers.System(
            daemon=self.daemon,
            control=self.control,
            store=self.store,
            settings=self.settings,
            sessions=self.sessions,
            scheduler=self.scheduler,
            cli=self.cli,
            publisher=self.publisher,
        )
        self.users = user_handlers.Users(self.store, self.settings, self.daemon, boot)
        table = {
            **system_handlers.handlers(self.system),
            **session_handlers.handlers(self.sessions, self.store),
            **setting_handlers.handlers(self.settings, self.publisher),
            **user_handlers.handlers(self.users),
        }
        rpc = bound_socket(self.context, zmq.ROUTER, int(environ["CLAUDEOPS_RPC_FD"]))
        self.server = Server(rpc, table, allowed=Peers(runtime).allowed, recall=self._recall)

    async def _recall(self, request_id: str) -> bytes | None:
        reply = await self.store.read(lambda db: db.value("replies.by_id", request_id=request_id))
        return None if reply is None else bytes(reply)

    async def _start(self) -> None:
        await self.control.open()
        self.settings.on_change.append(lambda: self.publisher.publish(StateChanged(what="settings")))
        if self.cli.found.text:
            log(self.cli.found.text)
        await self.sessions.adopt()
        self._tasks = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("server", self.server.serve()),
                ("scheduler", self.scheduler.run()),
                ("cli", self.cli.watch()),
                ("beat", self._beat()),
                ("house", self._keep_house()),
            )
        ]
        for task in self._tasks:
            task.add_done_callback(self._watch)
        self.control.ready(VERSION)
        if link := await self.users.first_link():
            log(f"nobody can sign in yet; make the first admin here, once, within 24 hours: {link.url}")

    def _watch(self, task: "asyncio.Task[None]") -> None:
        """A part that dies takes the worker with it: a fresh one adopts what runs."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log(f"{task.get_name()} failed: {error!r}")
            import traceback  # on the way out, with the whole story

            traceback.print_exception(error, file=sys.stderr)
            os._exit(EXIT_INTERNAL)

    def _note(self) -> dict[str, Any]:
        """The facts that each heartbeat carries to the supervisor."""
        warnings = self.system.warnings()
        return {
            "sessions_running": self.sessions.running,
            "next_run_at": self.scheduler.next_run_at(),
            "fds": system_handlers.descriptors()[0],
            "degraded": self.system.problem(),
            "warnings": warnings,
        }

    def _hear(self, message: dict[str, Any]) -> None:
        command = message.get("command")
        if command == "stop":
            self._end_sessions = message.get("sessions") == "end"
            self._stop.set()
        elif command == "reload":
            try:
                self.settings.reload(message["environment"])
            except ConfigurationError as error:
                log(f"the new settings are not taken over: {error}")
        elif "processes" in message and self.daemon.hear(message):
            self.publisher.publish(StateChanged(what="processes"))

    async def _beat(self) -> None:
        while True:
            problem = self.system.problem()
            self.publisher.publish(
                Beat(
                    sessions_running=self.sessions.running,
                    next_run_at=self.scheduler.next_run_at(),
                    state="degraded" if problem else "running",
                    reason=problem,
                )
            )
            await asyncio.sleep(1.0)

    async def _keep_house(self) -> None:
        while True:
            try:
                await self.users.keep_house()
            except DatabaseError as error:
                log(f"can't delete what has expired: {error}")
            await asyncio.sleep(HOUSE_SECONDS)

    async def _close(self) -> None:
        for task in self._tasks:
            task.remove_done_callback(self._watch)
            if task.get_name() != "beat":
                task.cancel()
        await self.sessions.close(end=self._end_sessions, grace=self._grace())
        await self.server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.store.close()
        self.control.close()
        self.context.destroy(0)

    def _grace(self) -> float:
        settings = self.settings.current
        return settings.stop_grace_int + settings.stop_grace_term + 5.0


def open_database(path: Path) -> Database:
    """The database, checked and migrated; a copy is left beside it before it is carried forward."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    fresh = not path.exists()
    database = Database(path, readonly=False)
    if not fresh:
        database.check()
        if database.is_foreign():
            copy = path.with_name(f"claudeops-go-{datetime.now():%Y%m%d-%H%M%S}.db")
            database.backup(copy)
            log(f"the Go program's database is carried forward; a copy lies at {copy}")
    for step in database.migrate():
        log(f"database: {step}")
    return database


def quarantine(path: Path) -> Path | None:
    """Copies a damaged database and its companions aside, untouched, for whoever wants to rescue it."""
    target = path.with_name(f"{path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}")
    with contextlib.suppress(OSError):
        for suffix in ("", "-wal"):
            if path.with_name(path.name + suffix).exists():
                shutil.copy2(path.with_name(path.name + suffix), target.with_name(target.name + suffix))
        return target
    return None


async def _main() -> None:
    await Worker(os.environ).run()


def main() -> None:
    """Runs the worker; exits 78 where a restart can't help: a damaged or unknown database, settings that don't fit."""
    faulthandler.enable()
    os.umask(0o077)
    setproctitle("claudeops: worker")
    if sys.version_info < (3, 12):
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
    try:
        asyncio.run(_main())
    except CorruptError as error:
        copy = quarantine(Path(os.environ["CLAUDEOPS_STATE_DIR"]) / "claudeops.db")
        log(f"{error}{f'; a copy of it lies at {copy}' if copy else ''}")
        os._exit(EXIT_CONFIGURATION)
    except (DatabaseError, ConfigurationError) as error:
        log(str(error))
        os._exit(EXIT_CONFIGURATION)
    # A signal that comes while the interpreter ends would turn a clean exit into a death by signal.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os._exit(0)


if __name__ == "__main__":
    main()
