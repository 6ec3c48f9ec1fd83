"""How sure a memory is: reinforced, contradicted, faded; and what a person may set."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.memories.rules import (
    FADES_AFTER,
    FADES_EVERY,
    Draft,
    Weight,
    category_of,
    check,
    fade,
    remember,
    revised,
    weight,
)
from schema.knowledge import CATEGORIES, Memory

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DRAFT = Draft("web", "timing", "slow at night", 0.7, True)


def memory(id_: int = 1, observation: str = "slow at night", confidence: float = 0.7, *, active: bool = True) -> Memory:
    return Memory(
        id=id_,
        service="web",
        category="timing",
        observation=observation,
        confidence=confidence,
        active=active,
        created_at="t",
        updated_at="t",
    )


# Reinforced and contradicted


def test_the_same_text_is_reinforced_whatever_its_case_and_space() -> None:
    found = remember([memory(1, "other"), memory(2, "Slow  at night")], "slow at NIGHT ")
    assert found.same == Weight(2, 0.8, True)
    assert found.weakened == []


def test_what_says_the_same_in_other_words_is_reinforced_and_the_same_words_before_others() -> None:
    said = [memory(1, "at night, web is slow", 0.5), memory(2, "web is slow at night", 0.6)]
    assert remember(said, "The web is slow at night.").same == Weight(2, 0.7, True)
    assert remember(said[:1], "The web is slow at night.").same == Weight(1, 0.6, True)
    assert remember(said, "web is not slow at night").weakened == [Weight(1, 0.3, True), Weight(2, 0.4, True)]


def test_confidence_never_exceeds_one() -> None:
    assert remember([memory(confidence=0.95)], "slow at night").same == Weight(1, 1.0, True)


def test_another_text_of_the_same_service_and_category_contradicts() -> None:
    found = remember([memory(1, "slow at night", 0.9), memory(2, "slow on Mondays", 0.4)], "always quick")
    assert found.same is None
    assert found.weakened == [Weight(1, 0.7, True), Weight(2, 0.2, False)]


def test_what_the_same_session_said_stands_beside_it() -> None:
    found = remember([memory(1), memory(2, "slow on Mondays")], "always quick", beside={2})
    assert found.weakened == [Weight(1, 0.5, True)]


def test_two_contradictions_leave_a_memory_just_active_and_a_third_does_not() -> None:
    confidence = 0.7
    for expected in (Weight(1, 0.5, True), Weight(1, 0.3, True), Weight(1, 0.1, False)):
        (found,) = remember([memory(confidence=confidence)], "no").weakened
        assert found == expected
        confidence = found.confidence


@given(st.floats(0, 1), st.lists(st.sampled_from([0.1, -0.1, -0.2]), max_size=60))
def test_a_confidence_stays_within_its_bounds_and_tells_whether_it_is_active(start: float, steps: list[float]) -> None:
    found = weight(1, start)
    for step in steps:
        found = weight(1, found.confidence + step)
        assert 0.0 <= found.confidence <= 1.0
        assert found.active == (found.confidence >= 0.3)


# Fading


def simulate(days: int, *, every: timedelta, confidence: float = 0.9) -> list[tuple[int, float]]:
    """(day, confidence) of each step when the daemon asks at regular times."""
    decayed, steps, now = None, [], START
    while now <= START + timedelta(days=days):
        step = fade(memory(confidence=confidence), START, decayed, now)
        if step is not None:
            confidence, decayed = step.weight.confidence, step.decayed_at
            steps.append(((now - START).days, confidence))
        now += every
    return steps


def test_nothing_fades_for_thirty_days_and_then_a_tenth_a_week() -> None:
    assert simulate(60, every=timedelta(hours=1)) == [(30, 0.8), (37, 0.7), (44, 0.6), (51, 0.5), (58, 0.4)]


@pytest.mark.parametrize("every", [timedelta(minutes=20), timedelta(hours=5), DAY, DAY + timedelta(minutes=7)])
def test_how_often_the_daemon_asks_does_not_matter(every: timedelta) -> None:
    assert [confidence for _, confidence in simulate(60, every=every)] == [0.8, 0.7, 0.6, 0.5, 0.4]


def test_asking_again_at_the_same_moment_changes_nothing() -> None:
    now = START + FADES_AFTER + DAY
    step = fade(memory(), START, None, now)
    assert step is not None
    assert fade(memory(), START, step.decayed_at, now) is None


def test_weeks_without_a_daemon_do_not_count() -> None:
    now = START + timedelta(days=200)
    step = fade(memory(confidence=0.9), START, None, now)
    assert step is not None
    assert (step.weight.confidence, step.decayed_at) == (0.8, now)
    assert fade(memory(), START, step.decayed_at, now + timedelta(days=6)) is None
    assert fade(memory(), START, step.decayed_at, now + FADES_EVERY) is not None


def test_a_memory_that_is_confirmed_begins_to_age_anew() -> None:
    decayed = START + timedelta(days=40)
    confirmed = START + timedelta(days=41)
    assert fade(memory(), confirmed, decayed, confirmed + FADES_AFTER) is None
    assert fade(memory(), confirmed, decayed, confirmed + FADES_AFTER + DAY) is not None


# What a person may set


def test_a_word_that_is_no_category_is_behavior() -> None:
    assert [category_of(word) for word in CATEGORIES] == list(CATEGORIES)
    assert {category_of(word) for word in ("network", "", "BEHAVIOUR", "timing ", "Timing")} == {"behavior", "timing"}


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"observation": " \n"}, "observation", "say in a sentence"),
        ({"observation": "x" * 2001}, "observation", "at most 2000 characters, these are 2001"),
        ({"category": "network"}, "category", "one of timing, dependency, behavior, remediation, maintenance"),
        ({"service": "x" * 101}, "service", "at most 100 characters"),
        ({"service": "a\nb"}, "service", "without line breaks"),
        ({"confidence": 5.0}, "confidence", "from 0 to 1, not 5"),
        ({"confidence": -0.1}, "confidence", "from 0 to 1"),
        ({"confidence": float("nan")}, "confidence", "from 0 to 1, not nan"),
        ({"confidence": 0.2}, "active", "below 0.3 is not told"),
    ],
)
def test_what_can_not_be_names_its_field(changed: dict[str, Any], field: str, words: str) -> None:
    problem = check(DRAFT._replace(**changed))
    assert problem is not None
    assert problem[0] == field
    assert words in problem[1]


def test_a_good_draft_passes_and_what_was_stored_before_may_stay() -> None:
    assert check(DRAFT) is None
    assert check(DRAFT._replace(service=None, confidence=0.0, active=False)) is None
    old = DRAFT._replace(category="network")
    assert check(old) is not None
    assert check(old, ["confidence"]) is None


def change(of: Memory, **given: Any) -> Draft:
    nothing: dict[str, Any] = dict.fromkeys(("service", "category", "observation", "confidence", "active"))
    return revised(of, **{**nothing, **given})


def test_a_change_leaves_what_is_not_given() -> None:
    assert change(memory(), observation="quick") == Draft("web", "timing", "quick", 0.7, True)
    assert change(memory(), service="") == Draft(None, "timing", "slow at night", 0.7, True)


def test_whether_a_memory_is_active_follows_its_confidence_unless_it_is_said() -> None:
    assert change(memory(), confidence=0.2).active is False
    assert change(memory(confidence=0.2, active=False), confidence=0.5).active is True
    assert change(memory(active=False), confidence=0.9).active is False
    assert change(memory(), active=False).active is False
    assert change(memory(), active=False, confidence=0.9).active is False
