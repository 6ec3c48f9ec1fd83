"""From a service that breaks to a session and back, in the whole daemon with the real CLI: only a probe ends it."""

import base64
import random
import time
from functools import partial
from pathlib import Path

from daemon.demo.turns import ToolUse
from tests.acceptance.harness import Daemon, running, wait_for
from tests.acceptance.real import Service, acts, messages_api, real, report, say
from tests.acceptance.stored import rows
from tests.fakes import target as targets

MARK = "The daemon's own monitor finds a service down"
SECRET = "whsec_" + base64.b64encode(b"made up, for this test alone, long enough").decode()
CLAIM = "web is fixed, I have seen it myself"


def test_what_breaks_has_its_session_which_ends_nothing_and_a_healthy_probe_does(tmp_path: Path) -> None:
    turns = [
        say("I look at it.", ToolUse("Bash", {"command": "docker restart web", "description": "restart"})),
        report(CLAIM),
    ]
    # Its container is another's: the restart is done, and changes nothing.
    with messages_api(marked={MARK: turns}) as (url, api), real(tmp_path, url) as daemon:
        service = Service(tmp_path, "other")
        try:
            service.begin()
            daemon.json(
                "services", "add", "--name", "web", "--url", service.url, "--interval", "1s", "--timeout", "1s",
                "--session-tier", "2", "--session-after", "2", "--description", "the shop's front",
            )  # fmt: skip
            wait_for(lambda: daemon.json("services", "show", "web")["status"] == "healthy")
            service.end()
            wait_for(lambda: daemon.json("services", "show", "web")["status"] == "down")
            session = wait_for(lambda: daemon.json("sessions", "list"), 30)[0]
            assert (session["trigger"], session["tier"]) == ("service", 2)
            ended = daemon.wait_ended(session["id"])
            assert ended["status"] == "completed", ended
            assert (ended["response"], ended["incident_id"]) == (CLAIM, 1)
            asked = [str(request.body) for request in api.turns]
            (incident,) = daemon.json("incidents", "list")
            assert incident["ended_at"] is None
            # It has said that all is well, and the monitor finds otherwise, time and again.
            seen = len(daemon.json("services", "history", "web"))
            wait_for(lambda: len(daemon.json("services", "history", "web")) > seen + 2)
            assert daemon.json("services", "show", "web")["status"] == "down"
            assert daemon.json("incidents", "show", "1")["ended_at"] is None
            assert "docker restart web" in acts(tmp_path)
            service.begin()
            wait_for(lambda: daemon.json("services", "show", "web")["status"] == "healthy")
            shown = daemon.json("incidents", "show", "1")
            lines = [one for one in daemon.json("audit", "list") if one["actor"] == "rules"]
        finally:
            service.close()
    decided = [
        (one["action"], one["rule"], one["session_id"]) for one in reversed(lines) if "call" not in one["action"]
    ]
    by = "session_tier of the service"
    assert decided == [("trigger.added", by, None), ("session.started", None, session["id"])]
    assert (shown["ended_by"], shown["cause"]) == ("probe", "refused")
    told = [(entry["kind"], entry["text"], entry["session_id"]) for entry in shown["entries"]]
    id_ = session["id"]
    assert told == [
        ("began", "connection refused", None),
        ("told", "people were told", None),
        ("session", "a session of tier 2 is asked for (trigger 1)", None),
        ("session", "a session of tier 2 has started", id_),
        ("action", "restart of web", id_),
        ("session", f"its session of tier 2 has ended; it claims: {CLAIM}", id_),
        ("ended", "a probe found it working again", None),
    ]
    prompt = next(text for text in asked if MARK in text)
    for fact in ("| service: web", "| description: the shop's front", "connection refused", "| failures in a row: 2"):
        assert fact in prompt


def test_a_chain_of_sessions_stands_on_the_timeline_whatever_is_killed_meanwhile(tmp_path: Path) -> None:
    first = [report("a person of tier 2 should look", needed=True)]
    second = [say("I look.", ToolUse("Bash", {"command": "sleep 6", "description": "look"})), report(CLAIM)]
    with (
        targets.beside() as target,
        messages_api(marked={MARK: first, "script tier2": second}) as (url, _),
        real(tmp_path, url) as daemon,
    ):
        target.answer("/", status=503)
        daemon.json(
            "services", "add", "--name", "web", "--url", target.url("/"), "--interval", "1s", "--session-tier", "1"
        )
        wait_for(lambda: len(daemon.json("sessions", "list")) == 2, 60)
        above = daemon.json("sessions", "list")[0]
        assert (above["tier"], above["incident_id"], above["trigger"]) == (2, 1, "escalation")
        daemon.wait_replaced("worker", daemon.kill("worker"))
        assert daemon.wait_ended(above["id"])["status"] == "completed"
        shown = daemon.json("incidents", "show", "1")
    assert shown["ended_at"] is None
    told = [(entry["text"], entry["session_id"]) for entry in shown["entries"] if entry["kind"] == "session"]
    below = above["parent_session_id"]
    assert told == [
        ("a session of tier 1 is asked for (trigger 1)", None),
        ("a session of tier 1 has started", below),
        (
            "its session of tier 1 has ended: handed over to tier 2; it claims: a person of tier 2 should look",
            below,
        ),
        ("a session of tier 2 has started", above["id"]),
        (f"its session of tier 2 has ended; it claims: {CLAIM}", above["id"]),
    ]


