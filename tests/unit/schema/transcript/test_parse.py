"""What the real CLI printed becomes typed values, and no line whatever makes the parser raise."""

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.sessions import Usage
from schema.transcript.events import (
    ApiRetry,
    Cut,
    Event,
    Hook,
    Init,
    Raw,
    Result,
    RunNote,
    Stderr,
    SystemNote,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Unknown,
    UserText,
)
from schema.transcript.parse import parse
from tests.fixtures.examples import part

TRANSCRIPTS = Path(__file__).parents[3] / "fixtures" / "transcripts"
NAMES = sorted(path.stem for path in TRANSCRIPTS.glob("*.ndjson"))


def events(name: str) -> list[Event]:
    lines = (TRANSCRIPTS / f"{name}.ndjson").read_bytes().splitlines()
    return [event for line in lines for event in parse(line)]


def of(kind: type, name: str) -> list[Event]:
    return [event for event in events(name) if isinstance(event, kind)]


def test_there_are_transcripts_to_read() -> None:
    assert len(NAMES) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_every_line_of_the_real_cli_has_a_type_of_its_own(name: str) -> None:
    found = events(name)
    assert not [event for event in found if isinstance(event, Raw)]
    # Only the words as they come, which a session is not run with, have no type.
    assert {event.kind for event in found if isinstance(event, Unknown)} <= {"stream_event", "rate_limit_event"}


@pytest.mark.parametrize("name", NAMES)
def test_a_session_begins_with_what_it_runs_with(name: str) -> None:
    init = of(Init, name)[0]
    assert isinstance(init, Init)
    assert init.session_id
    assert init.model.startswith("claude-")
    assert init.cli_version == "2.1.197"
    assert "Bash" in init.tools


@pytest.mark.parametrize("name", NAMES)
def test_every_tool_result_answers_a_tool_call_before_it(name: str) -> None:
    called: set[str] = set()
    for event in events(name):
        if isinstance(event, ToolUse):
            called.add(event.id)
        if isinstance(event, ToolResult):
            assert event.tool_id in called


def test_a_plain_session_is_words_and_a_result_with_its_cost() -> None:
    text, result = of(Text, "simple")[0], of(Result, "simple")[0]
    assert isinstance(text, Text)
    assert "**up**" in text.text
    assert isinstance(result, Result)
    assert (result.subtype, result.is_error, result.num_turns) == ("success", False, 1)
    assert result.text == text.text
    assert result.cost_usd is not None
    assert result.usage.output > 0
    assert result.duration_ms is not None


def test_a_denied_call_is_told_from_one_that_failed() -> None:
    results = of(ToolResult, "tool_and_denial")
    assert [(event.is_error, event.denied) for event in results if isinstance(event, ToolResult)] == [
        (True, False),
        (True, True),
        (True, True),
    ]


def result(text: str) -> bytes:
    block = {"type": "tool_result", "tool_use_id": "t", "is_error": True, "content": text}
    return json.dumps({"type": "user", "message": {"content": [block]}}).encode()


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        # What the CLI says instead of running a call; the tests with the CLI itself say more of them.
        ("This command requires approval", True),
        ("Output redirection to '/srv/x' was blocked. For security, Claude Code may only write to files in …", True),
        ("This Bash command contains multiple operations. The following part requires approval: tee ran", True),
        ("Contains simple_expansion", True),
        ("Permission to read /srv/x has been denied.", True),
        # What ran and failed, whatever it printed.
        ("Exit code 1\nThis command requires approval", False),
        ("Exit code 1", False),
        ("The file said:\nThis command requires approval", False),
        ("<tool_use_error>File does not exist. This command requires approval</tool_use_error>", False),
        ("Contains no such thing", False),
    ],
)
def test_a_denial_is_told_by_what_the_cli_says_first(text: str, denied: bool) -> None:
    (event,) = parse(result(text))
    assert isinstance(event, ToolResult)
    assert event.denied is denied


