"""OpenTelemetry: a collector hears of sessions, their calls and requests; one that is dead, or none, costs nothing."""

import http.server
import re
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.acceptance.harness import KEY, Daemon, wait_for
from tests.acceptance.real import messages_api, real, report, say
from tests.acceptance.supervisor.surroundings import patched
from tests.fakes.messages_api import bash


class Collector:
    """Takes spans by OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    import gzip

                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                assert KEY.encode() not in body
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            self.services |= {item.value.string_value for item in resource.resource.attributes
                              if item.key == "service.name"}  # fmt: skip
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def __enter__(self) -> "Collector":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def named(self, name: str) -> list[Span]:
        return [span for span in list(self.spans) if span.name == name]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def of(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {item.key: getattr(item.value, str(item.value.WhichOneof("value"))) for item in attributes}


def facts(span: Span) -> dict[str, Any]:
    return of(span.attributes)


def imported(daemon: Daemon) -> bool:
    """Whether the worker has anything of OpenTelemetry in its memory."""
    return "google/_upb" in Path(f"/proc/{daemon.pid('worker')}/maps").read_text()


def test_a_collector_hears_of_sessions_and_requests(daemon: Daemon, collector: Collector) -> None:
    daemon.environment |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_SERVICE_NAME": "ops",
    }  # fmt: skip
    daemon.start()
    session = daemon.wait_ended(daemon.trigger(lines=3)["id"])
    failed = daemon.wait_ended(daemon.trigger(tier=2, exit=3, result=False)["id"])
    daemon.ctl("sessions", "show", "999", check=False)
    (span,) = wait_for(lambda: collector.named("session tier 1"), 15, "the session")
    told = facts(span)
    assert (told["claudeops.session.id"], told["claudeops.session.status"]) == (session["id"], "completed")
    assert told["claudeops.session.cost_usd"] == pytest.approx(session["cost_usd"])
    assert span.end_time_unix_nano > span.start_time_unix_nano > (time.time() - 300) * 1e9
    (span,) = wait_for(lambda: collector.named("session tier 2"), 15, "the other")
    assert (facts(span)["claudeops.session.status"], span.status.code) == (failed["status"], 2)
    wait_for(lambda: any(facts(span).get("error.type") == "not_found" for span in collector.named("sessions.show")),
             15, "a request that failed")  # fmt: skip
    assert collector.named("sessions.trigger")
    assert collector.services == {"ops"}
    assert imported(daemon)
    daemon.json("config", "list")
    assert daemon.stop() == 0
    assert collector.named("settings.list")  # what waited was sent at the end


def test_a_session_tells_of_its_calls_by_what_was_decided_and_not_by_their_words(
    tmp_path: Path, collector: Collector
) -> None:
    calls = [say("I look.", bash("echo it answers", "one"), bash("docker restart payments-7", "two")), report("fine")]
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with messages_api(check=calls) as (url, _), real(tmp_path, url, **told) as daemon:
        session = daemon.json("sessions", "trigger", "--tier", "1", "--prompt", "script check")
        daemon.wait_ended(session["id"])
        (span,) = wait_for(lambda: collector.named("session tier 1"), 15, "the session")
    events = [(event.name, of(event.attributes)) for event in span.events]
    assert {name for name, _ in events} == {"tool call"}
    decided = sorted((facts["tool"], facts["decision"]) for _, facts in events)
    assert decided == [("Bash", "allow"), ("Bash", "deny"), ("StructuredOutput", "allow")]
    assert all(facts["rule"] for _, facts in events)
    assert all(span.start_time_unix_nano <= event.time_unix_nano <= span.end_time_unix_nano for event in span.events)
    sent = span.SerializeToString()
    assert b"payments-7" not in sent
    assert b"it answers" not in sent


def test_a_dead_collector_costs_nothing_but_a_line(daemon: Daemon) -> None:
    daemon.environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    daemon.start()
    for _ in range(3):
        assert daemon.wait_ended(daemon.trigger(lines=1)["id"])["status"] == "completed"
    wait_for(lambda: "telemetry: spans can't be sent" in daemon.log(), 30, "the line")
    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < 10
    assert daemon.log().count("telemetry:") == 1


def test_without_a_collector_nothing_of_it_is_imported(daemon: Daemon) -> None:
    daemon.start()
    assert daemon.wait_ended(daemon.trigger(lines=1)["id"])["status"] == "completed"
    assert not imported(daemon)


def test_a_missing_extra_is_told_and_the_daemon_runs(daemon: Daemon, tmp_path: Path) -> None:
    daemon.environment |= patched(tmp_path / "patch", "sys.modules['opentelemetry'] = None\n")
    daemon.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
    daemon.start()
    assert re.search(r"OTEL_EXPORTER_OTLP_ENDPOINT is set, but the extra is not installed", daemon.log())
    assert daemon.ctl("status").returncode == 0
