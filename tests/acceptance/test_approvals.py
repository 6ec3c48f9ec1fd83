"""Calls that wait for a person, with the real claude CLI: held, put aside, decided, resumed."""

import contextlib
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from daemon.demo.turns import Conversation, Script, Turn
from schema.database import Database
from tests.acceptance.harness import Daemon, wait_for
from tests.acceptance.real import acts, messages_api, real, report, say
from tests.fakes.messages_api import bash

COMMAND = "docker compose up -d web"
ASKED = say("This needs a new container.", bash(COMMAND, "deploy"))


def told(conversation: Conversation) -> Turn:
    """A report with what the model was told of its call."""
    result = conversation.result_of("deploy")
    return report(f"told: {result.text if result else 'nothing'}")


SCRIPT: Script = [ASKED, told, told]
ROUND = {"CLAUDEOPS_APPROVAL_HOLD": "0"}


def ask(daemon: Daemon, tier: int = 2, script: str = "deploy") -> int:
    """Starts a session whose call needs a person; its id."""
    found = daemon.json("sessions", "trigger", "--tier", str(tier), "--prompt", f"script {script}")
    return int(found["id"])


def waiting(daemon: Daemon) -> dict[str, Any]:
    """The one approval that waits."""
    found = wait_for(lambda: daemon.json("approvals", "list"), 40, "an approval")
    assert len(found) == 1
    assert isinstance(found[0], dict)
    return found[0]


def wait_status(daemon: Daemon, id_: int, status: str) -> dict[str, Any]:
    """Waits until a session has a status."""
    try:
        wait_for(lambda: daemon.session(id_)["status"] == status, 60, status)
    except AssertionError as error:
        session = daemon.session(id_)
        log = Path(session["log_file"]).read_text()[-3000:]
        raise AssertionError(
            f"{error}: it is {session['status']}: {session['reason']}\n{log}\n{daemon.log()[-2000:]}"
        ) from None
    return daemon.session(id_)


def summary(session: dict[str, Any]) -> str:
    """What a session reported."""
    return str(json.loads(session["structured"])["summary"])


def test_a_call_that_is_held_runs_as_soon_as_somebody_says_yes(tmp_path: Path) -> None:
    with messages_api(deploy=SCRIPT) as (url, _), real(tmp_path, url, CLAUDEOPS_APPROVAL_HOLD="60") as daemon:
        id_ = ask(daemon)
        approval = waiting(daemon)
        assert json.loads(approval["input"])["command"] == COMMAND
        assert approval["session_id"] == id_
        assert approval["words"] == "as the test wants"
        assert acts(tmp_path) == []
        assert daemon.session(id_)["status"] == "running"
        assert daemon.json("approvals", "approve", str(approval["id"]))["status"] == "approved"
        ended = wait_status(daemon, id_, "completed")
        assert acts(tmp_path) == [COMMAND]
        assert summary(ended) == "told: done"
        assert daemon.json("approvals", "show", str(approval["id"]))["status"] == "used"


def test_put_aside_the_daemon_stopped_and_started_approved_exactly_that_call_runs_once(tmp_path: Path) -> None:
    with messages_api(deploy=SCRIPT) as (url, _), real(tmp_path, url, **ROUND) as daemon:
        id_ = ask(daemon)
        waits = wait_status(daemon, id_, "awaiting_approval")
        assert waits["ended_at"] is None
        spent = waits["cost_usd"]
        # Nothing of it runs any more, and its tier is free for others.
        assert daemon.json("status")["sessions"]["running"] == 0
        assert daemon.stop() == 0
        daemon.start()
        approval = waiting(daemon)
        assert acts(tmp_path) == []
        daemon.ctl("approvals", "approve", str(approval["id"]))
        ended = wait_status(daemon, id_, "completed")
        assert acts(tmp_path) == [COMMAND]
        assert summary(ended) == "told: done"
        assert ended["id"] == id_
        assert ended["cost_usd"] > spent
        assert ended["log_file"] == waits["log_file"]
        actions = [entry["action"] for entry in daemon.json("audit", "list", "--session", str(id_))][::-1]
        assert actions.count("approval.approved") == 1
        (decided,) = [e for e in daemon.json("audit", "list") if e["action"] == "approval.approved"]
        assert COMMAND in decided["subject"]
        assert decided["actor"]


