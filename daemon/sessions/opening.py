"""Opening a session: its row and what is to be run for it, on disk before anything runs. Called by `.lifecycle`.

The row and the change of the trigger that asked for it are one transaction, so that a trigger starts one session.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from daemon.services import timeline
from daemon.sessions import command, conversation, prepare
from daemon.sessions.cli import Cli
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.triggers import record
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.sessions import SessionReply
from schema import timestamps
from schema.database import Database
from schema.sessions import Session, from_row
from schema.states import SESSION, SessionStatus, Trigger, follow
from schema.triggers import QueuedTrigger


class Servers(NamedTuple):
    """The MCP servers of a session: their file, and what of it must not be seen, by name and value."""

    path: str
    secrets: tuple[tuple[str, str], ...] = ()


class Sources(NamedTuple):
    """Where sessions get what others keep: the operational memory's section, the MCP servers, a trigger's prompt."""

    memory: Callable[[], Awaitable[str]]
    servers: Callable[[], Awaitable[Servers]]
    prompt: Callable[[QueuedTrigger], str] = lambda trigger: trigger.prompt


class Asked(NamedTuple):
    """A session that is wanted. `request_id`: the reply to that request is stored with the row."""

    tier: int
    prompt: str
    trigger: Trigger
    by: str
    request_id: str = ""
    queued: QueuedTrigger | None = None


class Opener:
    """Makes rows, and gathers what is to be run."""

    def __init__(self, store: Store, settings: LiveSettings, cli: Cli, sources: Sources) -> None:
        self._store = store
        self._settings = settings
        self._cli = cli
        self._sources = sources

    async def new(self, asked: Asked) -> tuple[Session, prepare.Material]:
        """A session's row, and what its first run is made of.

        CallError says what is wrong; ConstraintError where the tier has a session already.
        """
        settings = self._settings.current
        queued = asked.queued
        parent = await self._parent(queued)
        words = self._sources.prompt(queued) if queued else asked.prompt
        found = prepare.prompt(settings, asked.tier, words)
        text = prepare.redactor(self._settings).text(found.text)
        moment = datetime.now()
        log = prepare.create_log(settings, moment)
        resume = await self._go_on(parent)
        row = {
            "tier": asked.tier,
            "model": command.model_of(settings, asked.tier),
            "prompt_file": found.file,
            "prompt_text": text if found.file == "(ad-hoc)" else None,
            "trigger": asked.trigger.value,
            "requested_by": asked.by or None,
            "started_at": timestamps.now(),
            "log_file": str(log),
            "run_id": prepare.run_name(moment),
            "cli_session_id": str(uuid.uuid4()),
            "cli_version": self._cli.found.version or None,
            "context": queued.context if queued else None,
            "parent_session_id": parent.id if parent else None,
            "chain_id": (parent.chain_id or parent.id) if parent else None,
            "dry_run": int(settings.dry_run),
        }

        def insert(db: Database) -> Session:
            id_ = db.value("sessions.insert", **row)
            if queued is not None:
                take(db, queued, id_)
            timeline.works(db, id_, _incident_of(db, queued, parent), asked.tier)
            session = from_row(db.one("sessions.by_id", id=id_) or {})
            record.started(db, session, text if row["prompt_text"] else "", queued)
            if asked.request_id:
                reply = codec.store(SessionReply(session=session))
                db.change("replies.insert", request_id=asked.request_id, reply=reply, created_at=session.started_at)
            return session

        try:
            material = await self._material(text, resume)
            session = await self._store.write(insert)
        except BaseException:
            log.unlink(missing_ok=True)
            raise
        return session, material

    async def again(self, session: Session, queued: QueuedTrigger) -> tuple[Session, prepare.Material]:
        """The same for a further run of a session that waited: the CLI goes on with exactly the call that waited."""
        status = follow(SESSION, session.status, SessionStatus.RUNNING)
        talk = session.cli_session_id or ""
        material = await self._material("", command.Resume(talk, fork=False))
        # Where it began: its call was meant for that directory, and from another the CLI would not find it.
        where = await asyncio.to_thread(conversation.place, prepare.home(self._settings.current), talk)
        if where and Path(where).is_dir():
            material = material._replace(cwd=where)
        log, offset = prepare.further_log(self._settings.current, session)

        def resume(db: Database) -> Session:
            values = {"id": session.id, "status": status.value, "run_id": prepare.run_name(datetime.now()),
                      "log_file": str(log), "log_offset": offset, "now": timestamps.now()}  # fmt: skip
            if not db.change("sessions.resume", **values):
                raise CallError(Code.CONFLICT, f"session {session.id} does not wait for a person any more")
            take(db, queued, session.id)
            timeline.goes_on(db, session)
            return from_row(db.one("sessions.by_id", id=session.id) or {})

        return await self._store.write(resume), material

    async def _parent(self, queued: QueuedTrigger | None) -> Session | None:
        if queued is None or queued.parent_session_id is None:
            return None
        row = await self._store.read(lambda db: db.one("sessions.by_id", id=queued.parent_session_id))
        return from_row(row) if row else None

    async def _go_on(self, parent: Session | None) -> command.Resume | None:
        """The conversation of the tier before, where it is wanted and the CLI finds it from where sessions run now."""
        settings = self._settings.current
        if parent is None or not parent.cli_session_id or not settings.escalation_resume:
            return None
        here, talk = prepare.working_directory(settings), parent.cli_session_id
        found = await asyncio.to_thread(conversation.goes_on_in, prepare.home(settings), talk, here)
        return command.Resume(talk, fork=True) if found else None

    async def _material(self, prompt: str, resume: command.Resume | None) -> prepare.Material:
        servers = await self._sources.servers()
        return prepare.Material(
            prompt=prompt,
            program=self._cli.found.path,
            schema=prepare.output_schema(self._settings.current),
            servers=servers.path,
            memory=await self._sources.memory(),
            resume=resume,
            secrets=servers.secrets,
        )


def take(db: Database, queued: QueuedTrigger, session_id: int) -> None:
    """Within a transaction: the trigger has its session. CallError `conflict` if somebody was quicker."""
    if not db.change("triggers.started", id=queued.id, session_id=session_id, now=timestamps.now()):
        raise CallError(Code.CONFLICT, f"trigger {queued.id} does not wait any more")


def _incident_of(db: Database, queued: QueuedTrigger | None, parent: Session | None) -> int | None:
    """The incident that a session is for: that of its trigger, or that of the session before it in its chain."""
    if parent is not None:
        return parent.incident_id
    if queued is None or queued.kind is not Trigger.SERVICE:
        return None
    found = db.value("incidents.by_trigger", trigger_id=queued.id)
    return None if found is None else int(found)


def put_back(db: Database, session: Session, trigger_id: int, kind: str) -> None:
    """Within a transaction: nothing of the session ran, so its trigger waits again."""
    if kind == Trigger.APPROVAL:
        status = SessionStatus.AWAITING_APPROVAL
        reason = "one of its calls waits for a person"
    else:
        status, reason = (
            SessionStatus.INTERRUPTED,
            "the daemon was killed before it could start; its trigger waits again",
        )
    follow(SESSION, session.status, status)
    ended = None if kind == Trigger.APPROVAL else timestamps.now()
    db.change(
        "sessions.finish", id=session.id, status=status.value, ended_at=ended, exit_code=None, reason=reason,
        duration_ms=None,
    )  # fmt: skip
    timeline.ended(db, from_row(db.one("sessions.by_id", id=session.id) or {}))
    db.change("triggers.again", id=trigger_id, now=timestamps.now())
