"""What lines of a session's log mean. Pure: lines go in; the columns that change, and what was said, come out.

Called by `daemon.sessions.follow` for each batch, which stores both together with the new offset.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from daemon.repositories.rules import tool_name
from daemon.sessions.markers import Saying, Spoken, read_structured, read_text
from daemon.sessions.rules import Said
from schema import timestamps
from schema.logline import split
from schema.sessions import Usage
from schema.transcript.events import Event, Init, Result, Stderr, Text, Thinking, ToolResult, ToolUse
from schema.transcript.parse import parse
from schema.transcript.prices import CHARACTERS_PER_TOKEN, estimate

COLUMNS = (
    "model_id", "cli_version", "servers", "response", "structured", "cost_usd", "num_turns", "duration_ms", "usage",
    "estimated_usd", "result", "spent_at",
)  # fmt: skip
LATEST = 256

COSTLY = (Text, Thinking, ToolUse, Result)


class Batch(NamedTuple):
    """What a batch of lines means: all of COLUMNS, None where nothing changes, and what was said, in order.

    `answered`: ids of the calls whose results the CLI has told the model, so that nothing decides about them any more.
    """

    columns: dict[str, Any]
    said: list[Spoken]
    answered: list[str]


class Tally:
    """Tokens so far, message by message; the CLI repeats a message's usage with each of its blocks."""

    def __init__(self, model: str, so_far: Usage | None = None) -> None:
        self.model = model
        self._total = so_far or Usage()
        # A message's blocks stand close together, so the latest messages are all that can still grow.
        self._latest: dict[str, Usage] = {}

    def add(self, message_id: str, usage: Usage, written: int, *, aside: bool = False) -> None:
        """Counts a block of `written` characters. `aside`: of a subagent, whose context is its own."""
        known = self._latest.pop(message_id, Usage())
        # The CLI reports a message's output when it begins, so what was written is counted here.
        output = known.output + max(1, written // CHARACTERS_PER_TOKEN)
        counted = Usage(
            input=usage.input, output=output, cache_read=usage.cache_read, cache_creation=usage.cache_creation
        )
        self._latest[message_id] = counted
        self._total = Usage(
            input=self._total.input + counted.input - known.input,
            output=self._total.output + counted.output - known.output,
            cache_read=self._total.cache_read + counted.cache_read - known.cache_read,
            cache_creation=self._total.cache_creation + counted.cache_creation - known.cache_creation,
            context=self._total.context if aside else _all(counted),
        )
        if len(self._latest) > LATEST:
            del self._latest[next(iter(self._latest))]

    def total(self) -> Usage:
        """All tokens so far."""
        return self._total


def _all(usage: Usage) -> int:
    return usage.input + usage.output + usage.cache_read + usage.cache_creation


class Reading:
    """What has been read of one session: fold each batch into it, in order."""

    def __init__(self, model: str, usage: Usage | None = None, said: Said | None = None) -> None:
        """For an adopted session, `usage` and `said` are what its row holds already."""
        self._tally = Tally(model, usage)
        self.said = said
        self.last_stderr = ""

    def fold(self, lines: Iterable[tuple[bytes, int]], now: datetime) -> Batch:
        """What a batch means. Each line with its cut bytes; `now` stands in for the time of lines that have none."""
        columns: dict[str, Any] = dict.fromkeys(COLUMNS)
        spoken: list[Spoken] = []
        answered: list[str] = []
        counted, spent = False, None
        for line, missing in lines:
            found = split(line)
            for event in parse(found.text, found.stream, missing):
                counted |= self._count(event)
                columns |= self._read(event)
                if isinstance(event, ToolResult):
                    answered.append(event.tool_id)
                spent = found if isinstance(event, COSTLY) else spent
                if words := list(_words(event)):
                    at = _moment(found.at, now)
                    spoken += [Spoken(at, what) for what in words]
        if counted and columns["usage"] is None:
            usage = self._tally.total()
            columns["usage"] = msgspec.json.encode(usage).decode()
            columns["estimated_usd"] = estimate(self._tally.model, usage)
        if spent is not None:
            columns["spent_at"] = _moment(spent.at, now)
        return Batch(columns, spoken, answered)

    def _count(self, event: Event) -> bool:
        if isinstance(event, Text | Thinking):
            written = len(event.text)
        elif isinstance(event, ToolUse):
            written = len(str(event.input))
        else:
            return False
        self._tally.add(event.message_id, event.usage, written, aside=bool(event.parent))
        return True

    def _read(self, event: Event) -> Mapping[str, Any]:
        if isinstance(event, Init):
            self._tally.model = event.model or self._tally.model
            return {
                "model_id": event.model or None,
                "cli_version": event.cli_version or None,
                "servers": msgspec.json.encode(servers(event)).decode(),
            }
        if isinstance(event, Result):
            why = event.text or event.wrong if event.is_error else ""
            usage = replace(event.usage, context=self._tally.total().context, window=event.context_window)
            self.said = Said(event.subtype, event.is_error, why, event.deferred, event.cost_usd or 0.0)
            return {
                "response": response(event) or None,
                "structured": msgspec.json.encode(event.structured).decode() if event.structured is not None else None,
                "cost_usd": event.cost_usd,
                "num_turns": event.num_turns,
                "duration_ms": event.duration_ms,
                "usage": msgspec.json.encode(usage).decode(),
                "result": msgspec.json.encode(self.said._asdict()).decode(),
            }
        if isinstance(event, Stderr):
            self.last_stderr = event.text.strip() or self.last_stderr
        return {}


def _words(event: Event) -> Iterable[Saying]:
    """What an event says to the daemon."""
    if isinstance(event, Text):
        return read_text(event.text)
    if isinstance(event, Result) and event.structured is not None:
        return read_structured(event.structured)
    return ()


def _moment(told: str | None, now: datetime) -> str:
    """A line's time as stored; now where the line has none, or one that can't be read."""
    try:
        return timestamps.stamp(timestamps.parse(told) if told else now)
    except ValueError:
        return timestamps.stamp(now)


def servers(init: Init) -> list[dict[str, Any]]:
    """The MCP servers with their status, and how many tools each has brought."""
    return [
        {
            "name": server.name,
            "status": server.status,
            "tools": sum(tool.startswith(f"mcp__{tool_name(server.name)}__") for tool in init.tools),
        }
        for server in init.mcp_servers
    ]


def response(result: Result) -> str:
    """The session's answer in words: the summary of a structured output, else the result's text."""
    if result.structured is not None and isinstance(result.structured.get("summary"), str):
        return str(result.structured["summary"])
    return result.text


def read_said(stored: str | None) -> Said | None:
    """What a row holds of how the CLI said it ended."""
    if not stored:
        return None
    told = msgspec.json.decode(stored)
    text, deferred = str(told.get("text", "")), str(told.get("deferred", ""))
    return Said(str(told["subtype"]), bool(told["is_error"]), text, deferred, float(told.get("usd", 0.0)))
