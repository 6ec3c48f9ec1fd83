"""What is said of each finding of a bar: its own time, status, latency and reason, and no other's."""

import json
from datetime import UTC, datetime
from typing import Any

from schema import beats
from schema.definitions import Kind
from schema.monitored import Monitored, Result
from schema.states import ServiceStatus
from webui.pages import beat_texts

NOW = datetime(2026, 3, 14, 2, 10, tzinfo=UTC)


def at(minute: int) -> str:
    return f"2026-03-14T02:{minute:02d}:55.000Z"


def found(minute: int, letter: str = "h", detail: str = "") -> Result:
    return Result(
        at=at(minute), status=beats.STATUSES[letter], latency_ms=None if letter == "t" else 34.2, detail=detail
    )


def service(letters: str, **more: Any) -> Monitored:
    return Monitored(id=1, name="web", url="http://web", kind=Kind.HTTP, status=ServiceStatus.HEALTHY,
                     **{"beats": letters, "last_checked_at": at(9), **more})  # fmt: skip


def told(one: beat_texts.Beats) -> list[str]:
    said: list[str] = json.loads(one.told)
    return said


def test_each_finding_is_said_with_time_status_latency_and_reason() -> None:
    results = [found(9), found(8, "d", "[STATUS]  (503)\n== 200"), found(4, "t"), found(3, detail="x" * 200)]
    one = beat_texts.view(service("nnhtnnndh"), results, NOW)
    assert told(one) == [
        f"2026-03-14 02:03:55 UTC, healthy, 34 ms: {'x' * 120}…",
        "2026-03-14 02:04:55 UTC, timeout",
        "no data", "no data", "no data",
        "2026-03-14 02:08:55 UTC, down, 34 ms: [STATUS] (503) == 200",
        "2026-03-14 02:09:55 UTC, healthy, 34 ms",
    ]  # fmt: skip
    assert (one.begins, one.whole, one.ends) == (("2026-03-14T02:03:55.000Z", "6 min ago"), False, None)


def test_what_is_found_while_the_page_is_read_shifts_nothing() -> None:
    late = Result(at="2026-03-14T02:09:59.000Z", status=ServiceStatus.DOWN)
    one = beat_texts.view(service("dh"), [late, found(9), found(8, "d")], NOW)
    assert [text.split(", ")[:2] for text in told(one)] == [
        ["2026-03-14 02:08:55 UTC", "down"], ["2026-03-14 02:09:55 UTC", "healthy"]
    ]  # fmt: skip


def test_findings_that_are_not_kept_are_told_by_their_status() -> None:
    one = beat_texts.view(service("d" * 98 + "hh"), [found(9)], NOW)
    said = told(one)
    assert (len(said), one.whole, one.begins) == (100, True, None)
    assert said[0] == "down, longer ago than findings are kept"
    assert said[98].startswith("healthy, longer")
    assert said[99] == "2026-03-14 02:09:55 UTC, healthy, 34 ms"


def test_the_bar_of_what_is_paused_does_not_end_now_and_that_of_what_was_never_heard_of_is_empty() -> None:
    one = beat_texts.view(service("h", paused=True), [found(9)], NOW)
    assert one.ends == ("2026-03-14T02:09:55.000Z", "5 s ago")
    assert beat_texts.view(service("", last_checked_at=None), [], NOW) == ("[]", None, False, None)
