"""Lines of a session's log as the rows that people read. One function for the page and for the live stream. Pure.

`read_line` gives the rows of one line, flat and in order, which the stream sends as they are; `webui.pages.nesting`
puts results under their calls and so on, as the script in the browser does with what the stream sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from markupsafe import Markup

from schema import timestamps
from schema.logline import Line, split
from schema.transcript import events
from schema.transcript.parse import parse
from webui.pages import ansi, formats, markdown, tool_calls
from webui.pages.call_times import Calls
from webui.pages.folding import Block, as_json, clip, fold, line_count
from webui.pages.tool_calls import Todo
from webui.pages.verdicts import Verdict

LINE_CHARS = 2000  # a raw line longer than this is folded
PARENT_CHARS = 200
WORDS = {True: "denied", False: "error"}


class When(NamedTuple):
    """The time of a log line."""

    iso: str
    clock: str


@dataclass(slots=True)
class Row:
    """One row; _transcript_row.html says what each field is."""

    anchor: str
    offset: int
    kind: str
    at: When | None = None
    icon: str = ""
    verb: str = ""
    target: str | Markup = ""
    outcome: str = ""
    tone: str = ""
    mark: str = ""
    open: bool = False
    pending: bool = False
    body: list[Block] = field(default_factory=list)
    html: Markup = field(default_factory=Markup)
    href: str | None = None
    tool_id: str = ""
    parent: str = ""
    run: str = ""
    group: str = ""
    holds: str = ""
    name: str = ""
    todos: list[Todo] = field(default_factory=list)
    verdict: Verdict | None = None
    result: "Row | None" = None
    children: "list[Row]" = field(default_factory=list)


NO_VERDICTS: Mapping[str, Verdict] = {}


def read_line(
    line: Line, log_href: str, calls: Calls, *, prefix: str = "", verdicts: Mapping[str, Verdict] = NO_VERDICTS
) -> list[Row]:
    """The rows of one line of the log. `log_href` is the raw log's address; it takes `?at=<offset>`.

    `prefix` keeps the rows of one session apart from another's on the same page; `verdicts` by tool_use_id.
    """
    found = split(line.data)
    when = _when(found.at)
    rows = []
    for number, event in enumerate(parse(found.text, found.stream, line.cut), 1):
        anchor = f"{prefix}b{line.offset}" if number == 1 else f"{prefix}b{line.offset}-{number}"
        row = Row(anchor, line.offset, "unknown", when, parent=(event.parent or "")[:PARENT_CHARS])
        event = _denied(event, verdicts)
        if _fill(row, event, f"{log_href}?at={line.offset}", calls, found.at):
            judge(row, verdicts)
            row.tool_id = row.tool_id and f"{prefix}{row.tool_id}"
            row.parent = row.parent and f"{prefix}{row.parent}"
            rows.append(row)
    return rows


def _denied(event: events.Event, verdicts: Mapping[str, Verdict]) -> events.Event:
    """A result with the reason of a denial, which the CLI reports as any other error."""
    if isinstance(event, events.ToolResult) and event.is_error and not event.denied:
        verdict = verdicts.get(event.tool_id)
        if verdict is not None and verdict.mark == "denied":
            return msgspec.structs.replace(event, denied=True)
    return event


def judge(row: Row, verdicts: Mapping[str, Verdict]) -> None:
    """Marks a call by what was decided about it."""
    if row.kind == "tool" and (verdict := verdicts.get(row.tool_id)) is not None:
        row.verdict, row.mark, row.tone = verdict, verdict.mark, verdict.tone or row.tone


def _when(at: str | None) -> When | None:
    if at is None:
        return None
    try:
        return When(timestamps.stamp(timestamps.parse(at)), formats.clock(at))
    except ValueError:
        return None  # a stamp such as 2026-99-99T…: shown without a time


def _fill(row: Row, event: events.Event, href: str, calls: Calls, at: str | None) -> bool:
    """Writes an event into its row; False for one that has nothing to show."""
    match event:
        case events.Text():
            if not event.text.strip():
                return False
            row.kind, row.icon, row.verb = "text", "message-square-text", "Claude"
            row.html = markdown.html(event.text)
        case events.Thinking():
            row.kind, row.icon, row.verb = "thinking", "brain", "thought"
            row.target = "" if event.text else "kept by the API"
            row.body = [fold(event.text, href=href)] if event.text else []
        case events.ToolUse():
            _call(row, event, calls, at if row.at else None)
        case events.ToolResult():
            _result_of_call(row, event, href, calls, at if row.at else None)
        case events.UserText():
            _words(row, "text", "text", "note", event.text, href)
            row.kind = "system"
        case events.ApiRetry():
            _retry(row, event)
        case events.Hook():
            _hook(row, event, href)
        case events.Result():
            _end(row, event, href)
        case events.Init():
            _init(row, event, href)
        case events.SystemNote():
            _note(row, event, href)
        case events.Stderr():
            _words(row, "stderr", "terminal", "", event.text, href)
            row.mark, row.tone = "stderr", "warn"
        case events.RunNote():
            _words(row, "run", "power", "run", event.text, href)
        case events.Cut():
            row.kind, row.icon, row.verb, row.href = "cut", "scissors", "long line", href
            row.target = ansi.html(event.text[:200])
            row.outcome = f"{formats.size(event.missing)} not shown"
        case events.Raw():
            _words(row, "raw", "text", "", event.text, href)
        case events.Unknown():
            row.icon, row.verb, row.target = "circle-question-mark", "unknown", ansi.plain(event.kind)[:200]
            row.body = [fold(as_json(event.fields), href=href)]
        case _:
            row.icon, row.verb, row.target = "circle-question-mark", "unknown", type(event).__name__
    return True


def _words(row: Row, kind: str, icon: str, verb: str, text: str, href: str) -> None:
    """A line of words: in the row if it is short, folded below it if not."""
    row.kind, row.icon, row.verb = kind, icon, verb
    text = text.rstrip("\r\n")
    first, _, more = text.partition("\n")
    row.target = ansi.html(clip(first, LINE_CHARS))
    if more or len(first) > LINE_CHARS:
        row.body = [fold(text, href=href)]
        row.href = href


def _call(row: Row, event: events.ToolUse, calls: Calls, at: str | None) -> None:
    said = tool_calls.words(event.name, event.input)
    row.kind, row.icon, row.verb, row.target = "tool", said.icon, said.verb, said.target
    row.outcome, row.body, row.tool_id, row.pending = said.outcome, said.body, event.id[:PARENT_CHARS], True
    row.mark = "changes" if event.name in tool_calls.CHANGING else ""
    if event.name in tool_calls.READING:
        row.group, row.name = tool_calls.READING[event.name], tool_calls.short_name(said.target)
    elif event.name == "TodoWrite" and (listed := tool_calls.todos(event.input)):
        row.kind, row.todos, row.pending, row.open = "todo", listed, False, True
    if at:
        calls.make(event.id, at)


def _result_of_call(row: Row, event: events.ToolResult, href: str, calls: Calls, at: str | None) -> None:
    row.kind, row.icon, row.verb, row.tool_id = "result_block", "flag", "result", event.tool_id[:PARENT_CHARS]
    lines = line_count(event.text)
    said = [f"{lines} line{'' if lines == 1 else 's'}"]
    if event.is_error:
        said = [WORDS[event.denied]]
        row.tone, row.open = ("warn" if event.denied else "bad"), True
    if at and (took := calls.took(event.tool_id, at)):
        said.append(took)
    row.outcome = " · ".join(said)
    row.body = [fold(event.text, href=href, tone=row.tone)] if lines else []


def _retry(row: Row, event: events.ApiRetry) -> None:
    row.kind, row.icon, row.verb, row.tone = "retry", "refresh-cw", "retry", "warn"
    status = f"HTTP {event.error_status}" if event.error_status else "no answer"
    row.target = f"{status} {ansi.plain(event.error)[:200]}".strip()
    row.outcome = f"{event.attempt} of {event.max_retries}, in {formats.duration(event.delay_ms / 1000)}"


def _hook(row: Row, event: events.Hook, href: str) -> None:
    row.kind, row.icon, row.verb, row.target = "hook", "webhook", "hook", ansi.plain(event.name or event.event)[:200]
    if not event.finished:
        row.outcome = "started"
        return
    row.outcome = ansi.plain(event.outcome)[:100]
    if event.exit_code:
        row.outcome, row.tone = f"exit {event.exit_code}", "bad"
    shown = (("output", event.stdout), ("errors", event.stderr))
    row.body = [fold(text, label=label, href=href) for label, text in shown if text.strip()]


def _end(row: Row, event: events.Result, href: str) -> None:
    row.kind, row.icon, row.verb = "result", "flag", "result"
    row.target = ansi.plain(event.subtype)[:200]
    row.tone = "bad" if event.is_error else "ok"
    turns = f"{event.num_turns} turn{'' if event.num_turns == 1 else 's'}" if event.num_turns is not None else ""
    took = formats.duration(event.duration_ms / 1000) if event.duration_ms is not None else ""
    spent = formats.cost(event.cost_usd) if event.cost_usd is not None else ""
    row.outcome = " · ".join(part for part in (turns, spent, took) if part)
    row.open = event.is_error
    if event.structured is not None:
        row.body = [fold(as_json(event.structured), label="structured output", href=href)]
    elif text := event.text or event.wrong:
        row.body = [fold(text, href=href, tone="bad")] if event.is_error else []
        row.html = Markup() if event.is_error else markdown.html(text)
    for denial in event.denials:
        row.body.append(fold(as_json(denial.tool_input), label=f"denied: {denial.tool_name}", href=href, tone="warn"))


def _init(row: Row, event: events.Init, href: str) -> None:
    row.kind, row.icon, row.verb = "system", "settings", "started"
    row.target = ansi.plain(f"{event.model} · claude {event.cli_version}")[:300]
    servers = [f"{server.name}: {server.status}" for server in event.mcp_servers]
    facts = {
        "directory": event.cwd,
        "permission mode": event.permission_mode,
        "tools": ", ".join(event.tools),
        "MCP servers": ", ".join(servers) or "none",
        "session": event.session_id,
    }
    row.body = [fold("\n".join(f"{name}: {value}" for name, value in facts.items()), href=href)]


def _note(row: Row, event: events.SystemNote, href: str) -> None:
    row.kind, row.icon, row.verb = "system", "settings", ansi.plain(event.subtype.replace("_", " "))[:80]
    data = event.fields.get("compact_metadata")
    if event.subtype == "compact_boundary" and isinstance(data, dict):
        before = data.get("pre_tokens")
        row.verb = "context compacted"
        row.target = f"from {formats.tokens(before)} tokens" if isinstance(before, int) else ""
    else:
        keys = ("status", "description", "summary", "message")
        said = next((event.fields[key] for key in keys if key in event.fields), "")
        row.target = ansi.plain(said)[:300] if isinstance(said, str) else ""
    if event.fields:
        row.body = [fold(as_json(event.fields), href=href)]
        row.run = row.verb
