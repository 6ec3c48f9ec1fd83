"""A turn in the words of the Messages API."""

import json

import pytest

from daemon.demo.turns import Text, Thinking, ToolUse, Turn
from daemon.demo.wire import error, events, message, sse

TURN = Turn(
    [Thinking("hm"), Text("word " * 20), ToolUse("Bash", {"command": "x" * 500})], input_tokens=7, output_tokens=9
)


def test_a_stream_opens_and_closes_each_block_in_order() -> None:
    kinds = [event["type"] for event in events(TURN, "msg_1", "m")]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    for index in range(3):
        at = [n for n, event in enumerate(events(TURN, "msg_1", "m")) if event.get("index") == index]
        assert kinds[at[0]] == "content_block_start"
        assert kinds[at[-1]] == "content_block_stop"
        assert set(kinds[at[0] + 1 : at[-1]]) == {"content_block_delta"}


def test_the_deltas_add_up_to_the_whole_message() -> None:
    words, inputs, thoughts = "", "", ""
    for event in events(TURN, "msg_1", "m"):
        delta = event.get("delta", {})
        words += delta.get("text", "")
        inputs += delta.get("partial_json", "")
        thoughts += delta.get("thinking", "")
    whole = message(TURN, "msg_1", "m")["content"]
    assert (thoughts, words, json.loads(inputs)) == (whole[0]["thinking"], whole[1]["text"], whole[2]["input"])


def test_calls_without_an_id_get_one_of_their_own() -> None:
    content = message(Turn([ToolUse("A", {}), ToolUse("B", {}, "mine"), ToolUse("C", {})]), "msg_1", "m")["content"]
    assert [block["id"] for block in content] == ["toolu_1_0", "mine", "toolu_1_2"]


def test_usage_and_stop_reason_are_told() -> None:
    whole = message(TURN, "msg_1", "m")
    last = next(event for event in events(TURN, "msg_1", "m") if event["type"] == "message_delta")
    assert whole["usage"]["input_tokens"] == 7
    assert last["usage"]["output_tokens"] == whole["usage"]["output_tokens"] == 9
    assert last["delta"]["stop_reason"] == whole["stop_reason"] == "tool_use"


def test_an_event_is_one_frame_even_with_line_ends_in_it() -> None:
    frame = sse({"type": "x", "text": "a\n\nb"})
    assert frame.endswith(b"\n\n")
    assert frame.count(b"\n") == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(529, "overloaded_error"), (401, "authentication_error"), (500, "api_error")]
)
def test_an_error_names_its_kind(status: int, kind: str) -> None:
    assert error(status, "why")["error"] == {"type": kind, "message": "why"}
