"""Sums by day, tier, model and trigger are put together without losing a day or a cent."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schema import cost

TODAY = date(2026, 3, 14)


def row(day: str, micro: int, **more: Any) -> dict[str, Any]:
    known = {"tier": 1, "model": "haiku", "trigger": "manual", "sessions": 1, "estimated": 0, "unknown": 0}
    return {"day": day, "micro_usd": micro, **known, **more}


def test_every_day_is_there_the_oldest_first_and_those_without_a_session_too() -> None:
    rows = [row("2026-03-12", 1_000_000), row("2026-03-14", 500_000, tier=3, sessions=2)]
    found = cost.report(rows, {"micro_usd": 3_000_000, "sessions": 4}, [], 3, TODAY)
    assert [(day.day, day.usd, day.tiers, day.sessions) for day in found.days] == [
        ("2026-03-12", 1.0, (1.0, 0.0, 0.0), 1),
        ("2026-03-13", 0.0, (0.0, 0.0, 0.0), 0),
        ("2026-03-14", 0.5, (0.0, 0.0, 0.5), 2),
    ]
    assert (found.since, found.until, found.usd, found.sessions) == ("2026-03-12", "2026-03-14", 1.5, 3)
    assert (found.previous_usd, found.previous_sessions) == (3.0, 4)


def test_the_days_before_are_as_many_and_end_where_these_begin() -> None:
    assert cost.window(30, TODAY) == ("2026-02-13", "2026-03-14")
    assert cost.window(1, TODAY) == ("2026-03-14", "2026-03-14")


def test_models_and_triggers_come_by_cost_and_tiers_by_number() -> None:
    rows = [
        row("2026-03-14", 1, tier=3, model="opus", trigger="api"),
        row("2026-03-14", 5, tier=2, model="sonnet", unknown=1),
        row("2026-03-13", 5, tier=2, model="opus", estimated=1),
    ]
    found = cost.report(rows, {}, [], 7, TODAY)
    assert [share.name for share in found.tiers] == ["2", "3"]
    assert [(share.name, share.sessions) for share in found.models] == [("opus", 2), ("sonnet", 1)]
    assert [share.name for share in found.triggers] == ["manual", "api"]
    assert (found.estimated, found.unknown) == (1, 1)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3), st.integers(0, 10**12)), max_size=50))
def test_no_cent_is_lost_in_any_view(parts: list[tuple[int, int, int]]) -> None:
    rows = [row(f"2026-03-{14 - back:02d}", micro, tier=tier) for back, tier, micro in parts]
    found = cost.report(rows, {}, [], 7, TODAY)
    whole = sum(micro for _, _, micro in parts)
    for views in ([day.usd for day in found.days], [share.usd for share in found.tiers], [found.usd]):
        assert round(sum(views) * cost.MILLION) == whole
