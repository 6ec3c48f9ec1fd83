"""Every event of a session's log as a typed value. Made by `schema.transcript.parse`; read by worker, pages and ctl.

Nothing is dropped: what has no type of its own becomes `SystemNote`, `Unknown` or `Raw` and is shown.
"""

from typing import Any

import msgspec

from schema.sessions import Usage


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event's base. `parent` is the tool call of the subagent that it belongs to."""

    parent: str | None = None


class McpServer(msgspec.Struct, frozen=True):
    """An MCP server and how it is: connected, failed, needs-auth, pending."""

    name: str = ""
    status: str = ""


class Init(Event, frozen=True):
    """The session has started: what it runs with."""

    session_id: str = ""
    model: str = ""
    cwd: str = ""
    tools: list[str] = []
    mcp_servers: list[McpServer] = []
    permission_mode: str = ""
    cli_version: str = ""


class Text(Event, frozen=True):
    """Claude's words, Markdown. `usage` is of the message that this block belongs to; the CLI repeats it per block."""

    text: str
    message_id: str = ""
    model: str = ""
    usage: Usage = Usage()


class Thinking(Event, frozen=True):
    """Claude's thoughts; empty where the API keeps them."""

    text: str
    message_id: str = ""
    usage: Usage = Usage()


class ToolUse(Event, frozen=True):
    """A call of a tool."""

    id: str
    name: str
    input: dict[str, Any]
    message_id: str = ""
    usage: Usage = Usage()


class ToolResult(Event, frozen=True):
    """What a tool call gave. `denied`: it did not run, because a rule, a hook or nobody's approval let it."""

    tool_id: str
    text: str
    is_error: bool = False
    denied: bool = False


class UserText(Event, frozen=True):
    """Words in the user's place: the prompt repeated, or a note such as that a request was interrupted."""

    text: str


class ApiRetry(Event, frozen=True):
    """The Messages API failed; the CLI tries again after `delay_ms`."""

    attempt: int = 0
    max_retries: int = 0
    delay_ms: float = 0.0
    error: str = ""
    error_status: int | None = None


class Hook(Event, frozen=True):
    """A hook has started (`finished` false) or answered."""

    name: str = ""
    event: str = ""
    finished: bool = False
    exit_code: int | None = None
    outcome: str = ""
    stdout: str = ""
    stderr: str = ""


class Denial(msgspec.Struct, frozen=True):
    """A tool call that was denied, as the result lists it."""

    tool_name: str = ""
    tool_use_id: str = ""
    tool_input: dict[str, Any] = {}


class Result(Event, frozen=True):
    """The session's end as the CLI reports it. `structured` is the structured output, if one was asked for.

    `deferred` is the tool call that a hook put aside, by its id: the CLI goes on with it when it is resumed.
    `wrong`: why it ended in an error, where it says so beside the text.
    """

    subtype: str = ""
    is_error: bool = False
    text: str = ""
    structured: dict[str, Any] | None = None
    cost_usd: float | None = None
    num_turns: int | None = None
    duration_ms: int | None = None
    duration_api_ms: int | None = None
    api_error_status: int | None = None
    stop_reason: str = ""
    terminal_reason: str = ""
    usage: Usage = Usage()
    context_window: int = 0
    denials: list[Denial] = []
    deferred: str = ""
    wrong: str = ""


class SystemNote(Event, frozen=True):
    """A system event without a type of its own, such as `status` or `compact_boundary`."""

    subtype: str
    fields: dict[str, Any] = {}


class Unknown(Event, frozen=True):
    """A JSON object of a type that this version does not know."""

    kind: str
    fields: dict[str, Any] = {}


class Raw(Event, frozen=True):
    """A line that is no JSON object."""

    text: str


class Stderr(Event, frozen=True):
    """A line of the command's standard error."""

    text: str


class RunNote(Event, frozen=True):
    """A remark of the run's keeper: a timeout, a stop, a limit."""

    text: str


class Cut(Event, frozen=True):
    """A line too long to be read whole: how it begins, and how many bytes are left out here (the log has them)."""

    text: str
    missing: int
