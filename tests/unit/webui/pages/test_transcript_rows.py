"""Lines of a log as rows: every event type, results under their calls, wild input, and the two ways of rendering."""

import json
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.logline import Line
from tests.fixtures.examples import part
from webui import rendering
from webui.pages import row_html
from webui.pages.call_times import Calls
from webui.pages.nesting import nest
from webui.pages.transcript_rows import Row, read_line

ROOT = Path(__file__).parents[4]
FIXTURES = sorted((ROOT / "tests" / "fixtures" / "transcripts").glob("*.ndjson"))
ENVIRONMENT = jinja2.Environment(autoescape=True, **rendering.options())
RENDER = row_html.renderer(ENVIRONMENT)


def line(event: Any, at: str = "2026-01-31T08:05:00.000000000Z", offset: int = 0) -> Line:
    text = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Line(offset, f"{at}\t".encode() + text)


def rows(*lines: Line) -> list[Row]:
    calls = Calls()
    return [row for each in lines for row in read_line(each, "/sessions/1/log", calls)]


def use(tool: str, given_: dict[str, Any], id_: str = "t1", parent: str | None = None) -> dict[str, Any]:
    content = [{"type": "tool_use", "id": id_, "name": tool, "input": given_}]
    return {"type": "assistant", "message": {"id": "m", "content": content}, "parent_tool_use_id": parent}


def gave(text: str, id_: str = "t1", error: bool = False) -> dict[str, Any]:
    content = [{"type": "tool_result", "tool_use_id": id_, "content": text, "is_error": error}]
    return {"type": "user", "message": {"content": content}}


@pytest.mark.parametrize(
    ("tool", "given_", "icon", "verb", "target", "outcome"),
    [
        ("Bash", {"command": "docker ps"}, "square-terminal", "$", "docker ps", ""),
        ("Bash", {"command": "a\nb"}, "square-terminal", "$", "a b", ""),
        ("Read", {"file_path": "/a"}, "file-text", "read", "/a", ""),
        ("Write", {"file_path": "/a", "content": "1\n2"}, "file-plus", "write", "/a", "+2"),
        ("Edit", {"file_path": "/a", "old_string": "1", "new_string": "1\n2"}, "file-pen", "edit", "/a", "+2 −1"),
        ("Grep", {"pattern": "x", "path": "/a"}, "search", "grep", "x in /a", ""),
        ("Glob", {"pattern": "*.py"}, "folder-search", "glob", "*.py", ""),
        ("WebFetch", {"url": "https://e.org/a?b"}, "globe", "fetch", "e.org/a", ""),
        ("WebSearch", {"query": "q"}, "globe", "search", "q", ""),
        ("Task", {"description": "look", "prompt": "p"}, "bot", "task", "look", ""),
        ("TodoWrite", {"todos": [{"content": "a", "status": "completed"}]}, "list-todo", "to do", "1 of 1 done", ""),
        ("StructuredOutput", {"summary": "fine"}, "flag", "report", "fine", ""),
        ("mcp__clock__now", {"zone": "UTC"}, "plug", "clock › now", "UTC", ""),
        ("mcp__odd", {}, "plug", "odd › ", "", ""),
        ("Unheard", {"n": 1}, "wrench", "Unheard", "", ""),
        ("Bash", {"command": 7}, "square-terminal", "$", "", ""),
    ],
)
def test_a_call_reads_in_one_line(
    tool: str, given_: dict[str, Any], icon: str, verb: str, target: str, outcome: str
) -> None:
    [row] = rows(line(use(tool, given_)))
    kind = "todo" if tool == "TodoWrite" else "tool"
    assert (row.kind, row.icon, row.verb, row.target, row.outcome) == (kind, icon, verb, target, outcome)
    assert row.pending == (kind == "tool")
    if given_ and not target:
        assert json.dumps(next(iter(given_.values()))) in row.body[0].head


def test_calls_that_change_files_are_marked() -> None:
    assert [rows(line(use(tool, {"file_path": "/a"})))[0].mark for tool in ("Write", "Edit", "Read")] == [
        "changes"
    ] * 2 + [""]


def test_a_result_stands_under_its_call_with_its_lines_and_time() -> None:
    found = rows(line(use("Bash", {"command": "ls"})), line(gave("a\nb\nc\n"), "2026-01-31T08:05:00.400000000Z", 100))
    [call] = nest(found, over=False)
    assert call.result is not None
    assert call.result.outcome == "3 lines · 400 ms"
    assert not call.pending
    assert not call.result.open


@pytest.mark.parametrize(
    ("text", "outcome", "tone"),
    [("boom", "error", "bad"), ("Permission to use Bash with command x has been denied.", "denied", "warn")],
)
def test_errors_and_denials_are_open_and_tinted(text: str, outcome: str, tone: str) -> None:
    [call] = nest(rows(line(use("Bash", {"command": "ls"})), line(gave(text, error=True), offset=9)), over=False)
    assert call.result is not None
    assert (call.result.outcome.split(" ·")[0], call.result.tone, call.result.open) == (outcome, tone, True)


