"""`claudeopsctl triggers`, and what `sessions` knows of queue, chain and approvals: the contract for scripts."""

import json
import os
import pwd
from typing import Any

import pytest

from tests.integration.ctl.stage import Stage, wait_for

ME = f"{pwd.getpwuid(os.getuid()).pw_name} (claudeopsctl)"
FIELDS = {"id", "kind", "status", "tier", "priority", "prompt", "key", "merged", "reason", "requested_by", "session_id"}


def trigger(id_: int, status: str = "waiting", **facts: Any) -> dict[str, Any]:
    times = {"created_at": "2026-01-31T08:05:00.000Z", "updated_at": "2026-01-31T08:05:00.000Z"}
    return {"id": id_, "kind": "manual", "status": status, "tier": 1, "priority": 5, **times, **facts}


def session(id_: int, **facts: Any) -> dict[str, Any]:
    known = {"tier": 1, "model": "haiku", "prompt_file": "p.md", "status": "completed", "trigger": "manual"}
    return {"id": id_, **known, "started_at": "2026-01-31T08:05:00.000Z", **facts}


def approval(id_: int = 3, session_id: int = 7, **facts: Any) -> dict[str, Any]:
    known = {
        "tool_use_id": "t", "tier": 2, "tool": "Bash", "input": json.dumps({"command": "docker restart web"}),
        "rule": "docker.restart", "reason": "it restarts web", "found": "[]", "status": "waiting",
        "created_at": "2026-01-31T08:05:00.000Z", "expires_at": "2099-01-31T08:05:00.000Z",
    }  # fmt: skip
    return {"id": id_, "session_id": session_id, **known, **facts}


def test_the_queue_is_a_list_in_the_order_in_which_it_will_start(served: Stage) -> None:
    served.rows("triggers", trigger(1), trigger(2, "started", session_id=9), trigger(3, priority=1))
    told = served.json("triggers", "list", "--status", "waiting")
    assert [row["id"] for row in told] == [3, 1]
    assert told[0].keys() >= FIELDS
    assert [row["id"] for row in served.json("triggers", "list")] == [3, 2, 1]
    assert [row["id"] for row in served.json("triggers", "list", "--status", "started")] == [2]
    assert [row["id"] for row in served.json("triggers", "list", "--limit", "1", "--before", "3")] == [2]
    assert served.json("triggers", "list", "--status", "refused") == []


def test_people_see_what_waits_and_why_and_are_told_of_the_rest(served: Stage) -> None:
    waits = [trigger(id_, reason="tier 1 is\nbusy \x1b[2J", prompt="look \x1b[31m") for id_ in range(1, 6)]
    served.rows("triggers", *waits)
    told = served.ctl("triggers", "list", "--status", "waiting", "--limit", "2").stdout
    assert "tier 1 is busy \\x1b[2J" in told
    assert "\x1b" not in told
    assert told.endswith("2 of 5 that wait; --limit 5 shows all\n")
    assert "that wait" not in served.ctl("triggers", "list").stdout


def test_a_long_queue_takes_as_many_answers_as_it_needs(served: Stage) -> None:
    served.rows("triggers", *(trigger(id_, "cancelled") for id_ in range(1, 251)))
    assert [row["id"] for row in served.json("triggers", "list", "--limit", "1000")] == list(range(250, 0, -1))
    assert len(served.calls("triggers.list")) == 3


@pytest.mark.parametrize("words", [("triggers", "add"), ("sessions", "trigger", "--queue")])
def test_a_trigger_is_answered_at_once_though_its_tier_is_busy(served: Stage, words: tuple[str, ...]) -> None:
    (served.runtime / "busy").touch()
    told = served.json(*words, "--tier", "2", "--prompt", "look")
    assert told.keys() >= FIELDS
    assert (told["id"], told["status"], told["tier"], told["merged"]) == (77, "waiting", 2, 0)
    (call,) = served.calls("triggers.add")
    assert call["body"] == {"tier": 2, "prompt": "look", "kind": "manual", "key": "", "by": ME}
    assert served.calls("sessions.trigger") == []


def test_a_model_may_choose_the_tier(served: Stage) -> None:
    served.ctl("triggers", "add", "--tier", "auto", "--prompt", "look")
    assert served.calls("triggers.add")[0]["body"]["tier"] == 0
    refused = served.ctl("triggers", "add", "--tier", "4", "--prompt", "look")
    assert (refused.returncode, "'4' is no tier: 1, 2, 3 or auto" in refused.stderr) == (2, True)
    assert len(served.calls("triggers.add")) == 1


def test_what_waits_already_is_merged_and_people_are_told(served: Stage) -> None:
    words = ("triggers", "add", "--kind", "alert", "--key", "disk", "--prompt", "look")
    assert served.ctl(*words).stdout == "trigger 77 of tier 1 is waiting: tier 1 is busy\n"
    assert served.ctl(*words).stdout == "trigger 77 of tier 1 is waiting: tier 1 is busy (it waited already)\n"
    assert served.json(*words)["merged"] == 2
    assert {(call["body"]["kind"], call["body"]["key"]) for call in served.calls("triggers.add")} == {("alert", "disk")}


def test_a_trigger_takes_its_prompt_from_a_file(served: Stage) -> None:
    served.ctl("triggers", "add", "--prompt-file", "-", input="from input")
    assert served.calls("triggers.add")[0]["body"]["prompt"] == "from input"
    assert served.ctl("triggers", "add", "--prompt", " ").returncode == 2
    assert len(served.calls("triggers.add")) == 1


