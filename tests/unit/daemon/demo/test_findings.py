"""What the demo concludes from curl's output."""

import pytest

from daemon.demo.findings import Note, handing_on, judge, look, overall, report
from daemon.demo.services import Service
from daemon.demo.turns import ToolResult

WEB = Service("web", "http://127.0.0.1:1/health")


def result(text: str, is_error: bool = False) -> ToolResult:
    return ToolResult(look(WEB, "c"), text, is_error)


@pytest.mark.parametrize(
    ("text", "status", "code", "ms"),
    [
        ("ok\nstatus=200 time=0.004000s", "healthy", 200, 4),
        ("ok\nstatus=200 time=0.501000s", "degraded", 200, 501),
        ("no\nstatus=404 time=0.004000s", "degraded", 404, 4),
        ('{"cause": "no ledger"}\nstatus=503 time=0.002000s', "down", 503, 2),
        ("Exit code 7\ncurl: (7) Failed to connect\n\nstatus=000 time=0.000100s", "unreachable", None, None),
        ("Permission to use Bash has been denied.", "unreachable", None, None),
    ],
)
def test_status_code_and_time_are_read_from_what_curl_printed(
    text: str, status: str, code: int | None, ms: int | None
) -> None:
    found = judge("web", result(text))
    assert (found.status, found.code, found.ms) == (status, code, ms)


def test_a_look_that_never_happened_is_not_called_healthy() -> None:
    assert judge("web", None).status == "unreachable"


def test_a_body_that_looks_like_a_measure_does_not_count() -> None:
    assert judge("web", result("said: status=200 time=0.1s\nstatus=503 time=0.002000s")).status == "down"


def test_a_failing_service_is_quoted_by_its_cause() -> None:
    down = judge("web", result('{"cause": "no ledger"}\nstatus=503 time=0.002000s'))
    assert down.note.marker == "[EVENT:critical:web] answers HTTP 503 in 2 ms: no ledger"


def test_only_what_is_down_is_handed_on() -> None:
    slow = judge("web", result("ok\nstatus=200 time=0.9s"))
    down = judge("pay", result("no\nstatus=500 time=0.1s"))
    handed = handing_on([slow, down], "looked twice")
    assert handed["needed"] is True
    assert "pay" in handed["reason"]
    assert "web" not in handed["reason"]
    assert handed["failed_checks"] == ["http pay"]


def test_a_report_has_the_events_of_its_findings_and_further_ones() -> None:
    slow = judge("web", result("ok\nstatus=200 time=0.9s"))
    told = report([slow], "s", [Note("info", "a note")])
    assert told["escalation"] == {"needed": False}
    assert [event["level"] for event in told["events"]] == ["warning", "info"]
    assert "service" not in told["events"][1]


def test_in_words_the_worst_comes_first() -> None:
    texts = ["ok\nstatus=200 time=0.9s", "no\nstatus=500 time=0.1s", "ok\nstatus=200 time=0.1s"]
    found = [judge(name, result(text)) for name, text in zip(("slow", "down", "well"), texts, strict=True)]
    assert overall(found).startswith("down answers HTTP 500")
    assert overall(found).endswith("1 of 3 services are healthy.")
    assert overall(found[2:]) == "well is healthy: HTTP 200 in 100 ms."


def test_the_call_writes_nothing_and_has_a_bound() -> None:
    command = look(WEB, "c").input["command"]
    assert command.startswith("curl ")
    assert " -m 5 " in command
    assert " -o " not in command