def stands(daemon: Daemon, status: str) -> bool:
    return bool(daemon.json("services", "show", "web")["status"] == status)


def test_kills_of_the_worker_double_and_lose_neither_sessions_nor_reminders_nor_recoveries(tmp_path: Path) -> None:
    dice = random.Random(5)
    # No session can start, so that what is asked for stays in the queue.
    settings = {"CLAUDEOPS_CLAUDE_BIN": str(tmp_path / "no-claude"), "CLAUDEOPS_INCIDENT_COOLDOWN": "0"}
    settings |= {"CLAUDEOPS_WEBHOOK_SIGNING_SECRET": SECRET, "CLAUDEOPS_NOTIFY_RATE": "0", "NO_PROXY": "127.0.0.1"}
    with (
        targets.beside() as target,
        running(tmp_path / "d", CLAUDEOPS_WEBHOOK_URLS=target.url("/told"), **settings) as daemon,
    ):
        daemon.json(
            "services", "add", "--name", "web", "--url", target.url("/"), "--interval", "1s", "--timeout", "1s",
            "--session-tier", "1", "--remind", "1s",
        )  # fmt: skip
        wait_for(lambda: daemon.json("services", "show", "web")["status"] == "healthy")
        for number in range(8):
            wanted, status = ("down", 503) if number % 4 < 2 else ("healthy", 200)
            target.answer("/", status=status)
            time.sleep(dice.uniform(0.2, 2.0))
            # Every other kill comes once that is known, and people were reminded; those between at any time.
            if number % 2:
                wait_for(partial(stands, daemon, wanted))
                time.sleep(5.5 if wanted == "down" else 0.0)
            daemon.wait_replaced("worker", daemon.kill("worker"))
        target.answer("/")
        wait_for(lambda: daemon.json("services", "show", "web")["status"] == "healthy")
        waits = """SELECT id FROM notifications WHERE routed_at IS NULL
            UNION ALL SELECT id FROM deliveries WHERE status <> 'sent'"""
        wait_for(lambda: not rows(daemon, waits), 60, "all that was told is sent")
        daemon.stop()
        arrived = {arrival.headers["webhook-id"] for arrival in target.to("/told")}
        ids = rows(daemon, "SELECT id FROM notifications WHERE kind = 'service'")
        incidents = rows(daemon, "SELECT id, ended_at, trigger_id, reminded_at FROM incidents ORDER BY id")
        triggers = rows(daemon, "SELECT id, key, status FROM triggers ORDER BY id")
        keys = [row["key"] for row in rows(daemon, "SELECT key FROM notifications WHERE kind = 'service'")]
        told = rows(daemon, "SELECT incident_id, text FROM incident_entries WHERE kind = 'told'")
    assert len(incidents) >= 2
    # Each incident has its session, in the transaction that opened it, once; none is wanted any more.
    assert [row["trigger_id"] for row in incidents] == [row["id"] for row in triggers]
    assert [row["key"] for row in triggers] == [f"service:1:incident:{row['id']}" for row in incidents]
    assert {row["status"] for row in triggers} == {"cancelled"}
    # Everything that was told has arrived, each with an id of its own.
    assert {f"ntf_{row['id']}" for row in ids} <= arrived
    # Whoever is told is told with one key for each thing, and what stands on the timeline was told.
    assert len(keys) == len(set(keys))
    again = [row for row in told if row["text"] == "people were told again"]
    assert again, "nobody was reminded, so that the test shows nothing"
    assert len([key for key in keys if ":still:" in key]) == len(again)
    assert all(row["ended_at"] for row in incidents)
    began = {key.split(":")[1] for key in keys if key.endswith(":began")}
    assert began == {str(row["incident_id"]) for row in told}
    assert {key.split(":")[1] for key in keys if key.endswith(":ended")} == began
