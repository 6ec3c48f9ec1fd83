"""handoff.json is of the session that wrote it: tiers run beside each other and share its path, and sessions wait."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from daemon.demo.turns import Conversation, Script, Text, Turn
from tests.acceptance.harness import Daemon, running, wait_for
from tests.acceptance.real import acts, messages_api, real, report, say
from tests.acceptance.test_approvals import ASKED, COMMAND, ROUND, wait_status, waiting
from tests.acceptance.test_limits import sessions, wait_over
from tests.fakes.messages_api import bash

HANDOFF = {"schema_version": 1, "recommended_tier": 3, "services_affected": ["web"]}
WRITE = f"cat > \"$CLAUDEOPS_STATE_DIR/handoff.json\" <<'END'\n{json.dumps(HANDOFF)}\nEND"
END = Turn([Text("That is all.")])
TAKEN = "handoff.json holds what session {} hands over, until that session is over"


def file(daemon: Daemon) -> Path:
    """The one path that all tiers have for it."""
    return daemon.state / "handoff.json"


def told(daemon: Daemon) -> list[tuple[int, str]]:
    """(tier, status) of every session, oldest first."""
    return [(row["tier"], row["status"]) for row in sessions(daemon)]


def answered(conversation: Conversation) -> Turn:
    """A report with what the model was told of its own handoff."""
    result = conversation.result_of("mine")
    return report(result.text if result else "nothing")


def test_two_tiers_at_once_and_the_other_one_ends_first(tmp_path: Path) -> None:
    with running(tmp_path / "daemon") as daemon:
        other = daemon.trigger(1, until=str(tmp_path / "first"), interval=0.05)
        writer = daemon.trigger(2, handoff=HANDOFF, until=str(tmp_path / "second"), interval=0.05)
        wait_for(file(daemon).exists, 20, "a handoff.json")
        (tmp_path / "first").touch()
        assert daemon.wait_ended(other["id"])["status"] == "completed"
        # Nor does it write over it.
        late = daemon.wait_ended(daemon.trigger(1, handoff={**HANDOFF, "recommended_tier": 2})["id"])
        assert late["status"] == "completed"
        assert TAKEN.format(writer["id"]) in Path(late["log_file"]).read_text()
        assert json.loads(file(daemon).read_text()) == HANDOFF
        (tmp_path / "second").touch()
        assert daemon.wait_ended(writer["id"])["status"] == "escalated"
        rows = wait_over(daemon, 4)
        assert (rows[3]["tier"], rows[3]["parent_session_id"]) == (3, writer["id"])
        # Whoever is next has the path for itself.
        assert not file(daemon).exists()
        assert daemon.wait_ended(daemon.trigger(1, handoff=HANDOFF)["id"])["status"] == "escalated"


@pytest.mark.parametrize("more", [{"exit": 3}, {"structured": {"summary": "s", "escalation": {"needed": False}}}])
def test_what_is_not_heard_of_it_is_cleared_away_with_its_session(tmp_path: Path, more: dict[str, Any]) -> None:
    with running(tmp_path / "daemon") as daemon:
        # What lies there from before is left to whoever put it there.
        file(daemon).write_text("somebody's")
        assert daemon.wait_ended(daemon.trigger(lines=1)["id"])["status"] == "completed"
        assert file(daemon).read_text() == "somebody's"
        ended = daemon.wait_ended(daemon.trigger(handoff=HANDOFF, **more)["id"])
        assert ended["status"] == ("failed" if "exit" in more else "completed")
        assert list(daemon.state.glob("*handoff*")) == []
        assert len(sessions(daemon)) == 2


@pytest.mark.parametrize("written", [b'{"odd": "\xff"}', b'{"odd": ' + b"[" * 5000 + b"]" * 5000 + b"}"])
def test_one_that_can_not_be_read_is_told_and_ends_no_worker(tmp_path: Path, written: bytes) -> None:
    with running(tmp_path / "daemon") as daemon:
        worker, over = daemon.pid("worker"), tmp_path / "over"
        session = daemon.trigger(2, handoff=HANDOFF, until=str(over), interval=0.05)
        wait_for(file(daemon).exists, 20, "a handoff.json")
        file(daemon).write_bytes(written)
        over.touch()
        assert daemon.wait_ended(session["id"])["status"] == "completed"
        (event,) = daemon.json("events", "list")
        assert event["message"].startswith("Escalation blocked: handoff.json: ")
        assert daemon.pid("worker") == worker


def test_a_pipe_in_its_place_holds_nobody_up(tmp_path: Path) -> None:
    with running(tmp_path / "daemon") as daemon:
        over = tmp_path / "over"
        session = daemon.trigger(2, handoff=HANDOFF, until=str(over), interval=0.05)
        wait_for(file(daemon).exists, 20, "a handoff.json")
        file(daemon).unlink()
        os.mkfifo(file(daemon))
        over.touch()
        assert daemon.wait_ended(session["id"])["status"] == "completed"
        assert daemon.wait_ended(daemon.trigger(2, lines=1)["id"])["status"] == "completed"


def test_an_output_of_odd_shape_ends_no_worker(tmp_path: Path) -> None:
    with running(tmp_path / "daemon") as daemon:
        worker = daemon.pid("worker")
        asked = {"needed": True, "reason": "r", "failed_checks": 5}
        ended = daemon.wait_ended(daemon.trigger(1, structured={"escalation": asked, "services_checked": True})["id"])
        assert ended["status"] == "escalated"
        assert daemon.pid("worker") == worker


def test_the_real_cli_hands_over_by_a_redirection_and_skips_a_tier(tmp_path: Path) -> None:
    first = [say("I look.", bash(WRITE, "write")), END, END]
    with messages_api(tier1=first, tier3=[report("web answers again")]) as (url, _), real(tmp_path, url) as daemon:
        daemon.ctl("triggers", "add", "--tier", "1")
        rows = wait_over(daemon, 2)
        assert told(daemon) == [(1, "escalated"), (3, "completed")]
        assert rows[0]["structured"] is None
        assert rows[1]["parent_session_id"] == rows[0]["id"]
        assert "Services affected:\n- web" in rows[1]["context"]
        assert not file(daemon).exists()


def test_written_put_aside_and_resumed_it_still_counts_and_nobody_has_touched_it_meanwhile(tmp_path: Path) -> None:
    writes: Script = [say("To whom it concerns.", bash(WRITE, "write")), ASKED, END, END]
    other: Script = [say("I hand over, too.", bash(WRITE, "mine")), answered]
    with messages_api(writes=writes, other=other) as (url, _), real(tmp_path, url, **ROUND) as daemon:
        writer = daemon.json("sessions", "trigger", "--tier", "2", "--prompt", "script writes")["id"]
        wait_status(daemon, writer, "awaiting_approval")
        assert json.loads(file(daemon).read_text()) == HANDOFF
        late = daemon.json("sessions", "trigger", "--tier", "1", "--prompt", "script other")["id"]
        ended = wait_status(daemon, late, "completed")
        assert TAKEN.format(writer) in json.loads(ended["structured"])["summary"]
        daemon.ctl("approvals", "approve", str(waiting(daemon)["id"]))
        wait_status(daemon, writer, "escalated")
        assert acts(tmp_path)[0] == COMMAND
        wait_over(daemon, 3)
        assert told(daemon)[:2] == [(2, "escalated"), (1, "completed")]
        assert sessions(daemon)[2]["tier"] == 3
        assert not file(daemon).exists()
