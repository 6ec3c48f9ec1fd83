"""Limits that hold, end to end: the real claude CLI, a service that is really down, commands that really run."""

import json
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from daemon.demo.messages_api import MessagesApi
from schema.database import Database
from tests.acceptance.harness import Daemon, wait_for
from tests.acceptance.real import Service, acts, messages_api, real, report, say
from tests.fakes.messages_api import bash


def sessions(daemon: Daemon) -> list[dict[str, Any]]:
    """All sessions, oldest first."""
    database = Database(daemon.state / "claudeops.db", readonly=True)
    try:
        return database.rows("sessions.page", before=10**9, limit=1000)[::-1]
    finally:
        database.close()


def wait_over(daemon: Daemon, count: int) -> list[dict[str, Any]]:
    """Waits until `count` sessions are over and nothing waits."""

    def over() -> Any:
        rows = sessions(daemon)
        return len(rows) >= count and all(row["status"] != "running" for row in rows) and rows

    found = wait_for(over, 90, f"{count} sessions over")
    assert isinstance(found, list)
    return found


def first_messages(api: MessagesApi, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation as a session's CLI sent it with its first turn."""
    id_ = row["cli_session_id"]
    sent = (turn.body["messages"] for turn in api.turns if CIMultiDict(turn.headers)["x-claude-code-session-id"] == id_)
    found = next(sent, None)
    assert found is not None, f"no turn of session {row['id']}"
    return list(found)


def tool_results(messages: list[dict[str, Any]]) -> dict[str, str]:
    """Text of each tool result in a conversation by the id of its call."""
    blocks = [block for message in messages if isinstance(message["content"], list) for block in message["content"]]
    return {block["tool_use_id"]: str(block["content"]) for block in blocks if block["type"] == "tool_result"}


def transcript(row: dict[str, Any]) -> str:
    """What a session's log holds."""
    return Path(row["log_file"]).read_text()


def test_tier_2_restarts_what_tier_1_found_and_the_third_restart_is_denied_whatever_it_is_wrapped_in(
    tmp_path: Path,
) -> None:
    service = Service(tmp_path)
    look = f"curl -sS -m 5 -o /dev/null -w '%{{http_code}}' {service.url}"
    first = [say("I look.", bash(look, "look")), report("web is down", needed=True, status="down")]
    second = [
        say("I restart it.", bash("docker restart web", "one")),
        say("Does it answer?", bash(look, "again")),
        say("Once more.", bash("bash -c 'docker restart web'", "two")),
        say("And once more.", bash("ssh -o BatchMode=yes box docker restart web", "three")),
        say("So then.", bash("sudo -n docker restart web", "four")),
        say("And then.", bash("X=restart; docker $X web", "five")),
        report("web answers again"),
    ]
    try:
        with messages_api(tier1=first, tier2=second) as (url, api), real(tmp_path, url) as daemon:
            daemon.ctl("triggers", "add", "--tier", "1")
            rows = wait_over(daemon, 2)
            assert [(row["tier"], row["status"]) for row in rows] == [(1, "escalated"), (2, "completed")], transcript(
                rows[-1]
            )
            assert acts(tmp_path) == ["docker restart web", "docker restart web"]
            assert service.starts == 2
            text = transcript(rows[1])
            assert '"content":"200"' in text or "200" in text.split('"again"')[1]
            assert text.count("2 of 2 used in 4 h") >= 3
            (cooldown,) = daemon.json("cooldowns")
            assert (cooldown["service"], cooldown["action"], cooldown["used"], cooldown["blocked"]) == (
                "web", "restart", 2, True,
            )  # fmt: skip
            denied = daemon.json("audit", "list", "--action", "call.deny")
            assert [entry["subject"] for entry in denied][::-1] == [
                "ssh -o BatchMode=yes box docker restart web", "sudo -n docker restart web", "X=restart; docker $X web",
            ]  # fmt: skip
            assert {entry["rule"] for entry in denied} == {"cooldown"}
            # The conversation of tier 1 went on, under an id of its own.
            assert rows[1]["cli_session_id"] != rows[0]["cli_session_id"]
            assert rows[1]["parent_session_id"] == rows[0]["id"]
            # What tier 1 saw by its own call is in what tier 2 sends first; nobody else ever said it.
            sent = first_messages(api, rows[1])
            assert "Failed to connect to 127.0.0.1" in tool_results(sent)["look"]
            assert "Failed to connect" not in (rows[1]["context"] or "")
            assert "I look." in str(sent)
            assert "one" not in tool_results(sent)
    finally:
        service.close()


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_a_dry_run_changes_nothing_at_any_start_tier(tmp_path: Path, tier: int) -> None:
    calls = [say("I restart it.", bash("docker restart web", "one")), report("nothing was done")]
    with messages_api(dry=calls) as (url, _), real(tmp_path, url, CLAUDEOPS_DRY_RUN="true") as daemon:
        session = daemon.json("sessions", "trigger", "--tier", str(tier), "--prompt", "script dry")
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "completed"
        assert acts(tmp_path) == []
        (denied,) = daemon.json("audit", "list", "--action", "call.deny")
        # Tier 1's own list of what is denied says so first.
        assert denied["rule"] == ("dry-run" if tier > 1 else "disallowed: Bash(docker restart:*)")
        assert denied["detail"] in transcript(ended)
        assert json.loads(ended["structured"])["summary"] == "nothing was done"


def test_the_same_call_again_and_again_ends_the_session_with_a_readable_reason(tmp_path: Path) -> None:
    again = [say(f"Try {n}.", bash("uptime", f"call{n}")) for n in range(20)]
    with messages_api(loop=again) as (url, _), real(tmp_path, url, CLAUDEOPS_REPEAT_MAX="3") as daemon:
        session = daemon.json("sessions", "trigger", "--tier", "1", "--prompt", "script loop")
        ended = daemon.wait_ended(session["id"])
        assert ended["status"] == "stopped"
        assert ended["reason"] == "stopped for making the same call 7 times: uptime"
        assert "This very call was made 3 times already" in transcript(ended)
