"""What a batch of lines means: the columns that change, what was said and when, and how the CLI said it ended."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from daemon.sessions.follow import BATCH_BYTES
from daemon.sessions.markers import SaidCheck, SaidEvent, SaidMemory
from daemon.sessions.progress import COLUMNS, LATEST, Batch, Reading, Tally, read_said
from daemon.sessions.rules import Said
from schema.knowledge import Level
from schema.sessions import Usage
from schema.transcript.prices import estimate

TRANSCRIPTS = Path(__file__).parents[3] / "fixtures" / "transcripts"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
AT = "2026-01-31T08:05:00.123456789Z"


def line(event: dict[str, Any], at: str = AT) -> bytes:
    return f"{at}\t{json.dumps(event)}".encode()


def words(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}, **more}


def fold(*lines: bytes, reading: Reading | None = None) -> Batch:
    return (reading or Reading("haiku")).fold([(each, 0) for each in lines], NOW)


def recorded(name: str) -> Batch:
    lines = (TRANSCRIPTS / f"{name}.ndjson").read_bytes().splitlines()
    return fold(*(AT.encode() + b"\t" + each for each in lines))


def test_a_batch_that_means_nothing_changes_no_column_and_says_nothing() -> None:
    batch = fold(b"plain words", line({"type": "later"}))
    assert batch.columns == dict.fromkeys(COLUMNS)
    assert batch.said == []


def test_the_calls_that_have_their_results_are_named() -> None:
    def result(tool_id: str) -> bytes:
        block = {"type": "tool_result", "tool_use_id": tool_id, "content": "This command requires approval"}
        return line({"type": "user", "message": {"content": [block]}})

    assert fold(line(words("hello")), result("toolu_1"), result("toolu_2")).answered == ["toolu_1", "toolu_2"]
    assert fold(line(words("hello"))).answered == []


def test_what_is_said_keeps_the_time_of_its_line() -> None:
    batch = fold(line(words("[EVENT:warn:web] slow\n[MEMORY:timing:web] slow at night")))
    assert [(each.at, each.what) for each in batch.said] == [
        ("2026-01-31T08:05:00.123Z", SaidEvent(Level.WARNING, "web", "slow")),
        ("2026-01-31T08:05:00.123Z", SaidMemory("timing", "web", "slow at night")),
    ]


def test_a_line_of_an_old_log_without_a_time_is_said_now() -> None:
    batch = fold(
        json.dumps(words("[EVENT:info] hello")).encode(), line(words("[EVENT:info] b"), "2026-99-31T08:05:00Z")
    )
    assert [each.at for each in batch.said] == ["2026-01-31T12:00:00.000Z"] * 2


def test_only_an_assistants_words_and_its_structured_output_say_anything() -> None:
    marker = "[EVENT:critical:web] down"
    quiet: list[dict[str, Any]] = [
        {"type": "user", "message": {"content": marker}},
        {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t", "content": marker}]}},
        {"type": "assistant", "message": {"content": [{"type": "thinking", "thinking": marker}]}},
        {"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Bash", "input": {"a": marker}}]}},
        {"type": "system", "subtype": "note", "text": marker},
        {"type": "result", "subtype": "success", "result": marker},
    ]
    stderr, raw = f"{AT}\t[stderr] {marker}".encode(), f"{AT}\t{marker}".encode()
    assert fold(*map(line, quiet), stderr, raw).said == []
    assert len(fold(line(words(marker, parent_tool_use_id="t"))).said) == 1


def test_a_recorded_structured_output_says_events_and_checks() -> None:
    batch = recorded("structured")
    assert [each.what for each in batch.said] == [
        SaidEvent(Level.INFO, "web", "answers in 3 ms"),
        SaidCheck("web", "healthy", "200"),
    ]
    assert batch.columns["response"] == "web answers"


def test_a_recorded_marker_is_said() -> None:
    assert [each.what for each in recorded("tool_and_denial").said] == [
        SaidEvent(Level.WARNING, "web", "web refuses connections")
    ]


def test_the_mcp_servers_of_a_session_are_known_with_their_status() -> None:
    servers = msgspec.json.decode(recorded("mcp").columns["servers"])
    assert {"name": "broken", "status": "failed", "tools": 0} in servers
    assert recorded("simple").columns["servers"] == "[]"


def test_a_call_that_was_put_aside_is_named_and_survives_the_row() -> None:
    reading = Reading("haiku")
    lines = (TRANSCRIPTS / "deferred.ndjson").read_bytes().splitlines()
    stored = fold(*lines, reading=reading).columns["result"]
    assert reading.said == Said("success", False, "", deferred="toolu_restart", usd=0.00165)
    assert read_said(stored) == reading.said


def test_an_error_that_stands_beside_an_empty_text_is_why_it_ended() -> None:
    reading = Reading("haiku")
    gone = ["[ede_diagnostic] x", "No conversation found with session ID: c2f8"]
    batch = fold(
        line({"type": "result", "subtype": "error_during_execution", "is_error": True, "errors": gone}), reading=reading
    )
    assert reading.said == Said("error_during_execution", True, "No conversation found with session ID: c2f8")
    assert batch.columns["response"] is None, "it is no answer"


def test_a_row_of_an_earlier_version_says_that_nothing_was_put_aside() -> None:
    assert read_said('{"subtype":"success","is_error":false,"text":""}') == Said("success", False)
    assert read_said(None) is None


def test_tokens_are_counted_by_message_however_long_a_session_is() -> None:
    """Blocks of one message repeat its usage, side by side or with those of a subagent's messages between."""
    tally, wanted = Tally("haiku", Usage(input=7)), 7
    for number in range(0, 5000, 2):
        for id_ in (f"m{number}", f"m{number + 1}", f"m{number}", f"m{number + 1}"):
            tally.add(id_, Usage(input=number, output=1, cache_read=3, cache_creation=number), 40)
        wanted += 2 * number
    total = tally.total()
    assert (total.input, total.cache_creation) == (wanted, wanted - 7)
    assert (total.cache_read, total.output) == (5000 * 3, 5000 * 20)
    assert len(tally._latest) == LATEST


