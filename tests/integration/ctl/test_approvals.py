"""`claudeopsctl approvals`: what waits, decided once and by name, standing rules; the contract for scripts."""

import json
import os
import pwd
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schema.timestamps import parse
from tests.integration.ctl.stage import Stage, wait_for

ME = f"{pwd.getpwuid(os.getuid()).pw_name} (claudeopsctl)"
FIELDS = {
    "id",
    "session_id",
    "tool",
    "input",
    "rule",
    "reason",
    "found",
    "status",
    "expires_at",
    "decided_by",
    "answer",
}
WILD = "docker restart web \x1b[2J\nexpires   never\n" + "x" * 3000 + " && reboot"


def approval(id_: int, status: str = "waiting", **facts: Any) -> dict[str, Any]:
    found = [{"kind": "restart", "text": "docker restart web", "target": "web", "through": ["sudo"], "reason": "r"}]
    known = {
        "session_id": 7, "tool_use_id": f"t{id_}", "tier": 2, "tool": "Bash", "status": status,
        "input": json.dumps({"command": WILD, "timeout": 5000}), "rule": "docker.restart",
        "reason": "it restarts web", "found": json.dumps(found), "words": "web is \x1b]0;down\x07",
        "created_at": "2026-01-31T08:05:00.000Z", "expires_at": f"2099-01-{31 - id_}T08:05:00.000Z",
    }  # fmt: skip
    return {"id": id_, **known, **facts}


def rule(id_: int, **facts: Any) -> dict[str, Any]:
    known = {"decision": "allow", "pattern": "docker restart \x1b*", "created_at": "2026-01-31T08:05:00.000Z"}
    return {"id": id_, **known, "created_by": "ann", **facts}


def test_what_waits_comes_by_its_expiry_and_the_rest_when_asked_for(served: Stage) -> None:
    served.rows("approvals", approval(1), approval(2), approval(3, "denied", decided_by="ann"))
    told = served.json("approvals", "list")
    assert [row["id"] for row in told] == [2, 1]
    assert told[0].keys() >= FIELDS
    assert [row["id"] for row in served.json("approvals", "list", "--all")] == [3, 2, 1]
    assert [row["id"] for row in served.json("approvals", "list", "--status", "denied")] == [3]
    text = served.ctl("approvals", "list", "--all").stdout
    assert "\x1b" not in text
    assert len(text.splitlines()) == 4, "one line a call, whatever is in it"
    assert served.ctl("approvals", "list", "--all", "--status", "denied").returncode == 2
    assert served.ctl("approvals", "list", "--limit", "2").stdout.endswith(
        "\nthere may be more; --limit 4 shows them\n"
    )


def test_one_is_shown_whole(served: Stage) -> None:
    served.rows("approvals", approval(1))
    assert served.json("approvals", "show", "1").keys() >= FIELDS
    text = served.ctl("approvals", "show", "1").stdout
    lines = text.splitlines()
    assert lines[0] == "approval 1: waiting"
    assert "    | docker restart web \\x1b[2J" in lines
    assert "    | expires   never" in lines, "a line of the command can't be taken for one of ours"
    assert "    | " + "x" * 3000 + " && reboot" in lines
    assert "    | 5000" in lines
    assert "\x1b" not in text
    for fact in ("session 7 of tier 2", "it restarts web (rule docker.restart)", "2099-01-30", "web is \\x1b]0;down"):
        assert fact in text
    (found,) = [line for line in lines if line.startswith("restart  ")]
    assert found.split() == ["restart", "web", "–", "sudo", "r", "docker", "restart", "web"]
    assert "`claudeopsctl approvals approve 1`" in lines[-1]


def test_a_call_whose_input_is_no_command_is_shown_too(served: Stage) -> None:
    served.rows(
        "approvals", approval(1, tool="mcp__x__put", input='{"deep": {"a": [1]}}'), approval(2, input="not\x1b")
    )
    assert '    |   "a": [' in served.ctl("approvals", "show", "1").stdout
    assert "    | not\\x1b" in served.ctl("approvals", "show", "2").stdout
    assert 'mcp__x__put {"deep": {"a": [1]}}' in served.ctl("approvals", "list").stdout


def test_approving_names_who_does_it(served: Stage) -> None:
    served.rows("approvals", approval(1), approval(2))
    told = served.json("approvals", "approve", "1")
    assert (told["status"], told["decided_by"]) == ("approved", ME)
    body = served.calls("approvals.decide")[0]["body"]
    assert body == {"id": 1, "approve": True, "reason": "", "by": ME, "remember": None}
    assert served.ctl("approvals", "approve", "2").stdout.startswith(f"approval 2 is approved by {ME}: docker restart")


