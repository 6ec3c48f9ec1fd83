"""The queue of triggers: nothing is dropped because a tier is busy, and nothing starts twice."""

import asyncio
import html
import json
import os
import time
from pathlib import Path
from typing import Any

import zmq.asyncio

from daemon.demo.turns import Text, Turn
from ipc.client import Client
from ipc.messages.triggers import AddTrigger, TriggerReply
from schema.database import Database
from schema.states import Trigger
from tests.acceptance.harness import Daemon, running, wait_for
from tests.acceptance.real import messages_api
from tests.fakes.messages_api import KEY

BURST = 10_000
KINDS = 4
WARM_UP = 500
GROWTH_MAX = 10 * 1024 * 1024  # one KiB a trigger


def read(daemon: Daemon, query: str, **values: Any) -> list[dict[str, Any]]:
    """Rows of a named query, straight from the database."""
    database = Database(daemon.state / "claudeops.db", readonly=True)
    try:
        return database.rows(query, **values)
    finally:
        database.close()


def add(daemon: Daemon, prompt: object, *more: str) -> dict[str, Any]:
    """Puts a trigger into the queue."""
    text = prompt if isinstance(prompt, str) else json.dumps(prompt)
    found = daemon.json("triggers", "add", "--tier", "1", "--prompt", text, *more)
    assert isinstance(found, dict)
    return found


def started(daemon: Daemon, trigger: dict[str, Any]) -> int:
    """Waits until a trigger has its session; that session's id."""

    def session() -> Any:
        (row,) = read(daemon, "triggers.by_id", id=trigger["id"])
        return row["session_id"]

    return int(wait_for(session, 60, f"a session of trigger {trigger['id']}"))


