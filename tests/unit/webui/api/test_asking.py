"""What a chat asks for, whatever its client sends."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipc.errors import CallError
from webui.api import asking, chat_models, shapes

NAMES = ["role", "content", "type", "text"]
TWO = [{"type": "text", "text": "a"}, {"type": "file"}]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "type", "text"]), inner)
    ),
    max_leaves=8,
)


def words(*messages: dict[str, Any]) -> str:
    return asking.words(asking.read(json.dumps({"messages": messages}).encode(), asking.Completion).messages)


def test_the_last_words_of_the_user_are_asked_for() -> None:
    assert words({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}) == "a"
    assert words({"role": "user", "content": "a"}, {"role": "user", "content": "b"}) == "b"
    parts = [{"type": "text", "text": "one"}, {"type": "input_text", "text": "two"}]
    assert words({"role": "user", "content": parts, "name": "ada"}) == "one\ntwo"


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([], "messages"),
        ([{"role": "system", "content": "x"}], "messages"),
        ([{"role": "user", "content": "  "}], "messages"),
        ([{"role": "user"}], "messages"),
        ([{"role": "user", "content": TWO}], "messages[0].content[1].type"),
        ([{"content": "x"}], "messages[0]"),
        ([{"role": "user", "content": 5}], "messages[0].content"),
    ],
)  # fmt: skip
def test_what_can_not_be_asked_names_the_field(messages: list[Any], field: str) -> None:
    with pytest.raises(CallError) as error:
        words(*messages)
    assert shapes.openai(400, error.value.code.value, error.value.message)["param"] == field


@given(JSON)
def test_whatever_a_client_sends_is_words_or_a_call_error(body: Any) -> None:
    for kind in (asking.Completion, asking.OllamaChat, asking.OllamaGenerate):
        for shaped in (body, {"messages": body}, {"messages": [body], "prompt": body}):
            with contextlib.suppress(CallError):
                read = asking.read(json.dumps(shaped).encode(), kind)
                messages = getattr(read, "messages", None)
                assert messages is None or asking.words(messages).strip()


def test_tools_that_are_handed_back_are_known_by_the_last_message() -> None:
    user, tool = asking.Message("user", "look"), asking.Message("tool", "done")
    assert asking.hands_tools_back([user, tool])
    assert not asking.hands_tools_back([user, tool, user])
    assert not asking.hands_tools_back([])


def test_a_model_is_a_tier_with_latest_or_without() -> None:
    names = ["claude-ops", "claude-ops-tier1", "claude-ops-tier2", "claude-ops-tier3"]
    assert [chat_models.tier_of(name, 3) for name in names] == [1, 1, 2, 3]
    assert [chat_models.tier_of(name + ":latest", 3) for name in names] == [1, 1, 2, 3]
    assert chat_models.names(2) == names[:3]
    with pytest.raises(CallError, match="choose one of claude-ops, claude-ops-tier1"):
        chat_models.tier_of("claude-ops-tier4", 1)
    with pytest.raises(CallError, match="CLAUDEOPS_MAX_TIER is 2"):
        chat_models.tier_of("claude-ops-tier3", 2)


def test_a_failure_has_the_shape_of_its_address() -> None:
    assert shapes.failure("/sessions", 404, "not_found", "x") is None
    assert shapes.failure("/api/v1/stats", 404, "not_found", "x") is None
    assert shapes.failure("/api/v1/webhooks/grafana", 429, "overloaded", "x") == {"error": "x", "code": "overloaded"}
    assert shapes.failure("/api/chat", 401, "unauthorized", "x") == {"error": "x"}
    found = shapes.failure("/v1/nothing", 404, "not_found", "x")
    assert found == {"error": {"message": "x", "type": "not_found_error", "param": None, "code": "model_not_found"}}
