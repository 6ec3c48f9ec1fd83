"""The services that sessions have looked at: in trouble first, then the healthy by name, a page at a time.

GET /services and /services.json; GET /partials/service-list is the overview's part by itself, for whoever renews it.
"""

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from schema.database import Database
from schema.services import Service
from webui import shell
from webui.negotiation import is_json, json_response
from webui.pages import formats, service_rows
from webui.pages.keyed import words
from webui.pages.service_rows import TROUBLE_MAX, Found, Glimpse, ServiceRow
from webui.parts import Parts, parts

PAGE = 50


class ServicesPage(NamedTuple):
    """The page's context. `first`: whether this is the first page, which alone shows what is in trouble."""

    shell: shell.Shell
    stream: str
    here_href: str
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
    after, now = words(request.query, "after"), formats.now()
    found = await parts(request).state.read(lambda database: find(database, after, now))
    next_href = f"/services?{urlencode({'after': found.last})}" if found.last else None
    if is_json(request):
        listed = [_as_json(one) for one in (*found.trouble, *found.healthy)]
        return json_response({"services": listed, "total": found.total, "next": next_href})
    context = ServicesPage(
        shell=shell.build(request, "Services", "services"),
        stream="/live?page=frame",
        here_href=f"/services?{urlencode({'after': after})}" if after else "/services",
        trouble=[service_rows.row(one, now) for one in found.trouble],
        healthy=[service_rows.row(one, now) for one in found.healthy],
        total=found.total,
        first=not after,
        first_href="/services" if after else None,
        next_href=next_href,
    )
    return shell.page(request, "services.html", context)


async def glimpse(here: Parts) -> Glimpse:
    """What the overview shows of services."""
    now = formats.now()
    return await here.state.read(lambda database: service_rows.glimpse(database, now))


async def part(request: web.Request) -> web.StreamResponse:
    """GET /partials/service-list; as JSON, what the page of services gives."""
    if is_json(request):
        return await show(request)
    context = ServiceListPart(await glimpse(parts(request)))
    response = shell.page(request, "_service_list.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response
