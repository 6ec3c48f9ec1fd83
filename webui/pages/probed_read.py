"""What the database knows of one service that is probed. Used by `webui.pages.service`; shown by `probed_view`."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from schema import beats, monitored, uptime
from schema.database import Database, Row
from schema.definitions import Definition
from schema.monitored import Monitored, Result
from schema.states import ServiceStatus
from schema.uptime import Change, Spent, spent, total
from webui.pages.keyed import FAR

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
QUARTER = 15 * MINUTE
SLOTS = DAY // QUARTER
INCIDENTS = 5
ENTRIES = 50
RANGES = (("24 h", DAY), ("7 days", 7 * DAY), ("30 days", 30 * DAY), ("1 year", 365 * DAY))
COARSE = (DAY, HOUR)  # sums that tell how a time was spent, the longest first


class Stored(NamedTuple):
    """What the database knows. `minutes`: sums of the last day; `spent`: how each of RANGES was spent.

    `latencies`: of each quarter of an hour of the last day, in µs, sorted; `gaps`: from when to when (ms) in the
    last day nothing is known.
    """

    service: Monitored
    definition: Definition
    updated_by: str
    spent: list[Spent]
    minutes: list[Row]
    latencies: list[list[int]]
    results: list[Result]
    incidents: list[tuple[Row, list[Row]]]
    gaps: list[tuple[int, int]]


def read(database: Database, name: str, now: datetime) -> Stored | None:
    """One look at the database; None where no service of this name is probed."""
    found = database.one("definitions.by_name", name=name)
    row = database.one("monitored.one", id=found["id"]) if found else None
    if found is None or row is None:
        return None
    id_, end = found["id"], int(now.timestamp() * 1000)
    start = (end // QUARTER - SLOTS + 1) * QUARTER
    incidents = database.rows("incidents.page_of", service_id=id_, before=FAR, limit=INCIDENTS)
    return Stored(
        service=monitored.from_row(row),
        definition=monitored.definition_of(found["definition"]),
        updated_by=found["updated_by"] or "",
        spent=[time_spent(database, id_, end - length, end) for _, length in RANGES],
        minutes=database.rows("rollups.between", service_id=id_, span=60, start=start, end=end),
        latencies=[latencies(database, id_, at, at + QUARTER) for at in range(start, start + DAY, QUARTER)],
        results=[
            monitored.result_from_row(one)
            for one in database.rows("results.newest", service_id=id_, before=FAR, limit=beats.SHOWN)
        ],
        incidents=[
            (one, database.rows("incidents.entries", incident_id=one["id"], limit=ENTRIES)) for one in incidents
        ],
        gaps=uptime.gaps(changes(database, id_, end - DAY, end), end - DAY, end),
    )


def latencies(database: Database, id_: int, start: int, end: int) -> list[int]:
    """The latencies of a time (ms since 1970), in µs, sorted."""
    # As one text: a service that is probed each second has 900 of them in a quarter, and a day has 96 quarters.
    found = database.value("results.latencies", service_id=id_, start=start, end=end)
    return sorted(map(int, found.split(","))) if found else []


def time_spent(database: Database, id_: int, start: int, end: int, spans: Sequence[int] = COARSE) -> Spent:
    """How a time was spent: by the sums of its whole days and hours; what is left at both ends by the changes."""
    if start >= end:
        return Spent()
    if not spans:
        return _by_changes(database, id_, start, end)
    span, rest = spans[0], spans[1:]
    first, last = -(-start // span) * span, end // span * span
    found = database.one("rollups.spent", service_id=id_, span=span // 1000, start=first, end=last)
    if found is None or found["first"] is None:
        return time_spent(database, id_, start, end, rest)
    before = time_spent(database, id_, start, found["first"], rest)
    after = time_spent(database, id_, found["last"] + span, end, rest)
    return total([before, Spent(found["worked"], found["failed"]), after])


def _by_changes(database: Database, id_: int, start: int, end: int) -> Spent:
    return spent(changes(database, id_, start, end), start, end)


def changes(database: Database, id_: int, start: int, end: int) -> list[Change]:
    """The changes of a time, and the one that held as it began."""
    rows = database.rows("rollups.changes", service_id=id_, start=start, end=end)
    return [Change(row["at"], ServiceStatus(row["status"])) for row in rows]
