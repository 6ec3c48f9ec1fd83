"""What the demo concludes from curl's output."""

import pytest

from daemon.demo.findings import judge, look, report
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
    assert down.marker == "[EVENT:critical:web] answers HTTP 503 in 2 ms: no ledger"


def test_only_what_is_down_is_handed_on() -> None:
    slow = judge("web", result("ok\nstatus=200 time=0.9s"))
    down = judge("pay", result("no\nstatus=500 time=0.1s"))
    assert report([slow], "s", [])["escalation"] == {"needed": False}
    handed = report([slow, down], "s", ["a note"])
    assert handed["escalation"]["needed"] is True
    assert "pay" in handed["escalation"]["reason"]
    assert "web" not in handed["escalation"]["reason"]
    assert [event["level"] for event in handed["events"]] == ["warning", "critical", "info"]


def test_the_call_writes_nothing_and_has_a_bound() -> None:
    command = look(WEB, "c").input["command"]
    assert command.startswith("curl ")
    assert " -m 5 " in command
    assert " -o " not in command
