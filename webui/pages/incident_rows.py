"""Incidents as lists and pages show them: what broke, for how long, who looks after it, which session looked at it.

Used by `webui.pages.incidents` and by a service's page (`webui.pages.probed_view`). Pure.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from markupsafe import Markup, escape

from schema import timestamps
from schema.database import Row
from schema.facts import CAUSE_MEANING, Cause
from webui.pages import formats, service_rows, service_view
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.links import linked

NOTE = "note"


class Entry(NamedTuple):
    """Something that happened in an incident."""

    exact: str
    kind: str
    text: Markup
    author: str
    session_id: int | None


class IncidentRow(NamedTuple):
    """A time in which a service did not work. `ended`: when it was over, to the second; empty while it goes on."""

    id: int
    service: str
    service_href: str
    open: bool
    began: At
    exact: str
    ended: str
    lasted: str
    cause: str
    detail: str
    ended_by: str
    acknowledged_by: str
    session_id: int | None
    entries: list[Entry]


def row(found: Row, now: datetime, entries: Iterable[Row] = ()) -> IncidentRow:
    """The row of an incident, seen at `now`; with its timeline, where that was read."""
    began = timestamps.parse(found["began_at"])
    ended = timestamps.parse(found["ended_at"]) if found["ended_at"] else None
    cause, timeline = found["cause"], [_entry(one) for one in entries]
    sessions = [entry.session_id for entry in timeline if entry.session_id]
    return IncidentRow(
        id=found["id"],
        service=plain(found["service"]),
        service_href=service_rows.href(found["service"]),
        open=ended is None,
        began=formats.ago(found["began_at"], now),
        exact=service_view.exact(found["began_at"]),
        ended=service_view.exact(found["ended_at"]) if found["ended_at"] else "",
        lasted=formats.duration(((ended or now) - began).total_seconds()),
        cause=CAUSE_MEANING[Cause(cause)] if cause in set(Cause) else plain(cause),
        detail=plain(found["detail"] or ""),
        ended_by=plain(found["ended_by"] or ""),
        acknowledged_by=plain(found["acknowledged_by"] or ""),
        session_id=found.get("session_id") or (sessions[-1] if sessions else None),
        entries=timeline,
    )


def _entry(one: Row) -> Entry:
    text = plain(one["text"])
    return Entry(
        service_view.exact(one["at"]),
        one["kind"],
        linked(text) if one["kind"] == NOTE else escape(text),
        plain(one["author"] or ""),
        one["session_id"],
    )
