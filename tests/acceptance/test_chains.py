"""Chains: tier 1 hands over to tier 2, that to tier 3; once, whatever is killed meanwhile."""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from schema.database import Database
from tests.acceptance.harness import Daemon, wait_for

Plan = dict[str, Any]


def handing_over(following: Plan, *, needed: bool = True, **more: Any) -> Plan:
    """A plan whose session hands over, and what the next one does."""
    told = {"needed": needed, "reason": "web answers 502", "context": f"PLAN {json.dumps(following)}"}
    return {
        **more,
        "structured": {
            "summary": "web is down",
            "events": [],
            "escalation": told,
            "services_checked": [{"name": "web", "status": "down", "detail": "HTTP 502"}],
        },
    }


@pytest.fixture
def chained(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon whose tiers 2 and 3 have prompts of their own."""
    made = Daemon(
        tmp_path / "daemon",
        CLAUDEOPS_TIER2_PROMPT=str(tmp_path / "tier2.md"),
        CLAUDEOPS_TIER3_PROMPT=str(tmp_path / "tier3.md"),
    )
    for tier in (2, 3):
        (tmp_path / f"tier{tier}.md").write_text(f"You are tier {tier}.")
    yield made
    made.close()


def sessions(state: Path, known: int = 0) -> list[dict[str, Any]]:
    """All sessions but the first `known`, oldest first, straight from the database."""
    database = Database(state / "claudeops.db", readonly=True)
    try:
        return database.rows("sessions.page", before=10**9, limit=1000)[::-1][known:]
    finally:
        database.close()


def wait_settled(daemon: Daemon, count: int, seconds: float = 60.0) -> list[dict[str, Any]]:
    """Waits until there are `count` sessions, none runs and nothing waits."""

    def settled() -> list[dict[str, Any]] | None:
        found = daemon.ctl("triggers", "list", "--status", "waiting", "--json", check=False)
        rows = sessions(daemon.state)
        over = all(row["status"] != "running" for row in rows)
        return (
            rows if found.returncode == 0 and json.loads(found.stdout) == [] and over and len(rows) >= count else None
        )

    rows = wait_for(settled, seconds, f"{count} sessions at rest")
    assert isinstance(rows, list)
    return rows


def test_tier_1_hands_over_to_tier_2_and_that_to_tier_3(chained: Daemon, tmp_path: Path) -> None:
    chained.start()
    ran = str(tmp_path / "ran")
    plan = handing_over(handing_over({"ran": ran}, ran=ran), ran=ran)
    first = chained.trigger(**plan)
    rows = wait_settled(chained, 3)
    assert [(row["tier"], row["status"], row["trigger"]) for row in rows] == [
        (1, "escalated", "manual"), (2, "escalated", "escalation"), (3, "completed", "escalation"),
    ]  # fmt: skip
    assert [row["parent_session_id"] for row in rows] == [None, rows[0]["id"], rows[1]["id"]]
    assert [row["chain_id"] for row in rows] == [None, first["id"], first["id"]]
    assert "web: down – HTTP 502" in rows[1]["context"]
    assert rows[1]["prompt_file"].endswith("tier2.md")
    assert [line.split()[0] for line in Path(ran).read_text().splitlines()] == ["1", "2", "3"]
    chain = chained.json("sessions", "chain", str(first["id"]))
    assert [session["id"] for session in chain] == [row["id"] for row in rows]


def test_a_handoff_file_may_skip_a_tier_and_belongs_to_who_wrote_it(chained: Daemon) -> None:
    chained.start()
    handoff = {"schema_version": 1, "recommended_tier": 3, "services_affected": ["web"]}
    chained.trigger(handoff=handoff)
    rows = wait_settled(chained, 2)
    assert [(row["tier"], row["status"]) for row in rows] == [(1, "escalated"), (3, "completed")]
    assert not (chained.state / "handoff.json").exists()
    # One that lies there from before is nobody's.
    (chained.state / "handoff.json").write_text(json.dumps(handoff))
    os.utime(chained.state / "handoff.json", (1.0, 1.0))
    chained.trigger(lines=1)
    assert [row["status"] for row in wait_settled(chained, 3)][2:] == ["completed"]


def test_a_dry_run_hands_nothing_over_at_any_tier(chained: Daemon) -> None:
    chained.environment["CLAUDEOPS_DRY_RUN"] = "true"
    chained.start()
    for tier in (1, 2):
        chained.trigger(tier, **handing_over({}))
        assert len(wait_settled(chained, tier)) == tier
    assert {row["status"] for row in sessions(chained.state)} == {"completed"}
    messages = [event["message"] for event in chained.json("events", "list", "--level", "info")]
    assert any("would have escalated to tier 2 for: web" in message for message in messages)
    assert any("would have escalated to tier 3 for: web" in message for message in messages)


def test_a_tier_3_that_needs_more_calls_for_a_person_on_every_page_and_leads_to_its_chain(chained: Daemon) -> None:
    chained.start().sign_in()
    assert "needs you" not in title(chained, "/")
    first = chained.trigger(**handing_over(handing_over(handing_over({}))))
    rows = wait_settled(chained, 3)
    assert [(row["tier"], row["status"]) for row in rows] == [(1, "escalated"), (2, "escalated"), (3, "completed")]
    last = rows[2]["id"]
    (event,) = chained.json("events", "list", "--level", "critical")
    assert (event["message"], event["session_id"]) == ("Needs human attention: web: web answers 502", last)
    (told,) = [item for item in page(chained, "/").split("<li ") if "Needs human attention" in item]
    assert "<strong>Needs human attention:</strong> web: web answers 502" in told
    assert f'href="/sessions/{last}"' in told.partition("</li>")[0]
    assert f'href="/chains/{first["id"]}"' in page(chained, f"/sessions/{last}")
    chain = page(chained, f"/chains/{first['id']}")
    assert all(f'href="/sessions/{row["id"]}"' in chain for row in rows)
    word = "(1 down, 1 needs you)"
    wait_for(lambda: title(chained, "/") == f"{word} Overview · Claude Ops", 15, word)
    wait_for(lambda: title(chained, "/sessions") == f"{word} Sessions · Claude Ops", 15, word)


def page(daemon: Daemon, path: str) -> str:
    """A page of the dashboard."""
    status, _, body = daemon.request("GET", path)
    assert status == 200, (path, status)
    return body.decode()


def title(daemon: Daemon, path: str) -> str:
    """The title of a page."""
    (found,) = re.findall("<title>(.*?)</title>", page(daemon, path))
    return str(found)


def test_the_highest_tier_that_needs_more_calls_for_a_person(chained: Daemon) -> None:
    chained.environment["CLAUDEOPS_MAX_TIER"] = "2"
    chained.start()
    chained.trigger(2, **handing_over({}))
    assert [row["status"] for row in wait_settled(chained, 1)] == ["completed"]
    (event,) = chained.json("events", "list", "--level", "critical")
    assert event["message"].startswith("Needs human attention (CLAUDEOPS_MAX_TIER is 2): web")


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_a_person_s_words_reach_a_session_of_any_tier(chained: Daemon, tier: int) -> None:
    chained.start()
    ended = chained.wait_ended(chained.trigger(tier, lines=2, say="as a person asked {n}")["id"])
    assert (ended["tier"], ended["prompt_file"]) == (tier, "(ad-hoc)")
    assert "as a person asked" in ended["prompt_text"]
    # The CLI was given them: it has done what they say.
    text = Path(ended["log_file"]).read_text()
    assert [f"as a person asked {number}" in text for number in range(3)] == [True, True, False]


def stopped_when(daemon: Daemon, condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Freezes the worker as soon as `condition` holds; whether it still holds while nothing moves.

    A step may be over before anyone has looked: after `seconds` it counts as missed.
    """
    pid = daemon.pid("worker")
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.05)
    return condition()


