"""A worker that stands in for the real one: the real protocol and the real database, and no session ever runs.

Tests of the web process talk to it over real sockets, and tell it what to publish and what the rows hold.
"""

import asyncio
import contextlib
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio

from ipc.errors import CallError
from ipc.messages import alerts, keys, limits, sessions, system, triggers
from ipc.messages.envelope import Done, Event, Reply, Request
from ipc.server import Call, Publisher, Server, bound_socket
from schema import timestamps
from schema.access import digest
from schema.sessions import from_row
from schema.states import ApprovalStatus, SessionStatus
from schema.triggers import from_row as trigger_from_row
from tests.fixtures import databases
from tests.integration.webui import rows, stand_in_decisions
from tests.integration.webui.real_access import REAL, RealAccess
from tests.integration.webui.real_services import SERVICES, RealServices

HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21l$1HyBTmTlc5YZF6QVBpkwdTKkzUGv1pbp2CGkAXrGzNM"


def listen(path: Path) -> socket.socket:
    """A listening AF_UNIX socket, as the supervisor makes them."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen(64)
    made.setblocking(False)
    return made


class StandIn:
    """State directory, results directory, sockets, database; and a worker that can be stopped and started."""

    def __init__(self, directory: Path) -> None:
        self.runtime = Path(tempfile.mkdtemp(prefix="co-"))
        self.state, self.results = directory / "state", directory / "results"
        self.state.mkdir(parents=True, exist_ok=True)  # a test may have filled a database already
        self.results.mkdir()
        self.database_path = self.state / "claudeops.db"
        self.database = databases.opened(self.database_path)
        self.requests: list[Request] = []
        self.refuse: dict[type[Request], CallError] = {}
        self.holds = ""  # why no trigger starts
        self.bare = False  # as on a new daemon: no repository, no server, no channel, no model known
        self.chat_key = "the-chat-key"
        self.stored: dict[str, Reply] = {}
        self.people: RealAccess | None = None
        self.probing: RealServices | None = None
        self.environ: dict[str, str] = {}
        self._listening = {name: listen(self.runtime / f"{name}.sock") for name in ("rpc", "pub")}
        self._context: zmq.asyncio.Context | None = None
        self._server: Server | None = None
        self._tasks: list[asyncio.Task[Any]] = []
        self.publisher: Publisher | None = None
        self.next_run_at: str | None = None

    async def start(self) -> None:
        """Answers, and beats."""
        self._context = zmq.asyncio.Context()
        rpc = bound_socket(self._context, zmq.ROUTER, self._listening["rpc"].fileno())
        pub = bound_socket(self._context, zmq.PUB, self._listening["pub"].fileno())
        self.publisher = Publisher(pub)
        # Opened now: a test may take the file away later.
        self.people = RealAccess(self.database_path, self.publisher, self.runtime, self.environ)

        async def recall(id_: str) -> bytes | None:
            return None

        self._server = Server(rpc, dict.fromkeys(_KINDS, self._answer), allowed=lambda peer: True, recall=recall)
        self._tasks = [asyncio.create_task(self._server.serve()), asyncio.create_task(self._beat())]

    async def _beat(self) -> None:
        while True:
            running = len(self.database.rows("sessions.running"))
            self.publish(system.Beat(sessions_running=running, next_run_at=self.next_run_at))
            await asyncio.sleep(0.2)

    def publish(self, event: Event) -> None:
        """Says something to whoever listens."""
        assert self.publisher is not None
        self.publisher.publish(event)

    async def stop(self) -> None:
        """Falls silent; the sockets listen on, as with the supervisor."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        if self._server is not None:
            await self._server.close()
            self._server = None
        if self.probing is not None:
            await self.probing.close()
            self.probing = None
        if self.people is not None:
            await self.people.close()
            self.people = None
        if self._context is not None:
            self._context.destroy(linger=0)
            self._context = None

    async def close(self) -> None:
        """Ends it."""
        await self.stop()
        for listening in self._listening.values():
            listening.close()
        self.database.close()
        shutil.rmtree(self.runtime, ignore_errors=True)

    def session(self, *, tier: int = 1, status: str = "running", log: bytes | None = None, **columns: Any) -> int:
        """A row, and its log file if `log` is given."""
        number = len(list(self.results.iterdir())) + 1
        path = self.results / f"run-20260131-{number:06d}.log"
        if log is not None:
            path.write_bytes(log)
        values = {
            "tier": tier,
            "model": "haiku",
            "prompt_file": "(ad-hoc)",
            "prompt_text": "Look at web.",
            "trigger": "manual",
            "requested_by": "ada",
            "started_at": timestamps.now(),
            "log_file": str(path) if log is not None else None,
            "run_id": f"run-{time.monotonic_ns()}",
            "cli_session_id": None,
            "cli_version": None,
            **columns,
        }
        with self.database.transaction():
            id_ = rows.insert(self.database, "sessions", status="running", **values)
        if status != "running":
            self.end(id_, status)
        return id_

    def end(self, id_: int, status: str = "completed", reason: str | None = None) -> None:
        """The session is over."""
        with self.database.transaction():
            self.database.change(
                "sessions.finish",
                id=id_,
                status=status,
                ended_at=timestamps.now(),
                exit_code=0,
                reason=reason,
                duration_ms=1000,
            )
        if self.publisher is not None:
            self.publish(sessions.SessionChanged(id=id_, status=SessionStatus(status)))

    def log_of(self, id_: int) -> Path:
        """Where a session's log lies."""
        row = self.database.one("sessions.by_id", id=id_)
        assert row is not None
        return Path(row["log_file"])

    def user(self, name: str = "ada", role: str = "admin", password_hash: str = HASH) -> int:
        """A person."""
        return int(
            self.database.value(
                "users.insert", name=name, password_hash=password_hash, role=role, created_at=timestamps.now()
            )
        )

    def signed_in(self, user_id: int, token: str, csrf: str = "c" * 43) -> None:
        """A browser of that person."""
        self.database.change(
            "users.sign_in",
            token_hash=digest(token),
            user_id=user_id,
            csrf=csrf,
            created_at=timestamps.now(),
            expires_at=timestamps.at(time.time() + 3600),
        )

    def setup_link(self, token: str) -> None:
        """A setup link that counts."""
        expires = timestamps.at(time.time() + 3600)
        self.database.change(
            "users.offer_setup", token_hash=digest(token), created_at=timestamps.now(), expires_at=expires, boot="boot"
        )

    async def _answer(self, call: Call, request: Request) -> Reply:
        self.requests.append(request)
        if type(request) in self.refuse:
            raise self.refuse[type(request)]
        if request.changes and call.id in self.stored:
            return self.stored[call.id]
        real = type(request) in REAL or type(request) in SERVICES
        reply = await self._by_real(call, request) if real else self._do(request)
        self.stored[call.id] = reply
        return reply

    async def _by_real(self, call: Call, request: Request) -> Reply:
        """Tokens, people and their sign-ins, services: the worker's own handlers, over the same database."""
        assert self.people is not None
        if type(request) in SERVICES:
            return await self.services().answer(call, request)
        return await self.people.answer(call, request)

    def services(self) -> RealServices:
        """The worker's part for services, from its first request on."""
        assert self.people is not None
        assert self.publisher is not None
        if self.probing is None:
            self.probing = RealServices(self.people.store, self.people.settings, self.publisher)
        return self.probing

    def _do(self, request: Request) -> Reply:
        now, database = timestamps.now(), self.database
        match request:
            case system.Hello():
                assert self.publisher is not None
                return system.Welcome(
                    protocol=1, version="test", epoch=self.publisher.epoch, sequence=self.publisher.sequence
                )
            case system.Status():
                cli = system.CommandLine(ok=True, path="/usr/bin/claude", version="2.1.197")
                web = system.Process(name="web", pid=7, state="running", rss_bytes=30 << 20)
                return system.StatusReply(state="running", version="test", cli=cli, started_at=now, processes=[web])
            case triggers.AddTrigger():
                return self._add(request)
            case alerts.TakeAlerts():
                return alerts.AlertsReply(alerts=[])
            case keys.CheckKey():
                known = bool(self.chat_key)
                return keys.KeyReply(configured=known, ok=known and request.key == self.chat_key, problem="no")
            case keys.CheckSignature():
                return keys.KeyReply(
                    configured=True, ok=request.headers == {"webhook-signature": "right"}, problem="no"
                )
            case sessions.TriggerSession():
                return self._shown(
                    self.session(tier=request.tier or 1, prompt_text=request.prompt, log=b"", requested_by=request.by)
                )
            case sessions.StopSession():
                self.end(request.id, "stopped", f"stopped by {request.by}")
                return self._shown(request.id)
            case _ if type(request) in stand_in_decisions.KINDS:
                return self._decided(stand_in_decisions.answer(database, request, bare=self.bare))
        return Done()

    def _add(self, request: triggers.AddTrigger) -> Reply:
        """Starts a session at once, unless something holds it back."""
        asked = {"tier": request.tier, "prompt": request.prompt, "requested_by": request.by}
        id_ = rows.trigger(self.database, kind=request.kind.value, reason=self.holds or None, **asked)
        row = self.database.one("triggers.by_id", id=id_) or {}
        if not self.holds:
            session = self.session(tier=request.tier, prompt_text=request.prompt, log=b"", requested_by=request.by)
            self.database.change("triggers.started", id=id_, session_id=session, now=timestamps.now())
        self.publish(triggers.TriggersChanged(waiting=1))
        return triggers.TriggerReply(trigger=trigger_from_row(row))

    def _decided(self, reply: Reply) -> Reply:
        if isinstance(reply, limits.ApprovalReply):
            found = reply.approval
            self.approval_changed(found.id, found.status, found.session_id)
        return reply

    def approval_changed(self, id_: int, status: ApprovalStatus, session_id: int) -> None:
        """Says that a call waits, or waits no more."""
        waiting = int(self.database.value("pages.approvals_count"))
        self.publish(limits.ApprovalChanged(id=id_, status=status, session_id=session_id, waiting=waiting))

    def _shown(self, id_: int) -> Reply:
        row = self.database.one("sessions.by_id", id=id_)
        assert row is not None
        return sessions.SessionReply(session=from_row(row))


_KINDS: tuple[type[Request], ...] = (
    system.Hello,
    system.Status,
    triggers.AddTrigger,
    alerts.TakeAlerts,
    keys.CheckKey,
    keys.CheckSignature,
    sessions.TriggerSession,
    sessions.StopSession,
    *stand_in_decisions.KINDS,
    *REAL,
    *SERVICES,
)
