"""Services as sessions have found them, as lists and heads show them.

Used by `webui.pages.services`, `webui.pages.service` and the overview. What touches the database takes it as an
argument; the rest is pure.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from schema import timestamps
from schema.database import Database
from schema.knowledge import HealthCheck
from schema.services import HourOfChecks, Service
from webui.pages import charts, formats
from webui.pages.ansi import plain
from webui.pages.charts import Chart
from webui.pages.formats import At
from webui.pages.keyed import FAR
from webui.pages.session_rows import Look

LOOKS = {
    "healthy": Look("ok", "circle-check", "healthy"),
    "degraded": Look("warn", "triangle-alert", "degraded"),
    "down": Look("bad", "octagon-x", "down"),
    "unreachable": Look("bad", "octagon-x", "unreachable"),
}
UNKNOWN = Look("neutral", "circle-question-mark", "unknown")
ORDER = ("down", "unreachable", "degraded")
STRIP = 30
OLD = timedelta(days=1)  # nobody has looked for so long: what was found says little of now
LATEST = "9999"  # above any stored time
WEEK_HOURS = 7 * 24
DETAIL_CHARS = 300
WORD_CHARS = 20


class ServiceRow(NamedTuple):
    """One service. `since`: when this status began; `old`: nobody has looked for a day."""

    name: str
    href: str
    tone: str
    icon: str
    word: str
    since: At | None
    checked: At | None
    old: bool
    healthy_checks: int
    detail: str
    session_id: int | None
    share: str
    strip: Chart | None


class Found(NamedTuple):
    """A service as read: its newest check, what the newest few found, and what came of all of a week."""

    service: Service
    newest: HealthCheck | None = None
    statuses: tuple[str, ...] = ()
    checked: int = 0
    healthy: int = 0


TAKEN = frozenset({"wall"})


def href(name: str) -> str:
    """Where a service is shown; one that is called as another page is has its own behind a slash."""
    return f"/services/{quote(name, safe='')}{'/' if name in TAKEN else ''}"


def look(status: str | None) -> Look:
    """How a status looks; one that nobody has declared keeps its word."""
    if not status:
        return UNKNOWN
    return LOOKS.get(status) or UNKNOWN._replace(word=plain(status)[:WORD_CHARS])


def hour(moment: datetime) -> str:
    """The hour of a moment, as sums have it."""
    return timestamps.stamp(moment)[:13]


def checks_of(database: Database, name: str, most: int, at: str = LATEST, before: int = FAR) -> list[HealthCheck]:
    """Checks of a service before a time and id, newest first."""
    rows = database.rows("services.checks", service=name, at=at, before=before, limit=most)
    return [msgspec.convert(row, HealthCheck) for row in rows]


def find(database: Database, rows: Iterable[dict[str, Any]], now: datetime) -> list[Found]:
    """Services with all that a list shows of each."""
    since = hour(now - timedelta(hours=WEEK_HOURS))
    found = []
    for row in rows:
        name = row["service"]
        share = database.one("services.share", service=name, since=since) or {}
        found.append(
            Found(
                msgspec.convert(row, Service),
                newest(database, name),
                statuses(database, name),
                share.get("checks", 0),
                share.get("healthy", 0),
            )
        )
    return found


def newest(database: Database, name: str) -> HealthCheck | None:
    """The newest check of a service."""
    found = checks_of(database, name, 1)
    return found[0] if found else None


def statuses(database: Database, name: str) -> tuple[str, ...]:
    """What the newest checks of a service found, newest first."""
    return tuple(row["status"] for row in database.rows("services.statuses", service=name, limit=STRIP))


def worst_first(found: list[Found]) -> list[Found]:
    """Down before degraded before what nobody knows, the healthy last; what changed last first within each."""
    places = {status: place for place, status in enumerate((*ORDER, "unknown", "healthy"))}

    def place(one: Found) -> int:
        return places.get(one.service.status or "unknown", places["unknown"])

    newest_first = sorted(found, key=lambda one: one.service.since or "", reverse=True)
    return sorted(newest_first, key=place)


def share(healthy: int, checks: int) -> str:
    """The share of healthy checks; never rounded up to all of them."""
    if not checks:
        return formats.NONE
    if healthy == checks:
        return "100 %"
    return f"{int(1000 * healthy / checks) / 10:.1f} %"


def row(found: Found, now: datetime) -> ServiceRow:
    """The row of a service, seen at `now`."""
    service, looks = found.service, look(found.service.status)
    newest = found.newest
    trouble = newest is not None and service.status != "healthy"
    old = service.checked_at is not None and now - timestamps.parse(service.checked_at) > OLD
    return ServiceRow(
        name=plain(service.service),
        href=href(service.service),
        tone=looks.tone,
        icon=looks.icon,
        word=looks.word,
        since=formats.ago(service.since, now) if service.since else None,
        checked=formats.ago(service.checked_at, now) if service.checked_at else None,
        old=old,
        healthy_checks=service.healthy_checks,
        detail=" ".join(plain((newest.error_detail if newest else "") or "")[:DETAIL_CHARS].split()) if trouble else "",
        session_id=newest.session_id if newest else None,
        share=share(found.healthy, found.checked),
        strip=strip(found.statuses) if len(found.statuses) > 1 else None,
    )


def strip(found: tuple[str, ...]) -> Chart:
    """The newest checks as a strip, the newest at the right."""
    shown = found[:STRIP][::-1]
    tones = [look(status).tone for status in shown]
    words = [look(status).word for status in shown]
    counted = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    return Chart(
        width=STRIP * charts.STEP,
        layers=charts.states([""] * (STRIP - len(shown)) + tones),
        slots=[],
        label=f"Last {len(shown)} checks: {counted}.",
    )


TROUBLE_MAX = 200


def tone_of(hours: HourOfChecks) -> str:
    """The worst that was found in an hour, or in several together."""
    if hours.down:
        return "bad"
    if hours.degraded:
        return "warn"
    if hours.checks > hours.healthy:
        return "neutral"
    return "ok" if hours.checks else ""
