"""The audit log: one line for each verdict, decision and change, written in the transaction of what it tells of.

`add` is called by whoever decides or changes something; `page` answers `daemon.limits.handlers`, and `verify`
`daemon.access.handlers`. Lines are chained by their hashes: see `schema.audit_chain`.
"""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from daemon.store import Store
from ipc.errors import CallError
from ipc.messages.limits import AuditReply, ListAudit
from schema import actors, audit_chain, timestamps
from schema.audit_actions import Action
from schema.database import Database, DatabaseError
from schema.limits import AuditEntry

LIMIT_MAX = 500
NEWEST = 2**62


def add(
    db: Database,
    *,
    actor: str,
    action: Action,
    subject: str,
    at: datetime,
    session_id: int | None = None,
    rule: str | None = None,
    detail: str = "",
) -> None:
    """Adds a line. `subject` is the command, whole, or what the action was done to; texts are free of secrets."""
    line: dict[str, Any] = {
        "at": timestamps.stamp(at),
        "actor": actor or actors.UNKNOWN,
        "action": action.value,
        "session_id": session_id,
        "subject": subject,
        "rule": rule,
        "detail": detail,
    }
    prev = db.value("audit.head") or audit_chain.START
    line["id"] = db.value("audit.add", prev=prev, **line)
    db.change("audit.seal", id=line["id"], hash=audit_chain.line_hash(prev, line))


async def add_after(store: Store, add_line: Callable[[Database], None]) -> None:
    """Adds a line on what was done outside of the database and is not to wait for it: that it failed is only told."""
    try:
        await store.write(add_line)
    except (DatabaseError, CallError) as error:
        print(f"audit: a line is missing, for it could not be written: {error}", file=sys.stderr, flush=True)


def verify(path: Path, kept: str = "") -> audit_chain.Verdict:
    """Walks the whole log, on a connection of its own, for it may take seconds. DatabaseError."""
    database = Database(path, readonly=True)
    try:
        return audit_chain.verify(audit_chain.lines(database), kept)
    finally:
        database.close()


def page(db: Database, request: ListAudit) -> AuditReply:
    """A page of the log, newest first."""
    bounds = {"before": request.before or NEWEST, "limit": max(1, min(request.limit, LIMIT_MAX))}
    if request.session_id is not None:
        action = request.action or None
        rows = db.rows("audit.page_by_session", session_id=request.session_id, action=action, **bounds)
    elif request.action:
        rows = db.rows("audit.page_by_action", action=request.action, **bounds)
    else:
        rows = db.rows("audit.page", **bounds)
    return AuditReply(entries=[msgspec.convert(row, AuditEntry) for row in rows])
