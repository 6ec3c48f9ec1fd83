"""Where the tests of limits ask: the worker's parts on a real database, with sessions that are said to run."""

import asyncio
import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

import msgspec
import zmq.asyncio

from daemon.approvals.approvals import Approvals
from daemon.approvals.handlers import handlers as approval_handlers
from daemon.cooldowns.cooldowns import Cooldowns
from daemon.cooldowns.handlers import handlers as cooldown_handlers
from daemon.limits.handlers import handlers as limit_handlers
from daemon.limits.judge import Judge
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc import codec
from ipc.messages.envelope import Event, Reply, Request
from ipc.messages.limits import ApprovalReply, AskCall, CallReply, Decide
from ipc.server import Call, Handler, Peer, Publisher
from schema import timestamps
from schema.database import Database, Row
from schema.limits import Approval
from tests.fixtures import databases

SECRET = "sk-ant-made-up-and-secret"


class Heard(Publisher):
    """Keeps what is published."""

    def __init__(self, context: zmq.asyncio.Context) -> None:
        super().__init__(context.socket(zmq.PUB))
        self.events: list[Event] = []

    def publish(self, event: Event) -> None:
        self.events.append(event)
        super().publish(event)


class Desk:
    """The parts of one worker. `again` is the worker that comes after it was killed: nothing but the database stays."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.settings_given = settings
        self.path = directory / "claudeops.db"
        self.store = Store(self.path, databases.opened(self.path))
        environ = {
            "CLAUDEOPS_STATE_DIR": str(directory),
            "CLAUDEOPS_APPROVAL_HOLD": "0",
            "ANTHROPIC_API_KEY": SECRET,
            **settings,
        }
        self.settings = LiveSettings(environ, self.store)
        self.context = zmq.asyncio.Context()
        self.heard = Heard(self.context)
        self.approvals = Approvals(self.store, self.settings, self.heard)
        self.cooldowns = Cooldowns(self.store, self.settings, self.heard)
        self.stopped: list[tuple[int, str]] = []
        self.judge = Judge(self.store, self.settings, self.heard, self.approvals, self.cooldowns, self.stop_session)
        self.runs: dict[int, str] = {}
        self.table: dict[type, Handler] = {
            **limit_handlers(self.judge, self.store, lambda pid: self.runs.get(pid)),
            **approval_handlers(self.approvals),
            **cooldown_handlers(self.cooldowns),
        }

    async def stop_session(self, id_: int, reason: str) -> None:
        self.stopped.append((id_, reason))

    async def close(self) -> None:
        await self.store.close()
        self.context.destroy(0)

    async def again(self) -> "Desk":
        """A worker anew on the same database."""
        await self.close()
        after = Desk(self.directory, **self.settings_given)
        after.runs = self.runs
        return after

    # What happens around it

    async def session(self, tier: int = 2, *, dry_run: bool = False, log: Path | None = None) -> tuple[int, str]:
        """(id, run id) of a session that runs."""
        run_id = f"run-{uuid.uuid4().hex[:8]}"
        values = {
            "tier": tier, "model": "haiku", "prompt_file": "p", "prompt_text": None, "trigger": "manual",
            "requested_by": None, "started_at": timestamps.now(), "log_file": None if log is None else str(log),
            "run_id": run_id, "cli_session_id": None, "cli_version": None, "context": None, "parent_session_id": None,
            "chain_id": None, "dry_run": int(dry_run),
        }  # fmt: skip
        id_ = await self.store.write(lambda db: db.value("sessions.insert", **values))
        self.runs[len(self.runs) + 1] = run_id
        return int(id_), run_id

    async def put_aside(self, session: int) -> None:
        """Its run has ended, and it waits for a person."""
        values = {"id": session, "status": "awaiting_approval", "ended_at": timestamps.now(), "exit_code": 0}
        await self.store.write(lambda db: db.change("sessions.finish", **values, reason=None, duration_ms=1))

    async def resume(self, session: int) -> str:
        """It runs again; its new run."""
        run_id = f"run-{uuid.uuid4().hex[:8]}"

        def again(db: Database) -> None:
            row = db.one("sessions.by_id", id=session) or {}
            log = {name: row[name] for name in ("log_file", "log_offset")}
            more = {"run_id": run_id, "now": timestamps.now()}
            db.change("sessions.resume", id=session, status="running", **more, **log)

        await self.store.write(again)
        self.runs[len(self.runs) + 1] = run_id
        return run_id

    # Asking

    async def call(self, request: Request, *, id_: str = "", pid: int = 0, patience: float = 60.0) -> Reply:
        """The answer to a request, stored replies included, as the server gives it."""
        id_ = id_ or uuid.uuid4().hex
        if request.changes:
            kept = await self.store.read(lambda db: db.value("replies.by_id", request_id=id_))
            if kept is not None:
                return codec.read_stored(bytes(kept), type(request).reply)
        call = Call(id_, Peer(os.getuid(), 0, pid), time.monotonic() + patience, "")
        return await self.table[type(request)](call, request)

    async def ask(
        self, run_id: str, command: str | dict[str, Any], id_: str = "toolu_1", *, tool: str = "Bash", agent: str = ""
    ) -> CallReply:
        """What the hook is told about a call."""
        given = {"command": command, "description": "to repair it"} if isinstance(command, str) else command
        pid = next(pid for pid, known in self.runs.items() if known == run_id)
        request = AskCall(run_id=run_id, tool_use_id=id_, tool=tool, input=json.dumps(given), agent=agent)
        reply = await self.call(request, pid=pid)
        assert isinstance(reply, CallReply)
        return reply

    async def decide(self, approval: int, approve: bool, by: str = "ann", **more: Any) -> Approval:
        """A person decides."""
        id_ = more.pop("request_id", "")
        reply = await self.call(Decide(id=approval, approve=approve, by=by, **more), id_=id_)
        assert isinstance(reply, ApprovalReply)
        return reply.approval

    async def waiting(self) -> Approval:
        """The one call that waits for a person, once it does."""
        for _ in range(200):
            rows = await self.store.read(lambda db: db.rows("approvals.waiting", limit=10))
            if rows:
                (row,) = rows
                return msgspec.convert(row, Approval)
            await asyncio.sleep(0.02)
        raise AssertionError("no call came to wait")

    # Looking

    async def rows(self, table: str) -> list[Row]:
        """All rows of a table, in order."""

        def read(db: Database) -> list[Row]:
            cursor = db._connection.execute(f"SELECT * FROM {table} ORDER BY id")
            names = [column[0] for column in cursor.get_description()] if cursor else []
            return [dict(zip(names, row, strict=True)) for row in cursor]

        count = await self.store.read(lambda db: db._connection.execute(f"SELECT count(*) FROM {table}").get)
        return await self.store.read(read) if count else []

    async def audited(self) -> list[tuple[str, str]]:
        """(actor, action) of each line of the audit log."""
        return [(row["actor"], row["action"]) for row in await self.rows("audit")]


def log_of(path: Path, *messages: tuple[str, list[tuple[str, str]]]) -> Path:
    """A session's log: for each message its id and its blocks, `text` or a call's id, as the CLI writes them."""
    lines = []
    for message_id, blocks in messages:
        for kind, value in blocks:
            block: dict[str, Any] = {"type": "text", "text": value}
            if kind == "call":
                block = {"type": "tool_use", "id": value, "name": "Bash", "input": {"command": "x"}}
            message = {"id": message_id, "model": "m", "role": "assistant", "content": [block]}
            event = {"type": "assistant", "message": message, "parent_tool_use_id": None, "session_id": "s"}
            lines.append(f"{timestamps.now()}\t{json.dumps(event)}\n")
    path.write_text("".join(lines))
    return path
