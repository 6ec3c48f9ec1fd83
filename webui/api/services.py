"""The API's services: list, one, add, change, delete, pause, resume, try; findings and incidents.

Whole files of them are `webui.api.service_files`. The list is read from the database; the rest, and every change and
probe, is a message to the worker.
"""

from itertools import islice

import msgspec
from aiohttp import web
from msgspec import UNSET

from ipc.messages.incidents import IncidentReply, IncidentsReply, ListIncidents, NoteIncident, ShowIncident
from ipc.messages.services import (
    AddService,
    ChangedReply,
    ChangeService,
    ListResults,
    PauseServices,
    RemoveServices,
    RenewPush,
    ResultsReply,
    ServiceReply,
    ShowService,
    TriedReply,
    TryService,
)
from schema import monitored
from schema.database import Database
from schema.definitions import Definition, as_shown
from webui.api.service_types import (
    ChangedService,
    IncidentDetail,
    IncidentList,
    IncidentNote,
    IncidentQuery,
    ResultList,
    ResultQuery,
    ServiceDetail,
    ServiceIds,
    ServiceList,
    ServiceQuery,
    ServicesChanged,
    Tried,
    TriedCondition,
)
from webui.auth.rules import Access, may
from webui.pages import probed
from webui.pages.probed import Filters
from webui.pages.service_changes import refuse
from webui.parts import parts, signed_in

SECONDS = 10.0
TRY_SECONDS = 310.0  # the longest timeout of a service, and some


async def listing(request: web.Request, query: ServiceQuery) -> ServiceList:
    """GET /api/v1/services."""
    filters = Filters(q=query.q, tag=query.tag)

    def read(database: Database) -> ServiceList:
        matching = (
            row
            for row in probed.by_name(database, query.after)
            if query.status in (UNSET, row["status"]) and probed.alike(row, filters)
        )
        found = [monitored.from_row(row) for row in islice(matching, query.limit + 1)]
        services = found[: query.limit]
        counts = {row["status"]: row["count"] for row in database.rows("monitored.counts")}
        more = len(found) > len(services)
        return ServiceList(services=services, counts=counts, next=services[-1].name if more else "")

    return await parts(request).state.read(read)


def _detail(reply: ServiceReply) -> ServiceDetail:
    return ServiceDetail(service=reply.service, definition=reply.definition, push_path=reply.push_path)


async def one(request: web.Request, id_: int) -> ServiceDetail:
    """GET /api/v1/services/{id}."""
    found = _detail(await parts(request).worker.call(ShowService(id=id_), ServiceReply, timeout=SECONDS))
    if may(signed_in(request).role, Access.OPERATOR):
        return found
    return msgspec.structs.replace(found, definition=as_shown(found.definition))


async def add(request: web.Request, body: Definition) -> ServiceDetail:
    """POST /api/v1/services."""
    message = AddService(definition=body, by=signed_in(request).name)
    return _detail(await parts(request).worker.call(message, ServiceReply, timeout=SECONDS))


async def change(request: web.Request, id_: int, body: ChangedService) -> ServiceDetail:
    """PUT /api/v1/services/{id}."""
    message = ChangeService(id=id_, version=body.version, definition=body.definition, by=signed_in(request).name)
    return _detail(await parts(request).worker.call(message, ServiceReply, timeout=SECONDS))


async def pause(request: web.Request, body: ServiceIds) -> ServicesChanged:
    """POST /api/v1/services/pause."""
    return await _paused(request, body, paused=True)


async def resume(request: web.Request, body: ServiceIds) -> ServicesChanged:
    """POST /api/v1/services/resume."""
    return await _paused(request, body, paused=False)


async def _paused(request: web.Request, body: ServiceIds, *, paused: bool) -> ServicesChanged:
    message = PauseServices(ids=body.ids, paused=paused, by=signed_in(request).name)
    return _changed(await parts(request).worker.call(message, ChangedReply, timeout=SECONDS))


def _changed(reply: ChangedReply) -> ServicesChanged:
    return ServicesChanged(done=reply.done, failed=reply.failed)


async def remove(request: web.Request, body: ServiceIds) -> ServicesChanged:
    """POST /api/v1/services/remove."""
    message = RemoveServices(ids=body.ids, by=signed_in(request).name)
    return _changed(await parts(request).worker.call(message, ChangedReply, timeout=SECONDS))


async def remove_one(request: web.Request, id_: int) -> None:
    """DELETE /api/v1/services/{id}."""
    message = RemoveServices(ids=[id_], by=signed_in(request).name)
    refuse(await parts(request).worker.call(message, ChangedReply, timeout=SECONDS), id_)


async def renew_push(request: web.Request, id_: int) -> ServiceDetail:
    """POST /api/v1/services/{id}/push."""
    message = RenewPush(id=id_, by=signed_in(request).name)
    return _detail(await parts(request).worker.call(message, ServiceReply, timeout=SECONDS))


async def attempt(request: web.Request, body: Definition) -> Tried:
    """POST /api/v1/services/test."""
    return await _tried(request, TryService(definition=body, by=signed_in(request).name))


async def attempt_one(request: web.Request, id_: int) -> Tried:
    """POST /api/v1/services/{id}/test."""
    return await _tried(request, TryService(id=id_, by=signed_in(request).name))


async def _tried(request: web.Request, message: TryService) -> Tried:
    reply = await parts(request).worker.call(message, TriedReply, timeout=TRY_SECONDS)
    return Tried(
        status=reply.status,
        detail=reply.detail,
        latency_ms=reply.facts.latency_ms,
        phases=reply.facts.phases,
        http_status=reply.facts.status,
        conditions=[TriedCondition(shown=one.shown, holds=one.holds) for one in reply.conditions],
    )


async def results(request: web.Request, id_: int, query: ResultQuery) -> ResultList:
    """GET /api/v1/services/{id}/results."""
    message = ListResults(id=id_, before=query.before, limit=query.limit)
    return ResultList(results=(await parts(request).worker.call(message, ResultsReply, timeout=SECONDS)).results)


async def incidents(request: web.Request, query: IncidentQuery) -> IncidentList:
    """GET /api/v1/incidents."""
    message = ListIncidents(service_id=query.service_id, open=query.open, before=query.before, limit=query.limit)
    return IncidentList(
        incidents=(await parts(request).worker.call(message, IncidentsReply, timeout=SECONDS)).incidents
    )


async def incident(request: web.Request, id_: int) -> IncidentDetail:
    """GET /api/v1/incidents/{id}."""
    reply = await parts(request).worker.call(ShowIncident(id=id_), IncidentReply, timeout=SECONDS)
    return IncidentDetail(incident=reply.incident, entries=reply.entries)


async def note(request: web.Request, id_: int, body: IncidentNote) -> IncidentDetail:
    """POST /api/v1/incidents/{id}."""
    message = NoteIncident(id=id_, acknowledge=body.acknowledge, text=body.text, by=signed_in(request).name)
    reply = await parts(request).worker.call(message, IncidentReply, timeout=SECONDS)
    return IncidentDetail(incident=reply.incident, entries=reply.entries)