def test_a_decision_that_comes_while_the_command_still_ends_resumes_it_all_the_same(tmp_path: Path) -> None:
    with messages_api(deploy=SCRIPT) as (url, _), real(tmp_path, url, **ROUND) as daemon:
        id_ = ask(daemon)
        shim = daemon.run_pids(daemon.session(id_))[0]
        database = Database(daemon.state / "claudeops.db", readonly=True)
        wait_for(lambda: (database.one("approvals.by_id", id=1) or {}).get("deferred_run"), 40, "a call put aside")
        database.close()
        os.kill(shim, signal.SIGSTOP)  # the end of the run can't be seen meanwhile
        daemon.ctl("approvals", "approve", "1")
        assert daemon.session(id_)["status"] == "running"
        os.kill(shim, signal.SIGCONT)
        wait_status(daemon, id_, "completed")
        assert acts(tmp_path) == [COMMAND]


def test_denied_with_a_reason_that_the_model_sees(tmp_path: Path) -> None:
    with messages_api(deploy=SCRIPT) as (url, _), real(tmp_path, url, **ROUND) as daemon:
        id_ = ask(daemon)
        wait_status(daemon, id_, "awaiting_approval")
        daemon.ctl("approvals", "deny", str(waiting(daemon)["id"]), "--reason", "not before the backup")
        ended = wait_status(daemon, id_, "completed")
        assert "not before the backup" in summary(ended)
        assert acts(tmp_path) == []


def test_nobody_decides_in_time_which_counts_as_no(tmp_path: Path) -> None:
    with (
        messages_api(deploy=SCRIPT) as (url, _),
        real(tmp_path, url, CLAUDEOPS_APPROVAL_EXPIRES="60", **ROUND) as daemon,
    ):
        id_ = ask(daemon)
        wait_status(daemon, id_, "awaiting_approval")
        # The clock is not waited for: the row is made old while the daemon is down.
        assert daemon.stop() == 0
        change(daemon, "UPDATE approvals SET expires_at = '2026-01-01T00:00:00.000Z'")
        daemon.start()
        ended = wait_status(daemon, id_, "completed")
        assert "Nobody approved this call in time" in summary(ended)
        assert acts(tmp_path) == []


def test_two_people_decide_at_once_and_one_of_them_is_told_who_was_first(tmp_path: Path) -> None:
    with messages_api(deploy=SCRIPT) as (url, _), real(tmp_path, url, **ROUND) as daemon:
        id_ = ask(daemon)
        wait_status(daemon, id_, "awaiting_approval")
        number = str(waiting(daemon)["id"])
        with ThreadPoolExecutor() as people:
            one = people.submit(daemon.ctl, "approvals", "approve", number, check=False)
            two = people.submit(daemon.ctl, "approvals", "deny", number, "--reason", "no", check=False)
            codes = [one.result().returncode, two.result().returncode]
        assert sorted(codes) == [0, 1]
        loser = one.result() if codes[0] else two.result()
        assert "already" in loser.stderr
        wait_status(daemon, id_, "completed")
        assert acts(tmp_path) == ([COMMAND] if codes[0] == 0 else [])


def test_the_worker_dies_while_a_call_is_held_and_the_answer_still_comes(tmp_path: Path) -> None:
    with messages_api(deploy=SCRIPT) as (url, _), real(tmp_path, url, CLAUDEOPS_APPROVAL_HOLD="60") as daemon:
        id_ = ask(daemon)
        approval = waiting(daemon)
        daemon.wait_replaced("worker", daemon.kill("worker", signal.SIGKILL))
        assert [waits["id"] for waits in daemon.json("approvals", "list")] == [approval["id"]]
        daemon.ctl("approvals", "approve", str(approval["id"]))
        ended = wait_status(daemon, id_, "completed")
        assert acts(tmp_path) == [COMMAND]
        assert summary(ended) == "told: done"


