"""What people ask and say of incidents. Functions of the database, called by `daemon.services.handlers`."""

from datetime import UTC, datetime

import msgspec

from daemon import audit
from daemon.services import stored, timeline
from ipc.errors import CallError, Code
from ipc.messages.incidents import IncidentReply, IncidentsReply, ListIncidents, NoteIncident
from schema import timestamps
from schema.audit_actions import Action
from schema.database import Database
from schema.monitored import Incident, IncidentEntry

LIMIT_MAX = 500
ENTRIES_MAX = 1000
TEXT_MAX = 4000
NEWEST = 2**62


def page(db: Database, request: ListIncidents) -> IncidentsReply:
    """Incidents, newest first."""
    bounds = {"before": request.before or NEWEST, "limit": max(1, min(request.limit, LIMIT_MAX))}
    if request.service_id:
        rows = db.rows("incidents.page_of", service_id=request.service_id, **bounds)
        rows = [row for row in rows if not (request.open and row["ended_at"])]
    else:
        rows = db.rows("incidents.going_on" if request.open else "incidents.page", **bounds)
    return IncidentsReply(incidents=[msgspec.convert(row, Incident) for row in rows])


def show(db: Database, id_: int) -> IncidentReply:
    """One incident with its timeline. CallError `not_found`."""
    row = db.one("incidents.shown", id=id_)
    if row is None:
        raise CallError(Code.NOT_FOUND, f"there is no incident {id_}")
    entries = db.rows("incidents.entries", incident_id=id_, limit=ENTRIES_MAX)
    return IncidentReply(
        incident=msgspec.convert(row, Incident), entries=[msgspec.convert(entry, IncidentEntry) for entry in entries]
    )


def note(db: Database, request: NoteIncident, by: str, request_id: str) -> IncidentReply:
    """A person looks after it, or says something. Within a transaction. CallError `not_found`, `invalid`."""
    moment = datetime.now(UTC)
    now, text = timestamps.stamp(moment), request.text.strip()
    if not text and not request.acknowledge:
        raise CallError(Code.INVALID, "say something, or that you look after it", {"fields": {"text": "say something"}})
    if len(text) > TEXT_MAX:
        raise CallError(Code.INVALID, f"a note has at most {TEXT_MAX} characters", {"fields": {"text": "too long"}})
    found = show(db, request.id).incident
    if request.acknowledge and db.change("incidents.acknowledge", id=request.id, now=now, by=by):
        timeline.enter(db, request.id, "acknowledged", f"{by} looks after it", at=now, author=by)
        audit.add(db, actor=by, action=Action.INCIDENT_ACKNOWLEDGED, subject=found.service, at=moment)
    if text:
        timeline.enter(db, request.id, "note", text, at=now, author=by)
        audit.add(db, actor=by, action=Action.INCIDENT_NOTED, subject=found.service, at=moment)
    return stored.answer(db, show(db, request.id), request_id, moment)
