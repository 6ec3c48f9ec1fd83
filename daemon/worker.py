"""The worker: prepares the database, has its parts built, starts them in order, stops them in reverse.

The supervisor starts it as `python -m daemon.worker` with its sockets and its channel as inherited descriptors. It may
be killed at any moment: what counts is on disk, and what it started goes on in shims of its own.
"""

import asyncio
import faulthandler
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zmq
from setproctitle import setproctitle

from daemon import state, telemetry, trouble
from daemon.parts import Parts
from daemon.repositories import shipped
from daemon.sessions import prepare
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.system.peers import Peers
from ipc import ending
from ipc.control import Control, descriptors
from ipc.errors import CallError
from ipc.messages.system import Beat, StateChanged
from ipc.server import Server, bound_socket
from schema.configuration import ConfigurationError, load
from schema.database import CorruptError, DatabaseError, DiskError, DiskFullError, LockedError
from schema.version import VERSION

EXIT_CONFIGURATION = 78
EXIT_INTERNAL = 70
HOUSE_SECONDS = 3600.0
BEAT_SECONDS = 1.0
RETRY_SECONDS = 5.0


def log(text: str) -> None:
    """One line on standard error, which is where the daemon logs."""
    print(f"worker: {text}", file=sys.stderr, flush=True)