def test_the_batches_of_all_tiers_together_are_little_work_for_the_loop() -> None:
    """Whoever asks the worker waits for them. In CPU time, so that a busy machine does not count."""
    short = line(words("line 1"))
    lines = [(short, 0)] * (BATCH_BYTES // (len(short) + 1))
    readings = [Reading("haiku") for _ in range(3)]
    before = time.process_time()
    for reading in readings:
        reading.fold(lines, NOW)
    assert time.process_time() - before < 0.1


def test_while_a_session_runs_its_cost_is_estimated_from_what_was_said_and_grows() -> None:
    def said(message: str, tokens: int) -> bytes:
        usage = {"input_tokens": tokens, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        block = {"type": "text", "text": "x" * 4000}
        body = {"id": message, "content": [block], "usage": {**usage, "output_tokens": 1}}
        return line({"type": "assistant", "message": body})

    reading = Reading("haiku")
    first = fold(said("m1", 1_000_000), reading=reading).columns
    # What the message begins with says nothing of its end: the words count, at four characters a token.
    assert json.loads(first["usage"])["input"] == 1_000_000
    assert first["estimated_usd"] == estimate("haiku", Usage(input=1_000_000, output=1000))
    assert first["estimated_usd"] > 0
    assert fold(line({"type": "later"}), reading=reading).columns["estimated_usd"] is None, "nothing new to tell"
    second = fold(said("m2", 1_000_000), reading=reading).columns
    assert second["estimated_usd"] == pytest.approx(2 * first["estimated_usd"])


def test_the_context_is_what_the_last_message_held_and_the_result_tells_how_much_it_can() -> None:
    def said(message: str, read: int, parent: str | None = None) -> bytes:
        usage = {"input_tokens": 3, "cache_creation_input_tokens": 7, "cache_read_input_tokens": read}
        body = {"id": message, "content": [{"type": "text", "text": "x" * 400}], "usage": usage}
        return line({"type": "assistant", "message": body, "parent_tool_use_id": parent})

    reading = Reading("haiku")
    fold(said("m1", 50_000), said("m2", 90_000), said("s1", 5_000, "toolu_agent"), reading=reading)
    over = {"type": "result", "subtype": "success", "usage": {"input_tokens": 6, "cache_read_input_tokens": 140_000}}
    ended = fold(line({**over, "modelUsage": {"m": {"contextWindow": 200_000}}}), reading=reading).columns
    usage = msgspec.json.decode(ended["usage"], type=Usage)
    assert (usage.context, usage.window) == (90_110, 200_000)
    assert usage.cache_read == 140_000
