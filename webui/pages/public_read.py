"""What the database knows that a status page may show, and not a word more. Used by `webui.public`.

Services come out of here without URL, conditions, what was found, or any number of theirs.
"""

from datetime import datetime
from typing import NamedTuple

from schema import beats, latency, status_pages, timestamps
from schema.database import Database, Row
from schema.monitored import PlannedWindow
from schema.states import ServiceStatus
from schema.status_pages import PAGES_MAX, Page, StatusPage
from schema.uptime import Spent
from webui.pages import probed, probed_read
from webui.pages.probed_read import DAY, HOUR, time_spent

SERVICES_MAX = 500
INCIDENTS_DAYS = 14
INCIDENTS_MAX = 50
COMING_DAYS = 14
RANGES = probed_read.RANGES[:3]  # a year is for those who look after it
# To the public a service works until it is known not to, and one that waits for another is down like that.
PUBLIC = {
    ServiceStatus.PENDING: ServiceStatus.HEALTHY,
    ServiceStatus.TIMEOUT: ServiceStatus.DOWN,
    ServiceStatus.BLOCKED: ServiceStatus.DOWN,
}
LETTERS = str.maketrans(
    {beats.LETTERS[inner]: beats.LETTERS[outer] for inner, outer in PUBLIC.items() if inner in beats.LETTERS}
)


class Shown(NamedTuple):
    """A service: its status as the public sees it, how each of RANGES was spent, its last findings.

    `latency_ms`: half of its answers of 24 hours were as fast; None where the page does not say, or nothing answered.
    """

    name: str
    group: str
    status: ServiceStatus
    spent: list[Spent]
    beats: str
    latency_ms: float | None = None


class Outage(NamedTuple):
    """A time in which a service did not work. `seen`: somebody looks after it."""

    service: str
    began_at: str
    ended_at: str | None
    seen: bool


class Planned(NamedTuple):
    """A maintenance window, as far as it is about what the page shows; no services: all of them."""

    title: str
    begins_at: str
    ends_at: str | None
    now: bool
    services: list[str]


class Snapshot(NamedTuple):
    """All that a status page shows, as of a moment. `latency`: also how fast its services answer."""

    slug: str
    title: str
    description: str
    at: str
    services: list[Shown]
    outages: list[Outage]
    planned: list[Planned]
    latency: bool = False


def stored(database: Database) -> list[StatusPage]:
    """Every status page, in the order in which they were added."""
    return [_stored(database, row) for row in database.rows("status_pages.all", limit=PAGES_MAX)]


def stored_one(database: Database, id_: int) -> StatusPage | None:
    """One by its id."""
    row = database.one("status_pages.one", id=id_)
    return None if row is None else _stored(database, row)


def _stored(database: Database, row: Row) -> StatusPage:
    return status_pages.from_row(row, database.rows("status_pages.chosen", page_id=row["id"]))


def belongs(page: Page, row: Row) -> bool:
    """Whether a status page shows a service."""
    named = {name.casefold() for name in page.services}
    tags = {tag.casefold() for tag in page.tags}
    return (
        row["name"].casefold() in named
        or not tags.isdisjoint(tag.casefold() for tag in probed.tags_of(row))
        or (bool(row["group_name"]) and row["group_name"] in page.groups)
    )


def read(database: Database, page: Page, windows: list[PlannedWindow], now: datetime) -> Snapshot:
    """One look at the database."""
    rows = [row for row in probed.every(database) if belongs(page, row)][:SERVICES_MAX]
    rows.sort(key=lambda row: (row["group_name"].casefold(), row["name"].casefold()))
    end = int(now.timestamp() * 1000)
    since = timestamps.at(end / 1000 - INCIDENTS_DAYS * DAY / 1000)
    outages = [outage for row in rows for outage in _outages(database, row, since)]
    outages.sort(key=lambda one: (one.ended_at is None, one.began_at), reverse=True)
    return Snapshot(
        slug=page.slug,
        title=page.title,
        description=page.description,
        at=timestamps.stamp(now),
        services=[_service(database, row, end, fast=page.latency) for row in rows],
        outages=outages[:INCIDENTS_MAX],
        planned=[found for window in windows if (found := planned(window, rows, now))],
        latency=page.latency,
    )


def _service(database: Database, row: Row, end: int, *, fast: bool) -> Shown:
    status = ServiceStatus(row["status"])
    spent = [time_spent(database, row["id"], end - length, end) for _, length in RANGES]
    found = Shown(row["name"], row["group_name"], PUBLIC.get(status, status), spent, row["beats"].translate(LETTERS))
    return found._replace(latency_ms=_latency(database, row["id"], end)) if fast else found


def _latency(database: Database, id_: int, end: int) -> float | None:
    """What half of the answers of a day did not exceed, in ms: by the sums of its hours, and what no sum holds yet."""
    hours = database.rows("rollups.between", service_id=id_, span=HOUR // 1000, start=end - DAY, end=end)
    start = hours[-1]["at"] + HOUR if hours else end - DAY
    newest = latency.pack(probed_read.latencies(database, id_, start, end))
    middle = latency.percentile(latency.add([*(latency.decode(hour["histogram"]) for hour in hours), newest]), 0.5)
    return None if middle is None else middle / 1000


def _outages(database: Database, row: Row, since: str) -> list[Outage]:
    found = database.rows("status_pages.incidents", service_id=row["id"], since=since, limit=INCIDENTS_MAX)
    return [Outage(row["name"], one["began_at"], one["ended_at"], one["acknowledged_at"] is not None) for one in found]


def planned(found: PlannedWindow, rows: list[Row], now: datetime) -> Planned | None:
    """A window as the page shows it; None where it is about nothing that is on it, or is not soon."""
    window = found.window
    names = {name.casefold() for name in window.services}
    about = [
        row["name"]
        for row in rows
        if "*" in window.tags or row["name"].casefold() in names or not set(window.tags).isdisjoint(probed.tags_of(row))
    ]
    begins = found.next_at or ""
    if found.active and found.ends_at:
        began = timestamps.parse(found.ends_at).timestamp() - window.minutes * 60
        begins = timestamps.at(began)
    soon = timestamps.at(now.timestamp() + COMING_DAYS * DAY / 1000)
    if not about or not begins or begins > soon:
        return None
    ends = found.ends_at or timestamps.at(timestamps.parse(begins).timestamp() + window.minutes * 60)
    return Planned(window.title, begins, ends, found.active, [] if len(about) == len(rows) else about)
