"""One service: how it is probed and what was found, then how sessions have found it, and what was done to it.

GET /services/{name} and /services/{name}.json.
"""

import asyncio
import uuid
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from ipc.errors import CallError, Code
from schema import timestamps
from schema.database import Database
from schema.knowledge import Event, HealthCheck, Memory
from schema.limits import Cooldown
from schema.services import HourOfChecks, Remediation, Service
from webui import shell
from webui.auth.rules import Access, may
from webui.negotiation import is_json, json_response
from webui.pages import (
    cooldowns,
    event_rows,
    formats,
    latencies,
    memory_rows,
    probed_read,
    probed_view,
    service_rows,
    service_view,
    trend,
)
from webui.pages.ansi import plain
from webui.pages.charts import Chart
from webui.pages.cooldowns import ServiceUse
from webui.pages.event_rows import EventRow
from webui.pages.keyed import FAR, Choice, number, one_of, words
from webui.pages.memory_rows import MemoryRow
from webui.pages.probed_view import Probed
from webui.pages.service_rows import LATEST, Found, ServiceRow
from webui.pages.service_view import CheckRow, RemediationRow
from webui.pages.trend import RANGES, USUAL, ShareOf, Span
from webui.parts import parts, signed_in

CHECKS = 30
ACTIONS = 20
EVENTS = 10
MEMORIES = 20


class RangeLink(NamedTuple):
    """One of the ranges that the trend offers."""

    href: str
    label: str
    here: bool


class Stored(NamedTuple):
    """What the database knows of a service. `older_checks`, `older_actions`: whether there are more.

    `observed`: whether a session has ever looked at it; `probed`: where the daemon does.
    """

    found: Found
    observed: bool
    probed: probed_read.Stored | None
    shares: list[ShareOf]
    hours: list[HourOfChecks]
    checks: list[HealthCheck]
    older_checks: bool
    actions: list[Remediation]
    older_actions: bool
    events: list[Event]
    memories: list[Memory]


class ServicePage(NamedTuple):
    """The page's context. `limits`: its cooldowns, None while the worker does not answer."""

    shell: shell.Shell
    stream: str
    mark: str
    here_href: str
    probed: Probed | None
    key: str
    observed: bool
    service: ServiceRow
    shares: list[ShareOf]
    ranges: list[RangeLink]
    range_word: str
    trend: Chart
    spans: list[Span]
    response: Chart | None
    response_path: str
    first_moment: str
    limits: ServiceUse | None
    limits_known: bool
    actions: list[RemediationRow]
    older_actions: str | None
    events: list[EventRow]
    events_href: str
    memories: list[MemoryRow]
    memories_href: str
    checks: list[CheckRow]
    older_href: str | None
    newest_href: str | None
    json_href: str
    may_act: bool


class Asked(NamedTuple):
    """What the address asks for: the trend's range, and where the lists begin."""

    range: str
    at: str
    before: int
    actions_before: int


def read_asked(query: Any) -> Asked:
    """CallError names what is none."""
    chosen = one_of(query, "range", [Choice(name, name) for name in RANGES]) or USUAL
    at = words(query, "at")[:30] or LATEST
    return Asked(chosen, at, number(query, "before") or (0 if "at" in query else FAR), number(query, "actions") or FAR)


def name_of(request: web.Request) -> str:
    """The service in the address; what stands before `.json` at the address for programs."""
    return request.match_info["name"]


def read(database: Database, name: str, asked: Asked, now: datetime) -> Stored | None:
    """One look at the database; None for a service of which nothing is known."""
    row = database.one("services.one", service=name)
    newest = service_rows.newest(database, name)
    actions = database.rows("services.actions", service=name, before=asked.actions_before, limit=ACTIONS + 1)
    observed = row is not None or newest is not None or bool(actions)
    probed = probed_read.read(database, name, now)
    if not observed and probed is None:
        return None
    known = row or {"service": name, "status": newest.status if newest else None,
                    "checked_at": newest.checked_at if newest else None}  # fmt: skip
    since = service_rows.hour(trend.start(now, RANGES[asked.range]))
    hours = [HourOfChecks(**one) for one in database.rows("services.hours", service=name, since=since)]
    checks = service_rows.checks_of(database, name, CHECKS + 1, asked.at, asked.before)
    return Stored(
        Found(msgspec.convert(known, Service), newest, service_rows.statuses(database, name)),
        observed,
        probed,
        [
            trend.share(one, database.one("services.share", service=name, since=trend.since(one, now)) or {})
            for one in RANGES.values()
        ],
        hours,
        checks[:CHECKS],
        len(checks) > CHECKS,
        [msgspec.convert({**one, "success": bool(one["success"])}, Remediation) for one in actions[:ACTIONS]],
        len(actions) > ACTIONS,
        [msgspec.convert(one, Event) for one in database.rows("services.events", service=name, limit=EVENTS)],
        [memory_rows.from_row(one) for one in database.rows("services.memories", service=name, limit=MEMORIES)],
    )


