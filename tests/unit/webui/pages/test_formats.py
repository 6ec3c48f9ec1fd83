"""Numbers and times as people read them."""

from datetime import UTC, datetime

import pytest

from webui.pages import formats

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.95, "950 ms"),
        (12.44, "12.4 s"),
        (187, "3 m 07 s"),
        (7500, "2 h 05 m"),
        (356400, "4 d 3 h"),
        (-1, "0 ms"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [(None, "–"), (0, "$0.00"), (0.0042, "$0.0042"), (1.239, "$1.24"), (999.5, "$999.50"), (1240, "$1,240")],
)
def test_costs(dollars: float | None, text: str) -> None:
    assert formats.cost(dollars) == text


@pytest.mark.parametrize(
    ("stored", "text"),
    [("2026-01-31T11:56:00Z", "4 min ago"), ("2026-01-31T12:00:05Z", "0 s ago"), ("2026-01-29T11:00:00Z", "2 d ago")],
)
def test_ages(stored: str, text: str) -> None:
    assert formats.ago(stored, NOW).text == text


def test_what_comes() -> None:
    assert formats.until("2026-01-31T12:12:30Z", NOW) == "in 12 min"
    assert formats.until("2026-01-31T11:59:59Z", NOW) == "now"


@pytest.mark.parametrize(
    ("octets", "text"),
    [(None, "–"), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (30 << 20, "30 MiB"), (1 << 50, "1024 TiB")],
)
def test_sizes(octets: int | None, text: str) -> None:
    assert formats.size(octets) == text


def test_tokens_and_counts() -> None:
    assert [formats.tokens(value) for value in (None, 999, 12_345, 1_200_000)] == ["–", "999", "12.3k", "1.2M"]
    assert formats.count(1234567) == "1\u2009234\u2009567"


def test_a_clock_that_ticks_shows_whole_seconds() -> None:
    assert [formats.elapsed(value) for value in (-3, 12.9, 187)] == ["0 s", "12 s", "3 m 07 s"]
