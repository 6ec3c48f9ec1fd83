"""All services: those that are probed, with the form that adds one; below them what sessions found of others.

GET /services and /services.json. Parts by themselves, for whoever renews them: /partials/services-table and
/partials/dashboard-stats of this page, /partials/service-list of the overview.
"""

import asyncio
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from ipc.errors import CallError
from ipc.messages.services import FileMistake, ListServiceFiles, ServiceFilesReply
from schema.database import Database
from schema.services import Service
from webui import shell
from webui.auth.rules import Access, may
from webui.negotiation import is_json, json_response
from webui.pages import formats, glimpse, keyed, probed, service_form, service_rows
from webui.pages.glimpse import Glimpse
from webui.pages.inline import RowForm
from webui.pages.keyed import words
from webui.pages.probed import Filters, ProbedList
from webui.pages.service_form import Form
from webui.pages.service_rows import TROUBLE_MAX, Found, ServiceRow
from webui.pages.tried import Tried
from webui.parts import Parts, parts, signed_in

PAGE = 50
FILES_SECONDS = 1.0


class Said(NamedTuple):
    """What was just done, in a sentence."""

    tone: str
    icon: str
    text: str


class Mistaken(NamedTuple):
    """A file of services that has mistakes, and which."""

    file: str
    errors: list[FileMistake]


class ServicesPage(NamedTuple):
    """The page's context. `first`: whether this is the first page, which alone shows what is in trouble.

    `form` is None for who may not add a service.
    """

    shell: shell.Shell
    stream: str
    mark: str
    here_href: str
    probed: ProbedList
    files: list[Mistaken]
    edit: RowForm | None
    said: Said | None
    form: Form | None
    tried: Tried | None
    key: str
    may_act: bool
    trouble: list[ServiceRow]
    healthy: list[ServiceRow]
    total: int
    first: bool
    first_href: str | None
    next_href: str | None


class Listed(NamedTuple):
    """A page of services as read."""

    trouble: list[Found]
    healthy: list[Found]
    total: int
    last: str | None


class TablePart(NamedTuple):
    """The context of the list of probed services by itself."""

    shell: shell.Shell
    probed: ProbedList
    edit: RowForm | None
    may_act: bool


class StatsPart(NamedTuple):
    """The context of the counters by themselves."""

    probed: ProbedList


class ServiceListPart(NamedTuple):
    """The context of the part by itself."""

    services: Glimpse


def find(database: Database, after: str, now: datetime) -> Listed:
    """Those in trouble, and the healthy ones of a page after a name."""
    trouble = [] if after else database.rows("services.trouble", limit=TROUBLE_MAX)
    rows = database.rows("services.page", after=after, limit=PAGE + 1)
    last = rows[PAGE - 1]["service"] if len(rows) > PAGE else None
    healthy = [row for row in rows[:PAGE] if row["status"] == "healthy"]
    return Listed(
        service_rows.worst_first(service_rows.find(database, trouble, now)),
        service_rows.find(database, healthy, now),
        int(database.value("services.count")),
        last,
    )


def _as_json(found: Found) -> dict[str, Any]:
    service: Service = found.service
    newest = found.newest
    return {
        "service": service.service,
        "status": service.status,
        "since": service.since,
        "checked_at": service.checked_at,
        "healthy_checks": service.healthy_checks,
        "checks_7d": found.checked,
        "healthy_7d": found.healthy,
        "detail": newest.error_detail if newest else None,
        "session_id": newest.session_id if newest else None,
    }


async def show(request: web.Request) -> web.StreamResponse:
    """GET /services."""
    if is_json(request):
        return await _listed(request)
    return await page(request, said=said(request.query))


async def _listed(request: web.Request) -> web.Response:
    after, filters = words(request.query, "after"), probed.read_filters(request.query)
    page_ = probed.read_page(request.query)
    found, ours = await parts(request).state.read(
        lambda database: (find(database, after, formats.now()), probed.find(database, filters, page_))
    )
    listed = [_as_json(one) for one in (*found.trouble, *found.healthy)]
    next_href = f"/services?{urlencode({'after': found.last})}" if found.last else None
    counted = {"probed": ours.services, "counts": ours.counts, "matched": len(ours.ids), "probed_total": ours.total}
    return json_response({"services": listed, "total": found.total, "next": next_href, **counted})


