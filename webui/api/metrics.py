"""GET /metrics for Prometheus: sessions, services, processes. prometheus-client is imported at the first use.

Signed-in people see it, programs on the same host that no proxy speaks for, and API tokens with the scope `metrics`.
"""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web

from ipc.errors import CallError
from ipc.messages.system import Process
from schema.database import Database, Row
from schema.states import SessionStatus
from webui.api import service_metrics
from webui.parts import Parts, parts
from webui.tls import TLS, Tls

if TYPE_CHECKING:
    from prometheus_client.core import Metric

KEPT_SECONDS = 5.0


class Stored(NamedTuple):
    """What the database says: sessions by status, and how each service stands."""

    sessions: dict[str, int]
    services: list[Row]


class _Count:
    """Counting 100,000 rows takes some milliseconds; scrapes share one count for a while."""

    def __init__(self) -> None:
        self.at = 0.0
        self.stored = Stored({}, [])

    async def read(self, here: Parts) -> Stored:
        if time.monotonic() - self.at > KEPT_SECONDS:

            def look(database: Database) -> Stored:
                counts = {row["status"]: row["count(*)"] for row in database.rows("sessions.count_by_status")}
                return Stored(counts, service_metrics.read(database))

            self.stored = await here.state.read(look)
            self.at = time.monotonic()
        return self.stored


COUNT: web.AppKey[_Count] = web.AppKey("count", _Count)


def prepare(app: web.Application) -> None:
    """Gives an application its count."""
    app[COUNT] = _Count()


async def show(request: web.Request) -> web.StreamResponse:
    """GET /metrics."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    from webui.pages import system_state

    here = parts(request)
    try:
        stored: Stored | None = await request.app[COUNT].read(here)
    except CallError:
        stored = None  # told by claudeops_database_up
    daemon = await system_state.gather(here)

    class Now(Collector):
        def collect(self) -> "Iterator[Metric]":
            yield from _metrics(here, stored.sessions if stored else None, daemon.status.processes)
            if stored is not None:
                yield from service_metrics.metrics(stored.services, time.time())
            yield from _certificate(request.app.get(TLS))

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Now())
    return web.Response(
        body=generate_latest(registry), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )


def _metrics(here: Parts, counts: dict[str, int] | None, processes: list[Process]) -> "Iterator[Metric]":
    from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

    def gauge(name: str, doc: str, value: float) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"claudeops_{name}", doc, value=value)

    yield InfoMetricFamily("claudeops_build", "The version that runs.", value={"version": here.version})
    yield gauge("worker_up", "1 while the worker is heard.", float(here.worker.ok and here.worker.known))
    trouble = float(here.worker.trouble is not None)
    yield gauge("degraded", "1 while something keeps the daemon from its work; /healthz says what.", trouble)
    yield gauge("database_up", "1 while the database can be read.", float(counts is not None))
    yield gauge("live_connections", "Open live connections.", len(here.streams))
    yield gauge("web_start_time_seconds", "When the web process started, seconds since 1970.", here.started)
    if counts is not None:
        sessions = GaugeMetricFamily("claudeops_sessions", "Sessions by status.", labels=["status"])
        for status in SessionStatus:
            sessions.add_metric([status.value], counts.get(status.value, 0))
        yield sessions
        yield gauge("sessions_running", "Sessions that run now.", counts.get("running", 0))
    lag = GaugeMetricFamily(
        "claudeops_log_lag_bytes", "Bytes of a watched log that the worker has not stored.", labels=["session"]
    )
    for id_, behind in here.tails.lag().items():
        lag.add_metric([str(id_)], behind)
    yield lag
    for name, doc, field in (
        ("process_up", "1 while a process runs.", "pid"),
        ("process_restarts", "Restarts of a process since the daemon started.", "restarts"),
        ("process_resident_bytes", "Resident memory of a process.", "rss_bytes"),
        ("process_uptime_seconds", "How long a process has been up.", "uptime_s"),
    ):
        family = GaugeMetricFamily(f"claudeops_{name}", doc, labels=["process"])
        for process in processes:
            value = process.pid is not None if field == "pid" else getattr(process, field)
            family.add_metric([process.name], float(value))
        yield family


def _certificate(tls: Tls | None) -> "Iterator[Metric]":
    from prometheus_client.core import GaugeMetricFamily

    if tls is None:
        return
    doc = "1 while the certificate that the files hold is in use and valid."
    yield GaugeMetricFamily("claudeops_tls_certificate_ok", doc, value=float(tls.ok))
    if tls.validity is not None:
        doc = "When the certificate in use expires, seconds since 1970."
        ends = tls.validity.ends.timestamp()
        yield GaugeMetricFamily("claudeops_tls_certificate_expires_seconds", doc, value=ends)
