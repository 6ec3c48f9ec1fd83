"""The trend of a service: spans, the worst of each, shares that never promise too much."""

from datetime import UTC, datetime

import pytest

from schema.services import HourOfChecks
from webui.pages import service_rows, trend

NOW = datetime(2026, 3, 14, 2, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", trend.RANGES)
def test_the_last_span_holds_now_and_spans_follow_one_another(name: str) -> None:
    chosen = trend.RANGES[name]
    found = trend.spans([HourOfChecks("2026-03-14T02", checks=1, healthy=1)], name, NOW)
    assert len(found) == chosen.spans
    assert [span.checks for span in found] == [0] * (chosen.spans - 1) + [1]
    assert len({span.begins for span in found}) == chosen.spans
    assert sorted(span.begins for span in found) == [span.begins for span in found]


def test_a_span_is_as_bad_as_the_worst_in_it() -> None:
    hours = [
        HourOfChecks("2026-03-14T00", checks=4, healthy=4, timed=2, total_ms=100),
        HourOfChecks("2026-03-14T01", checks=2, healthy=1, down=1),
        HourOfChecks("2026-03-13T22", checks=3, healthy=2, degraded=1),
        HourOfChecks("2026-03-13T19", checks=1),
        HourOfChecks("2025-01-01T00", checks=9, down=9),
    ]
    last, before, earlier = trend.spans(hours, "7d", NOW)[:-4:-1]
    assert (last.begins, last.ends, last.word, last.checks, last.share) == (
        "2026-03-14 00:00",
        "03:00",
        "down",
        6,
        "83.3 %",
    )
    assert (last.response_ms, last.response) == (50.0, "50 ms")
    assert (before.word, before.response_ms) == ("degraded", None)
    assert (earlier.word, earlier.healthy) == ("unknown", 0)


def test_the_chart_says_in_words_what_it_shows() -> None:
    spans = trend.spans([HourOfChecks("2026-03-14T01", checks=2, healthy=1, down=1)], "24h", NOW)
    chart = trend.chart(spans, trend.RANGES["24h"])
    assert chart.label == "Checks of 24 h, the worst of each hour: 1 down."
    assert chart.slots[-2].text == "2026-03-14 01:00 to 02:00 UTC: down, 1 of 2 checks healthy"
    assert chart.slots[-1].text == "2026-03-14 02:00 to 03:00 UTC: no check"


@pytest.mark.parametrize(
    ("healthy", "checks", "share"),
    [(0, 0, "–"), (5, 5, "100 %"), (99_999, 100_000, "99.9 %"), (0, 3, "0.0 %"), (2, 3, "66.6 %")],
)
def test_a_share_is_never_rounded_up_to_all(healthy: int, checks: int, share: str) -> None:
    assert service_rows.share(healthy, checks) == share


def test_no_response_time_is_no_chart() -> None:
    assert trend.response(trend.spans([HourOfChecks("2026-03-14T02", checks=1, healthy=1)], "24h", NOW)) == (None, "")
