"""What a day's money allows, decided from values. Pure. Called by `daemon.budgets.budgets`."""

from collections.abc import Mapping
from typing import NamedTuple

from schema.settings import Settings
from schema.states import Trigger

DAY = "day"
WARN_AT = (50, 80, 100)  # per cent
# What people have asked for, or decided, starts all the same.
BY_PEOPLE = frozenset({Trigger.MANUAL, Trigger.APPROVAL})


class Spending(NamedTuple):
    """What a scope (`day`, or `tier1` to `tier3`) has spent of its budget, in dollars."""

    scope: str
    spent: float
    budget: float

    @property
    def percent(self) -> float:
        """How much of the budget is spent."""
        return 100.0 * self.spent / self.budget

    @property
    def name(self) -> str:
        """Whose budget it is, in words."""
        return (
            "the day's budget" if self.scope == DAY else f"tier {self.scope.removeprefix('tier')}'s budget of the day"
        )


def scope_of(tier: int) -> str:
    """The scope of a tier."""
    return f"tier{tier}"


def spendings(settings: Settings, spent: Mapping[int, float]) -> list[Spending]:
    """Each scope that has a budget, with what the day's sessions have spent of it; `spent` by tier."""
    budgets = {
        DAY: settings.budget_day_usd,
        scope_of(1): settings.tier1_budget_day_usd,
        scope_of(2): settings.tier2_budget_day_usd,
        scope_of(3): settings.tier3_budget_day_usd,
    }
    totals = {DAY: sum(spent.values()), **{scope_of(tier): dollars for tier, dollars in spent.items()}}
    return [Spending(scope, totals.get(scope, 0.0), budget) for scope, budget in budgets.items() if budget > 0]


def refusal(tier: int, trigger: Trigger, found: list[Spending]) -> str | None:
    """Why a tier's session may not start now, as a sentence; None if it may."""
    if trigger in BY_PEOPLE:
        return None
    for spending in found:
        if spending.scope in (DAY, scope_of(tier)) and spending.spent >= spending.budget:
            used = f"${spending.spent:.2f} of ${spending.budget:.2f}"
            return f"{spending.name} is used up ({used}); until 00:00 UTC only people start sessions"
    return None


def reached(spending: Spending) -> list[int]:
    """The warnings that are due, each to be given once a day."""
    return [percent for percent in WARN_AT if spending.percent >= percent]


def warning(spending: Spending, percent: int) -> tuple[str, str]:
    """(level, sentence) of a warning."""
    used = f"${spending.spent:.2f} of ${spending.budget:.2f}"
    name = spending.name[0].upper() + spending.name[1:]
    if percent >= 100:
        return "critical", f"{name} is used up: {used}; until 00:00 UTC only people start sessions"
    return "warning", f"{name}: {percent} % is spent, {used}"