async def page(
    request: web.Request,
    *,
    form: Form | None = None,
    tried: Tried | None = None,
    said: Said | None = None,
    edit: RowForm | None = None,
    status: int = 200,
) -> web.Response:
    """The page; with what a form said before, and what came of it; with a row of it as fields."""
    here, now = parts(request), formats.now()
    # What was sent by a form says nothing of the list, but for that of a row.
    query: Mapping[str, Any] = request.query if request.method in ("GET", "HEAD") else {}
    if edit:
        query = edit.query
    after, filters, page_ = words(query, "after"), probed.read_filters(query), probed.read_page(query)
    found, ours, files = await asyncio.gather(
        here.state.read(lambda database: find(database, after, now)),
        here.state.read(lambda database: _with(database, filters, page_, edit)),
        _mistaken(here),
    )
    acts = may(signed_in(request).role, Access.OPERATOR)
    view = probed.view(ours, filters, now)
    context = ServicesPage(
        shell=shell.build(request, "Services", "services"),
        stream=view.stream,
        mark=here.feed.mark("services"),
        here_href=_address(filters, page_, after),
        probed=view,
        files=files,
        edit=edit,
        said=said,
        form=(form or service_form.form(service_form.texts(service_form.NEW))) if acts else None,
        tried=tried,
        key=uuid.uuid4().hex,
        may_act=acts,
        trouble=[service_rows.row(one, now) for one in found.trouble],
        healthy=[service_rows.row(one, now) for one in found.healthy],
        total=found.total,
        first=not after,
        first_href="/services" if after else None,
        next_href=f"/services?{urlencode({'after': found.last})}" if found.last else None,
    )
    return shell.page(request, "services.html", context, status=status)


async def _mistaken(here: Parts) -> list[Mistaken]:
    """Files of services that have mistakes; none while the worker, which reads them, is away."""
    try:
        found = await here.worker.call(ListServiceFiles(), ServiceFilesReply, timeout=FILES_SECONDS)
    except CallError:
        return []
    return [Mistaken(one.file, one.errors) for one in found.files if one.errors]


def _with(database: Database, filters: Filters, page_: int, edit: RowForm | None) -> probed.Found:
    """The list; on the page where the row is that is edited, whatever page was asked for."""
    found = probed.find(database, filters, page_)
    if edit is None or edit.id in [service.id for service in found.services]:
        return found
    place = found.ids.index(edit.id) if edit.id in found.ids else 0
    return probed.find(database, filters, place // probed.PAGE + 1)


def _address(filters: Filters, page_: int, after: str = "") -> str:
    """The page's own, without what was said on it once."""
    return keyed.address("/services", filters.given(), page=page_ if page_ > 1 else "", after=after)


# fmt: off
DID = {"paused": "paused", "resumed": "resumed", "removed": "removed", "added": "added", "changed": "changed",
       "tagged": "tagged", "untagged": "without that tag now", "maintained": "in maintenance for 30 minutes"}
# fmt: on


def said(query: Any) -> Said | None:
    """What an address says was done: how many services, and to how many it could not be."""
    what = DID.get(query.get("did", ""))
    if what is None:
        return None
    done, failed = keyed.number(query, "done") or 0, keyed.number(query, "failed") or 0
    text = f"{done} service{'' if done == 1 else 's'} {what}."
    if failed:
        return Said("warn", "triangle-alert", f"{text} {failed} could not be.")
    return Said("ok", "check", text)


async def table(request: web.Request) -> web.StreamResponse:
    """GET /partials/services-table."""
    if is_json(request):
        return await _listed(request)
    acts = may(signed_in(request).role, Access.OPERATOR)
    view = await _view(request)
    return _part(
        request, "_services_table.html", TablePart(shell.build(request, "Services", "services"), view, None, acts)
    )


async def stats(request: web.Request) -> web.StreamResponse:
    """GET /partials/dashboard-stats."""
    view = await _view(request)
    if is_json(request):
        return json_response({one.word: one.number for one in view.counts})
    return _part(request, "_dashboard_stats.html", StatsPart(view))


async def _view(request: web.Request) -> ProbedList:
    filters, page_ = probed.read_filters(request.query), probed.read_page(request.query)
    found = await parts(request).state.read(lambda database: probed.find(database, filters, page_))
    return probed.view(found, filters, formats.now())


def _part(request: web.Request, template: str, context: NamedTuple) -> web.Response:
    response = shell.page(request, template, context)
    response.headers["Cache-Control"] = "no-store"
    return response


async def part(request: web.Request) -> web.StreamResponse:
    """GET /partials/service-list; as JSON, what the page of services gives."""
    if is_json(request):
        return await show(request)
    now = formats.now()
    found = await parts(request).state.read(lambda database: glimpse.read(database, now))
    return _part(request, "_service_list.html", ServiceListPart(found))