def test_retries_tell_what_failed_and_how_long_the_cli_waits() -> None:
    retries = [event for event in of(ApiRetry, "retries_529") if isinstance(event, ApiRetry)]
    assert [event.attempt for event in retries] == [1, 2, 3]
    assert {(event.error_status, event.error, event.max_retries) for event in retries} == {(529, "overloaded", 10)}
    assert all(event.delay_ms > 0 for event in retries)


def test_an_unreachable_api_has_retries_without_a_status() -> None:
    assert {event.error_status for event in of(ApiRetry, "unreachable") if isinstance(event, ApiRetry)} == {None}


def test_hooks_start_and_answer() -> None:
    hooks = [event for event in of(Hook, "hook") if isinstance(event, Hook)]
    assert [event.finished for event in hooks] == [False, True, False, True]
    assert hooks[1].event == "SessionStart"
    assert hooks[1].stdout == "context from a hook\n"


def test_thoughts_are_kept() -> None:
    assert [event.text for event in of(Thinking, "thinking") if isinstance(event, Thinking)] == ["Let me see."]


def test_a_subagents_events_name_the_call_that_they_belong_to() -> None:
    task = next(event for event in of(ToolUse, "subagent") if isinstance(event, ToolUse) and event.name == "Task")
    below = [event for event in events("subagent") if event.parent == task.id]
    assert Counter(type(event) for event in below) >= Counter({UserText: 1, ToolUse: 1, ToolResult: 1})


def test_a_result_of_several_parts_is_one_text() -> None:
    texts = [event.text for event in of(ToolResult, "subagent") if isinstance(event, ToolResult)]
    assert any(text.startswith("web is fine\n") for text in texts)


def test_structured_output_is_a_value() -> None:
    result = of(Result, "structured")[0]
    assert isinstance(result, Result)
    assert result.structured is not None
    assert result.structured["summary"] == "web answers"


def test_mcp_servers_and_how_they_are() -> None:
    init = of(Init, "mcp")[0]
    assert isinstance(init, Init)
    assert {"broken": "failed"}.items() <= {server.name: server.status for server in init.mcp_servers}.items()


def test_a_budget_that_is_used_up_is_an_error_with_its_cost() -> None:
    result = of(Result, "budget")[0]
    assert isinstance(result, Result)
    assert (result.subtype, result.is_error) == ("error_max_budget_usd", True)
    assert (result.text, result.wrong) == ("", "Reached maximum budget ($0.5)")
    assert result.cost_usd is not None
    assert result.cost_usd > 0


def test_a_call_that_a_hook_put_aside_is_named_by_the_result() -> None:
    result = of(Result, "deferred")[0]
    assert isinstance(result, Result)
    assert (result.subtype, result.is_error, result.stop_reason) == ("success", False, "tool_deferred")
    assert result.deferred == "toolu_restart"
    assert result.deferred in {event.id for event in of(ToolUse, "deferred") if isinstance(event, ToolUse)}
    assert [event.deferred for event in of(Result, "simple") if isinstance(event, Result)] == [""]


def test_the_calls_that_were_denied_are_named_by_the_result() -> None:
    result = of(Result, "tool_and_denial")[0]
    assert isinstance(result, Result)
    denied = {event.tool_id for event in of(ToolResult, "tool_and_denial") if isinstance(event, ToolResult)}
    assert {denial.tool_use_id for denial in result.denials} < denied


def test_system_events_without_a_type_keep_their_fields() -> None:
    (note,) = parse(b'{"type":"system","subtype":"compact_boundary","trigger":"auto"}')
    assert note == SystemNote(subtype="compact_boundary", fields={"trigger": "auto"})


