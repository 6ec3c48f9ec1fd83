"""The list of services that are probed: read, filtered, sorted, counted, a page at a time. All of it in the address.

Used by `webui.pages.services`, which shows it, and by the pages that act on several at once.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ipc.errors import CallError, Code
from schema import monitored
from schema.database import Database, Row
from schema.monitored import Monitored
from schema.states import ServiceStatus
from webui.pages import keyed, probed_rows
from webui.pages.ansi import plain
from webui.pages.keyed import Choice
from webui.pages.probed_rows import LOOKS, ORDER, ProbedRow
from webui.parts import Parts

PAGE = 200
BITE = 2000
# The first is how the list comes: who is woken by it looks for what is broken.
SORTS = [Choice("status", "Worst"), Choice("name", "Name"), Choice("latency", "Slowest"),
         Choice("group", "Group")]  # fmt: skip
STATUSES = [Choice(status.value, looks.word) for status, looks in LOOKS.items()]
# Counted even where there is none: whoever looks wants to see that there is none.
ALWAYS = frozenset({ServiceStatus.DOWN, ServiceStatus.TIMEOUT, ServiceStatus.HEALTHY, ServiceStatus.PAUSED})
LAST = 1 << 62


class Filters(NamedTuple):
    """What the address asks for; empty is any."""

    q: str = ""
    tag: str = ""
    status: str = ""
    sort: str = ""

    def given(self) -> dict[str, str]:
        """Those that stand in the address."""
        return {name: value for name, value in self._asdict().items() if value}


class Count(NamedTuple):
    """How many have a status, and the list of them."""

    word: str
    tone: str
    icon: str
    number: int
    href: str
    here: bool


class ProbedList(NamedTuple):
    """The list's context. `stream`: the address at which its rows go on; `matched`: how many the filters let in;
    `total`: how many there are."""

    stream: str
    rows: list[ProbedRow]
    counts: list[Count]
    filters: Filters
    tags: list[str]
    statuses: list[Choice]
    sorts: list[Choice]
    matched: int
    total: int
    first: int
    before_href: str | None
    next_href: str | None


class Found(NamedTuple):
    """What was read: those of a page, whole; and what all of them come to."""

    services: list[Monitored]
    ids: list[int]
    counts: dict[str, int]
    tags: list[str]
    total: int
    page: int


def read_filters(query: Mapping[str, Any]) -> Filters:
    """CallError for a status or an order that is none."""
    return Filters(
        keyed.words(query, "q"),
        keyed.words(query, "tag"),
        keyed.one_of(query, "status", STATUSES),
        keyed.one_of(query, "sort", SORTS),
    )


def read_page(query: Mapping[str, Any]) -> int:
    """Which page, from 1."""
    return max(1, keyed.number(query, "page") or 1)


def by_name(database: Database, after: str = "") -> Iterator[Row]:
    """The rows of services behind a name, by name; read as far as they are asked for."""
    while rows := database.rows("monitored.page", after=after, limit=BITE):
        yield from rows
        after = rows[-1]["name"]
        if len(rows) < BITE:
            break


def every(database: Database) -> list[Row]:
    """The row of every service, by name."""
    return list(by_name(database))


def find(database: Database, filters: Filters, page: int = 1, size: int = PAGE) -> Found:
    """What the address asks for, `size` to a page."""
    rows = every(database)
    tags = sorted({tag for row in rows for tag in tags_of(row)}, key=str.casefold)
    found = [row for row in rows if alike(row, filters)]
    counts = Counter(row["status"] for row in found)
    matched = _sorted([row for row in found if filters.status in ("", row["status"])], filters.sort)
    page = min(page, max(1, -(-len(matched) // size)))
    start = (page - 1) * size
    return Found(
        services=[monitored.from_row(row) for row in matched[start : start + size]],
        ids=[row["id"] for row in matched],
        counts=dict(counts),
        tags=tags,
        total=len(rows),
        page=page,
    )


def tags_of(row: Row) -> list[str]:
    """The tags of a row of `every`."""
    return row["tags"].split(",") if row["tags"] else []


def alike(row: Row, filters: Filters) -> bool:
    """Whether the filters let a row in by everything but its status, so that each status can be counted."""
    if filters.tag and filters.tag not in tags_of(row):
        return False
    words = filters.q.casefold()
    return not words or any(words in (row[name] or "").casefold() for name in ("name", "url", "tags", "group_name"))


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    """Rows that come by name, in the order that is asked for; each order has the names within it."""
    if sort == "name":
        return rows
    if sort == "latency":
        return sorted(rows, key=lambda row: -(row["latency_us"] or 0))
    if sort == "group":
        return sorted(rows, key=lambda row: row["group_name"].casefold())
    places = {status.value: place for place, status in enumerate(ORDER)}
    return sorted(rows, key=lambda row: places[row["status"]])


def view(found: Found, filters: Filters, now: datetime, path: str = "/services") -> ProbedList:
    """What was found, as the page shows it."""
    given = filters.given()
    start = (found.page - 1) * PAGE
    more = start + PAGE < len(found.ids)
    shown = ",".join(str(service.id) for service in found.services)
    return ProbedList(
        stream=keyed.address("/live", {"page": "services"}, shown=shown),
        rows=[probed_rows.row(service, now) for service in found.services],
        counts=_counts(found, filters),
        filters=filters,
        tags=[plain(tag) for tag in found.tags],
        statuses=STATUSES,
        sorts=SORTS,
        matched=len(found.ids),
        total=found.total,
        first=start + 1,
        before_href=keyed.address(path, given, page=found.page - 1) if found.page > 1 else None,
        next_href=keyed.address(path, given, page=found.page + 1) if more else None,
    )


def counted(counts: Mapping[str, int]) -> list[Count]:
    """How many services have each status, of those statuses that any has; for the overview."""
    return [
        Count(looks.word, looks.tone, looks.icon, number, keyed.address("/services", {"status": status.value}), False)
        for status, looks in LOOKS.items()
        if (number := counts.get(status.value, 0))
    ]


def _counts(found: Found, filters: Filters) -> list[Count]:
    given = {**filters.given(), "status": ""}
    everything = Count("all", "neutral", "list", sum(found.counts.values()), keyed.address("/services", given),
                       not filters.status)  # fmt: skip
    return [everything] + [
        Count(
            looks.word,
            # That none is down is no alarm.
            looks.tone if found.counts.get(status.value) else "neutral",
            looks.icon,
            found.counts.get(status.value, 0),
            keyed.address("/services", {**given, "status": status.value}),
            filters.status == status.value,
        )
        for status, looks in LOOKS.items()
        if status in ALWAYS or found.counts.get(status.value) or filters.status == status.value
    ]


async def one(here: Parts, id_: int) -> Monitored:
    """A service by its id. CallError `not_found`."""
    row = await here.state.read(lambda database: database.one("monitored.one", id=id_))
    if row is None:
        raise CallError(Code.NOT_FOUND, f"There is no service {id_}; somebody may have removed it.")
    return monitored.from_row(row)