def test_a_call_without_a_result_waits_while_the_session_runs_and_then_has_none() -> None:
    for over in (False, True):
        [call] = nest(rows(line(use("Bash", {"command": "ls"}))), over=over)
        assert (call.pending, call.outcome) == ((False, "no result") if over else (True, ""))


def test_a_result_whose_call_is_not_in_the_window_stands_alone() -> None:
    [row] = nest(rows(line(gave("x", "elsewhere"))), over=True)
    assert (row.kind, row.verb) == ("unknown", "result of an earlier call")
    assert "<li" in RENDER(row)


def test_rows_of_a_subagent_stand_under_its_task() -> None:
    [task] = nest(
        rows(line(use("Task", {"description": "look"})), line(use("Bash", {"command": "ls"}, "t2", "t1"), offset=50)),
        over=False,
    )
    assert [child.target for child in task.children] == ["ls"]


def test_long_output_keeps_its_head_and_tail_and_leads_to_the_rest() -> None:
    text = "\n".join(f"row {number}" for number in range(100))
    [row] = rows(line(gave(text), offset=42))
    [block] = row.body
    assert block.hidden == 80
    assert block.head.splitlines()[-1] == "row 9"
    assert block.tail.splitlines()[0] == "row 90"
    assert block.href == "/sessions/1/log?at=42"


@pytest.mark.parametrize(
    ("text", "kind", "mark"),
    [
        (b"words", "raw", ""),
        (b"[stderr] oops", "stderr", "stderr"),
        (b"[run] stopped by ada", "run", ""),
        (b'{"type":"new","x":1}', "unknown", ""),
        (b'{"type":"system","subtype":"status","status":"requesting"}', "system", ""),
        (b'{"type":"system","subtype":"hook_response","hook_name":"h","exit_code":2,"stderr":"no"}', "hook", ""),
    ],
)
def test_every_kind_of_line_has_its_row(text: bytes, kind: str, mark: str) -> None:
    [row] = rows(line(text))
    assert (row.kind, row.mark) == (kind, mark)


def test_a_line_that_was_cut_says_how_much_is_missing() -> None:
    [row] = rows(line(b"x" * 5000)._replace(cut=6 << 20))
    assert (row.kind, row.outcome, row.href) == ("cut", "6.0 MiB not shown", "/sessions/1/log?at=0")
    assert len(row.target) == 200


def test_two_events_of_one_line_have_anchors_of_their_own() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    found = rows(line({"type": "assistant", "message": {"id": "m", "content": content}}, offset=7))
    assert [row.anchor for row in found] == ["b7", "b7-2"]


@pytest.mark.parametrize("stamp", ["2026-99-99T99:99:99Z", "2026-01-31T08:05:00.1Z"])
def test_a_stamp_that_is_none_costs_only_the_time(stamp: str) -> None:
    [row] = rows(line(b"x", stamp))
    assert row.kind == "raw"
    assert RENDER(row)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_what_the_real_cli_says_becomes_rows_that_render(path: Path) -> None:
    found = rows(*(line(text, offset=number * 1000) for number, text in enumerate(path.read_bytes().splitlines())))
    assert found
    assert len({row.anchor for row in found}) == len(found)
    for row in nest(found, over=True):
        assert "<li" in RENDER(row)


FIELDS = st.sampled_from(["type", "message", "content", "id", "name", "input", "text", "tool_use_id"])
WILD = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "message", "content", "id", "name", "input", "text", "tool_use_id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(["assistant", "user", "system", "result", "tool_use", "tool_result", "text", "odd"])


@settings(max_examples=part(0.6), deadline=None)
@given(KINDS, WILD, st.binary(max_size=60))
def test_whatever_a_program_prints_becomes_rows(kind: str, value: Any, junk: bytes) -> None:
    wrapped = {
        "type": kind,
        "message": {"content": [{"type": kind, "id": "t", "name": "Bash", "input": {"command": value}}]},
        "x": value,
    }
    texts = [json.dumps(wrapped).encode(), json.dumps(value).encode(), junk.replace(b"\n", b"")]
    found = rows(*(line(text, offset=number) for number, text in enumerate(texts)))
    for row in found:
        RENDER(row)
    for row in nest(found, over=True):
        RENDER(row)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_macro_gives_what_the_template_gives(path: Path) -> None:
    template = ENVIRONMENT.get_template("_transcript_row.html")
    for row in rows(*(line(text) for text in path.read_bytes().splitlines())):
        assert template.render(row=row).strip() == RENDER(row).strip()
