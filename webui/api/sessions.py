"""The API's sessions: list, one with its chain, trigger, stop.

A trigger here starts a session at once or is refused: who wants it to wait for its tier adds it to the queue
(`webui.api.triggers`). So nothing is dropped without whoever asked being told.
"""

from typing import Any

import msgspec
from aiohttp import web
from msgspec import UNSET

from ipc.errors import CallError, Code
from ipc.messages.sessions import SessionReply, StopSession, TriggerSession
from schema.database import Database
from schema.sessions import Session
from schema.states import Trigger
from webui.api import lists
from webui.api.answered import ListedSession, SessionDetail, SessionList
from webui.api.asked import SessionQuery, TriggerSessionBody
from webui.parts import parts, signed_in

QUEUE = "; POST /api/v1/triggers queues it instead"


def listed(row: dict[str, Any]) -> ListedSession:
    """A row of `api.sessions`."""
    return msgspec.convert({**row, "dry_run": bool(row["dry_run"])}, ListedSession)


def _shown(session: Session) -> ListedSession:
    return ListedSession(**{name: getattr(session, name) for name in ListedSession.__struct_fields__})


async def listing(request: web.Request, query: SessionQuery) -> SessionList:
    """GET /api/v1/sessions."""
    name, more = "api.sessions", {}
    if query.status is not UNSET:
        name, more = "api.sessions_of_status", {"status": query.status.value}
    found = await lists.rows(request, name, listed, before=query.before, limit=query.limit, offset=query.offset, **more)
    return SessionList(sessions=found)


async def one(request: web.Request, id_: int) -> SessionDetail:
    """GET /api/v1/sessions/{id}."""

    def read(database: Database) -> SessionDetail | None:
        row = database.one("sessions.by_id", id=id_)
        if row is None:
            return None
        parent = database.one("sessions.by_id", id=row["parent_session_id"]) if row["parent_session_id"] else None
        names = ListedSession.__struct_fields__
        of_parent = listed({name: parent[name] for name in names}) if parent else None
        return SessionDetail(
            **msgspec.structs.asdict(listed({name: row[name] for name in names})),
            response=row["response"],
            parent_session=of_parent,
            child_sessions=[listed(child) for child in database.rows("api.children", id=id_)],
            chain_cost=database.value("api.chain_cost", chain=row["chain_id"] or id_),
        )

    found = await parts(request).state.read(read)
    if found is None:
        raise CallError(Code.NOT_FOUND, f"There is no session {id_}.")
    return found


async def trigger(request: web.Request, body: TriggerSessionBody) -> ListedSession:
    """POST /api/v1/sessions/trigger."""
    message = TriggerSession(
        tier=body.start_tier or 1, prompt=body.prompt, trigger=Trigger.API, by=signed_in(request).name
    )
    try:
        reply = await parts(request).worker.call(message, SessionReply)
    except CallError as error:
        if error.code in (Code.BUSY, Code.CONFLICT):
            raise CallError(error.code, error.message.rstrip(".") + QUEUE, error.data) from error
        raise
    return _shown(reply.session)


async def stop(request: web.Request, id_: int) -> ListedSession:
    """POST /api/v1/sessions/{id}/stop."""
    message = StopSession(id=id_, by=signed_in(request).name)
    return _shown((await parts(request).worker.call(message, SessionReply)).session)
