"""The metrics of each service that is probed, for `webui.api.metrics`. Their labels are the services' own names."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from schema import timestamps
from schema.database import Database, Row
from schema.states import ServiceStatus
from schema.uptime import FAILED, WORKED

if TYPE_CHECKING:
    from prometheus_client.core import Metric

BITE = 1000
DAY_SECONDS = 86400.0
# One that waits for another to work again is out; of what nobody looks at or knows, nothing is said.
OUT = FAILED | {ServiceStatus.BLOCKED}


def read(database: Database) -> list[Row]:
    """How every service stands, by name."""
    found: list[Row] = []
    after = ""
    while rows := database.rows("monitored.stands", after=after, limit=BITE):
        found += rows
        after = rows[-1]["name"]
    return found


def metrics(rows: Sequence[Row], now: float) -> "Iterator[Metric]":
    """Their metrics at a time, seconds since 1970."""
    from prometheus_client.core import GaugeMetricFamily

    def family(name: str, doc: str, *labels: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"claudeops_service_{name}", doc, labels=["service", *labels])

    up = family("up", "1 while a service works, 0 while it does not; nothing while it is paused or not known.")
    status = family("status", "1 for the status that a service has.", "status", "kind")
    duration = family("duration_seconds", "How long the last probe of a service took.")
    days = family("certificate_days", "Days until the certificate of a service ends.")
    checked = family("last_check_timestamp_seconds", "When a service was probed last, seconds since 1970.")
    for row in rows:
        name, stands = row["name"], ServiceStatus(row["status"])
        if stands in WORKED or stands in OUT:
            up.add_metric([name], float(stands in WORKED))
        status.add_metric([name, stands.value, row["kind"]], 1.0)
        if row["latency_us"] is not None:
            duration.add_metric([name], row["latency_us"] / 1e6)
        if (ends := _ends(row)) is not None:
            days.add_metric([name], (ends - now) / DAY_SECONDS)
        if row["checked_at"] is not None:
            checked.add_metric([name], row["checked_at"] / 1000)
    yield from (up, status, duration, days, checked)


def _ends(row: Row) -> float | None:
    """When the certificate ends that the last probe met, seconds since 1970."""
    known: dict[str, Any] = json.loads(row["certificate"]) if row["certificate"] else {}
    text = known.get("expires_at")
    return timestamps.parse(text).timestamp() if text else None
