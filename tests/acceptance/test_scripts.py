"""What scripts rely on, of a real daemon with the real claude CLI: exit codes, and lists as JSON with rows in them."""

import contextlib
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.harness import Daemon, wait_for
from tests.acceptance.real import acts, messages_api, real, report, say
from tests.fakes.messages_api import bash

RESTART, REPLACE = "docker restart web", "docker compose up -d web"
SAYS = "I restart it.\n[EVENT:warning:web] answers 502\n[MEMORY:timing:web] needs 90 s after a restart"
SCRIPT = [say(SAYS, bash(RESTART, "one")), say("It needs a new container.", bash(REPLACE, "two")), report("done")]


def only(rows: Any, **fields: Any) -> dict[str, Any]:
    """The one row of a list, which has these fields."""
    assert isinstance(rows, list)
    (row,) = rows
    assert isinstance(row, dict)
    assert {name: row.get(name) for name in fields} == fields
    return row


def check_commands(daemon: Daemon) -> None:
    """The verdict of the hook's own rules is the exit code; nothing runs."""
    for tier, line, code, decision in (
        (1, "docker ps", 0, "allow"),
        (1, RESTART, 1, "deny"),
        (2, REPLACE, 2, "ask"),
        # The cooldowns are asked, too: one call may restart a service once.
        (2, f"{RESTART}; {RESTART}", 1, "deny"),
    ):
        found = daemon.ctl("check-command", "--tier", str(tier), "--json", "--", line, check=False)
        assert (found.returncode, json.loads(found.stdout)["decision"]) == (code, decision), line
    told = daemon.ctl("check-command", "--tier", "2", "--", RESTART)
    assert "restart of web: 2 of 2 in 4 h" in told.stdout


def check_export(daemon: Daemon) -> None:
    """An export has all memories, more than one answer can hold, and so has the page's."""
    known = daemon.json("memories", "list")
    at = known[0]["created_at"]
    rows = [(f"s{n % 7}" if n % 8 else None, f"m{n}", at, at) for n in range(2500)]
    with contextlib.closing(sqlite3.connect(daemon.state / "claudeops.db", timeout=30)) as database, database:
        columns = "service, observation, created_at, updated_at, category"
        database.executemany(f"INSERT INTO memories ({columns}) VALUES (?, ?, ?, ?, 'timing')", rows)
    expected = {f"m{n}" for n in range(2500)} | {memory["observation"] for memory in known}
    exported = [memory["observation"] for memory in daemon.json("memories", "export")]
    assert (len(exported), set(exported)) == (2501, expected)
    markdown = daemon.ctl("memories", "export", "--format", "markdown").stdout
    assert sum(line.startswith("- [timing] ") for line in markdown.splitlines()) == 2501
    daemon.sign_in()
    told = json.loads(daemon.request("GET", "/memories.json")[2])["memories"]
    assert (len(told), {memory["observation"] for memory in told}) == (2501, expected)
    status, headers, body = daemon.request("HEAD", "/memories.md")
    assert (status, headers["Content-Type"], body) == (200, "text/markdown; charset=utf-8", b"")


def test_each_list_and_each_verdict_is_for_scripts(tmp_path: Path) -> None:
    with messages_api(web=SCRIPT) as (url, _), real(tmp_path, url, CLAUDEOPS_APPROVAL_HOLD="60") as daemon:
        session = daemon.json("sessions", "trigger", "--tier", "2", "--prompt", "script web")["id"]
        asked = only(wait_for(lambda: daemon.json("approvals", "list"), 60, "an approval"), session_id=session, tier=2)
        assert json.loads(asked["input"])["command"] == REPLACE
        # What comes while the tier is busy waits.
        queued = daemon.json("triggers", "add", "--tier", "2", "--prompt", "script later", "--key", "disk")
        waits = only(daemon.json("triggers", "list", "--status", "waiting"), id=queued["id"], tier=2, kind="manual")
        assert daemon.json("triggers", "cancel", str(waits["id"]))["status"] == "cancelled"
        assert queued["id"] in {trigger["id"] for trigger in daemon.json("triggers", "list")}
        only(daemon.json("events", "list", "--session", str(session)), service="web", level="warning",
             message="answers 502")  # fmt: skip
        only(daemon.json("memories", "list"), service="web", category="timing",
             observation="needs 90 s after a restart", active=True)  # fmt: skip
        only(daemon.json("cooldowns"), service="web", action="restart", used=1, limit=2, blocked=False)
        check_commands(daemon)
        verdicts = {entry["subject"]: entry for entry in daemon.json("audit", "list") if entry["actor"] == "rules"}
        assert {subject: entry["action"] for subject, entry in verdicts.items() if subject in (RESTART, REPLACE)} == {
            RESTART: "call.allow",
            REPLACE: "call.ask",
        }
        assert verdicts[REPLACE]["rule"] == asked["rule"] == "tier2-redeployments"

        denied = daemon.json("approvals", "deny", str(asked["id"]), "--reason", "not today")
        assert (denied["status"], denied["id"]) == ("denied", asked["id"])
        again = daemon.ctl("approvals", "approve", str(asked["id"]), "--json", check=False)
        assert again.returncode != 0
        assert "already denied" in json.loads(again.stdout)["error"]["message"]
        ended = daemon.wait_ended(session)
        assert ended["status"] == "completed"
        assert acts(tmp_path) == [RESTART]
        assert daemon.json("approvals", "list") == []
        only(daemon.json("approvals", "list", "--all"), status="denied", id=asked["id"])
        only(daemon.json("audit", "list", "--action", "approval.denied"), subject=REPLACE)

        check_export(daemon)
        cost = daemon.json("cost")
        assert cost["usd"] == pytest.approx(ended["cost_usd"])
        assert cost["usd"] > 0
        assert [(day["sessions"], day["tiers"][1]) for day in cost["days"] if day["sessions"]] == [(1, cost["usd"])]
        only(cost["models"], sessions=1)
        only(cost["chains"], id=session)
        plain = daemon.ctl("cost").stdout
        assert re.search(rf"^\${ended['cost_usd']:.2f}.* in 30 days", plain, re.MULTILINE), plain
