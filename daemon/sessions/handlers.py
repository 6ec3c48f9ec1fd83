"""Answers requests about sessions."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from daemon.sessions.lifecycle import Sessions
from daemon.store import Store
from ipc.errors import CallError, Code
from ipc.messages.sessions import (
    ListSessions,
    LogReply,
    ReadLog,
    SessionReply,
    SessionsReply,
    ShowChain,
    ShowSession,
    StopSession,
    TriggerSession,
)
from ipc.server import Call, Handler
from schema.database import Database, Row
from schema.sessions import Session, from_row, log_path
from schema.states import SessionStatus, Trigger

LIMIT_MAX = 1000
LOG_MAX = 1024 * 1024
WAIT_MAX = 20.0
NEWEST = 2**62
# What matches several filters is looked for among so many sessions at a time.
SEARCHED = 20_000
Budget = Callable[[int, Trigger], Awaitable[str | None]]
Choose = Callable[[str], Awaitable[int]]


def _rows(query: str, values: dict[str, Any], db: Database) -> list[Row]:
    return db.rows(query, **values)


async def read_page(store: Store, request: ListSessions) -> SessionsReply:
    """A page of sessions, by the index of one filter; where there are more, a stretch of ids at a time."""
    limit = max(1, min(request.limit, LIMIT_MAX))
    before = request.before or NEWEST
    filters = {"status": request.status, "tier": request.tier, "trigger": request.trigger}
    given = {name: value for name, value in filters.items() if value is not None}
    if len(given) < 2:
        query = f"sessions.page_by_{next(iter(given))}" if given else "sessions.page"
        rows = await store.read(partial(_rows, query, {"before": before, "limit": limit, **given}))
        return SessionsReply(sessions=[from_row(row) for row in rows])
    if request.status is None:
        return SessionsReply(sessions=await _search(store, "sessions.match_tier", given, before, limit))
    return SessionsReply(sessions=await _search(store, "sessions.match_status", filters, before, limit))


async def _search(store: Store, query: str, filters: dict[str, Any], before: int, limit: int) -> list[Session]:
    """What matches, newest first. Others have their turn at the database between two looks."""
    newest: int = await store.read(lambda db: db.value("sessions.newest_id")) or 0
    before = min(before, newest + 1)
    found: list[Session] = []
    while before > 1 and len(found) < limit:
        floor = max(1, before - SEARCHED)
        values = {**filters, "before": before, "floor": floor, "limit": limit - len(found)}
        found += [from_row(row) for row in await store.read(partial(_rows, query, values))]
        before = floor
    return found


def read_bytes(path: Path, offset: int, limit: int, *, over: bool) -> bytes:
    """The log from an offset to its last whole line; part of a line where one is longer than `limit`, or all of it."""
    try:
        with path.open("rb") as file:
            data = os.pread(file.fileno(), limit, offset)
    except FileNotFoundError:
        raise CallError(Code.NOT_FOUND, f"the log {path} is gone") from None
    end = data.rfind(b"\n") + 1
    return data if over or (not end and len(data) == limit) else data[:end]


def handlers(sessions: Sessions, store: Store, results_dir: str, budget: Budget, choose: Choose) -> dict[type, Handler]:
    """The table's part for sessions. `budget` says why a tier's money is used up, or None; `choose` a prompt's tier."""

    async def trigger(call: Call, request: TriggerSession) -> SessionReply:
        tier = request.tier or await choose(request.prompt)
        if spent := await budget(tier, request.trigger):
            raise CallError(Code.CONFLICT, spent)
        session = await sessions.start(
            tier=tier,
            prompt=request.prompt,
            trigger=request.trigger,
            by=call.asker(request.by),
            request_id=call.id,
        )
        return SessionReply(session=session)

    async def stop(call: Call, request: StopSession) -> SessionReply:
        return SessionReply(session=await sessions.stop(request.id, call.asker(request.by)))

    async def show(call: Call, request: ShowSession) -> SessionReply:
        return SessionReply(session=await sessions.show(request.id))

    async def chain(call: Call, request: ShowChain) -> SessionsReply:
        root = (await sessions.show(request.id)).chain_id or request.id
        rows = await store.read(lambda db: db.rows("sessions.chain", chain=root))
        return SessionsReply(sessions=[from_row(row) for row in rows])

    async def page(call: Call, request: ListSessions) -> SessionsReply:
        return await read_page(store, request)

    async def log(call: Call, request: ReadLog) -> LogReply:
        if request.offset < 0 or request.limit < 1:
            raise CallError(Code.INVALID, "offset is a number of bytes from 0 on, and limit at least 1")
        end = time.monotonic() + min(max(0.0, request.wait_s), WAIT_MAX)
        while True:
            # The state first: what is read after a final state is all there is.
            session = await sessions.show(request.id)
            over = session.status not in (SessionStatus.RUNNING, SessionStatus.AWAITING_APPROVAL)
            path = log_path(session, results_dir)
            if path is None:
                raise CallError(Code.NOT_FOUND, f"session {session.id} has no log")
            data = read_bytes(path, request.offset, min(request.limit, LOG_MAX), over=over)
            if data or over or time.monotonic() >= end:
                return LogReply(
                    offset=request.offset, next=request.offset + len(data), data=data, over=over and not data
                )
            await asyncio.sleep(0.1)

    return {
        TriggerSession: trigger,
        StopSession: stop,
        ShowSession: show,
        ShowChain: chain,
        ListSessions: page,
        ReadLog: log,
    }
