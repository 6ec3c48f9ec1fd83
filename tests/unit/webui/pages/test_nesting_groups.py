"""Reads in a row are one row, what changes or fails never is; a checklist is one row that shows its newest state."""

import json
from typing import Any

from schema.logline import Line
from webui.pages.call_times import Calls
from webui.pages.nesting import nest
from webui.pages.transcript_rows import Row, read_line
from webui.pages.verdicts import Verdict

STAMP = "2026-01-31T08:05:00.000000000Z\t"


def event(*blocks: dict[str, Any], kind: str = "assistant") -> str:
    return STAMP + json.dumps({"type": kind, "message": {"id": str(id(blocks)), "content": list(blocks)}})


def use(id_: str, name: str = "Read", **given: Any) -> str:
    return event({"type": "tool_use", "id": id_, "name": name, "input": given})


def gave(id_: str, *, error: bool = False, text: str = "x") -> str:
    return event({"type": "tool_result", "tool_use_id": id_, "content": text, "is_error": error}, kind="user")


def top(*lines: str, over: bool = True, verdicts: dict[str, Verdict] | None = None, prefix: str = "") -> list[Row]:
    calls = Calls()
    rows = [
        row
        for number, line in enumerate(lines)
        for row in read_line(
            Line(number * 100, line.encode(), 0), "/log", calls, verdicts=verdicts or {}, prefix=prefix
        )
    ]
    return nest(rows, over=over)


def reads(*names: str, tool: str = "Read") -> list[str]:
    return [line for name in names for line in (use(name, tool, file_path=f"/a/{name}.py"), gave(name))]


def test_three_reads_in_a_row_are_one_row_that_holds_them() -> None:
    [row] = top(*reads("a", "b", "c", "d", "e"))
    assert (row.verb, row.target, row.holds) == ("read", "5 files: a.py, b.py, +3", "files")
    assert [child.name for child in row.children] == ["a.py", "b.py", "c.py", "d.py", "e.py"]
    assert row.anchor == f"g-{row.children[0].anchor}"


def test_two_stay_two() -> None:
    assert [row.target for row in top(*reads("a", "b"))] == ["/a/a.py", "/a/b.py"]


def test_another_tool_another_row_or_one_that_fails_ends_the_group() -> None:
    failed = [use("x", file_path="/x"), gave("x", error=True)]
    mixed = top(*reads("a", "b", "c"), *failed, *reads("d", "e"), use("g", "Grep", pattern="p"), gave("g"))
    assert [row.target for row in mixed] == ["3 files: a.py, b.py, +1", "/x", "/a/d.py", "/a/e.py", "p"]
    said = top(*reads("a", "b"), event({"type": "text", "text": "hm"}), *reads("c"))
    assert len(said) == 4


def test_calls_that_may_change_something_never_group() -> None:
    lines = [line for n in range(4) for line in (use(f"{n}", "Bash", command="ls"), gave(f"{n}"))]
    assert len(top(*lines)) == 4
    denied = {"b": Verdict("denied", "warn", "no", "r", None)}
    assert len(top(*reads("a", "b", "c"), verdicts=denied)) == 3


def test_a_call_that_still_runs_is_not_grouped() -> None:
    assert len(top(*reads("a", "b"), use("c", file_path="/a/c.py"), over=False)) == 3


def test_a_subagents_reads_group_under_its_task() -> None:
    rows = [Row("t", 0, "tool", tool_id="task", verb="task")]
    for name in "abc":
        rows.append(Row(name, 1, "tool", tool_id=name, parent="task", verb="read", group="files", name=name))
        rows.append(Row(f"r{name}", 2, "result_block", tool_id=name, parent="task"))
    [task] = nest(rows, over=True)
    assert [child.target for child in task.children] == ["3 files: a, b, +1"]


def todo(id_: str, *states: str) -> str:
    return use(id_, "TodoWrite", todos=[{"content": f"do {n}", "status": state} for n, state in enumerate(states)])


def test_a_checklist_is_one_row_with_its_newest_state() -> None:
    lines = [todo("a", "pending", "pending"), gave("a"), *reads("x"), todo("b", "completed", "in_progress"), gave("b")]
    first, read = top(*lines)
    assert (first.kind, first.target, first.open, first.pending) == ("todo", "1 of 2 done", True, False)
    assert [(entry.state, entry.text) for entry in first.todos] == [("completed", "do 0"), ("in_progress", "do 1")]
    assert first.result is None
    assert read.target == "/a/x.py"


def test_a_checklist_that_could_not_be_stored_says_so() -> None:
    [row] = top(todo("a", "pending"), gave("a", error=True))
    assert row.result is not None


def test_a_list_that_is_none_is_shown_as_a_call() -> None:
    [row] = top(use("a", "TodoWrite", todos="x"), gave("a"))
    assert row.kind == "tool"
    assert row.body


def test_rows_of_one_session_are_kept_apart_from_anothers() -> None:
    [row] = top(use("a", "Bash", command="ls"), gave("a"), prefix="s7-")
    assert (row.anchor, row.tool_id) == ("s7-b0", "s7-a")
    assert row.result is not None


def test_a_denied_call_is_marked_and_its_result_is_a_denial() -> None:
    denied = {"a": Verdict("denied", "warn", "2 of 2 used", "cooldown", None)}
    [row] = top(use("a", "Bash", command="docker restart web"), gave("a", error=True, text="2 of 2"), verdicts=denied)
    assert (row.mark, row.tone, row.verdict) == ("denied", "warn", denied["a"])
    assert row.result is not None
    assert (row.result.tone, row.result.outcome.split(" · ")[0], row.result.open) == ("warn", "denied", True)
