"""What the pinned claude CLI really does, asked of the CLI itself against the scripted API, in an empty HOME.

Facts that stopping a session and reading its transcript rest on: when a new version changes one, this is where it
shows. What it lets a session run stands in test_cli_limits.py.
"""

import asyncio
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from daemon.demo.turns import Drop, Hang, HttpError, Playbook, Script, Text, ToolUse, Turn
from tests.fakes import messages_api as fake
from tests.fakes.messages_api import bash, serving

DONE = Turn([Text("done")])
SLEEPING = ["Bash(sleep:*)"]


def long_call(seconds: int) -> Script:
    return [Turn([Text("A long one."), bash(f"sleep {seconds}")]), DONE]


def pids_of(*argv: str) -> list[int]:
    """Pids of the processes with just this command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")[:-1]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if words == list(argv):
            found.append(int(path.parent.name))
    return found


async def test_the_version_is_the_one_that_the_facts_were_measured_on(tmp_path: Path) -> None:
    package = json.loads((Path(__file__).parents[3] / "packaging" / "claude-cli" / "package.json").read_text())
    process = await asyncio.create_subprocess_exec(
        fake.CLI, "--version", stdout=asyncio.subprocess.PIPE, env=fake.environment(tmp_path / "home", "http://[::1]:1")
    )
    said, _ = await process.communicate()
    assert said.decode().split()[0] == package["dependencies"]["@anthropic-ai/claude-code"]


async def test_a_batch_is_one_event_a_call_and_one_a_result(tmp_path: Path) -> None:
    script = [Turn([Text("Two."), bash("echo one", "a"), bash("echo two", "b")]), DONE]
    async with serving(script) as api:
        session = await fake.run(api.url, tmp_path, "Go.")
    assert session.answers() == {"a": "one", "b": "two"}
    first = [event["message"] for event in session.named("assistant")[:3]]
    assert len({message["id"] for message in first}) == 1
    assert [len(message["content"]) for message in first] == [1, 1, 1]
    assert session.result["num_turns"] == 3


async def test_overload_is_retried_and_told_each_time(tmp_path: Path) -> None:
    async with serving([Turn([Text("Back.")], faults=[HttpError(529)] * 2)]) as api:
        session = await fake.run(api.url, tmp_path, "Go.")
    retries = [event for event in session.named("system") if event["subtype"] == "api_retry"]
    assert [(r["attempt"], r["max_retries"], r["error_status"], r["error"]) for r in retries] == [
        (1, 10, 529, "overloaded"),
        (2, 10, 529, "overloaded"),
    ]
    assert session.result["result"] == "Back."


async def test_a_stream_cut_in_the_middle_is_asked_for_again_whole(tmp_path: Path) -> None:
    async with serving([Turn([Text("The whole sentence.")], faults=[Drop(3)])]) as api:
        session = await fake.run(api.url, tmp_path, "Go.")
        assert [bool(request.body.get("stream")) for request in api.turns] == [True, False]
    assert session.result["result"] == "The whole sentence."


@pytest.mark.parametrize("status", [401, 500])
async def test_giving_up_is_a_result_called_success_with_is_error_and_exit_1(tmp_path: Path, status: int) -> None:
    """`subtype` alone says nothing: `is_error` does."""
    async with serving([Turn([Text("no")], faults=[HttpError(status, "no")] * 9)]) as api:
        session = await fake.run(api.url, tmp_path, "Go.", more={"CLAUDE_CODE_MAX_RETRIES": "1"})
    result = session.result
    assert (result["subtype"], result["is_error"], result["api_error_status"]) == ("success", True, status)
    assert session.exit_code == 1


async def test_an_unreachable_api_is_given_up_after_the_retries_allowed(tmp_path: Path) -> None:
    session = await fake.run("http://127.0.0.1:1", tmp_path, "Go.", more={"CLAUDE_CODE_MAX_RETRIES": "2"})
    assert session.kinds.count("system/api_retry") == 2
    assert session.result["result"] == "API Error: Unable to connect to API (ConnectionRefused)"
    assert session.exit_code == 1


async def test_a_silent_api_is_bounded_by_api_timeout_ms(tmp_path: Path) -> None:
    async with serving([Turn([Text("no")], faults=[Hang()] * 9)]) as api:
        more = {"API_TIMEOUT_MS": "1500", "CLAUDE_CODE_MAX_RETRIES": "1"}
        session = await fake.run(api.url, tmp_path, "Go.", more=more)
    assert session.result["result"] == "Request timed out"
    assert session.seconds < 20


async def test_sigint_during_a_call_keeps_the_cost_and_leaves_no_process(tmp_path: Path) -> None:
    async with serving(long_call(3517)) as api:
        session = await fake.start(api.url, tmp_path, "Go.", allowed=SLEEPING)
        await session.until('"tool_use"')
        await asyncio.sleep(1)
        assert pids_of("sleep", "3517")
        session.process.send_signal(signal.SIGINT)
        await session.end()
    assert session.result["subtype"] == "error_during_execution"
    assert session.result["terminal_reason"] == "aborted_tools"
    assert session.result["total_cost_usd"] > 0
    assert session.exit_code in (0, 1)  # which of the two is chance
    assert "[Request interrupted by user for tool use]" in str(session.named("user")[-1])
    assert pids_of("sleep", "3517") == []


async def test_sigint_while_the_api_is_silent_ends_at_once_mostly_without_a_result(tmp_path: Path) -> None:
    """Whether there is one is chance: a stopped session can't count on it, nor on the exit code."""
    async with serving([Turn([bash("echo one")]), Turn([Text("no")], faults=[Hang()])]) as api:
        session = await fake.start(api.url, tmp_path, "Go.")
        await session.until("tool_result")
        await asyncio.sleep(1)
        session.process.send_signal(signal.SIGINT)
        await session.end()
    assert session.exit_code in (0, 1)
    assert session.seconds < 20
    assert [result["subtype"] for result in session.named("result")] in ([], ["error_during_execution"])


