"""Notes of one kind that follow each other are one row of a transcript, which holds them all."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from schema.logline import Line
from webui.pages.call_times import Calls
from webui.pages.nesting import nest
from webui.pages.transcript_rows import Row, read_line

NOTE: Mapping[str, Any] = {"type": "system", "subtype": "thinking_tokens", "estimated_tokens": 3}
OTHER: Mapping[str, Any] = {"type": "system", "subtype": "status", "status": "compacting"}
TEXT: Mapping[str, Any] = {"type": "assistant", "message": {"id": "m", "content": [{"type": "text", "text": "words"}]}}


def rows(events: Iterable[Mapping[str, Any]]) -> list[Row]:
    calls, found = Calls(), []
    for offset, event in enumerate(events):
        data = b"2026-01-31T08:05:00.000000000Z\t" + json.dumps(dict(event)).encode()
        found += read_line(Line(offset * 100, data, 0), "/log", calls)
    return found


def test_a_run_is_one_row_that_counts_and_holds_all() -> None:
    top = nest(rows([NOTE, NOTE, NOTE, NOTE]), over=True)
    assert [row.verb for row in top] == ["thinking tokens"]
    assert top[0].outcome == "×4"
    assert [row.anchor for row in (top[0], *top[0].children)] == ["b0", "b100", "b200", "b300"]
    assert all(row.body for row in (top[0], *top[0].children))


def test_what_stands_between_ends_the_run() -> None:
    top = nest(rows([NOTE, NOTE, TEXT, NOTE, OTHER, NOTE]), over=True)
    assert [row.outcome for row in top] == ["×2", "", "", "", ""]


def test_a_subagents_notes_join_under_its_task() -> None:
    task = Row("b0", 0, "tool", tool_id="t1")
    inside = [Row(f"b{at}", at, "system", parent="t1", run="status") for at in (1, 2)]
    top = nest([task, *inside, Row("b3", 3, "system", run="status")], over=True)
    assert [row.anchor for row in top] == ["b0", "b3"]
    assert [child.outcome for child in task.children] == ["×2"]


def test_rows_of_other_kinds_never_join() -> None:
    top = nest(rows([TEXT, TEXT, TEXT]), over=True)
    assert len(top) == 3
    assert not any(row.run for row in top)