async def show(request: web.Request) -> web.StreamResponse:
    """GET /services/{name}."""
    here, now, name = parts(request), formats.now(), name_of(request)
    asked = read_asked(request.query)
    stored, found = await asyncio.gather(
        here.state.read(lambda database: read(database, name, asked, now)), cooldowns.ask(here)
    )
    if stored is None:
        text = f"No session has looked at a service {plain(name)[:100]!r} yet, and none of this name is probed."
        raise CallError(Code.NOT_FOUND, text)
    used = None if found is None else [one for one in found if one.service == name]
    address = _Addresses(name, asked, stored)
    if is_json(request):
        return json_response(
            {
                "probed": _probed_json(stored.probed, now),
                "service": stored.found.service,
                "shares": [one._asdict() for one in stored.shares],
                "hours": stored.hours,
                "checks": stored.checks,
                "next": address.older(),
                "cooldowns": used,
                "actions": stored.actions,
                "events": stored.events,
                "memories": stored.memories,
            }
        )
    return shell.page(request, "service.html", _page(request, asked, stored, used, now))


def _probed_json(probed: probed_read.Stored | None, now: datetime) -> dict[str, Any] | None:
    if probed is None:
        return None
    return {
        "service": probed.service,
        "definition": probed.definition,
        "uptime": {label: found.share for (label, _), found in zip(probed_read.RANGES, probed.spent, strict=True)},
        "latency": latencies.quarters(probed, int(now.timestamp() * 1000)),
        "gaps": [{"begins": timestamps.at(one / 1000), "ends": timestamps.at(end / 1000)} for one, end in probed.gaps],
        "results": probed.results,
        "incidents": [{**row, "entries": entries} for row, entries in probed.incidents],
    }


class _Addresses:
    """Addresses of the page: what is asked for stays but for what they change."""

    def __init__(self, name: str, asked: Asked, stored: Stored) -> None:
        self._path = service_rows.href(name)
        self._asked = asked
        self._stored = stored

    def with_(self, **more: Any) -> str:
        asked = self._asked
        kept: dict[str, Any] = {} if asked.range == USUAL else {"range": asked.range}
        kept |= more
        return f"{self._path}?{urlencode(kept)}" if kept else self._path

    def range(self, name: str) -> str:
        return f"{self._path}?{urlencode({'range': name})}" if name != USUAL else self._path

    def older(self) -> str | None:
        if not self._stored.older_checks:
            return None
        last = self._stored.checks[-1]
        return self.with_(at=last.checked_at, before=last.id)

    def older_actions(self) -> str | None:
        return self.with_(actions=self._stored.actions[-1].id) if self._stored.older_actions else None


def _page(
    request: web.Request, asked: Asked, stored: Stored, used: list[Cooldown] | None, now: datetime
) -> ServicePage:
    here, name = parts(request), stored.found.service.service
    address = _Addresses(name, asked, stored)
    spans = trend.spans(stored.hours, asked.range, now)
    listed = cooldowns.services(used or [], now, here.settings.cooldown_healthy_checks)
    response, response_path = trend.response(spans)
    return ServicePage(
        shell=shell.build(request, plain(name), "services"),
        stream=f"/live?page=service&shown={stored.probed.service.id}" if stored.probed else "/live?page=frame",
        mark=here.feed.mark("services"),
        here_href=request.path_qs,
        probed=probed_view.view(stored.probed, now) if stored.probed else None,
        key=uuid.uuid4().hex,
        observed=stored.observed,
        service=service_rows.row(stored.found, now),
        shares=stored.shares,
        ranges=[RangeLink(address.range(key), one.label, key == asked.range) for key, one in RANGES.items()],
        range_word=RANGES[asked.range].label,
        trend=trend.chart(spans, RANGES[asked.range]),
        spans=[span for span in reversed(spans) if span.checks],
        response=response,
        response_path=response_path,
        first_moment=spans[0].begins,
        limits=listed[0] if listed else None,
        limits_known=used is not None,
        actions=[service_view.remediation(action, now) for action in stored.actions],
        older_actions=address.older_actions(),
        events=[event_rows.row(event, now) for event in stored.events],
        events_href=f"/events?{urlencode({'service': name})}",
        memories=[memory_rows.row(memory, now) for memory in stored.memories],
        memories_href=f"/memories?{urlencode({'service': name})}",
        checks=[service_view.check(check, now) for check in stored.checks],
        older_href=address.older(),
        newest_href=address.with_() if asked.at != LATEST else None,
        json_href=f"{service_rows.href(name)}.json",
        may_act=may(signed_in(request).role, Access.OPERATOR),
    )
