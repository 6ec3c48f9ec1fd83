"""When something ends: as people type it, and as it is told to them."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipc.ctl.errors import USAGE, CtlError
from ipc.ctl.expiry import expires_at, left
from schema.timestamps import parse

NOW = datetime(2026, 1, 31, 8, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("90m", "2026-01-31T09:35:00.000Z"),
        ("12h", "2026-01-31T20:05:00.000Z"),
        ("7d", "2026-02-07T08:05:00.000Z"),
        ("4w", "2026-02-28T08:05:00.000Z"),
        ("2026-02-01", "2026-02-01T00:00:00.000Z"),
        ("2026-02-01T08:00:00+02:00", "2026-02-01T06:00:00.000Z"),
    ],
)
def test_a_length_counts_from_now_and_a_time_is_itself(text: str, stored: str) -> None:
    assert expires_at(text, NOW) == stored


@pytest.mark.parametrize("text", ["", "d", "7", "-7d", "0d", "7 d", "٧d", "7y", "soon", "9" * 30 + "w", "2026-01-31"])
def test_what_is_no_time_to_come_is_wrong_usage(text: str) -> None:
    with pytest.raises(CtlError, match="give 90m, 12h, 7d, 4w") as told:
        expires_at(text, NOW)
    assert told.value.exit_code == USAGE


@given(st.text(max_size=12))
def test_any_text_is_a_time_to_come_or_told_to_be_none(text: str) -> None:
    with contextlib.suppress(CtlError):
        assert parse(expires_at(text, NOW)) >= NOW


def test_what_is_left() -> None:
    assert left("2026-01-31T08:19:32.000Z", NOW) == "in 14 m 32 s"
    assert left("2026-01-31T08:05:00.000Z", NOW) == "over"
    assert left(None, NOW) == "–"
    assert left(expires_at("7d", NOW), NOW - timedelta(hours=1)) == "in 7 d 1 h"
