"""The demo whole, with the real CLI: restarts that count, one that is denied, a new container that is approved."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.acceptance.harness import wait_for
from tests.browser.demo import Demo, demo

REPLACE = "docker compose up -d payments"


def payments(stage: Demo) -> str:
    """Where payments answers, from the prompt that sessions get."""
    text = (stage.state / "app" / "prompts" / "tier1-observe.md").read_text()
    return next(line.partition(": ")[2] for line in text.splitlines() if line.startswith("- payments"))


def status(url: str, method: str = "GET") -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def repair(stage: Demo) -> int:
    """Breaks payments, and starts a session of tier 2; its id."""
    assert status(payments(stage).replace("/health", "/break"), "POST") == 200
    assert status(payments(stage)) == 503
    return int(stage.json("sessions", "trigger", "--tier", "2")["id"])


def wait_status(stage: Demo, id_: int, wanted: str) -> dict[str, Any]:
    def reached() -> bool:
        found = stage.ctl("sessions", "show", str(id_), "--json", check=False)
        return found.returncode == 0 and json.loads(found.stdout)["status"] == wanted

    try:
        wait_for(reached, 40, f"session {id_} {wanted}")
    except AssertionError as error:
        log = Path(stage.session(id_)["log_file"]).read_text()[-3000:]
        raise AssertionError(f"{error}\n{log}\n{stage.log()[-2000:]}") from None
    return stage.session(id_)


def used(stage: Demo) -> dict[str, int]:
    return {row["action"]: row["used"] for row in stage.json("cooldowns") if row["service"] == "payments"}


def test_what_the_daemon_probes_itself_is_the_same_as_what_sessions_see(tmp_path: Path) -> None:
    with demo(tmp_path) as stage:
        wanted = {"shop": "healthy", "search": "degraded", "payments": "down"}
        assert status(payments(stage).replace("/health", "/break"), "POST") == 200
        wait_for(lambda: {one["name"]: one["status"] for one in stage.json("services", "list")} == wanted, 30)
        assert [one["service"] for one in stage.json("incidents", "list", "--open")] == ["payments"]


def test_a_chain_repairs_the_third_restart_is_denied_and_a_person_lets_a_new_container_run(tmp_path: Path) -> None:
    with demo(tmp_path) as stage:
        # By itself: tier 1 finds it down and hands over, tier 2 restarts it.
        first = wait_status(stage, 1, "escalated")
        second = wait_status(stage, 2, "completed")
        assert [service["status"] for service in json.loads(first["structured"])["services_checked"]] == [
            "healthy", "degraded", "down",
        ]  # fmt: skip
        assert second["parent_session_id"] == 1
        assert "handed over to me" in Path(second["log_file"]).read_text()
        assert status(payments(stage)) == 200
        assert used(stage) == {"restart": 1}
        assert {memory["category"] for memory in stage.json("memories", "list")} == {"timing", "behavior"}
        wait_status(stage, repair(stage), "completed")
        assert used(stage) == {"restart": 2}
        # The third restart is the daemon's no; a new container is a person's yes.
        third = repair(stage)
        waits = wait_status(stage, third, "awaiting_approval")
        assert "2 of 2 used" in Path(waits["log_file"]).read_text()
        assert status(payments(stage)) == 503
        (approval,) = stage.json("approvals", "list")
        assert json.loads(approval["input"])["command"] == REPLACE
        stage.ctl("approvals", "approve", str(approval["id"]))
        ended = wait_status(stage, third, "completed")
        assert json.loads(ended["structured"])["services_checked"][-1]["status"] == "healthy"
        assert status(payments(stage)) == 200
        assert used(stage) == {"restart": 2, "redeployment": 1}
        denied = stage.json("audit", "list", "--action", "call.deny")
        assert [(entry["subject"], entry["rule"]) for entry in denied] == [("docker restart payments", "cooldown")]