def test_other_streams_and_cut_lines_are_what_they_are() -> None:
    assert parse(b'{"type":"result"}', "stderr") == (Stderr(text='{"type":"result"}'),)
    assert parse(b"timed out", "run") == (RunNote(text="timed out"),)
    assert parse(b'{"type":"us', "stdout", 999) == (Cut(text='{"type":"us', missing=999),)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"", Raw),
        (b"plain words", Raw),
        (b"\xff\xfe\x00", Raw),
        (b"[1, 2]", Raw),
        (b"{", Raw),
        (b'{"type": 5}', Unknown),
        (b'{"no": "type"}', Unknown),
        (b'{"type":"later","x":1}', Unknown),
        (b'{"type":"assistant"}', Unknown),
        (b'{"type":"assistant","message":{"content":[{"type":"later"}]}}', Unknown),
        (b'{"type":"user","message":{"content":5}}', Unknown),
        (b'{"type":"result","num_turns":"many"}', Unknown),
        (b'{"type":"system"}', SystemNote),
        (b'{"type":"assistant","message":{"content":"just words"}}', Text),
        (b'{"type":"user","message":{"content":"just words"}}', UserText),
        (b'{"type":"result","is_error":true}', Result),
    ],
)
def test_a_shape_that_does_not_fit_is_kept(line: bytes, kind: type) -> None:
    (event,) = parse(line)
    assert type(event) is kind


def test_words_that_are_not_utf_8_do_not_cost_the_line_its_type() -> None:
    (event,) = parse(b'{"type":"assistant","message":{"content":[{"type":"text","text":"caf\xe9"}]}}')
    assert isinstance(event, Text)
    assert event.text == "caf\ufffd"


@pytest.mark.parametrize("number", ["18446744073709551616", "9223372036854775808", "-1", "1e400"])
def test_a_number_that_the_database_can_not_hold_leaves_a_line_untyped(number: str) -> None:
    (event,) = parse(b'{"type":"result","num_turns":' + number.encode() + b"}")
    assert isinstance(event, Unknown | Raw)


@pytest.mark.parametrize("depth", [100, 5_000, 200_000])
@pytest.mark.parametrize("closed", [True, False])
def test_brackets_without_end_are_kept_as_text(depth: int, closed: bool) -> None:
    line = b'{"type":"assistant","message":{"content":[{"type":"tool_use","input":{"a":'
    line += b"[" * depth + (b"]" * depth + b"}}]}}" if closed else b"")
    (event,) = parse(line)
    assert isinstance(event, ToolUse if closed and depth == 100 else Raw)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)
FIELDS = (
    *("subtype", "message", "parent_tool_use_id", "content", "id", "model", "usage", "input_tokens", "text", "name"),
    *("thinking", "input", "tool_use_id", "is_error", "tools", "mcp_servers", "attempt", "error", "hook_name"),
    *("stdout", "result", "structured_output", "total_cost_usd", "num_turns", "modelUsage", "permission_denials"),
)
WORDS = st.sampled_from(
    ["assistant", "user", "result", "system", "init", "api_retry", "hook_response", "text", "tool_use", "tool_result"]
)


def lines() -> st.SearchStrategy[bytes]:
    """JSON with the CLI's words in it, and other things where they should be."""
    value = st.recursive(
        st.one_of(WORDS, JSON),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.fixed_dictionaries({"type": WORDS}, optional=dict.fromkeys(FIELDS, inner)),
        ),
        max_leaves=6,
    )
    line = st.fixed_dictionaries({"type": WORDS}, optional=dict.fromkeys(FIELDS, value))
    return line.map(lambda fields: json.dumps(fields).encode())


@settings(max_examples=part(0.5))
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda text: b"{" + text), lines()))
def test_any_line_becomes_events_that_can_be_sent_on(line: bytes) -> None:
    found = parse(line)
    # A message without a block says nothing; every other line says something.
    assert found or b'"content": []' in line
    assert msgspec.json.decode(msgspec.json.encode(found)) is not None
    for event in found:
        if isinstance(event, Result):
            assert event.num_turns is None or 0 <= event.num_turns < 2**63
            assert isinstance(event.usage, Usage)


@given(st.data())
def test_a_real_line_with_a_piece_exchanged_becomes_events(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    line = data.draw(st.sampled_from((TRANSCRIPTS / f"{name}.ndjson").read_bytes().splitlines()))
    at = data.draw(st.integers(0, len(line)))
    length = data.draw(st.integers(0, 20))
    assert parse(line[:at] + data.draw(st.binary(max_size=10)) + line[at + length :])