Rows = list[dict[str, Any]]


def shim(state: Path, row: dict[str, Any]) -> bool:
    """Whether a session's shim has started its command."""
    return bool((state / "runs" / row["run_id"] / "shim.json").exists())


STEPS: dict[str, Callable[[Path, Rows], bool]] = {
    "exit record, not yet the row": lambda state, rows: (
        rows[0]["status"] == "running" and (state / "runs" / rows[0]["run_id"] / "exit.json").exists()
    ),
    "handed over, no child yet": lambda state, rows: [row["status"] for row in rows] == ["escalated"],
    "the child's row, not yet its run": lambda state, rows: (
        len(rows) == 2 and rows[1]["status"] == "running" and not shim(state, rows[1])
    ),
    "the child's run": lambda state, rows: len(rows) == 2 and shim(state, rows[1]),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_chain_goes_on_once_whatever_step_the_worker_dies_at(chained: Daemon, tmp_path: Path, step: str) -> None:
    chained.start()
    ran = tmp_path / "ran"
    for attempt in range(15):
        before = len(ran.read_text().splitlines()) if ran.exists() else 0
        known = len(sessions(chained.state))
        chained.trigger(**handing_over({"ran": str(ran), "lines": 20, "interval": 0.02}, ran=str(ran), lines=3))
        hit = stopped_when(chained, partial(reached, chained.state, known, STEPS[step]))
        worker = chained.kill("worker")
        chained.wait_replaced("worker", worker)
        wait_settled(chained, known + 2)
        tiers = [line.split()[0] for line in ran.read_text().splitlines()[before:]]
        assert tiers == ["1", "2"], f"attempt {attempt}"
        rows = sessions(chained.state, known)
        assert [row["tier"] for row in rows if row["status"] != "interrupted"] == [1, 2]
        if hit:
            return
    pytest.fail(f"the worker was never caught at: {step}")


def not_started(state: Path, rows: Rows) -> bool:
    """Whether a session has its row, and nothing of it runs yet."""
    return len(rows) == 1 and rows[0]["status"] == "running" and not shim(state, rows[0])


@pytest.mark.parametrize("command", [("sessions", "trigger"), ("triggers", "add")], ids=" ".join)
def test_what_a_person_asks_for_runs_once_when_the_worker_dies_between_row_and_run(
    chained: Daemon, tmp_path: Path, command: tuple[str, str]
) -> None:
    """Killed before anybody was answered: who asked is answered by the next worker, and nothing runs twice."""
    chained.start()
    ran = tmp_path / "ran"
    words = (*command, "--tier", "1", "--prompt", json.dumps({"ran": str(ran), "lines": 3}), "--json")
    for attempt in range(15):
        before = len(ran.read_text().splitlines()) if ran.exists() else 0
        known = len(sessions(chained.state))
        with ThreadPoolExecutor(1) as background:
            asking = background.submit(chained.ctl, *words)
            hit = stopped_when(chained, partial(reached, chained.state, known, not_started))
            worker = chained.kill("worker")
            chained.wait_replaced("worker", worker)
            answer = json.loads(asking.result().stdout)
        wait_settled(chained, known + 1)
        rows = sessions(chained.state, known)
        times = (len(ran.read_text().splitlines()) if ran.exists() else 0) - before
        told = f"attempt {attempt}: {[(row['status'], row['reason']) for row in rows]}"
        assert [row["status"] for row in rows].count("completed") == times, told
        assert {row["status"] for row in rows} <= {"completed", "interrupted"}, told
        if command[0] == "triggers":
            assert times == 1, told
            assert chained.json("triggers", "list")[0]["session_id"] == rows[-1]["id"]
        else:
            assert (len(rows), answer["id"]) == (1, rows[0]["id"]), told
        if hit:
            return
    pytest.fail("the worker was never caught between row and run")


def reached(state: Path, known: int, step: Callable[[Path, Rows], bool]) -> bool:
    """Whether the chain that began after `known` sessions is at a step."""
    return step(state, sessions(state, known))
