"""Status pages as the public sees them. GET /status/{slug} and .json, /feed.rss, /badge/{service}/{what}.svg below it.

What is not published is answered as what is not there. The same, for who may see it before it is published, is at
/status-pages/{id}/preview.
"""

import time
from datetime import datetime
from typing import Any, NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from schema import timestamps
from schema.states import ServiceStatus
from webui import shell
from webui.auth.client import asker, client_address
from webui.forms import id_of
from webui.negotiation import is_json, is_partial, json_response
from webui.pages import badges, formats, probed_rows, probed_view, public_read
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.probed_rows import LOOKS, ORDER, Bar
from webui.pages.public_read import RANGES, Outage, Planned, Shown, Snapshot
from webui.parts import parts

NO_PAGE = "There is no such status page."
CACHED = "public, max-age=10"
WORKS = "All of it works"
WORDS = {
    ServiceStatus.DOWN: "Something is down",
    ServiceStatus.DEGRADED: "Something is slow or degraded",
    ServiceStatus.MAINTENANCE: "Maintenance goes on",
    ServiceStatus.UNKNOWN: "Not all is known",
}
SPANS = {"24h": 0, "7d": 1, "30d": 2}


class ServiceLine(NamedTuple):
    """A service on the page."""

    name: str
    tone: str
    icon: str
    word: str
    uptimes: list[tuple[str, str]]
    bar: Bar | None
    latency: str


class Group(NamedTuple):
    """Services of one group; the name is empty for those of none."""

    name: str
    services: list[ServiceLine]


class OutageLine(NamedTuple):
    """A time in which a service did not work."""

    service: str
    open: bool
    began: At
    exact: str
    lasted: str
    seen: bool


class PlannedLine(NamedTuple):
    """A maintenance window."""

    title: str
    now: bool
    begins: str
    ends: str
    services: list[str]


class PublicPage(NamedTuple):
    """The page's context. `asset`: as the shell's."""

    asset: Any
    slug: str
    title: str
    description: str
    tone: str
    icon: str
    word: str
    at: str
    groups: list[Group]
    open: list[OutageLine]
    over: list[OutageLine]
    planned: list[PlannedLine]
    preview: bool
    demo: bool
    bare: bool


def overall(found: Snapshot) -> ServiceStatus:
    """The worst that is on the page; paused services say nothing."""
    known = {one.status for one in found.services} - {ServiceStatus.PAUSED}
    return next((status for status in ORDER if status in known), ServiceStatus.UNKNOWN)


def context(
    found: Snapshot, now: datetime, asset: Any, *, preview: bool = False, demo: bool = False, bare: bool = False
) -> PublicPage:
    """The page of a snapshot, seen at `now`."""
    status = overall(found)
    outages = [_outage(one, now) for one in found.outages]
    groups: dict[str, list[ServiceLine]] = {}
    for one in found.services:
        groups.setdefault(plain(one.group), []).append(_line(one))
    return PublicPage(
        asset=asset,
        slug=found.slug,
        title=plain(found.title),
        description=plain(found.description),
        tone=LOOKS[status].tone,
        icon=LOOKS[status].icon,
        word=WORDS.get(status, WORKS),
        at=_minute(found.at),
        groups=[Group(name, lines) for name, lines in groups.items()],
        open=[one for one in outages if one.open],
        over=[one for one in outages if not one.open],
        planned=[_planned(one) for one in found.planned],
        preview=preview,
        demo=demo,
        bare=bare,
    )


def _line(one: Shown) -> ServiceLine:
    looks = LOOKS[one.status]
    uptimes = [(label, probed_view.percent(spent)) for (label, _), spent in zip(RANGES, one.spent, strict=True)]
    bar = probed_rows.bar(one.beats) if one.beats else None
    took = "" if one.latency_ms is None else probed_rows.latency(one.latency_ms)
    return ServiceLine(plain(one.name), looks.tone, looks.icon, looks.word, uptimes, bar, took)


def _outage(one: Outage, now: datetime) -> OutageLine:
    began = timestamps.parse(one.began_at)
    ended = timestamps.parse(one.ended_at) if one.ended_at else None
    lasted = formats.duration(((ended or now) - began).total_seconds())
    at = formats.ago(one.began_at, now)
    return OutageLine(plain(one.service), ended is None, at, _minute(one.began_at), lasted, one.seen)


def _planned(one: Planned) -> PlannedLine:
    ends = _minute(one.ends_at) if one.ends_at else ""
    return PlannedLine(plain(one.title), one.now, _minute(one.begins_at), ends, [plain(name) for name in one.services])