def hook_of(daemon: Daemon) -> int:
    """The process of the hook that holds a call of this daemon's session."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if str(daemon.runtime) in words and any(word.endswith("ipc/hook/__main__.py") for word in words):
                return int(path.parent.name)
    raise AssertionError("no hook runs")


def test_a_hook_that_is_killed_while_it_holds_a_call_takes_the_question_along(tmp_path: Path) -> None:
    """The CLI has refused the call by then: a yes would be told, and counted, as a redeployment that never was."""
    go_on = tmp_path / "go-on"
    wait = f"while [ ! -e {go_on} ]; do sleep 0.1; done"
    script: Script = [ASKED, say("I look on.", bash(wait, "look")), told]
    with messages_api(deploy=script) as (url, _), real(tmp_path, url, CLAUDEOPS_APPROVAL_HOLD="120") as daemon:
        daemon.sign_in()
        id_ = ask(daemon)
        number = str(waiting(daemon)["id"])
        os.kill(hook_of(daemon), signal.SIGKILL)
        wait_for(lambda: daemon.json("approvals", "list") == [], 20, "no question any more")
        assert daemon.session(id_)["status"] == "running"
        late = daemon.ctl("approvals", "approve", number, check=False)
        assert late.returncode == 1
        assert "the hook that asked ended without an answer" in late.stderr
        page = daemon.request("GET", f"/sessions/{id_}")[2].decode()
        assert "Not run: the hook that asked ended without an answer, so the CLI did not run the call" in page
        go_on.touch()
        assert summary(wait_status(daemon, id_, "completed")) == "told: This command requires approval"
        assert acts(tmp_path) == []
        assert daemon.json("cooldowns") == []
        entries = [entry for entry in daemon.json("audit", "list") if entry["subject"] == COMMAND]
        assert [entry["action"] for entry in entries] == ["approval.cancelled", "call.ask"]


def test_calls_that_come_together_are_not_put_aside(tmp_path: Path) -> None:
    batch: Script = [
        say("Both at once.", bash(COMMAND, "deploy"), bash("docker compose up -d db", "other")),
        say("Alone, then.", bash(COMMAND, "alone")),
        report("done"),
        report("done"),
    ]
    with messages_api(deploy=batch) as (url, _), real(tmp_path, url, **ROUND) as daemon:
        id_ = ask(daemon)
        wait_status(daemon, id_, "awaiting_approval")
        log = Path(daemon.session(id_)["log_file"]).read_text()
        assert "has to come alone" in log
        cards = {card["tool_use_id"]: card for card in daemon.json("approvals", "list", "--all")}
        assert cards["deploy"]["status"] == "cancelled"
        assert "has to come alone" in cards["deploy"]["answer"]
        assert acts(tmp_path) == []
        daemon.ctl("approvals", "approve", str(waiting(daemon)["id"]))
        wait_status(daemon, id_, "completed")
        assert acts(tmp_path) == [COMMAND]


def test_a_session_can_not_decide_about_itself_and_one_that_is_stopped_takes_its_question_along(tmp_path: Path) -> None:
    with messages_api(deploy=SCRIPT) as (url, _), real(tmp_path, url, **ROUND) as daemon:
        id_ = ask(daemon)
        wait_status(daemon, id_, "awaiting_approval")
        number = str(waiting(daemon)["id"])
        judged = daemon.ctl(
            "check-command", "--tier", "3", "--", f"claudeopsctl approvals approve {number}", check=False
        )
        assert judged.returncode == 1, judged.stdout
        daemon.ctl("sessions", "stop", str(id_))
        assert daemon.session(id_)["status"] == "stopped"
        assert daemon.json("approvals", "show", number)["status"] == "cancelled"
        assert daemon.ctl("approvals", "approve", number, check=False).returncode == 1
        assert acts(tmp_path) == []


def change(daemon: Daemon, statement: str) -> None:
    """Writes into the database of a daemon that is stopped."""
    database = Database(daemon.state / "claudeops.db", readonly=False)
    database.script(statement)
    database.close()
