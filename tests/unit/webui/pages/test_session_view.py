"""A session's head and facts: what it is, how far its budget is spent, how full the context is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schema.sessions import Session
from schema.states import SessionStatus, Trigger
from webui.pages.session_view import SessionView, view
from webui.pages.watched import Watched


def shown(usage: str = "{}", **more: Any) -> SessionView:
    session = Session(
        id=1, tier=2, model="sonnet", prompt_file="", status=SessionStatus.RUNNING, trigger=Trigger.MANUAL,
        started_at="2026-01-31T08:05:00.000Z", usage=usage, **more,
    )  # fmt: skip
    return view(Watched(session, (), (), {}), datetime(2026, 1, 31, 9, tzinfo=UTC), 2.0)


@pytest.mark.parametrize(
    ("spent", "percent", "tone"),
    [({}, 0, "ok"), ({"estimated_usd": 1.0}, 50, "ok"), ({"cost_usd": 1.7, "estimated_usd": 0.1}, 85, "warn")],
)
def test_the_head_says_what_it_is_and_how_far_its_budget_is_spent(
    spent: dict[str, Any], percent: int, tone: str
) -> None:
    found = shown(**spent)
    assert found.about == "tier 2 · sonnet · manual"
    assert found.budget is not None
    assert (found.budget.limit, found.budget.percent, found.budget.tone) == ("$2.00", percent, tone)


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ("{}", []),
        ('{"context": 34000}', [("34.0k tokens", "")]),
        ('{"context": 34000, "window": 200000}', [("34.0k tokens", "17 % of 200.0k")]),
    ],
)
def test_how_full_the_context_is_as_far_as_it_is_known(usage: str, told: list[tuple[str, str]]) -> None:
    assert [(fact.value, fact.hint) for fact in shown(usage).facts if fact.label == "Context"] == told