async def test_sigterm_ends_with_143_no_result_and_leaves_the_tool_running(tmp_path: Path) -> None:
    """Why a stop goes over the whole tree."""
    async with serving(long_call(3518)) as api:
        session = await fake.start(api.url, tmp_path, "Go.", allowed=SLEEPING)
        await session.until('"tool_use"')
        await asyncio.sleep(1)
        session.process.send_signal(signal.SIGTERM)
        await session.end()
    assert (session.exit_code, session.named("result")) == (143, [])
    left = pids_of("sleep", "3518")
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left


async def test_a_prompt_of_200_kb_arrives_whole(tmp_path: Path) -> None:
    words = "Größe " * 30_000
    async with serving([DONE]) as api:
        session = await fake.run(api.url, tmp_path, words)
        sent = [block["text"] for block in api.turns[0].body["messages"][0]["content"]]
    assert words.strip() in [text.strip() for text in sent]
    assert session.exit_code == 0


async def test_no_prompt_and_unknown_flags_exit_1_with_words_on_stderr_alone(tmp_path: Path) -> None:
    async with serving([DONE]) as api:
        empty = await fake.run(api.url, tmp_path, "")
        bogus = await fake.run(api.url, tmp_path, "Go.", "--bogus")
        assert api.turns == []
    assert (empty.exit_code, empty.events) == (1, [])
    assert "Input must be provided" in empty.stderr
    assert (bogus.exit_code, bogus.events) == (1, [])
    assert "unknown option '--bogus'" in bogus.stderr


async def test_the_file_for_the_system_prompt_is_appended(tmp_path: Path) -> None:
    appended = tmp_path / "system.md"
    appended.write_text("Environment: CLAUDEOPS_TIER=1")
    async with serving([DONE]) as api:
        await fake.run(api.url, tmp_path, "Go.", "--append-system-prompt-file", str(appended))
        assert "Environment: CLAUDEOPS_TIER=1" in str(api.turns[0].body["system"])


async def test_a_report_that_breaks_the_schema_is_handed_back_and_a_missing_one_stays_missing(tmp_path: Path) -> None:
    schema = '{"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}'
    wrong, right = (
        Turn([ToolUse("StructuredOutput", {"a": 5}, "w")]),
        Turn([ToolUse("StructuredOutput", {"a": "x"}, "r")]),
    )
    async with serving([wrong, right]) as api:
        session = await fake.run(api.url, tmp_path, "Go.", "--json-schema", schema)
        assert len(api.turns) == 2  # none is asked for after the report
        api.playbook = Playbook([DONE, DONE, DONE])
        silent = await fake.run(api.url, tmp_path, "Go.", "--json-schema", schema)
    assert session.answers()["w"] == "Output does not match required schema: /a: must be string"
    assert session.result["structured_output"] == {"a": "x"}
    assert json.loads(session.result["result"]) == {"a": "x"}
    assert "structured_output" not in silent.result
    assert silent.result["is_error"] is False


async def test_one_variable_keeps_the_cli_from_calling_anyone_else(tmp_path: Path) -> None:
    """A proxy that only listens would see each host that the CLI wants to reach."""
    wanted: list[str] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wanted.append((await reader.readline()).decode())
        writer.close()

    proxy = await asyncio.start_server(note, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    async with serving([DONE]) as api:
        quiet = await fake.run(api.url, tmp_path, "Go.", more={"HTTPS_PROXY": address})
        assert (wanted, [request.side for request in api.requests]) == ([], [False])
        more = {"HTTPS_PROXY": address, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": ""}
        await fake.run(api.url, tmp_path, "Look at the payments.", more=more)
        assert any("api.anthropic.com" in line for line in wanted)
        assert any(request.side for request in api.requests)
    proxy.close()
    assert quiet.exit_code == 0


async def test_what_it_keeps_lies_below_claude_config_dir(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    async with serving([DONE]) as api:
        session = await fake.run(api.url, tmp_path, "Go.", more={"CLAUDE_CONFIG_DIR": str(kept)})
    assert list((tmp_path / "home").iterdir()) == []
    transcripts = [path.stem for path in kept.glob("projects/*/*.jsonl")]
    assert transcripts == [session.result["session_id"]]
    assert fake.KEY not in "".join(p.read_text() for p in kept.rglob("*.json*"))


async def test_a_first_event_comes_soon_and_names_version_model_and_key(tmp_path: Path) -> None:
    async with serving([DONE]) as api:
        session = await fake.start(api.url, tmp_path, "Go.")
        await session.until("init")
        soon = time.monotonic() - session.started
        await session.end()
    first = session.events[0]
    assert soon < 15
    assert re.fullmatch(r"\d+\.\d+\.\d+", first["claude_code_version"])
    assert (first["apiKeySource"], first["permissionMode"]) == ("ANTHROPIC_API_KEY", "default")
    assert fake.KEY not in str(session.events)