class Worker:
    """Prepares the database, builds the parts, serves, stops."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._stop = asyncio.Event()
        self._end_sessions = False
        self._tasks: list[asyncio.Task[None]] = []
        self._parts: Parts | None = None
        self._new_environ: dict[str, str] | None = None
        self._at = "the database is being checked and brought up to date"

    async def run(self) -> None:
        """Builds, serves until told to stop, and stops."""
        ending.on_signal(self._stop.set)
        # It beats from here on: a large database may take long to check and to migrate.
        self.control = Control(int(self._environ["CLAUDEOPS_CONTROL_FD"]), self._note, self._hear)
        await self.control.open()
        parts = await self._build()
        await self._start(parts)
        await self._stop.wait()
        await self._close(parts)
        ending.deaf()

    async def _build(self) -> Parts:
        environ = self._environ
        places = load(environ)
        prepare.places(places)
        path = Path(places.state_dir) / state.NAME
        store = Store(path, await asyncio.to_thread(state.open_database, path, Path(places.results_dir), log))
        settings = LiveSettings(environ, store)
        for told in await settings.read_overrides():
            log(told)
        boot = environ.get("CLAUDEOPS_BOOT_ID", "")
        parts = Parts(store, settings, self.control, boot, self._watch)
        runtime = Path(settings.current.runtime_dir)
        rpc = bound_socket(parts.context, zmq.ROUTER, int(environ["CLAUDEOPS_RPC_FD"]))

        async def recall(request_id: str) -> bytes | None:
            with trouble.told():
                reply = await store.read(lambda db: db.value("replies.by_id", request_id=request_id))
            return None if reply is None else bytes(reply)

        self.server = Server(rpc, parts.handlers(), allowed=Peers(runtime).allowed, recall=recall)
        self._telemetry = telemetry.begin(environ, store)
        if self._telemetry is not None:
            self.server.on_answer.append(self._telemetry.answered)
            parts.sessions.on_end.append(self._telemetry.ended)
        return parts

    async def _start(self, parts: Parts) -> None:
        if parts.cli.found.text:
            log(parts.cli.found.text)
        place = prepare.working_directory(parts.settings.current)
        if place != Path(parts.settings.current.app_dir):
            await asyncio.to_thread(shipped.fill, place)
        self._at = "the sessions that ran are being looked for"
        await parts.sessions.adopt()
        self._parts = parts
        if self._new_environ is not None:
            self._reload(parts)
        work = [
            ("server", self.server.serve()),
            *parts.tasks(),
            ("beat", self._beat(parts)),
            ("house", self._keep_house(parts)),
            ("invitation", self._invite(parts)),
        ]
        self._tasks = [asyncio.create_task(coroutine, name=name) for name, coroutine in work]
        for task in self._tasks:
            task.add_done_callback(self._watch)
        self.control.ready(VERSION)

    async def _invite(self, parts: Parts) -> None:
        """Prints the link for the first admin, as soon as the database takes it."""
        while True:
            try:
                link = await parts.users.first_link()
                break
            except (DatabaseError, CallError) as error:
                log(f"can't make a link for the first admin yet: {error}")
                await asyncio.sleep(RETRY_SECONDS)
        if link is not None:
            log(f"nobody can sign in yet; make the first admin here, once, within 24 hours: {link.url}")

    def _watch(self, task: "asyncio.Task[None]") -> None:
        """A part that dies takes the worker with it: a fresh one adopts what runs."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log(f"{task.get_name()} failed: {error!r}")
            traceback.print_exception(error, file=sys.stderr)
            os._exit(EXIT_INTERNAL)

    def _note(self) -> dict[str, Any]:
        """The facts that each heartbeat carries to the supervisor."""
        parts = self._parts
        if parts is None:
            return {"warnings": [self._at]}
        return {
            "sessions_running": parts.sessions.running,
            "next_run_at": parts.schedule.next_run_at(),
            "fds": descriptors()[0],
            "degraded": parts.system.problem(),
            "warnings": parts.system.warnings(),
        }

    def _hear(self, message: dict[str, Any]) -> None:
        parts, command = self._parts, message.get("command")
        if command == "stop":
            self._end_sessions = message.get("sessions") == "end"
            self._stop.set()
        elif command == "reload":
            self._new_environ = message["environment"]
            if parts is not None:
                self._reload(parts)
        elif parts is None:
            return  # the next table of processes comes in a moment
        elif "processes" in message and parts.daemon.hear(message):
            parts.publisher.publish(StateChanged(what="processes"))

    def _reload(self, parts: Parts) -> None:
        environ, self._new_environ = self._new_environ, None
        try:
            parts.settings.reload(environ or self._environ)
        except ConfigurationError as error:
            log(f"the new settings are not taken over: {error}")

    async def _beat(self, parts: Parts) -> None:
        while True:
            problem = parts.system.problem()
            parts.publisher.publish(
                Beat(
                    sessions_running=parts.sessions.running,
                    next_run_at=parts.schedule.next_run_at(),
                    state="degraded" if problem else "running",
                    reason=problem,
                    locked=parts.store.locked,
                    cli=parts.cli.found.text,
                )
            )
            await asyncio.sleep(BEAT_SECONDS)

    async def _keep_house(self, parts: Parts) -> None:
        while True:
            try:
                await parts.keep_house()
            except (DatabaseError, CallError) as error:
                log(f"can't keep house: {error}")
            await asyncio.sleep(HOUSE_SECONDS)

    async def _close(self, parts: Parts) -> None:
        for task in self._tasks:
            task.remove_done_callback(self._watch)
            if task.get_name() != "beat":
                task.cancel()
        settings = parts.settings.current
        grace = settings.stop_grace_int + settings.stop_grace_term + 5.0
        await parts.sessions.close(end=self._end_sessions, grace=grace)
        await self.server.close()
        await parts.briefs.close()
        if self._telemetry is not None:
            await self._telemetry.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await parts.store.close()
        self.control.close()
        parts.context.destroy(0)


async def _main() -> None:
    await Worker(os.environ).run()


def main() -> None:
    """Runs the worker; exits 78 where a restart can't help: a damaged or unknown database, settings that don't fit.

    A full or failing disk or a lock may be gone at the next start: 70, as for any fault.
    """
    faulthandler.enable()
    os.umask(0o077)
    setproctitle("claudeops: worker")
    if sys.version_info < (3, 12):
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
    try:
        asyncio.run(_main())
    except CorruptError as error:
        copy = state.quarantine(Path(os.environ["CLAUDEOPS_STATE_DIR"]) / state.NAME)
        log(f"{error}{f'; a copy of it lies at {copy}' if copy else ''}")
        os._exit(EXIT_CONFIGURATION)
    except (LockedError, DiskFullError, DiskError) as error:
        log(f"{error}; started again")
        os._exit(EXIT_INTERNAL)
    except (DatabaseError, ConfigurationError) as error:
        log(str(error))
        os._exit(EXIT_CONFIGURATION)
    os._exit(0)


if __name__ == "__main__":
    main()