def test_denying_gives_the_model_a_reason(served: Stage) -> None:
    served.rows("approvals", approval(1))
    assert served.ctl("approvals", "deny", "1").returncode == 2
    assert served.ctl("approvals", "deny", "1", "--reason", " ").returncode == 2
    assert served.calls("approvals.decide") == []
    told = served.json("approvals", "deny", "1", "--reason", "not at night")
    assert (told["status"], told["answer"], told["decided_by"]) == ("denied", "not at night", ME)


def test_who_comes_second_is_told_who_was_first_with_exit_code_1(served: Stage) -> None:
    at = "2026-01-31T08:05:00.000Z"
    served.rows("approvals", approval(1, "approved", decided_by="ann", decided_at=at))
    for words in (("approve", "1"), ("deny", "1", "--reason", "no")):
        error = served.json("approvals", *words, code=1)["error"]
        assert (error["code"], error["by"]) == ("conflict", "ann")
        told = served.ctl("approvals", *words)
        assert (told.returncode, told.stdout) == (1, "")
        assert told.stderr == f"claudeopsctl: ann was first: approved at {at}\n"
    assert "decided     2026-01-31T08:05:00.000Z by ann\n" in served.ctl("approvals", "show", "1").stdout


def test_two_at_once_are_one_decision(served: Stage) -> None:
    served.rows("approvals", approval(1))
    (served.runtime / "hang").touch()
    both = [served.popen("approvals", "approve", "1", "--json") for _ in range(2)]
    wait_for(lambda: len({call["id"] for call in served.calls("approvals.decide")}) == 2)
    (served.runtime / "hang").unlink()
    for process in both:
        process.communicate(timeout=20)
    assert sorted(process.returncode for process in both) == [0, 1]


def test_approving_may_make_a_rule_with_scope_and_end(served: Stage) -> None:
    served.rows("approvals", approval(1, tool="mcp__x__put"), approval(2))
    words = ("--remember", "docker restart *", "--host", "db1", "--tier", "2", "--expires", "7d")
    served.json("approvals", "approve", "1", *words)
    made = served.calls("approvals.decide")[0]["body"]["remember"]
    assert (made["decision"], made["pattern"], made["host"], made["tier"]) == ("allow", "docker restart *", "db1", 2)
    assert made["tool"] == "mcp__x__put", "a rule is for the tool of the call that it was made at"
    away = parse(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=7, minutes=-1) < away <= timedelta(days=7)
    told = served.ctl("approvals", "approve", "2", "--remember", "docker ps").stdout.splitlines()
    assert told[1] == "from now on allowed: Bash docker ps, on this host, at every tier, until it is revoked"
    assert [row["pattern"] for row in served.json("approvals", "rules")] == ["docker ps"]


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("--host", "db1"), "by --remember PATTERN"),
        (("--tier", "2"), "by --remember PATTERN"),
        (("--expires", "7d"), "by --remember PATTERN"),
        (("--remember", " "), "the pattern is empty"),
        (("--remember", "ls", "--expires", "soon"), "give 90m, 12h, 7d"),
        (("--remember", "ls", "--expires", "2020-01-01"), "not in the future"),
    ],
)
def test_a_rule_that_is_half_said_is_wrong_usage_and_decides_nothing(
    served: Stage, words: tuple[str, ...], advice: str
) -> None:
    served.rows("approvals", approval(1))
    told = served.ctl("approvals", "approve", "1", *words)
    assert told.returncode == 2
    assert advice in told.stderr
    assert served.calls("approvals.decide") == []


def test_rules_are_listed_and_revoked_by_name(served: Stage) -> None:
    served.rows("rules", rule(1, host="db1", tier=2), rule(2, revoked_at="2026-02-01T08:05:00.000Z", revoked_by="bob"))
    told = served.json("approvals", "rules")
    assert [row["id"] for row in told] == [1]
    assert told[0].keys() >= {"decision", "tool", "pattern", "host", "tier", "created_by", "expires_at", "revoked_at"}
    text = served.ctl("approvals", "rules", "--all").stdout
    assert "\x1b" not in text
    assert "2026-02-01 08:05:00 by bob" in text
    assert served.json("approvals", "revoke", "1")["revoked_by"] == ME
    assert served.json("approvals", "rules") == []
    assert served.json("approvals", "revoke", "404", code=1)["error"]["code"] == "not_found"


def test_an_unknown_approval_is_exit_code_1(served: Stage) -> None:
    for words in (("show", "404"), ("approve", "404"), ("deny", "404", "--reason", "no")):
        assert served.json("approvals", *words, code=1)["error"]["code"] == "not_found"
