"""What the pinned claude CLI makes of a PreToolUse hook, cell by cell, asked of the CLI itself.

The limits rest on these facts: a hook that fails lets a tool run that the CLI allows by itself, and blocks one that
only the hook may allow. When a new version changes one, this is where it shows.
"""

import asyncio
import json
import shlex
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from daemon.demo.turns import Conversation, Script, Step, Text, ToolUse, Turn
from tests.fakes import mcp_server
from tests.fakes import messages_api as fake
from tests.fakes.messages_api import Session, bash, serving

pytestmark = pytest.mark.usefixtures("cli")

DONE = Turn([Text("done")])


def json_of(decision: str, reason: str = "as the test wants") -> str:
    """What a hook prints to decide."""
    told = {"hookEventName": "PreToolUse", "permissionDecision": decision, "permissionDecisionReason": reason}
    return json.dumps({"hookSpecificOutput": told})


def says(decision: str, reason: str = "as the test wants") -> str:
    """A hook, as shell text, that decides."""
    return f"echo {shlex.quote(json_of(decision, reason))}"


@dataclass
class Place:
    """Where one session runs: HOME, working directory, hook and settings file, each its own."""

    root: Path
    timeout: float = 20

    def hook(self, text: str) -> None:
        """Writes the hook; it notes what it was asked, one JSON a line."""
        self.root.mkdir(exist_ok=True)
        (self.root / "hook").write_text(f"#!/bin/bash\n(cat; echo) >> {self.root}/asked\n{text}\n")
        (self.root / "hook").chmod(0o755)
        command: dict[str, Any] = {"type": "command", "command": str(self.root / "hook"), "timeout": self.timeout}
        settings = {"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [command]}]}}
        (self.root / "settings.json").write_text(json.dumps(settings))

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What the hook was asked."""
        if not (self.root / "asked").exists():
            return []
        return [json.loads(line) for line in (self.root / "asked").read_text().splitlines() if line]

    def made(self, name: str) -> bool:
        """Whether a call of `touches` ran."""
        return (self.root / "app" / name).exists()

    async def run(
        self, url: str, *words: str, prompt: str = "Go.", tools: str = "Bash,Read,Task", **environment: str
    ) -> Session:
        """A whole session with the hook, and no other settings."""
        (self.root / "app").mkdir(exist_ok=True)
        line = [str(fake.CLI), "-p", "--model", "haiku", "--output-format", "stream-json", "--verbose"]
        line += ["--tools", tools, "--settings", str(self.root / "settings.json"), "--setting-sources", ""]
        line += ["--mcp-config", '{"mcpServers":{}}', "--strict-mcp-config", *words]
        process = await asyncio.create_subprocess_exec(
            *line,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=fake.environment(self.root / "home", url, **environment),
            cwd=self.root / "app",
            limit=64 * 1024 * 1024,
        )
        session = Session(process, asyncio.get_running_loop().time())
        assert process.stdin is not None
        process.stdin.write(prompt.encode())
        process.stdin.close()
        return await session.end()


def touches(name: str, call_id: str = "toolu_one") -> ToolUse:
    """A call that leaves a file, which the CLI does not run by itself."""
    return bash(f"echo x > {name}", call_id)


async def one_call(place: Place, text: str, *words: str, **environment: str) -> Session:
    """A session of one call whose hook is `text`."""
    place.hook(text)
    async with serving([Turn([touches("ran")]), DONE]) as api:
        return await place.run(api.url, *words, **environment)


FAILING = {
    "exit 1": ("exit 1", 20.0),
    "killed": ("kill -9 $$", 20.0),
    "missing": ("", 20.0),
    "garbage": ("echo 'no JSON at all'", 20.0),
    "timeout": ("sleep 60", 1.0),
    # More milliseconds than 32 bits hold: the hook is ended at once.
    "timeout of 3000000 s": ("exec sleep 180", 3000000.0),
}


async def fail(tmp_path: Path, name: str, *words: str) -> tuple[Place, Session]:
    """A session of two calls whose hook fails in one of the ways of FAILING."""
    text, timeout = FAILING[name]
    place = Place(tmp_path / name.replace(" ", "-"), timeout)
    place.hook(text)
    if name == "missing":
        (place.root / "hook").unlink()
    async with serving([Turn([touches("ran")]), Turn([bash("python3 -c 1", "toolu_two")]), DONE]) as api:
        return place, await place.run(api.url, *words)


AT_ONCE = 120  # seconds: less than that hook would take, and enough for a busy machine


async def test_a_hook_that_fails_blocks_a_tool_that_only_it_may_allow(tmp_path: Path) -> None:
    found = dict(zip(FAILING, await asyncio.gather(*(fail(tmp_path, name) for name in FAILING)), strict=True))
    assert {name: place.made("ran") for name, (place, _) in found.items()} == dict.fromkeys(FAILING, False)
    assert {name: session.refused() for name, (_, session) in found.items()} == {
        name: {"toolu_one", "toolu_two"} for name in FAILING
    }
    # The model is told that nobody allowed it, and the transcript's reader takes it for a denial.
    assert {session.answers()["toolu_two"] for _, session in found.values()} == {"This command requires approval"}
    assert [name for name, (_, session) in found.items() if session.read_as_denied() != session.refused()] == []
    assert found["timeout of 3000000 s"][1].seconds < AT_ONCE


async def test_a_hook_that_fails_lets_a_tool_run_that_the_cli_allows(tmp_path: Path) -> None:
    """Why no tool that acts is ever in --allowedTools."""
    words = ("--allowedTools", "Bash")
    found = dict(zip(FAILING, await asyncio.gather(*(fail(tmp_path, name, *words) for name in FAILING)), strict=True))
    assert {name: place.made("ran") for name, (place, _) in found.items()} == dict.fromkeys(FAILING, True)
    assert [name for name, (_, session) in found.items() if session.refused()] == []
    assert found["timeout of 3000000 s"][1].seconds < AT_ONCE


BYPASSING = ("--permission-mode", "bypassPermissions")


async def test_where_permissions_are_bypassed_a_hook_that_says_no_is_obeyed_and_one_that_hangs_lets_all_run(
    tmp_path: Path,
) -> None:
    """Why no session bypasses permissions."""

    async def run(name: str, text: str, timeout: float) -> tuple[bool, str]:
        place = Place(tmp_path / name, timeout)
        session = await one_call(place, text, *BYPASSING, IS_SANDBOX="1")  # which the CLI wants of root
        assert session.named("system")[0]["permissionMode"] == "bypassPermissions"
        assert len(place.asked) == 1
        return place.made("ran"), session.answers()["toolu_one"]

    exit_2, json_deny, hanging = await asyncio.gather(
        run("exit-2", "echo why not >&2; exit 2", 20),
        run("deny", says("deny", "why not"), 20),
        run("hang", "sleep 60", 1),
    )
    assert (exit_2[0], json_deny[0], hanging[0]) == (False, False, True)
    assert "why not" in exit_2[1]
    assert json_deny[1] == "why not"


@pytest.mark.parametrize("words", [(), ("--allowedTools", "Bash")], ids=["not-listed", "allowed"])
async def test_a_hook_that_says_no_is_obeyed(tmp_path: Path, words: tuple[str, ...]) -> None:
    texts = {"exit2": "echo why not >&2; exit 2", "deny": says("deny", "why not"), "ask": says("ask", "why not")}

    async def run(name: str) -> tuple[bool, str]:
        place = Place(tmp_path / name)
        session = await one_call(place, texts[name], *words)
        return place.made("ran"), session.answers()["toolu_one"]

    told = dict(zip(texts, await asyncio.gather(*(run(name) for name in texts)), strict=True))
    assert {name: ran for name, (ran, _) in told.items()} == dict.fromkeys(texts, False)
    assert "why not" in told["exit2"][1]
    assert told["deny"][1] == "why not"


@pytest.mark.parametrize(
    ("wait", "timeout"), [(0, 20), (0, 410), (12, 86400)], ids=["at-once", "as-ours", "after-12-s"]
)
async def test_a_hook_that_allows_lets_the_call_run(tmp_path: Path, wait: int, timeout: int) -> None:
    place = Place(tmp_path / "it", timeout)
    session = await one_call(place, f"sleep {wait}; {says('allow')}")
    assert session.refused() == set()
    assert place.made("ran")
    assert session.seconds >= wait


async def test_a_hook_that_allows_does_not_beat_the_denied_patterns(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.hook(says("allow"))
    async with serving([Turn([bash("touch other; docker restart web", "toolu_one")]), DONE]) as api:
        session = await place.run(api.url, "--disallowedTools", "Bash(docker restart:*)")
    assert session.refused() == {"toolu_one"}
    assert not place.made("other")


@pytest.mark.parametrize("decision", ["allow", "deny", "defer"])
async def test_a_deferred_call_ends_the_process_and_is_asked_again_when_resumed(tmp_path: Path, decision: str) -> None:
    place = Place(tmp_path)
    place.hook(says("defer"))
    id_ = str(uuid.uuid4())
    async with serving([Turn([Text("I act."), touches("ran")]), DONE]) as api:
        first = await place.run(api.url, "--session-id", id_)
        place.hook(says(decision, "a person said so"))
        again = await place.run(api.url, "--resume", id_, prompt="")
        sent = api.turns[-1].body["messages"]
    assert (first.exit_code, first.result["subtype"], first.result["is_error"]) == (0, "success", False)
    assert (first.result["stop_reason"], first.result["result"]) == ("tool_deferred", "")
    assert first.result["deferred_tool_use"] == {"id": "toolu_one", "name": "Bash", "input": touches("ran").input}
    assert first.result["total_cost_usd"] > 0
    assert [asked["tool_use_id"] for asked in place.asked] == ["toolu_one", "toolu_one"]
    assert place.asked[0]["tool_input"] == place.asked[1]["tool_input"]
    assert place.made("ran") == (decision == "allow")
    if decision == "defer":
        assert (again.exit_code, again.result["stop_reason"]) == (0, "tool_deferred")
        assert (again.result["total_cost_usd"], len(api.turns)) == (0, 1)
        return
    assert again.result["result"] == "done"
    answer, note = sent[-1]["content"]
    assert (answer["tool_use_id"], answer["is_error"]) == ("toolu_one", decision == "deny")
    assert decision == "allow" or answer["content"] == "a person said so"
    assert note["text"] == "Continue from where you left off."


async def test_a_prompt_given_on_resume_loses_a_call_that_is_deferred_again(tmp_path: Path) -> None:
    """Why a session that waited for a person is resumed with an empty standard input."""
    place = Place(tmp_path)
    place.hook(says("defer"))
    id_ = str(uuid.uuid4())
    async with serving([Turn([touches("ran")]), DONE]) as api:
        await place.run(api.url, "--session-id", id_)
        again = await place.run(api.url, "--resume", id_, prompt="Go on.")
        assert "Tool result missing" in str(api.turns[-1].body["messages"])
    assert again.result["result"] == "done"


async def test_resuming_without_a_deferred_call_and_without_a_prompt_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.hook(says("allow"))
    id_ = str(uuid.uuid4())
    async with serving([DONE, DONE]) as api:
        await place.run(api.url, "--session-id", id_)
        again = await place.run(api.url, "--resume", id_, prompt="")
    assert (again.exit_code, again.events) == (1, [])
    assert "No deferred tool marker" in again.stderr


async def test_calls_of_one_message_are_asked_about_one_after_the_other(tmp_path: Path) -> None:
    """The second is on standard output while the hook of the first is still asked: that is how a batch is known."""
    place = Place(tmp_path)
    place.hook(f"sleep 1; {says('allow')}")
    async with serving([Turn([touches("one", "toolu_one"), touches("two", "toolu_two")]), DONE]) as api:
        session = await place.run(api.url)
    calls = [(event["type"], block.get("id") or block.get("tool_use_id")) for event, block in blocks(session)]
    assert [id_ for _, id_ in calls] == ["toolu_one", "toolu_two", "toolu_one", "toolu_two"]
    assert [kind for kind, _ in calls] == ["assistant", "assistant", "user", "user"]
    assert len({event["message"]["id"] for event, block in blocks(session) if block["type"] == "tool_use"}) == 1


def blocks(session: Session) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(event, block) of each call and each result."""
    found = [(event, block) for event in session.events if "message" in event for block in event["message"]["content"]]
    return [(event, block) for event, block in found if block["type"] in ("tool_use", "tool_result")]


async def test_a_call_runs_while_the_rest_of_its_message_is_still_written(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.hook(says("allow"))
    long = bash("echo x > two # " + "x" * 400, "toolu_two")
    # On a machine with much to do, the hook and the first command take seconds.
    async with serving([Turn([touches("one", "toolu_one"), long], pace_s=0.8), DONE]) as api:
        session = await place.run(api.url)
    order = [block.get("id") or block.get("tool_use_id") for _, block in blocks(session)]
    assert order == ["toolu_one", "toolu_one", "toolu_two", "toolu_two"]


async def test_of_a_message_whose_calls_are_all_deferred_only_the_last_is_kept(tmp_path: Path) -> None:
    """Why a call of a batch is told to come alone, and not deferred."""
    place = Place(tmp_path)
    place.hook(says("defer"))
    id_ = str(uuid.uuid4())
    async with serving([Turn([touches("one", "toolu_one"), touches("two", "toolu_two")]), DONE]) as api:
        first = await place.run(api.url, "--session-id", id_)
        place.hook(says("allow"))
        await place.run(api.url, "--resume", id_, prompt="")
    assert first.result["deferred_tool_use"]["id"] == "toolu_two"
    assert (place.made("one"), place.made("two")) == (False, True)


def with_subagent(call: ToolUse) -> Script:
    """The session asks for a subagent, which makes the call."""

    def step(conversation: Conversation) -> Turn:
        if conversation.turn:
            return DONE
        if "in the subagent" in conversation.prompt:
            return Turn([call])
        task = {"description": "a part", "prompt": "Act in the subagent.", "subagent_type": "general-purpose"}
        return Turn([ToolUse("Task", task, "toolu_task")])

    steps: list[Step] = [step] * 3
    return steps


async def test_calls_of_a_subagent_are_asked_about_and_a_deferred_one_is_lost(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.hook(f"if grep -q toolu_one {tmp_path}/asked; then {says('defer')}; else {says('allow')}; fi")
    async with serving(with_subagent(touches("ran"))) as api:
        session = await place.run(api.url)
    assert [(asked["tool_name"], bool(asked.get("agent_id"))) for asked in place.asked] == [
        ("Agent", False),
        ("Bash", True),
    ]
    assert session.result["stop_reason"] == "end_turn"
    assert not place.made("ran")


async def test_the_structured_output_is_asked_about_and_is_given_without_an_answer(tmp_path: Path) -> None:
    schema = '{"type":"object","properties":{"summary":{"type":"string"}},"required":["summary"]}'
    place = Place(tmp_path)
    place.hook("exit 1")
    async with serving([Turn([ToolUse("StructuredOutput", {"summary": "x"}, "toolu_one")]), DONE]) as api:
        session = await place.run(api.url, "--json-schema", schema)
    assert [asked["tool_name"] for asked in place.asked] == ["StructuredOutput"]
    assert session.result["structured_output"] == {"summary": "x"}


@pytest.mark.parametrize(("text", "answer"), [("exit 1", "requested permissions"), (says("allow"), "acted")])
async def test_tools_of_mcp_servers_run_only_when_the_hook_allows(tmp_path: Path, text: str, answer: str) -> None:
    place = Place(tmp_path)
    place.hook(text)
    servers = {"mcpServers": {"probe": {"command": sys.executable, "args": [str(mcp_server.__file__)]}}}
    (tmp_path / "mcp.json").write_text(json.dumps(servers))
    async with serving([Turn([ToolUse("mcp__probe__act", {}, "toolu_one")]), DONE]) as api:
        # No tool is listed at all, and still it is offered.
        session = await place.run(api.url, "--mcp-config", str(tmp_path / "mcp.json"), tools="")
    assert [asked["tool_name"] for asked in place.asked] == ["mcp__probe__act"]
    assert answer in session.answers()["toolu_one"]


def left_behind(place: Place) -> None:
    """What a session might leave to give the next one permissions."""
    permissions = {"allow": ["Bash", "Write"], "defaultMode": "acceptEdits"}
    own: dict[str, Any] = {"permissions": permissions, "env": {"LEFT": "behind"}, "disableAllHooks": True}
    own["hooks"] = {"SessionStart": [{"hooks": [{"type": "command", "command": f"touch {place.root}/started"}]}]}
    for name in ("home/.claude/settings.json", "app/.claude/settings.json", "app/.claude/settings.local.json"):
        (place.root / name).parent.mkdir(parents=True, exist_ok=True)
        (place.root / name).write_text(json.dumps(own))
    project = {"hasTrustDialogAccepted": True, "allowedTools": ["Bash", "Write"]}
    (place.root / "home" / ".claude.json").write_text(json.dumps({"projects": {str(place.root / "app"): project}}))
    (place.root / "app" / ".mcp.json").write_text(
        json.dumps({"mcpServers": {"left": {"command": "touch", "args": [str(place.root / "served")]}}})
    )
    (place.root / "app" / "CLAUDE.md").write_text("LEFT-IN-CLAUDE-MD")


async def test_nothing_that_a_session_left_behind_counts_without_setting_sources(tmp_path: Path) -> None:
    """`--settings` still does. CLAUDE.md is not read either: what a session is to know must be told to it."""
    place = Place(tmp_path)
    place.hook('env > "$(dirname "$0")/environment"')
    left_behind(place)
    script = [Turn([touches("ran")]), Turn([ToolUse("Write", {"file_path": "w", "content": "x"}, "toolu_two")]), DONE]
    async with serving(script) as api:
        session = await place.run(api.url, tools="Bash,Write")
        assert "LEFT-IN-CLAUDE-MD" not in str(api.turns[0].body)
    assert session.refused() == {"toolu_one", "toolu_two"}
    assert len(place.asked) == 2
    assert session.named("system")[0]["permissionMode"] == "default"
    assert session.named("system")[0]["mcp_servers"] == []
    assert not (tmp_path / "started").exists()
    assert not (tmp_path / "served").exists()
    environment = (tmp_path / "environment").read_text()
    assert "LEFT=" not in environment
    # Why the hook starts Python by -I -S: it is given the session's environment, secrets and all.
    assert fake.KEY in environment


async def test_a_session_can_go_on_from_another_with_more_tools_under_an_id_of_its_own(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.hook(says("allow"))
    parent, child = str(uuid.uuid4()), str(uuid.uuid4())
    async with serving([Turn([Text("It is down.")]), Turn([touches("ran")]), DONE]) as api:
        await place.run(api.url, "--session-id", parent)
        fork = ("--resume", parent, "--fork-session", "--session-id", child, "--model", "sonnet")
        session = await place.run(api.url, *fork, prompt="Repair it.", tools="Bash,Write,Edit")
        sent = api.turns[-1].body
    init = session.named("system")[0]
    assert (init["session_id"], sorted(init["tools"])) == (child, ["Bash", "Edit", "Write"])
    assert "sonnet" in init["model"]
    assert "It is down." in str(sent["messages"])
    assert place.made("ran")


async def test_a_session_that_is_not_there_can_not_be_gone_on_from(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.hook(says("allow"))
    async with serving([DONE]) as api:
        session = await place.run(api.url, "--resume", str(uuid.uuid4()), "--fork-session", prompt="Go on.")
    assert (session.exit_code, session.result["subtype"], session.result["num_turns"]) == (
        1,
        "error_during_execution",
        0,
    )
    assert "No conversation found" in session.result["errors"][0]