def test_what_comes_while_a_tier_is_busy_waits_says_why_and_starts_in_its_order(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.sign_in()
        go_on = tmp_path / "go-on"
        busy = daemon.trigger(until=str(go_on), interval=0.05)
        api = add(daemon, {"lines": 1, "say": "api {n}"}, "--kind", "api")
        alert = add(daemon, {"lines": 1, "say": "alert {n}"}, "--kind", "alert")
        manual = add(daemon, {"lines": 1, "say": "manual {n}"})
        why = f"tier 1 is busy with session {busy['id']}"
        wait_for(lambda: daemon.json("triggers", "list", "--status", "waiting")[0]["reason"] == why, 10, why)
        waiting = daemon.json("triggers", "list", "--status", "waiting")
        assert [trigger["id"] for trigger in waiting] == [manual["id"], alert["id"], api["id"]]
        # Each says why, and all say the same: to scripts, to people, in whatever list it stands.
        told = {
            manual["id"]: why,
            alert["id"]: f"behind trigger {manual['id']}: {why}",
            api["id"]: f"behind 2 others: {why}",
        }
        assert {trigger["id"]: trigger["reason"] for trigger in waiting} == told
        assert [row["reason"] for row in read(daemon, "triggers.waiting", limit=10)] == [why, None, None]
        newest = daemon.json("triggers", "list")
        assert {trigger["id"]: trigger["reason"] for trigger in newest if trigger["status"] == "waiting"} == told
        for page in ("/", "/triggers"):
            text = html.unescape(daemon.request("GET", page)[2].decode())
            assert "starts next" not in text
            assert [text.count(f"{reason}<") for reason in told.values()] == [3, 1, 1], page
        go_on.touch()
        order = [started(daemon, trigger) for trigger in (manual, alert, api)]
        assert order == sorted(order)
        assert order[0] > busy["id"]
        assert [daemon.wait_ended(id_)["trigger"] for id_ in order] == ["manual", "alert", "api"]


def test_a_trigger_has_its_id_before_a_model_has_chosen_its_tier_and_a_killed_worker_has_it_chosen_all_the_same(
    tmp_path: Path,
) -> None:
    slow = {"<request>": [Turn([Text("2")], before_s=5.0)]}
    with (
        messages_api(marked=slow) as (url, api),
        running(tmp_path, ANTHROPIC_BASE_URL=url, ANTHROPIC_API_KEY=KEY) as daemon,
    ):
        daemon.sign_in()
        begun = time.monotonic()
        trigger = daemon.json("triggers", "add", "--tier", "auto", "--prompt", '{"lines": 1}')
        assert time.monotonic() - begun < 5.0
        why = "its tier is being chosen"
        assert (trigger["status"], trigger["tier"], trigger["reason"]) == ("waiting", 0, why)
        wait_for(lambda: api.turns, 10, "the model asked")
        (listed,) = daemon.json("triggers", "list", "--status", "waiting")
        assert (listed["id"], listed["choosing"], listed["reason"]) == (trigger["id"], True, why)
        for page in ("/", "/triggers"):
            text = daemon.request("GET", page)[2].decode()
            assert "<span>tier being chosen</span>" in text
            assert "starts next" not in text
        # What has no tier yet is in nobody's way.
        other = add(daemon, {"lines": 1})
        daemon.wait_replaced("worker", daemon.kill("worker"))
        assert daemon.wait_ended(started(daemon, other))["status"] == "completed"
        session = daemon.session(started(daemon, trigger))
        assert (session["tier"], session["trigger"]) == (2, "manual")
        assert len(api.turns) == 2


def test_the_same_thing_twice_is_one_session_and_a_person_can_take_it_out(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.trigger(lines=200, interval=0.05)
        first = add(daemon, "web is down", "--kind", "alert", "--key", "web")
        again = add(daemon, "web is still down", "--kind", "alert", "--key", "web")
        assert again["id"] == first["id"]
        assert again["merged"] == 1
        other = add(daemon, "db is down", "--kind", "alert", "--key", "db")
        cancelled = daemon.json("triggers", "cancel", str(first["id"]))
        assert cancelled["status"] == "cancelled"
        assert daemon.ctl("triggers", "cancel", str(first["id"]), check=False).returncode == 1
        assert [trigger["id"] for trigger in daemon.json("triggers", "list", "--status", "waiting")] == [other["id"]]
        # What was taken out stands in nobody's way.
        assert add(daemon, "web is down", "--kind", "alert", "--key", "web")["id"] not in (first["id"], other["id"])


def test_what_waits_survives_the_daemon(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        daemon.trigger(lines=1, hang=60)
        trigger = add(daemon, {"lines": 2})
        assert daemon.stop() == 0
        daemon.start()
        ended = daemon.wait_ended(started(daemon, trigger))
        assert (ended["status"], ended["trigger"]) == ("completed", "manual")
        assert read(daemon, "triggers.by_id", id=trigger["id"])[0]["status"] == "started"


def test_what_can_never_start_is_refused_at_once(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_MAX_TIER="2") as daemon:
        refused = daemon.ctl("triggers", "add", "--tier", "3", "--prompt", "x", "--json", check=False)
        assert refused.returncode == 1
        assert json.loads(refused.stdout)["error"]["message"].startswith("tier: 3 is above CLAUDEOPS_MAX_TIER")


def test_ten_thousand_at_once_none_is_lost_the_same_are_one_and_the_memory_of_who_takes_them_is_flat(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as daemon:
        daemon.trigger(lines=1, hang=300)
        worker = daemon.pid("worker")
        # Pools of threads and buffers have their size then, as they have after a day.
        known = {reply.trigger.id for reply in asyncio.run(burst(daemon, WARM_UP, "warm-up"))}
        before = resident(worker)
        replies = asyncio.run(burst(daemon, BURST, "alert"))
        after = resident(worker)
        assert daemon.pid("worker") == worker, "who took the burst is no more"
        assert after - before < GROWTH_MAX, f"{before} bytes before, {after} after"
        assert len(replies) == BURST
        ids = {reply.trigger.id for reply in replies}
        assert len(ids) == BURST // KINDS, "each is there KINDS times, and is one trigger"
        assert waiting(daemon, known) == dict.fromkeys(ids, KINDS - 1)
        # Killed, and all of it is still there.
        daemon.wait_replaced("worker", daemon.kill("worker"))
        assert waiting(daemon, known) == dict.fromkeys(ids, KINDS - 1)


def resident(pid: int) -> int:
    """Bytes of memory that a process holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def waiting(daemon: Daemon, known: set[int]) -> dict[int, int]:
    """Of each trigger that waits, but those known before, how many more it took in."""
    rows = read(daemon, "triggers.waiting", limit=2 * BURST)
    return {row["id"]: row["merged"] for row in rows if row["id"] not in known}


async def burst(daemon: Daemon, count: int, word: str) -> list[TriggerReply]:
    """`count` alerts as fast as the daemon takes them, 100 at a time; each prompt comes KINDS times."""
    context = zmq.asyncio.Context()
    client = Client(context, str(daemon.runtime / "rpc.sock"))
    gate = asyncio.Semaphore(100)

    async def one(number: int) -> TriggerReply:
        request = AddTrigger(tier=1, prompt=f"{word} {number % (count // KINDS)}", kind=Trigger.ALERT, by="storm")
        async with gate:
            return await client.call(request, TriggerReply, timeout=60.0)

    try:
        return list(await asyncio.gather(*(one(number) for number in range(count))))
    finally:
        await client.close()
        context.destroy(0)


def test_what_goes_wrong_before_a_session_exists_is_told_at_once_and_nobody_hangs(tmp_path: Path) -> None:
    prompt = tmp_path / "tier1.md"
    with running(tmp_path / "daemon", CLAUDEOPS_PROMPT=str(prompt)) as daemon:
        refused = daemon.ctl("sessions", "trigger", "--tier", "1", "--json", check=False)
        assert refused.returncode == 1
        assert f"can't read the prompt file {prompt}" in json.loads(refused.stdout)["error"]["message"]
        trigger = daemon.json("triggers", "add", "--tier", "1")

        def refusal() -> Any:
            (row,) = read(daemon, "triggers.by_id", id=trigger["id"])
            return row["status"] == "refused" and row["reason"]

        assert f"can't read the prompt file {prompt}" in wait_for(refusal, 15, "a refusal")
        # A repository whose servers can't be read keeps no session from starting.
        bad = tmp_path / "daemon" / "repos" / "shop" / ".claude-ops"
        bad.mkdir(parents=True)
        (bad / "mcp.json").write_text("{")
        daemon.environment["CLAUDEOPS_REPOS_DIR"] = str(tmp_path / "daemon" / "repos")
        assert daemon.stop() == 0
        daemon.start()
        assert daemon.wait_ended(daemon.trigger(lines=1)["id"])["status"] == "completed"
        assert "shop" in daemon.ctl("mcp").stderr


def test_an_override_survives_a_restart_and_a_new_interval_counts_at_once(tmp_path: Path) -> None:
    (tmp_path / "tier1.md").write_text('{"lines": 1}')
    environment = {"CLAUDEOPS_SCHEDULE_ENABLED": "true", "CLAUDEOPS_INTERVAL": "3600",
                   "CLAUDEOPS_PROMPT": str(tmp_path / "tier1.md")}  # fmt: skip
    with running(tmp_path / "daemon", **environment) as daemon:
        wait_for(lambda: daemon.json("status")["next_run_at"], 20, "the first session over")
        daemon.ctl("config", "set", "interval", "1")
        wait_for(lambda: len(daemon.json("sessions", "list")) >= 2, 10, "a second session, long before the old hour")
        assert daemon.stop() == 0
        daemon.start()
        assert daemon.ctl("config", "get", "interval").stdout.strip() == "1"


def test_when_the_money_of_the_day_is_spent_only_people_start_sessions(tmp_path: Path) -> None:
    with running(tmp_path, CLAUDEOPS_BUDGET_DAY_USD="0.01") as daemon:
        daemon.wait_ended(daemon.trigger(lines=1)["id"])  # it costs $0.0123
        alert = add(daemon, {"lines": 1}, "--kind", "alert")

        def held() -> Any:
            (row,) = read(daemon, "triggers.by_id", id=alert["id"])
            return row["reason"]

        assert "$0.01" in wait_for(held, 15, "why it waits")
        warned = [event["message"] for event in daemon.json("events", "list", "--level", "warning")]
        critical = [event["message"] for event in daemon.json("events", "list", "--level", "critical")]
        assert any("budget" in message and "$0.01" in message for message in warned + critical)
        assert daemon.wait_ended(started(daemon, add(daemon, {"lines": 1})))["status"] == "completed"
        assert read(daemon, "triggers.by_id", id=alert["id"])[0]["status"] == "waiting"
        daemon.ctl("config", "set", "budget_day_usd", "10")
        assert daemon.wait_ended(started(daemon, alert))["status"] == "completed"
