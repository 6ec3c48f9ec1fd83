"""From a service that breaks to a session and back, in the whole daemon with the real CLI: only a probe ends it."""

from pathlib import Path

from daemon.demo.turns import ToolUse
from tests.acceptance.harness import wait_for
from tests.acceptance.real import Service, acts, messages_api, real, report, say

MARK = "The daemon's own monitor finds a service down"
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
        finally:
            service.close()
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
