"""One format of stored times, which sorts as time does; every older format is read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.timestamps import at, now, parse, stamp

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS)
def test_a_stored_time_is_read_back_to_the_millisecond(moment: datetime) -> None:
    assert parse(stamp(moment)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@given(MOMENTS, MOMENTS)
def test_stored_times_sort_as_time_does(one: datetime, other: datetime) -> None:
    assert len(stamp(one)) == len(stamp(other)) == 24
    if stamp(one) != stamp(other):
        assert (stamp(one) < stamp(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2026-01-31T08:05:00.000Z", "2026-01-31T08:05:00.000Z"),
        ("2026-01-31T08:05:00Z", "2026-01-31T08:05:00.000Z"),
        ("2026-01-31T08:05:00.123456789Z", "2026-01-31T08:05:00.123Z"),
        ("2026-01-31T10:05:00.5+02:00", "2026-01-31T08:05:00.500Z"),
        ("2026-01-31 08:05:00", "2026-01-31T08:05:00.000Z"),
        (" 2026-01-31 08:05:00.25\n", "2026-01-31T08:05:00.250Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_older_formats_are_read(text: str, stored: str) -> None:
    assert stamp(parse(text)) == stored


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "1769846700"])
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    try:
        moment = parse(text)
    except ValueError:
        return
    assert moment.utcoffset() == timedelta(0)
    assert len(stamp(moment)) == 24


def test_a_time_with_an_offset_is_stored_in_utc() -> None:
    berlin = timezone(timedelta(hours=2))
    assert stamp(datetime(2026, 6, 1, 1, 30, tzinfo=berlin)) == "2026-05-31T23:30:00.000Z"


def test_seconds_since_1970_and_the_clock_are_stored_alike() -> None:
    assert at(0.0015) == "1970-01-01T00:00:00.001Z"
    assert abs(parse(now()) - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_time_that_is_read_keeps_its_microseconds() -> None:
    assert parse("2026-01-31T08:05:00.123456789Z").microsecond == 123456
