"""What the overview shows of services: how those stand that are probed, and what sessions found of theirs last.

Used by `webui.pages.overview`, and by `webui.pages.services` for the part by itself.
"""

from datetime import datetime
from typing import NamedTuple

import msgspec

from schema.database import Database
from schema.services import Service
from webui.pages import probed, service_rows
from webui.pages.probed import Count
from webui.pages.service_rows import TROUBLE_MAX, Found, ServiceRow

FINE_MAX = 24


class Glimpse(NamedTuple):
    """`counts`: of those that are probed, by status, the worst first. Of what sessions found: those in trouble, some
    of the others, how many there are."""

    counts: list[Count]
    trouble: list[ServiceRow]
    healthy: list[ServiceRow]
    more: int
    total: int


def read(database: Database, now: datetime) -> Glimpse:
    """One look at the database."""
    rows = database.rows("services.trouble", limit=TROUBLE_MAX)
    newest = service_rows.newest
    trouble = service_rows.worst_first(
        [Found(msgspec.convert(one, Service), newest(database, one["service"])) for one in rows]
    )
    fine = [row for row in database.rows("services.page", after="", limit=FINE_MAX) if row["status"] == "healthy"]
    total = int(database.value("services.count"))
    return Glimpse(
        counts=probed.counted({row["status"]: row["count"] for row in database.rows("monitored.counts")}),
        trouble=[service_rows.row(one, now) for one in trouble],
        healthy=[service_rows.row(Found(msgspec.convert(one, Service)), now) for one in fine],
        more=max(0, total - len(trouble) - len(fine)),
        total=total,
    )
