"""What a request that does not fit is told: the field by name, and what would be right."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.knowledge import CATEGORIES
from webui.api.asked import (
    Category,
    ChangedMemory,
    ConfigChange,
    EventQuery,
    MemoryQuery,
    NewMemory,
    TriggerSessionBody,
)
from webui.api.call import told


def problem(kind: type[msgspec.Struct], value: Any, *, strict: bool = True) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, kind, strict=strict)
    return told(caught.value, kind)


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        (TriggerSessionBody, {}, "prompt: it is missing."),
        (TriggerSessionBody, {"prompt": " \n"}, "prompt: It is empty, or has characters that can't be there."),
        (TriggerSessionBody, {"prompt": "a\0"}, "prompt: It is empty, or has characters that can't be there."),
        (TriggerSessionBody, {"prompt": "x", "start_tier": 4}, "start_tier: expected int <= 3."),
        (TriggerSessionBody, [], "Expected `object`, got `array`."),
        (
            ConfigChange,
            {"max_tiers": 1},
            "max_tiers: it can't be given here; what can: interval, tier1_model, tier2_model, tier3_model, dry_run,"
            " max_tier, state_dir, results_dir, repos_dir.",
        ),
        (ConfigChange, {"dry_run": "yes"}, "dry_run: expected bool, got str."),
        (ConfigChange, {"tier1_model": "-p"}, "tier1_model: It is empty, or has characters that can't be there."),
        (ChangedMemory, {"observation": "x", "active": True}, "confidence: it is missing."),
        (NewMemory, {"category": "gossip", "observation": "x"}, "category: invalid enum value 'gossip'."),
    ],
)
def test_the_field_is_named(kind: type[msgspec.Struct], value: Any, sentence: str) -> None:
    assert problem(kind, value).lower() == sentence.lower()


@pytest.mark.parametrize("value", ["-1", "1001", "x", "1.5", ""])
def test_a_limit_that_is_none_is_refused_by_name(value: str) -> None:
    assert problem(EventQuery, {"limit": value}, strict=False).startswith("limit: ")


@given(
    st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=8), max_size=3)
)
def test_whatever_is_wrong_is_told_in_one_sentence(value: dict[str, Any]) -> None:
    try:
        msgspec.convert(value, NewMemory)
    except msgspec.ValidationError as error:
        sentence = told(error, NewMemory)
        assert sentence.endswith(".")
        assert len(sentence) < 300


def test_an_offset_that_is_too_far_is_told_how_to_go_on() -> None:
    told_ = problem(EventQuery, {"offset": "50001"}, strict=False)
    assert told_ == "offset: expected int <= 50000; to go further, give the last id that you have seen as before."
    assert problem(MemoryQuery, {"offset": "50001"}, strict=False) == "offset: expected int <= 50000."
    assert problem(EventQuery, {"offset": "-1"}, strict=False) == "offset: expected int >= 0."


def test_the_categories_that_may_be_asked_for_are_those_that_memories_have() -> None:
    assert get_args(Category) == CATEGORIES
