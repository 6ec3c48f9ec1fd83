"""Flat rows of a transcript put together as people read them. Pure; transcript.js does the same with live rows.

Results go under their calls, a subagent's rows under its task, notes of one kind under the first of them, three or more
reads in a row into one, and every state of a checklist into its first row.
"""

from collections.abc import Iterable

from webui.pages.transcript_rows import Row

GROUP_MIN = 3
NAMED = 2


def nest(rows: Iterable[Row], *, over: bool) -> list[Row]:
    """The rows of a page. `over`: what still waits for a result gets none."""
    calls: dict[str, Row] = {}
    lists: dict[int, Row] = {}
    top: list[Row] = []
    for row in rows:
        if row.kind == "result_block":
            _result(row, calls, top)
            continue
        above = calls.get(row.parent) if row.parent else None
        beside = above.children if above is not None and above is not row else top
        if row.kind == "todo":
            first = lists.setdefault(id(beside), row)
            calls[row.tool_id] = first
            if first is not row:
                first.todos, first.target = row.todos, row.target
                continue
        elif row.kind == "tool":
            calls[row.tool_id] = row
        if row.run and beside and beside[-1].run == row.run:
            first = beside[-1]
            first.children.append(row)
            first.outcome = f"×{len(first.children) + 1}"
        else:
            beside.append(row)
    if over:
        for call in calls.values():
            if call.pending:
                call.pending, call.outcome = False, call.outcome or "no result"
    return _grouped(top)


def _result(row: Row, calls: dict[str, Row], top: list[Row]) -> None:
    call = calls.get(row.tool_id)
    if call is None:
        row.kind, row.tool_id = "unknown", ""
        row.verb, row.icon = "result of an earlier call", "flag"
        top.append(row)
    elif call.kind != "todo" or row.tone:
        # That a checklist was stored says nothing that it does not show itself.
        call.result, call.pending = row, False


def _grouped(rows: list[Row]) -> list[Row]:
    """Reads of one kind that follow each other as one row, from GROUP_MIN on; what failed stands by itself."""
    made: list[Row] = []
    run: list[Row] = []
    for row in [*rows, None]:
        if row is not None and row.children:
            row.children = _grouped(row.children) if row.kind == "tool" else row.children
        if row is not None and _joins(row) and (not run or _same(run[0], row)):
            run.append(row)
            continue
        made += [_group(run)] if len(run) >= GROUP_MIN else run
        run = []
        if row is not None and _joins(row):
            run = [row]
        elif row is not None:
            made.append(row)
    return made


def _joins(row: Row) -> bool:
    plain = not row.tone and not row.mark and not row.children
    return bool(row.kind == "tool" and row.group and plain and row.result is not None and not row.result.tone)


def _same(one: Row, other: Row) -> bool:
    return (one.verb, one.group) == (other.verb, other.group)


def _group(run: list[Row]) -> Row:
    first = run[0]
    names = ", ".join(row.name for row in run[:NAMED])
    return Row(
        f"g-{first.anchor}",
        first.offset,
        "tool",
        first.at,
        icon=first.icon,
        verb=first.verb,
        target=f"{len(run)} {first.group}: {names}, +{len(run) - NAMED}",
        holds=first.group,
        children=run,
    )
