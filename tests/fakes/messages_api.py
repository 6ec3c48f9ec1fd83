"""The real claude CLI against a scripted Messages API on loopback: what tests need to run it and read what it said.

The API itself is the demo's (`daemon.demo.messages_api`), so that both speak the one protocol.
"""

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.demo.messages_api import MessagesApi
from daemon.demo.turns import Playbook, Script, ToolUse
from schema.transcript.events import ToolResult
from schema.transcript.parse import parse

CLI = Path(__file__).parents[2] / ".claudeops" / "cli" / "node_modules" / ".bin" / "claude"
KEY = "sk-ant-test-made-up-key"
Event = dict[str, Any]


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[MessagesApi]:
    """An API that plays `script` to whoever asks."""
    api = MessagesApi(Playbook(script), KEY)
    await api.start()
    try:
        yield api
    finally:
        await api.stop()


def bash(command: str, call_id: str = "") -> ToolUse:
    """A call of Bash."""
    return ToolUse("Bash", {"command": command, "description": "as the test wants"}, call_id)


def argv(
    *extra: str,
    tools: str = "Bash,Read,Grep,Glob",
    allowed: Sequence[str] = ("Bash(curl:*)",),
    denied: Sequence[str] = ("Bash(docker restart:*)",),
) -> list[str]:
    """The command line of a session as the daemon builds it; the prompt goes to stdin."""
    line = [str(CLI), "-p", "--model", "haiku", "--output-format", "stream-json", "--verbose"]
    line += ["--session-id", str(uuid.uuid4()), "--tools", tools]
    line += ["--allowedTools", ",".join(allowed)] if allowed else []
    line += ["--disallowedTools", ",".join(denied)] if denied else []
    return [*line, "--mcp-config", '{"mcpServers":{}}', "--strict-mcp-config", *extra]


def environment(home: Path, url: str, **more: str) -> dict[str, str]:
    """Built from nothing, with an empty HOME and a made-up key."""
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_PROXY": "127.0.0.1,localhost",
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": url,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        **more,
    }


@dataclass
class Session:
    """A run of the CLI: its process while it lasts, and what came out of it."""

    process: asyncio.subprocess.Process
    started: float
    events: list[Event] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    stderr: str = ""
    seconds: float = 0.0

    @property
    def exit_code(self) -> int | None:
        """None while it runs, negative for a signal."""
        return self.process.returncode

    @property
    def result(self) -> Event:
        """The result event. AssertionError shows the rest when there is none."""
        found = self.named("result")
        assert found, f"no result among {self.kinds}, exit {self.exit_code}, stderr {self.stderr!r}"
        return found[-1]

    @property
    def kinds(self) -> list[str]:
        """What came, in order: `assistant`, `system/init` and so on."""
        return ["/".join([e["type"], *([e["subtype"]] if "subtype" in e else [])]) for e in self.events]

    def named(self, kind: str) -> list[Event]:
        """The events of a type."""
        return [event for event in self.events if event["type"] == kind]

    def answers(self) -> dict[str, str]:
        """Text of each tool result by the id of its call."""
        blocks = [b for e in self.named("user") for b in e["message"]["content"] if b["type"] == "tool_result"]
        return {b["tool_use_id"]: b["content"] if isinstance(b["content"], str) else str(b["content"]) for b in blocks}

    def refused(self) -> set[str]:
        """Ids of the calls that were not let through."""
        return {denial["tool_use_id"] for denial in self.result["permission_denials"]}

    def read_as_denied(self) -> set[str]:
        """Ids of the calls whose results the transcript's reader takes for denials."""
        read = [event for line in self.lines for event in parse(line.strip())]
        return {event.tool_id for event in read if isinstance(event, ToolResult) and event.denied}

    async def until(self, word: str) -> None:
        """Reads on until a line with `word` has come."""
        while word not in (await self._next()):
            pass

    async def end(self) -> "Session":
        """Reads to the end."""
        while await self._next():
            pass
        assert self.process.stderr is not None
        self.stderr = (await self.process.stderr.read()).decode()
        await self.process.wait()
        self.seconds = time.monotonic() - self.started
        return self

    async def _next(self) -> str:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if line:
            self.lines.append(line)
            self.events.append(json.loads(line))
        return line.decode()


async def start(
    api_url: str, directory: Path, prompt: str, *extra: str, more: dict[str, str] | None = None, **kw: Any
) -> Session:
    """Starts the CLI in `directory`/app with an empty HOME beside it, and writes `prompt` to its stdin."""
    (directory / "app").mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *argv(*extra, **kw),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(directory / "home", api_url, **(more or {})),
        cwd=directory / "app",
        limit=64 * 1024 * 1024,
    )
    session = Session(process, time.monotonic())
    assert process.stdin is not None
    process.stdin.write(prompt.encode())
    process.stdin.close()
    return session


async def run(
    api_url: str, directory: Path, prompt: str, *extra: str, more: dict[str, str] | None = None, **kw: Any
) -> Session:
    """A whole session, from start to end."""
    return await (await start(api_url, directory, prompt, *extra, more=more, **kw)).end()
