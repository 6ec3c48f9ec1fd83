"""A session with what belongs to it: its children, the calls that people were asked about, the verdicts.

Read together for the session's page, a chain's page, and by live streams (`webui.live.tails`) whenever it changes.
"""

from typing import NamedTuple

from schema.database import Database
from schema.limits import Approval
from schema.sessions import Session, from_row
from webui.pages import approval_view, verdicts
from webui.pages.verdicts import Verdict


class Watched(NamedTuple):
    """One session. `children`: the sessions that it handed over to; `ails`: the service whose incident it is for."""

    session: Session
    children: tuple[int, ...]
    approvals: tuple[Approval, ...]
    verdicts: dict[str, Verdict]
    ails: str | None = None


def read(database: Database, id_: int) -> Watched | None:
    """The session of an id; None if there is none."""
    row = database.one("sessions.by_id", id=id_)
    if row is None:
        return None
    incident = database.one("incidents.shown", id=row["incident_id"]) if row["incident_id"] else None
    return Watched(
        ails=incident["service"] if incident else None,
        session=from_row(row),
        children=tuple(child["id"] for child in database.rows("pages.children", id=id_)),
        approvals=approvals(database, id_),
        verdicts=verdicts.read(database.rows("pages.calls", session_id=id_)),
    )


def approvals(database: Database, id_: int) -> tuple[Approval, ...]:
    """Every call of a session that a person was asked about, in order."""
    rows = sorted(database.rows("pages.approvals_of_session", session_id=id_), key=lambda row: int(row["id"]))
    return tuple(approval_view.from_row(row) for row in rows)