@pytest.mark.parametrize(("status", "code"), [("completed", 0), ("failed", 1), ("escalated", 1)])
def test_waiting_lasts_through_the_queue_to_the_sessions_end(served: Stage, status: str, code: int) -> None:
    process = served.popen("triggers", "add", "--prompt", "look", "--wait", "--json")
    wait_for(lambda: len(served.calls("triggers.list")) > 1)
    served.rows("triggers", trigger(77, "started", session_id=42))
    wait_for(lambda: len(served.calls("sessions.show")) > 1)
    served.kill_worker()
    served.start_worker()
    (served.runtime / "session-42.status").write_text(status)
    out, _ = process.communicate(timeout=30)
    told = json.loads(out)
    assert (told["id"], told["status"], told["session_id"]) == (77, "started", 42)
    assert (told["session"]["id"], told["session"]["status"]) == (42, status)
    assert process.returncode == code


def test_waiting_goes_on_where_the_session_was_killed_before_it_ran(served: Stage) -> None:
    (served.runtime / "session-42.status").write_text("interrupted")
    process = served.popen("triggers", "add", "--prompt", "look", "--wait")
    wait_for(lambda: served.calls("triggers.list"))
    served.rows("triggers", trigger(77, attempts=1, session_id=42))
    wait_for(lambda: len(served.calls("triggers.list")) > 2)
    served.rows("triggers", trigger(77, "started", session_id=43))
    (served.runtime / "session-43.status").write_text("completed")
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out.startswith(b"session 43: completed\n")


def test_waiting_for_what_never_starts_is_exit_code_1(served: Stage) -> None:
    process = served.popen("triggers", "add", "--prompt", "look", "--wait")
    wait_for(lambda: served.calls("triggers.list"))
    told = served.ctl("triggers", "cancel", "77")
    assert told.stdout == f"trigger 77 of tier 1 is cancelled: by {ME}\n"
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert out.decode() == told.stdout


def test_waiting_in_the_queue_may_have_a_limit(served: Stage) -> None:
    told = served.json("triggers", "add", "--prompt", "look", "--wait", "--timeout", "0.2", code=1)
    assert (told["error"]["code"], told["error"]["id"]) == ("deadline", 77)
    assert told["error"]["message"].startswith("trigger 77 still waits (tier 1 is busy) after 0.2 s; ")


def test_a_trigger_is_cancelled_while_it_waits_and_not_afterwards(served: Stage) -> None:
    served.rows("triggers", trigger(1), trigger(2, "started", session_id=9))
    assert served.json("triggers", "cancel", "1")["status"] == "cancelled"
    for id_, code in (("1", "conflict"), ("2", "conflict"), ("404", "not_found")):
        assert served.json("triggers", "cancel", id_, code=1)["error"]["code"] == code


def test_a_session_that_waits_for_a_person_is_not_over(served: Stage) -> None:
    (served.runtime / "session-42.status").write_text("awaiting_approval")
    process = served.popen("sessions", "trigger", "--prompt", "look", "--wait", "--json")
    wait_for(lambda: len(served.calls("sessions.show")) > 2)
    assert process.poll() is None
    (served.runtime / "session-42.status").write_text("completed")
    out, told = process.communicate(timeout=20)
    assert (process.returncode, json.loads(out)["status"]) == (0, "completed")
    hint = "claudeopsctl: session 42 waits for a person; `claudeopsctl approvals list` shows for what\n"
    assert told.decode() == hint, "said once"


def test_a_session_shows_its_chain_its_parent_and_the_call_that_waits(served: Stage) -> None:
    served.rows("approvals", approval(3, session_id=8), approval(4, session_id=9))
    (served.runtime / "session-8.status").write_text("awaiting_approval")
    told = served.json("sessions", "show", "8")
    assert (told["parent_session_id"], told["chain_id"], told["approval"]["id"]) == (7, 7, 3)
    text = served.ctl("sessions", "show", "8").stdout
    assert "parent     session 7\n" in text
    assert "`claudeopsctl sessions chain 7` lists it" in text
    assert "waits for  docker restart web\n" in text
    assert "`claudeopsctl approvals show 3` shows it whole" in text


def test_a_session_that_is_over_waits_for_nobody(served: Stage) -> None:
    served.rows("approvals", approval(3, session_id=7))
    (served.runtime / "session-7.status").write_text("stopped")
    assert served.json("sessions", "show", "7")["approval"] is None
    assert served.calls("approvals.list") == []


def test_a_chain_is_a_list_and_people_see_its_cost(served: Stage) -> None:
    first = session(7, status="escalated", cost_usd=0.25)
    served.rows("chain", first, session(8, tier=2, status="running", estimated_usd=1.0))
    told = served.json("sessions", "chain", "8")
    assert [row["id"] for row in told] == [7, 8]
    assert served.calls("sessions.chain")[0]["body"] == {"id": 8}
    assert served.ctl("sessions", "chain", "8").stdout.endswith("\n\n2 sessions, $1.25 in all so far\n")
    served.rows("chain", first)
    assert served.ctl("sessions", "chain", "7").stdout.endswith("\n\n1 session, $0.25 in all\n")


def test_sessions_are_listed_by_the_status_of_those_who_wait(served: Stage) -> None:
    assert served.ctl("sessions", "list", "--status", "awaiting_approval", "--limit", "1").returncode == 0
    assert served.calls("sessions.list")[0]["body"]["status"] == "awaiting_approval"
