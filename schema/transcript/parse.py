"""One line of a session's log to typed events. Pure, and never raises: whatever a program prints becomes a value.

The shapes are those of CLI 2.1.197; a shape that does not fit falls back to `Unknown` with all its fields.
"""

from typing import Annotated, Any

import msgspec

from schema.sessions import Usage
from schema.transcript.denials import DENIAL_CHARS, DENIALS
from schema.transcript.events import (
    ApiRetry,
    Cut,
    Denial,
    Event,
    Hook,
    Init,
    McpServer,
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

# The largest number that SQLite and JSON both carry exactly; a line with a larger one is kept as Unknown.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
# Beyond these no session is: their sums over all sessions have to be numbers, too, in millionths of a dollar.
Tokens = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Money = Annotated[float, msgspec.Meta(ge=0, le=10**6)]


class _Usage(msgspec.Struct):
    input_tokens: Tokens | None = 0
    output_tokens: Tokens | None = 0
    cache_read_input_tokens: Tokens | None = 0
    cache_creation_input_tokens: Tokens | None = 0

    def tokens(self) -> Usage:
        return Usage(
            input=self.input_tokens or 0,
            output=self.output_tokens or 0,
            cache_read=self.cache_read_input_tokens or 0,
            cache_creation=self.cache_creation_input_tokens or 0,
        )


class _Message(msgspec.Struct):
    content: str | list[msgspec.Raw] = ""
    id: str = ""
    model: str = ""
    usage: _Usage | None = None


class _Line(msgspec.Struct):
    """The fields of all types of line; which of them count is told by `type` and `subtype`."""

    type: str
    subtype: str = ""
    message: _Message | None = None
    parent_tool_use_id: str | None = None


class _Block(msgspec.Struct):
    type: str
    text: str = ""
    thinking: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, Any] = {}
    tool_use_id: str = ""
    content: str | list[dict[str, Any]] | None = None
    is_error: bool | None = None


class _Init(msgspec.Struct):
    session_id: str = ""
    model: str = ""
    cwd: str = ""
    tools: list[str] = []
    mcp_servers: list[McpServer] = []
    permissionMode: str = ""  # noqa: N815 - the CLI's name
    claude_code_version: str = ""


class _Retry(msgspec.Struct):
    attempt: int = 0
    max_retries: int = 0
    retry_delay_ms: float = 0.0
    error: str | None = ""
    error_status: int | None = None


class _Hook(msgspec.Struct):
    subtype: str
    hook_name: str = ""
    hook_event: str = ""
    exit_code: int | None = None
    outcome: str | None = ""
    stdout: str | None = ""
    stderr: str | None = ""


class _Call(msgspec.Struct):
    id: str = ""


class _Result(msgspec.Struct):
    subtype: str = ""
    is_error: bool = False
    result: str | None = ""
    structured_output: dict[str, Any] | None = None
    total_cost_usd: Money | None = None
    num_turns: Count | None = None
    duration_ms: Count | None = None
    duration_api_ms: Count | None = None
    api_error_status: int | None = None
    stop_reason: str | None = ""
    terminal_reason: str | None = ""
    usage: _Usage | None = None
    modelUsage: dict[str, dict[str, Any]] = {}  # noqa: N815 - the CLI's name
    permission_denials: list[Denial] = []
    deferred_tool_use: _Call | None = None
    errors: list[Any] = []


_line = msgspec.json.Decoder(_Line)
_block = msgspec.json.Decoder(_Block)
_init = msgspec.json.Decoder(_Init)
_retry = msgspec.json.Decoder(_Retry)
_hook = msgspec.json.Decoder(_Hook)
_result = msgspec.json.Decoder(_Result)
_any = msgspec.json.Decoder()


def parse(text: bytes, stream: str = "stdout", missing: int = 0) -> tuple[Event, ...]:
    """The events of one line, without its timestamp. `missing` counts the bytes cut off its end."""
    if missing:
        return (Cut(text=_readable(text), missing=missing),)
    if stream != "stdout":
        return (Stderr(text=_readable(text)) if stream == "stderr" else RunNote(text=_readable(text)),)
    if text[:1] != b"{":
        return (Raw(text=_readable(text)),)
    try:
        return _typed(text)
    except UnicodeDecodeError:
        return parse(_readable(text).encode())
    except (msgspec.DecodeError, RecursionError):
        return (_untyped(text),)


