"""Sessions of the whole daemon with the real claude CLI, against a scripted Messages API on loopback."""

import time
from pathlib import Path

from daemon.demo.turns import Hang, HttpError, Text, ToolUse, Turn
from tests.acceptance.harness import Daemon, wait_for
from tests.acceptance.real import messages_api
from tests.acceptance.stream import Reader
from tests.fakes.messages_api import CLI, KEY, bash

REPORT = {
    "summary": "web answers",
    "events": [{"level": "info", "service": "web", "message": "answers"}],
    "escalation": {"needed": False},
    "services_checked": [{"name": "web", "status": "healthy"}],
}
TOOL = Turn([Text("I look."), bash("sleep 0.2 && echo it answers", "one")], input_tokens=2000)
DENIED = Turn([bash("docker restart web", "two")])
END = Turn([ToolUse("StructuredOutput", REPORT)])
RETRY = b'data-kind="retry"'
LONG = Turn([bash("sleep 120", "long")])


def of_api(directory: Path, url: str, **more: str) -> Daemon:
    """A daemon whose sessions are real."""
    return Daemon(
        directory / "daemon",
        CLAUDEOPS_CLAUDE_BIN=str(CLI),
        CLAUDEOPS_STOP_GRACE_INT="8",
        ANTHROPIC_API_KEY=KEY,
        ANTHROPIC_BASE_URL=url,
        NO_PROXY="127.0.0.1",
        **more,
    )


def ask(daemon: Daemon, prompt: str, *more: str) -> dict[str, object]:
    """Starts a session with a prompt."""
    found = daemon.json("sessions", "trigger", "--tier", "1", "--prompt", prompt, *more)
    assert isinstance(found, dict)
    return found


def log(session: dict[str, object]) -> str:
    """What a session's log holds."""
    return Path(str(session["log_file"])).read_text()


def test_a_session_with_tools_a_denial_and_a_report(tmp_path: Path) -> None:
    with messages_api(check=[TOOL, DENIED, END]) as (url, api):
        daemon = of_api(tmp_path, url)
        try:
            daemon.start()
            ended = daemon.wait_ended(int(str(ask(daemon, "script check, please")["id"])))
            assert ended["status"] == "completed", (ended, log(ended)[-2000:])
            assert ended["response"] == "web answers"
            assert ended["structured"]
            assert ended["num_turns"] == 3 or ended["num_turns"] == 4
            assert ended["cost_usd"] > 0
            assert "haiku" in ended["model_id"]
            text = log(ended)
            assert "it answers" in text
            (denied,) = daemon.json("audit", "list", "--action", "call.deny")
            assert (denied["subject"], denied["session_id"]) == ("docker restart web", ended["id"])
            assert denied["detail"] in text
            assert all(request.keyed for request in api.turns)
            assert KEY not in text
        finally:
            daemon.close()


def test_a_session_that_is_stopped_keeps_its_cost(tmp_path: Path) -> None:
    with messages_api(long=[LONG, END]) as (url, _):
        daemon = of_api(tmp_path, url)
        try:
            daemon.start()
            session = ask(daemon, "script long")
            wait_for(lambda: [pid for pid in daemon.left_over() if is_sleep(pid)], 30, "the tool")
            daemon.ctl("sessions", "stop", str(session["id"]))
            ended = daemon.wait_ended(int(str(session["id"])))
            assert ended["status"] == "stopped"
            assert ended["cost_usd"] > 0
            assert not [pid for pid in daemon.left_over() if is_sleep(pid)]
        finally:
            daemon.close()


def test_a_session_that_times_out_while_a_tool_runs_leaves_no_process(tmp_path: Path) -> None:
    with messages_api(long=[LONG, END]) as (url, _):
        daemon = of_api(tmp_path, url, CLAUDEOPS_SESSION_TIMEOUT="12")
        try:
            daemon.start()
            before = set(daemon.left_over())
            session = ask(daemon, "script long")
            wait_for(lambda: [pid for pid in daemon.left_over() if is_sleep(pid)], 30, "the tool")
            ended = daemon.wait_ended(int(str(session["id"])))
            assert ended["status"] == "timed_out"
            wait_for(lambda: set(daemon.left_over()) <= before, 5, "no process left")
        finally:
            daemon.close()


def test_an_overloaded_api_shows_its_retries_live(tmp_path: Path) -> None:
    busy = Turn([Text("Back.")], faults=[HttpError(529, retry_after_s=1), HttpError(529, retry_after_s=1)])
    with messages_api(busy=[busy, END]) as (url, _):
        daemon = of_api(tmp_path, url)
        try:
            daemon.start()
            session = ask(daemon, "script busy")
            reader = Reader(daemon.sign_in(), int(str(session["id"])))
            reader.start()
            wait_for(lambda: RETRY in reader.raw, 30, "a browser that is told of a retry")
            told = reader.raw
            assert daemon.session(int(str(session["id"])))["status"] == "running"
            assert b"event: done" not in told
            assert b"overloaded" in told[told.index(RETRY) :]
            ended = daemon.wait_ended(int(str(session["id"])))
            assert ended["status"] == "completed"
            assert log(ended).count('"api_retry"') == 2
            reader.join(20)
            assert reader.done.is_set()
            assert reader.raw.count(RETRY) == 2
        finally:
            daemon.close()


def test_an_unreachable_api_is_a_failed_session_that_says_so(tmp_path: Path) -> None:
    daemon = of_api(tmp_path, "http://127.0.0.1:9", CLAUDE_CODE_MAX_RETRIES="1")
    try:
        daemon.start()
        ended = daemon.wait_ended(int(str(ask(daemon, "anything")["id"])), 90)
        assert ended["status"] == "failed"
        assert "connect" in ended["reason"].lower()
    finally:
        daemon.close()


def test_a_silent_api_is_ended_by_the_timeout(tmp_path: Path) -> None:
    with messages_api(silent=[Turn([Text("never")], faults=[Hang(60)])]) as (url, _):
        daemon = of_api(tmp_path, url, CLAUDEOPS_SESSION_TIMEOUT="4")
        try:
            daemon.start()
            before = time.monotonic()
            ended = daemon.wait_ended(int(str(ask(daemon, "script silent")["id"])))
            assert ended["status"] == "timed_out"
            assert time.monotonic() - before < 20
        finally:
            daemon.close()


def test_a_prompt_of_two_hundred_kilobytes_arrives_whole(tmp_path: Path) -> None:
    text = "script check " + "all work and no play " * 10_000
    with messages_api(check=[END]) as (url, api):
        daemon = of_api(tmp_path, url)
        try:
            daemon.start()
            (tmp_path / "prompt").write_text(text)
            found = daemon.json("sessions", "trigger", "--prompt-file", str(tmp_path / "prompt"), "--wait")
            assert found["status"] == "completed"
            assert text.strip() in str(api.turns[0].body)
        finally:
            daemon.close()


def is_sleep(pid: int) -> bool:
    """Whether a process is the tool of these tests."""
    try:
        return b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return False
