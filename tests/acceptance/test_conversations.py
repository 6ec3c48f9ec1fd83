"""Where sessions run has changed, and the real CLI finds a conversation only from where it was had."""

from pathlib import Path

from daemon.demo.turns import Text, Turn
from tests.acceptance.harness import wait_for
from tests.acceptance.real import acts, messages_api, real, report, say
from tests.acceptance.test_approvals import COMMAND, ROUND, SCRIPT, ask, summary, wait_status, waiting
from tests.acceptance.test_limits import first_messages, sessions
from tests.fakes.messages_api import bash


def test_the_next_tier_begins_afresh_and_a_call_that_waited_runs_where_it_was_asked_about(tmp_path: Path) -> None:
    first = [say("I look.", bash("uptime", "look")), report("web is down", needed=True, status="down")]
    slow = [Turn([Text("never")], before_s=120.0)]
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    with (
        messages_api(deploy=SCRIPT, tier1=first, slow=slow, tier2=[report("web answers")]) as (url, api),
        real(tmp_path, url, CLAUDEOPS_APP_DIR=str(before), **ROUND) as daemon,
    ):
        waits = ask(daemon)
        wait_status(daemon, waits, "awaiting_approval")
        ask(daemon, script="slow")
        daemon.ctl("triggers", "add", "--tier", "1")
        wait_for(lambda: [row["status"] for row in sessions(daemon)][2:] == ["escalated"], 60, "a hand-over")
        assert daemon.stop() == 0
        daemon.environment["CLAUDEOPS_APP_DIR"] = str(after)
        daemon.start()
        last = wait_for(lambda: sessions(daemon)[3:], 30, "a session of tier 2")[0]
        afresh = wait_status(daemon, last["id"], "completed")
        assert summary(afresh) == "web answers"
        assert "web is down" in afresh["context"]
        assert "I look." not in str(first_messages(api, afresh))
        daemon.ctl("approvals", "approve", str(waiting(daemon)["id"]))
        assert summary(wait_status(daemon, waits, "completed")) == "told: done"
        assert acts(tmp_path) == [COMMAND]
