"""OpenTelemetry: a span for each session, with its tool calls, and for each request to the worker, by OTLP over HTTP.

Only where the environment names a collector (OTEL_EXPORTER_OTLP_ENDPOINT) and the extra `otel` of pyproject.toml is
installed; nothing of it is imported else. Spans carry names, states and figures, and no words of a session.
Built by `daemon.worker`. A collector that is down costs spans, and nothing else.
"""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from daemon.store import Store
from ipc.errors import CallError
from schema import timestamps
from schema.database import DatabaseError, Row
from schema.sessions import Session
from schema.states import SessionStatus
from schema.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.util.types import AttributeValue

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
MISSING = "telemetry: {} is set, but the extra is not installed; in the checkout: .venv/bin/pip install -e '.[otel]'"
TELL_SECONDS = 3600.0
CLOSE_SECONDS = 2.0
CALLS_MAX = 500
OVER = frozenset(SessionStatus) - {SessionStatus.RUNNING, SessionStatus.AWAITING_APPROVAL}


class Complaints(logging.Handler):
    """What the exporter has to complain about, once an hour: a collector that is down would fill the log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._told_at = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        """One line, or none."""
        if time.monotonic() - self._told_at >= TELL_SECONDS:
            self._told_at = time.monotonic()
            print(f"telemetry: spans can't be sent: {record.getMessage()[:300]}", file=sys.stderr, flush=True)


class Telemetry:
    """Turns what has happened into spans."""

    def __init__(self, provider: "TracerProvider", store: Store) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("claudeops", VERSION)
        self._store = store
        self._telling: set[asyncio.Task[None]] = set()

    def answered(self, type_: str, seconds: float, code: str) -> None:
        """A request was answered just now; `code` is empty if all went well."""
        from opentelemetry.trace import SpanKind, StatusCode

        now = time.time_ns()
        attributes = {"rpc.system": "claudeops", "rpc.method": type_}
        span = self._tracer.start_span(
            type_ or "unknown", kind=SpanKind.SERVER, attributes=attributes, start_time=now - int(seconds * 1e9)
        )
        if code:
            span.set_attribute("error.type", code)
            span.set_status(StatusCode.ERROR)
        span.end(now)

    def ended(self, session: Session) -> None:
        """A session has ended, or waits for a person."""
        if session.status in OVER:
            task = asyncio.create_task(self._tell(session), name=f"telemetry of session {session.id}")
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, session: Session) -> None:
        try:
            calls = await self._store.read(
                lambda db: db.rows("calls.of_session", session_id=session.id, limit=CALLS_MAX)
            )
        except (DatabaseError, CallError):
            calls = []  # the session itself is worth a span all the same
        self._session(session, calls)

    def _session(self, session: Session, calls: list[Row]) -> None:
        from opentelemetry.trace import StatusCode

        known: dict[str, AttributeValue | None] = {
            "claudeops.session.id": session.id,
            "claudeops.session.parent_id": session.parent_session_id,
            "claudeops.session.tier": session.tier,
            "claudeops.session.trigger": session.trigger.value,
            "claudeops.session.status": session.status.value,
            "claudeops.session.turns": session.num_turns,
            "claudeops.session.cost_usd": session.cost_usd,
            "claudeops.session.exit_code": session.exit_code,
            "gen_ai.system": "anthropic",
            "gen_ai.request.model": session.model,
            "gen_ai.response.model": session.model_id,
        }
        attributes = {name: value for name, value in known.items() if value is not None}
        span = self._tracer.start_span(
            f"session tier {session.tier}", attributes=attributes, start_time=_ns(session.started_at)
        )
        for call in calls:
            facts = {"tool": call["tool"], "decision": call["decision"], "rule": call["rule"]}
            span.add_event("tool call", facts, timestamp=_ns(call["asked_at"]))
        if session.status not in (SessionStatus.COMPLETED, SessionStatus.ESCALATED, SessionStatus.STOPPED):
            span.set_status(StatusCode.ERROR)
        span.end(_ns(session.ended_at or timestamps.now()))

    async def close(self) -> None:
        """Sends what waits, as far as that takes no time."""
        if self._telling:
            await asyncio.wait(list(self._telling), timeout=CLOSE_SECONDS)
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, CLOSE_SECONDS)


def _ns(stored: str) -> int:
    return int(timestamps.parse(stored).timestamp() * 1000) * 1_000_000


def begin(environ: Mapping[str, str], store: Store) -> Telemetry | None:
    """What tells the collector; None where none is named, or the extra is missing, which is told."""
    named = next((name for name in ENDPOINTS if environ.get(name)), None)
    if named is None or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        print(MISSING.format(named), file=sys.stderr, flush=True)
        return None
    log = logging.getLogger("opentelemetry")
    log.addHandler(Complaints())
    log.propagate = False
    service = environ.get("OTEL_SERVICE_NAME") or "claudeops"
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.version": VERSION}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Telemetry(provider, store)
