"""What people read of services, and of what was found of them.

Functions of the database, called by `daemon.services.handlers`.
"""

from daemon.services import stored
from ipc.errors import CallError, Code
from ipc.messages.services import (
    ListResults,
    ListServices,
    ResultsReply,
    ServiceReply,
    ServicesReply,
    ShowService,
)
from schema import monitored, timestamps
from schema.database import Database

LIMIT_MAX = 1000
FOREVER = 2**62


def page(db: Database, request: ListServices) -> ServicesReply:
    """Services by name."""
    rows = db.rows("monitored.page", after=request.after, limit=max(1, min(request.limit, LIMIT_MAX)))
    counts = {row["status"]: row["count"] for row in db.rows("monitored.counts")}
    return ServicesReply(services=[monitored.from_row(row) for row in rows], counts=counts)


def show(db: Database, request: ShowService) -> ServiceReply:
    """One service. CallError `not_found`."""
    if request.id:
        return stored.shown(db, request.id)
    row = db.one("definitions.by_name", name=request.name)
    if row is None:
        raise CallError(Code.NOT_FOUND, f"there is no service {request.name!r}")
    return stored.shown(db, row["id"])


def results(db: Database, request: ListResults) -> ResultsReply:
    """Findings, newest first. CallError `invalid`, `not_found`."""
    before = FOREVER
    if request.before:
        try:
            before = round(timestamps.parse(request.before).timestamp() * 1000)
        except ValueError as error:
            raise CallError(Code.INVALID, f"before: {request.before!r} is no time") from error
    stored.existing(db, request.id)
    limit = max(1, min(request.limit, LIMIT_MAX))
    rows = db.rows("results.newest", service_id=request.id, before=before, limit=limit)
    return ResultsReply(results=[monitored.result_from_row(row) for row in rows])