def _minute(stored: str) -> str:
    return timestamps.stamp(timestamps.parse(stored))[:16].replace("T", " ") + " UTC"


def as_json(found: Snapshot) -> dict[str, Any]:
    """The same for programs."""
    return {
        "title": found.title,
        "description": found.description,
        "status": overall(found).value,
        "at": found.at,
        "services": [
            {
                "name": one.name,
                "group": one.group,
                "status": one.status.value,
                "uptime": {label: spent.share for (label, _), spent in zip(RANGES, one.spent, strict=True)},
                "beats": one.beats,
            }
            | ({"latency_ms": one.latency_ms} if found.latency else {})
            for one in found.services
        ],
        "incidents": [
            {"service": one.service, "began_at": one.began_at, "ended_at": one.ended_at, "acknowledged": one.seen}
            for one in found.outages
        ],
        "maintenance": [one._asdict() for one in found.planned],
    }


async def _find(request: web.Request) -> Snapshot:
    """CallError `not_found` alike for what is not there and what is not published; `overloaded` if asked too often."""
    here = parts(request)
    wait = here.public.rate.wait(client_address(request, here.trusted), time.monotonic())
    if wait:
        text = "So often this need not be asked: it is made anew every 10 seconds."
        raise CallError(Code.OVERLOADED, text, {"retry_after": max(1, round(wait))})
    found = await here.public.find(request.match_info["slug"])
    if found is None:
        raise CallError(Code.NOT_FOUND, NO_PAGE)
    return found


def _cached(response: web.Response) -> web.Response:
    response.headers["Cache-Control"] = CACHED
    # Anybody may show it on a page of theirs, or read it from there: it is the same for everybody.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


async def show(request: web.Request) -> web.StreamResponse:
    """GET /status/{slug}."""
    here, found = parts(request), await _find(request)
    if is_json(request):
        return _cached(json_response(as_json(found)))
    page = context(found, formats.now(), here.assets.address, demo=here.settings.demo, bare=is_partial(request))
    return _cached(shell.page(request, "status_page.html", page))


async def lead_on(request: web.Request) -> web.StreamResponse:
    """GET /status/{slug}/."""
    return web.Response(status=308, headers={"Location": request.rel_url.raw_path.rstrip("/")})


async def preview(request: web.Request) -> web.StreamResponse:
    """GET /status-pages/{id}/preview: what would be seen, published or not."""
    here, id_ = parts(request), id_of(request)
    stored = await here.state.read(lambda database: public_read.stored_one(database, id_))
    if stored is None:
        raise CallError(Code.NOT_FOUND, f"There is no status page {id_}; somebody may have removed it.")
    found = await here.public.make(stored.page)
    if is_json(request):
        return json_response(as_json(found))
    page = context(
        found, formats.now(), here.assets.address, preview=True, demo=here.settings.demo, bare=is_partial(request)
    )
    return shell.page(request, "status_page.html", page)


async def badge(request: web.Request) -> web.StreamResponse:
    """GET /status/{slug}/badge/{service}/status.svg, uptime.svg (?range=24h, 7d or 30d) and latency.svg.

    The last is there only where the page itself says how fast its services answer.
    """
    found = await _find(request)
    what, name = request.match_info["what"], request.match_info["service"]
    one = next((service for service in found.services if service.name == name), None)
    span = request.query.get("range", "30d")
    if one is None or what not in ("status", "uptime", *["latency"] * found.latency) or span not in SPANS:
        raise CallError(Code.NOT_FOUND, NO_PAGE)
    tone, value = LOOKS[one.status].tone, LOOKS[one.status].word
    label = plain(one.name)
    if what == "uptime":
        spent = one.spent[SPANS[span]]
        tone, value, label = badges.tone_of(spent.share), probed_view.percent(spent), f"{label} {span}"
    elif what == "latency":
        tone = "neutral" if one.latency_ms is None else "info"
        value, label = probed_rows.latency(one.latency_ms), f"{label} p50 24h"
    return _cached(web.Response(text=badges.draw(label, value, tone), content_type="image/svg+xml"))


async def feed(request: web.Request) -> web.StreamResponse:
    """GET /status/{slug}/feed.rss: incidents, newest first."""
    found, here = await _find(request), parts(request)
    who = asker(request, here.trusted)
    root = here.settings.public_url.rstrip("/") or f"{who.scheme}://{who.host}"
    text = badges.feed(found, f"{root}/status/{found.slug}")
    return _cached(web.Response(text=text, content_type="application/rss+xml"))
