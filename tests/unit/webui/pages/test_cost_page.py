"""The cost page in words: what changed, how much of a budget is left, what the chart says."""

from datetime import date
from typing import Any

import pytest

from ipc.errors import CallError
from schema import cost
from webui.pages import cost as page

TODAY = date(2026, 3, 14)


def report(*micro: int, days: int = 7) -> cost.CostReport:
    """One session a day, so many millionths of a dollar each, up to today."""
    rows: list[dict[str, Any]] = [
        {"day": cost.window(back + 1, TODAY)[0], "tier": 1 + back % 3, "model": "haiku", "trigger": "manual",
         "sessions": 1, "estimated": 0, "unknown": 0, "micro_usd": amount}
        for back, amount in enumerate(reversed(micro))
    ]  # fmt: skip
    return cost.report(rows, {}, [], days, TODAY)


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (2.0, 1.0, "+$1.00, 100 % more than in the 7 days before"),
        (1.0, 2.0, "\u2212$1.00, 50 % less than in the 7 days before"),
        (1.0, 1.001, "as much as in the 7 days before"),
        (1.0, 0.0, "nothing was spent in the 7 days before"),
        (15.63, 0.02, "$0.02 in the 7 days before"),
    ],
)
def test_a_change_has_sign_and_word(now: float, before: float, text: str) -> None:
    assert page.change(now, before, 7) == text
    assert page.change(2.0, 0.0, 1) == "nothing was spent in the day before"


@pytest.mark.parametrize(
    ("spent", "percent", "tone"), [(0.5, 50, "ok"), (0.8, 80, "warn"), (0.999, 99, "warn"), (1.0, 100, "bad")]
)
def test_a_budget_is_bad_when_it_is_used_up_and_not_before(spent: float, percent: int, tone: str) -> None:
    found = page.budget("The day", spent, 1.0)
    assert (found.percent, found.tone) == (percent, tone)


def test_only_budgets_that_are_set_are_shown() -> None:
    today = report(3_000_000).days[-1]
    found = page.budgets(today, {"budget_day_usd": 4.0, "tier1_budget_day_usd": 2.0})
    assert [(one.name, one.spent, one.limit, one.percent) for one in found] == [
        ("The day", "$3.00", "$4.00", 75),
        ("Tier 1", "$3.00", "$2.00", 150),
    ]


def test_the_budget_lies_across_the_bars_unless_it_is_far_above_them() -> None:
    near = page.chart(report(1_000_000, 2_000_000), 3.0)
    assert (near.top, near.mark_text) == ("$5.00", "budget $3.00 a day")
    assert near.mark == pytest.approx(40.0)
    far = page.chart(report(1_000_000, 2_000_000), 30.0)
    assert (far.top, far.mark, far.mark_text) == ("$2.00", None, "budget $30.00 a day")
    assert page.chart(report(1_000_000), None).mark_text == ""


def test_the_chart_says_in_words_what_it_shows() -> None:
    chart = page.chart(report(1_000_000, 2_500_000), None)
    assert chart.label == "Cost by day, 2026-03-08 to 2026-03-14: $3.50 in all, most on 2026-03-14 with $2.50."
    assert chart.slots[-1].text == "2026-03-14: $2.50, 1 session, tier 1 $2.50"
    assert chart.slots[0].text == "2026-03-08: $0.00, 0 sessions"


@pytest.mark.parametrize("text", ["0", "367", "x", "-1", "1e9", "9" * 40, "٣"])
def test_a_range_that_is_none_names_the_field(text: str) -> None:
    with pytest.raises(CallError, match="days="):
        page.read_days({"days": text})


def test_the_usual_range_needs_no_field() -> None:
    assert (page.read_days({}), page.read_days({"days": "7"})) == (30, 7)
