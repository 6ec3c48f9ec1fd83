"""A session's own budget, kept by the real claude CLI: over all its runs, with a reason that people can read."""

import re
from pathlib import Path

from daemon.demo.turns import Text, Turn
from tests.acceptance.real import acts, messages_api, real, report, say
from tests.acceptance.test_approvals import COMMAND, ROUND, ask, wait_status, waiting
from tests.fakes.messages_api import bash

REASON = r"spent \$(\S+) of its \$(\S+) budget \(CLAUDEOPS_SESSION_MAX_BUDGET_USD\)"


def dear(tokens: int, command: str, id_: str) -> Turn:
    """A call with many words."""
    return Turn([Text("I think."), bash(command, id_)], output_tokens=tokens)


def test_a_session_that_has_spent_its_budget_ends_and_says_so(tmp_path: Path) -> None:
    script = [dear(40_000, "uptime", "one"), dear(40_000, "uptime -p", "two"), report("never reached")]
    with messages_api(dear=script) as (url, _), real(tmp_path, url, CLAUDEOPS_SESSION_MAX_BUDGET_USD="0.01") as daemon:
        ended = wait_status(daemon, ask(daemon, 1, "dear"), "failed")
        found = re.fullmatch(REASON, ended["reason"])
        assert found, ended["reason"]
        assert (float(found[1]), found[2]) == (round(ended["cost_usd"], 4), "0.01")
        assert ended["cost_usd"] > 0.01


def test_what_was_spent_before_it_was_put_aside_counts_towards_the_same_budget(tmp_path: Path) -> None:
    """Two turns of some $0.30 each fit into $0.50 alone, and not together."""
    script = [
        dear(20_000, COMMAND, "deploy"),
        dear(20_000, "uptime", "after"),
        say("Never reached.", bash("uptime -p", "last")),
        report("never reached"),
    ]
    with (
        messages_api(dear=script) as (url, _),
        real(tmp_path, url, CLAUDEOPS_SESSION_MAX_BUDGET_USD="0.5", **ROUND) as daemon,
    ):
        id_ = ask(daemon, 2, "dear")
        spent = wait_status(daemon, id_, "awaiting_approval")["cost_usd"]
        assert 0.25 < spent < 0.5
        daemon.ctl("approvals", "approve", str(waiting(daemon)["id"]))
        ended = wait_status(daemon, id_, "failed")
        assert acts(tmp_path) == [COMMAND]
        found = re.fullmatch(REASON, ended["reason"])
        assert found, ended["reason"]
        assert found[2] == "0.5"
        assert ended["cost_usd"] - spent < 0.5 < ended["cost_usd"]
