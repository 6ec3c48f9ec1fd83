"""Incidents of the services that are probed: the list, filtered by the address; one with its timeline, and notes on it.

GET /incidents, /incidents/{id} and their .json; POST /incidents/{id} leaves a note, or says who looks after it.
"""

import uuid
from typing import Any, NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.incidents import IncidentReply, NoteIncident
from schema.database import Database, Row
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import form_key, id_of, read_form
from webui.negotiation import is_json, json_response
from webui.pages import formats, incident_rows, keyed, probed, service_rows
from webui.pages.ansi import plain
from webui.pages.incident_rows import IncidentRow
from webui.pages.keyed import FAR, PAGE, SEARCHED, Choice
from webui.parts import parts, signed_in

SECONDS = 30.0
ENTRIES_MAX = 1000
STATES = [Choice("open", "going on"), Choice("closed", "over")]
HERE = "incident"  # where a note's form says that it stands


class Filters(NamedTuple):
    """What the list is narrowed to; empty is any."""

    state: str = ""
    service: str = ""
    tag: str = ""

    def given(self) -> dict[str, str]:
        """Those that stand in the address."""
        return {name: value for name, value in self._asdict().items() if value}


class Found(NamedTuple):
    """A page of incidents; `older` is the id that the next goes on below. `open`: how many go on in all."""

    rows: list[Row]
    older: int | None
    tags: list[str]
    open: int


class IncidentsPage(NamedTuple):
    """The list's context. `empty`: nothing, or filtered."""

    shell: shell.Shell
    stream: str
    mark: str
    here_href: str
    rows: list[IncidentRow]
    filters: Filters
    states: list[Choice]
    tags: list[str]
    open: int
    older_href: str | None
    newest_href: str | None
    empty: str | None


class IncidentPage(NamedTuple):
    """The context of one."""

    shell: shell.Shell
    stream: str
    mark: str
    here_href: str
    incident: IncidentRow
    others_href: str
    key: str
    may_act: bool


def read_filters(query: Any) -> Filters:
    """The filters of an address. CallError names a state that is none."""
    return Filters(keyed.one_of(query, "state", STATES), keyed.words(query, "service"), keyed.words(query, "tag"))


def find(database: Database, filters: Filters, before: int | None) -> Found:
    """A page below an id."""
    over = {"open": 0, "closed": 1}.get(filters.state)
    values: dict[str, Any] = {"before": before or FAR, "tag": filters.tag or None, "limit": PAGE + 1}
    edge: int | None = None
    if filters.service:
        service = database.one("definitions.by_name", name=filters.service)
        id_ = service["id"] if service else 0
        rows = database.rows("incidents.found_of", service_id=id_, over=over, **values)
    elif filters.state == "open":
        rows = database.rows("incidents.found_open", **values)
    else:
        newest = int(database.value("incidents.newest") or 0)
        floor = max(1, min(before or FAR, newest + 1) - SEARCHED)
        rows = database.rows("incidents.found", floor=floor, over=over, **values)
        edge = floor if floor > 1 else None
    tags = sorted({tag for row in probed.every(database) for tag in probed.tags_of(row)}, key=str.casefold)
    older = rows[PAGE - 1]["id"] if len(rows) > PAGE else edge
    return Found(rows[:PAGE], older, tags, int(database.value("incidents.count_open")))


def find_urgent(database: Database, filters: Filters, before: int | None) -> Found:
    """The same, for people: the first page begins with all that goes on, however many of others came after it."""
    found = find(database, filters, before)
    if before or filters.state or filters.service:
        return found
    going_on = database.rows("incidents.found_open", before=FAR, tag=filters.tag or None, limit=PAGE)
    return found._replace(rows=going_on + [row for row in found.rows if row["ended_at"]])


async def show(request: web.Request) -> web.StreamResponse:
    """GET /incidents."""
    here, filters = parts(request), read_filters(request.query)
    before = keyed.number(request.query, "before")
    look = find if is_json(request) else find_urgent
    found = await here.state.read(lambda database: look(database, filters, before))
    older = keyed.address("/incidents", filters.given(), before=found.older) if found.older else None
    if is_json(request):
        return json_response({"incidents": found.rows, "open": found.open, "next": older})
    now = formats.now()
    context = IncidentsPage(
        shell=shell.build(request, "Incidents", "incidents"),
        stream="/live?page=incidents",
        mark=here.feed.mark("services"),
        here_href=keyed.address("/incidents", filters.given(), before=before),
        rows=[incident_rows.row(row, now) for row in found.rows],
        filters=filters,
        states=STATES,
        tags=[plain(tag) for tag in found.tags],
        open=found.open,
        older_href=older,
        newest_href=keyed.address("/incidents", filters.given()) if before else None,
        empty=None if found.rows else "filtered" if any(filters) else "nothing",
    )
    return shell.page(request, "incidents.html", context)


def read(database: Database, id_: int) -> tuple[Row, list[Row]] | None:
    """One incident with its timeline; None where there is none."""
    row = database.one("incidents.shown", id=id_)
    if row is None:
        return None
    return row, database.rows("incidents.entries", incident_id=id_, limit=ENTRIES_MAX)


async def show_one(request: web.Request) -> web.StreamResponse:
    """GET /incidents/{id}."""
    here, id_ = parts(request), id_of(request)
    found = await here.state.read(lambda database: read(database, id_))
    if found is None:
        raise CallError(Code.NOT_FOUND, f"There is no incident {id_}; its service may have been removed.")
    row, entries = found
    if is_json(request):
        return json_response({"incident": row, "entries": entries})
    incident = incident_rows.row(row, formats.now(), entries)
    context = IncidentPage(
        shell=shell.build(request, f"Incident {id_}", "incidents"),
        stream="/live?page=incidents",
        mark=here.feed.mark("services"),
        here_href=f"/incidents/{id_}",
        incident=incident,
        others_href=keyed.address("/incidents", {"service": row["service"]}),
        key=uuid.uuid4().hex,
        may_act=may(signed_in(request).role, Access.OPERATOR),
    )
    return shell.page(request, "incident.html", context)


async def note(request: web.Request) -> web.StreamResponse:
    """POST /incidents/{id}: fields text, acknowledge ("1"), key; from ("incident": it leads back to its page)."""
    fields = await read_form(request)
    text, acknowledge = fields.get("text", "").strip(), fields.get("acknowledge", "") in ("1", "on", "true", "True")
    if not text and not acknowledge:
        raise CallError(Code.INVALID, "Say something of the incident, or that you look after it.")
    message = NoteIncident(id=id_of(request), acknowledge=acknowledge, text=text, by=signed_in(request).name)
    reply = await parts(request).worker.call(message, IncidentReply, timeout=SECONDS, id_=form_key(fields))
    if is_json(request):
        return json_response(reply)
    address = f"{service_rows.href(reply.incident.service)}#incident-{reply.incident.id}"
    if fields.get("from") == HERE:
        address = f"/incidents/{reply.incident.id}"
    return web.Response(status=303, headers={"Location": address})
