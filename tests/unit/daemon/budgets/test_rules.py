"""What a day's money allows."""

import pytest

from daemon.budgets import rules
from daemon.budgets.rules import Spending
from schema.settings import Settings
from schema.states import Trigger

BUDGETS = Settings(budget_day_usd=10.0, tier3_budget_day_usd=4.0)


def test_without_a_budget_nothing_is_counted() -> None:
    assert rules.spendings(Settings(), {1: 99.0}) == []


def test_the_day_counts_all_tiers_and_a_tier_its_own() -> None:
    found = rules.spendings(BUDGETS, {1: 1.5, 3: 2.0})
    assert found == [Spending("day", 3.5, 10.0), Spending("tier3", 2.0, 4.0)]


@pytest.mark.parametrize(
    ("tier", "spent", "refused"),
    [
        (1, {1: 9.99}, None),
        (1, {1: 10.0}, "the day's budget is used up ($10.00 of $10.00); until 00:00 UTC only people start sessions"),
        (2, {3: 4.5}, None),
        (
            3,
            {3: 4.5},
            "tier 3's budget of the day is used up ($4.50 of $4.00); until 00:00 UTC only people start sessions",
        ),
    ],
)
def test_a_used_up_budget_holds_back_what_it_is_for(tier: int, spent: dict[int, float], refused: str | None) -> None:
    assert rules.refusal(tier, Trigger.SCHEDULED, rules.spendings(BUDGETS, spent)) == refused


@pytest.mark.parametrize("trigger", Trigger)
def test_people_start_sessions_all_the_same(trigger: Trigger) -> None:
    free = rules.refusal(1, trigger, rules.spendings(BUDGETS, {1: 50.0})) is None
    assert free == (trigger in (Trigger.MANUAL, Trigger.APPROVAL))


@pytest.mark.parametrize(
    ("spent", "due"), [(4.9, []), (5.0, [50]), (8.1, [50, 80]), (10.0, [50, 80, 100]), (30.0, [50, 80, 100])]
)
def test_warnings_are_due_at_fifty_eighty_and_all(spent: float, due: list[int]) -> None:
    assert rules.reached(Spending("day", spent, 10.0)) == due


def test_a_warning_in_words() -> None:
    assert rules.warning(Spending("day", 8.1, 10.0), 80) == (
        "warning",
        "The day's budget: 80 % is spent, $8.10 of $10.00",
    )
    level, text = rules.warning(Spending("tier2", 5.0, 5.0), 100)
    assert level == "critical"
    assert text.startswith("Tier 2's budget of the day is used up: $5.00 of $5.00")