def _readable(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _untyped(text: bytes) -> Event:
    try:
        fields = _any.decode(_readable(text))
    except (msgspec.DecodeError, RecursionError):
        return Raw(text=_readable(text))
    kind = fields.get("type") if isinstance(fields, dict) else None
    return Unknown(kind=kind if isinstance(kind, str) else "", fields=fields)


def _typed(text: bytes) -> tuple[Event, ...]:
    line = _line.decode(text)
    if line.type == "assistant" and line.message is not None:
        return _assistant(line.message, line.parent_tool_use_id)
    if line.type == "user" and line.message is not None:
        return _user(line.message, line.parent_tool_use_id)
    if line.type == "result":
        return (_read_result(text),)
    if line.type == "system":
        return (_system(text, line.subtype),)
    return (_untyped(text),)


def _assistant(message: _Message, parent: str | None) -> tuple[Event, ...]:
    usage = message.usage.tokens() if message.usage else Usage()
    if isinstance(message.content, str):
        return (Text(text=message.content, message_id=message.id, model=message.model, usage=usage, parent=parent),)
    events: list[Event] = []
    for raw in message.content:
        block = _block.decode(raw)
        if block.type == "text":
            events.append(Text(text=block.text, message_id=message.id, model=message.model, usage=usage, parent=parent))
        elif block.type == "thinking":
            events.append(Thinking(text=block.thinking, message_id=message.id, usage=usage, parent=parent))
        elif block.type in ("tool_use", "server_tool_use", "mcp_tool_use"):
            events.append(
                ToolUse(
                    id=block.id, name=block.name, input=block.input, message_id=message.id, usage=usage, parent=parent
                )
            )
        else:
            events.append(Unknown(kind=f"assistant/{block.type}", fields=_any.decode(raw), parent=parent))
    return tuple(events)


def _user(message: _Message, parent: str | None) -> tuple[Event, ...]:
    if isinstance(message.content, str):
        return (UserText(text=message.content, parent=parent),)
    events: list[Event] = []
    for raw in message.content:
        block = _block.decode(raw)
        if block.type == "tool_result":
            text = _flat(block.content)
            error = bool(block.is_error)
            denied = error and DENIALS.match(text[:DENIAL_CHARS]) is not None
            events.append(
                ToolResult(tool_id=block.tool_use_id, text=text, is_error=error, denied=denied, parent=parent)
            )
        elif block.type == "text":
            events.append(UserText(text=block.text, parent=parent))
        else:
            events.append(Unknown(kind=f"user/{block.type}", fields=_any.decode(raw), parent=parent))
    return tuple(events)


def _flat(content: str | list[dict[str, Any]] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    parts = [part["text"] if isinstance(part.get("text"), str) else f"[{part.get('type')}]" for part in content]
    return "\n".join(parts)


def _system(text: bytes, subtype: str) -> Event:
    if subtype == "init":
        init = _init.decode(text)
        return Init(
            session_id=init.session_id,
            model=init.model,
            cwd=init.cwd,
            tools=init.tools,
            mcp_servers=init.mcp_servers,
            permission_mode=init.permissionMode,
            cli_version=init.claude_code_version,
        )
    if subtype == "api_retry":
        retry = _retry.decode(text)
        return ApiRetry(
            attempt=retry.attempt,
            max_retries=retry.max_retries,
            delay_ms=retry.retry_delay_ms,
            error=retry.error or "",
            error_status=retry.error_status,
        )
    if subtype in ("hook_started", "hook_response"):
        hook = _hook.decode(text)
        return Hook(
            name=hook.hook_name,
            event=hook.hook_event,
            finished=subtype == "hook_response",
            exit_code=hook.exit_code,
            outcome=hook.outcome or "",
            stdout=hook.stdout or "",
            stderr=hook.stderr or "",
        )
    fields = _any.decode(text)
    return SystemNote(subtype=subtype, fields={key: fields[key] for key in fields if key not in ("type", "subtype")})


def _said_wrong(errors: list[Any]) -> str:
    """What the CLI says went wrong, such as a conversation that is gone; without what it notes for its makers."""
    return "; ".join(text for text in errors if isinstance(text, str) and not text.startswith("[ede_"))


def _read_result(text: bytes) -> Result:
    found = _result.decode(text)
    windows = [
        model["contextWindow"] for model in found.modelUsage.values() if isinstance(model.get("contextWindow"), int)
    ]
    return Result(
        subtype=found.subtype,
        is_error=found.is_error,
        text=found.result or "",
        wrong=_said_wrong(found.errors),
        structured=found.structured_output,
        cost_usd=found.total_cost_usd,
        num_turns=found.num_turns,
        duration_ms=found.duration_ms,
        duration_api_ms=found.duration_api_ms,
        api_error_status=found.api_error_status,
        stop_reason=found.stop_reason or "",
        terminal_reason=found.terminal_reason or "",
        usage=found.usage.tokens() if found.usage else Usage(),
        context_window=max(windows, default=0),
        denials=found.permission_denials,
        deferred=found.deferred_tool_use.id if found.deferred_tool_use else "",
    )
