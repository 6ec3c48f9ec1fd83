"""The latency chart's numbers: what each quarter's percentiles are, and that drawing, table and JSON say the same."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from schema import timestamps
from schema.definitions import Definition, Kind
from schema.monitored import Result
from schema.states import ServiceStatus
from schema.uptime import Spent
from tests.fixtures import probed
from webui.pages import latencies
from webui.pages.probed_read import QUARTER, SLOTS, Stored

NOW = datetime(2026, 3, 14, 2, 10, tzinfo=UTC)
END = int(NOW.timestamp() * 1000)
FIRST = (END // QUARTER - SLOTS + 1) * QUARTER


def stored(answers: dict[int, list[int]], results: list[Result] | None = None) -> Stored:
    """A service with latencies (µs) in some quarters, and a minute's sum of each."""
    minutes = [
        {
            "at": FIRST + slot * QUARTER,
            "checks": len(took) + 1,
            "failures": 1,
            "low_us": min(took),
            "high_us": max(took),
        }
        for slot, took in sorted(answers.items())
    ]
    all_of_them = [sorted(answers.get(slot, [])) for slot in range(SLOTS)]
    service = probed.monitored(1, "web", ServiceStatus.HEALTHY, kind=Kind.HTTP)
    definition = Definition(name="web", url="https://web.example.org")
    return Stored(service, definition, "", [Spent()] * 4, minutes, all_of_them, results or [], [], [])


def test_percentiles_are_of_the_quarter_and_a_quarter_without_answers_has_none() -> None:
    found = latencies.quarters(stored({3: [number * 1000 for number in range(1, 101)], 5: [7000]}), END)
    assert found[3] == latencies.Quarter(FIRST + 3 * QUARTER, 101, 1, 1.0, 50.0, 95.0, 99.0, 100.0)
    assert found[4] == latencies.Quarter(FIRST + 4 * QUARTER)
    assert (found[5].p50, found[5].p95, found[5].p99) == (7.0, 7.0, 7.0)


def test_a_gap_is_a_gap_in_every_form() -> None:
    found = latencies.quarters(stored({0: [5000], 1: [6000], 4: [7000]}), END)
    plot = json.loads(latencies.plot(found))
    assert plot["at"] == [FIRST // 1000 + slot * 900 for slot in range(SLOTS)]
    for name in ("p50", "p95", "p99"):
        assert plot[name][:6] == [5.0, 6.0, None, None, 7.0, None]
    _, path = latencies.chart(found)
    assert path.count("M") == 2
    assert latencies.line(found[2])[3:] == ("–",) * 5


def test_what_no_sum_holds_yet_counts_by_its_finding_and_cut_off_ones_have_no_latency() -> None:
    last = (SLOTS - 1) * QUARTER + FIRST
    results = [
        Result(at=timestamps.at((last + 120_000) / 1000), status=ServiceStatus.UNKNOWN, latency_ms=None),
        Result(at=timestamps.at((last + 60_000) / 1000), status=ServiceStatus.TIMEOUT, latency_ms=None),
    ]
    newest = latencies.quarters(stored({}, results), END)[-1]
    assert (newest.checks, newest.failures, newest.high) == (2, 1, None)


@given(st.dictionaries(st.integers(0, SLOTS - 1), st.lists(st.integers(1, 60_000_000), min_size=1, max_size=40)))
def test_the_percentiles_lie_between_the_fastest_and_the_slowest_in_their_order(answers: dict[int, list[int]]) -> None:
    for one in latencies.quarters(stored(answers), END):
        told = [value for value in (one.low, one.p50, one.p95, one.p99, one.high) if value is not None]
        assert told == sorted(told)
        assert len(told) in (0, 5)
