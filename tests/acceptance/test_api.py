"""The API as scripts use it, against a whole daemon: the shapes that the existing program's scripts know, and what each
answer brings about.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schema import timestamps
from tests.acceptance.harness import Daemon, running, wait_for
from tests.acceptance.real import messages_api
from tests.fakes.messages_api import KEY
from webui.api.operations import OPERATIONS

ROLES = ("viewer", "operator", "admin")
SESSION = {
    "id": int, "tier": int, "model": str, "status": str, "started_at": str, "ended_at": str | None,
    "exit_code": int | None, "cost_usd": float | None, "num_turns": int | None, "duration_ms": int | None,
    "trigger": str, "prompt_text": str | None, "parent_session_id": int | None,
}  # fmt: skip
MEMORY = {
    "id": int, "service": str | None, "category": str, "observation": str, "confidence": float, "active": bool,
    "created_at": str, "updated_at": str, "session_id": int | None, "tier": int,
}  # fmt: skip
FIGURES = {
    "total_runs": int, "escalations": int, "remediations": int, "success_rate": float, "total_cost_usd": float,
    "active_memories": int, "critical_events": int, "avg_duration_ms": int,
}  # fmt: skip
LAST_SESSION = {
    "id": int, "tier": int, "status": str, "started_at": str, "ended_at": str | None, "cost_usd": float | None,
    "duration_ms": int | None, "trigger": str, "summary": str | None,
}  # fmt: skip
CONFIG = {
    "interval": int, "tier1_model": str, "tier2_model": str, "tier3_model": str, "dry_run": bool, "max_tier": int,
    "state_dir": str, "results_dir": str, "repos_dir": str,
}  # fmt: skip


class Script:
    """A program with a token."""

    def __init__(self, daemon: Daemon, role: str) -> None:
        self.daemon = daemon
        made = daemon.json("token", "create", "--name", f"{role} {time.monotonic_ns()}", "--role", role)
        self.token: str = made["token"]

    def ask(self, method: str, path: str, body: Any = None, *, kind: str = "application/json") -> tuple[int, Any]:
        """Status, and what the JSON says."""
        headers = {"Authorization": f"Bearer {self.token}"}
        sent = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        if sent:
            headers["Content-Type"] = kind
        status, told, answer = self.daemon.request(method, path, sent, headers)
        assert "json" in told.get("Content-Type", "json"), told
        return status, json.loads(answer) if answer else None

    def get(self, path: str) -> Any:
        """What a GET finds."""
        status, found = self.ask("GET", f"/api/v1/{path}")
        assert status == 200, found
        return found


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One for all."""
    with running(tmp_path_factory.mktemp("api") / "daemon") as made:
        yield made


@pytest.fixture(scope="module")
def scripts(daemon: Daemon) -> dict[str, Script]:
    """One of each role."""
    return {role: Script(daemon, role) for role in ROLES}


@pytest.fixture(scope="module")
def script(scripts: dict[str, Script]) -> Script:
    """Who may do everything."""
    return scripts["admin"]


def has(found: dict[str, Any], shape: dict[str, Any]) -> None:
    """Each field that programs know is there, with a value of its type."""
    for name, kind in shape.items():
        value = found[name]
        assert isinstance(value, kind) or (kind is float and type(value) is int), (name, value)


def ended(script: Script, id_: int) -> dict[str, Any]:
    """A session that is over."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = script.get(f"sessions/{id_}")
        return found if found["status"] not in ("running", "awaiting_approval") else None

    found = wait_for(look, 60, f"the end of session {id_}")
    assert isinstance(found, dict)
    return found


def started(script: Script, tier: int = 1, **plan: Any) -> dict[str, Any]:
    """A session that was triggered, once its tier is free."""

    def attempt() -> dict[str, Any] | None:
        body = {"prompt": f"do {json.dumps(plan)}", "start_tier": tier}
        status, found = script.ask("POST", "/api/v1/sessions/trigger", body)
        assert status in (201, 409), found
        return found if status == 201 else None

    found = wait_for(attempt, 60, "a free tier")
    assert isinstance(found, dict)
    return found


def test_a_chain_that_ended_well_is_a_success(tmp_path: Path) -> None:
    with running(tmp_path / "daemon") as own:
        follow_a_chain(Script(own, "operator"))


def follow_a_chain(script: Script) -> None:
    handed = {"needed": True, "reason": "down", "context": 'PLAN {"say": "mended", "lines": 1}'}
    said = {"summary": "down", "events": [], "escalation": handed, "services_checked": []}
    first = started(script, structured=said)
    has(first, SESSION)
    assert (first["trigger"], first["tier"], first["parent_session_id"]) == ("api", 1, None)
    parent = ended(script, first["id"])
    assert parent["status"] == "escalated"
    children = wait_for(lambda: script.get(f"sessions/{first['id']}")["child_sessions"], 30, "the next tier")
    child = ended(script, children[0]["id"])
    assert child["status"] == "completed"
    has(child, SESSION)
    assert child["parent_session"]["id"] == first["id"]
    assert child["parent_session_id"] == first["id"]
    assert isinstance(child["response"], str)
    both = [session["cost_usd"] for session in script.get("sessions")["sessions"][:2]]
    assert child["chain_cost"] == pytest.approx(sum(both))
    assert script.get(f"sessions/{first['id']}")["chain_cost"] == pytest.approx(sum(both))
    stats = script.get("stats")
    has(stats["stats"], FIGURES)
    assert stats["stats"]["success_rate"] == 1.0
    assert (stats["stats"]["total_runs"], stats["stats"]["escalations"]) == (1, 1)
    assert set(stats) == {"stats", "last_session", "next_run", "interval_seconds"}
    last = stats["last_session"]
    has(last, LAST_SESSION)
    # Its summary is written after its end.
    assert {**last, "summary": ""} == {**{name: child[name] for name in LAST_SESSION}, "summary": ""}
    assert stats["interval_seconds"] == 3600
    assert stats["next_run"] is None, "the schedule is off"


def test_a_busy_tier_is_told_and_what_is_queued_instead_runs_later(script: Script) -> None:
    running_one = started(script, tier=3, hang=True)
    body = {"prompt": "another", "start_tier": 3}
    status, told = script.ask("POST", "/api/v1/sessions/trigger", body)
    assert status == 409
    assert f"busy with session {running_one['id']}" in told["error"]
    assert "/api/v1/triggers" in told["error"]
    status, queued = script.ask("POST", "/api/v1/triggers", {"prompt": "another", "tier": 3, "key": "web"})
    assert (status, queued["status"], queued["kind"]) == (201, "waiting", "api")
    status, again = script.ask("POST", "/api/v1/triggers", {"prompt": "another", "tier": 3, "key": "web"})
    assert (status, again["id"], again["merged"]) == (201, queued["id"], 1)
    assert script.get("triggers?status=waiting")["waiting"] == 1
    assert script.ask("POST", f"/api/v1/sessions/{running_one['id']}/stop")[0] == 200
    assert ended(script, running_one["id"])["status"] == "stopped"
    assert script.ask("POST", f"/api/v1/sessions/{running_one['id']}/stop")[0] == 409
    done = wait_for(lambda: script.get(f"triggers/{queued['id']}")["session_id"], 30, "its session")
    assert ended(script, done)["prompt_text"] == "another"
    assert script.ask("POST", f"/api/v1/triggers/{queued['id']}/cancel")[0] == 409


@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        ({}, "application/json", 400, "prompt"),
        ({"prompt": "  "}, "application/json", 400, "prompt"),
        ({"prompt": 1}, "application/json", 400, "prompt"),
        ({"prompt": "x", "start_tier": 4}, "application/json", 400, "start_tier"),
        ({"prompt": "x", "tier": 2}, "application/json", 400, "tier"),
        ("{", "application/json", 400, "JSON"),
        ("prompt=x", "application/x-www-form-urlencoded", 415, "Content-Type"),
        ('{"prompt": "x"}', "text/plain", 415, "Content-Type"),
    ],
)
def test_a_trigger_that_does_not_fit_is_refused(script: Script, body: Any, kind: str, status: int, says: str) -> None:
    found, told = script.ask("POST", "/api/v1/sessions/trigger", body, kind=kind)
    assert (found, set(told)) == (status, {"error"})
    assert says in told["error"]


def test_a_body_that_is_too_large_is_refused(script: Script) -> None:
    status, told = script.ask("POST", "/api/v1/sessions/trigger", {"prompt": "x" * 1_100_000})
    assert (status, set(told)) == (413, {"error"})


def test_memories_are_added_changed_and_deleted(script: Script) -> None:
    status, made = script.ask(
        "POST", "/api/v1/memories", {"category": "timing", "observation": "slow", "service": "db"}
    )
    assert status == 201
    has(made, MEMORY)
    assert (made["confidence"], made["active"]) == (0.7, True)
    place = f"/api/v1/memories/{made['id']}"
    for missing in ("observation", "confidence", "active"):
        body: dict[str, Any] = {"observation": "late", "confidence": 0.9, "active": True}
        del body[missing]
        status, told = script.ask("PUT", place, body)
        assert (status, told) == (400, {"error": f"{missing}: it is missing."})
    assert script.get(f"memories/{made['id']}")["observation"] == "slow"
    status, changed = script.ask("PUT", place, {"observation": "late", "confidence": 0.9, "active": True})
    assert (status, changed["observation"], changed["confidence"], changed["service"]) == (200, "late", 0.9, "db")
    assert [one["id"] for one in script.get("memories?service=db")["memories"]] == [made["id"]]
    assert script.get("memories?service=db&offset=1")["memories"] == []
    assert script.get("memories?service=web")["memories"] == []
    unfit: list[dict[str, Any]] = [
        {"category": "gossip", "observation": "x"},
        {"category": "timing", "observation": "x", "confidence": 5},
    ]
    for body in unfit:
        assert script.ask("POST", "/api/v1/memories", body)[0] == 400
    assert script.ask("DELETE", place) == (204, None)
    assert script.ask("DELETE", place)[0] == 404
    assert script.ask("PUT", place, {"observation": "x", "confidence": 0.5, "active": True})[0] == 404


def test_settings_change_together_or_not_at_all(script: Script) -> None:
    before = script.get("config")
    has(before, CONFIG)
    for body, field in (
        ({"interval": 600, "tier1_model": "a b"}, "tier1_model"),
        ({"interval": 600, "max_tier": 1}, "max_tier"),
        ({"interval": 600, "state_dir": "/x"}, "state_dir"),
        ({"dry_run": True, "interval": 0}, "interval"),
        ({"dry_run": 1}, "dry_run"),
    ):
        status, told = script.ask("PUT", "/api/v1/config", body)
        assert status == 400
        assert told["error"].startswith(f"{field}: "), told
        assert script.get("config") == before
    # What was read, edited and sent back whole: only what was edited is a change.
    status, after = script.ask("PUT", "/api/v1/config", {**before, "tier3_model": "sonnet"})
    assert (status, after) == (200, {**before, "tier3_model": "sonnet"})
    overridden = [one["name"] for one in script.daemon.json("config", "list") if one["source"] == "override"]
    assert overridden == ["tier3_model"]
    script.daemon.ctl("config", "reset", "tier3_model")
    status, after = script.ask("PUT", "/api/v1/config", {"interval": 600, "tier2_model": "opus", "dry_run": True})
    assert status == 200
    assert after == {**before, "interval": 600, "tier2_model": "opus", "dry_run": True} == script.get("config")
    assert script.get("stats")["interval_seconds"] == 600
    told = {line["subject"]: line["detail"] for line in script.get("audit?action=setting.changed")["entries"]}
    assert told.pop("tier3_model") == "opus → sonnet"
    assert told == {"interval": "3600 → 600", "tier2_model": "sonnet → opus", "dry_run": "false → true"}
    assert script.ask("PUT", "/api/v1/config", {"dry_run": False, "tier2_model": "sonnet", "interval": 3600})[0] == 200
    shown = script.daemon.json("config", "list")
    assert {one["name"]: one["value"] for one in shown}["dry_run"] == "false"


def test_lists_are_bounded_and_a_negative_limit_is_refused(script: Script) -> None:
    for noun in ("sessions", "events", "memories", "triggers", "approvals", "audit"):
        assert script.get(f"{noun}?limit=0&offset=3")
        for query in ("limit=-1", "offset=-1", "offset=50001", "limit=1001", "limit=x", "limit=1&limit=2", "many=1"):
            status, told = script.ask("GET", f"/api/v1/{noun}?{query}")
            assert (status, told["error"].split(":")[0]) == (400, query.split("=")[0]), told
    assert script.get("events?level=&service=")["events"] == script.get("events")["events"]
    status, told = script.ask("GET", "/api/v1/events?level=loud")
    assert (status, told["error"].split(":")[0]) == (400, "level")
    for query in ("level=critical", "service=web", "level=info&service=web"):
        assert set(script.get(f"events?{query}")) == {"events"}
    all_ids = [line["id"] for line in script.get("audit?limit=1000")["entries"]]
    assert [line["id"] for line in script.get("audit?limit=2&offset=1")["entries"]] == all_ids[1:3]
    assert [line["id"] for line in script.get(f"audit?limit=1&before={all_ids[1]}")["entries"]] == all_ids[2:3]


def test_a_viewer_changes_nothing_through_any_address_of_the_api(scripts: dict[str, Script]) -> None:
    watcher, before = scripts["viewer"], scripts["admin"].get("audit?limit=1000")
    sessions = scripts["admin"].get("sessions")
    for one in OPERATIONS:
        path = one.address.replace("{id}", "1").replace("{model}", "claude-ops")
        status, told = watcher.ask(one.method, path, {} if one.method != "GET" else None)
        if one.method != "GET":
            assert (status, set(told)) == (403, set(one.error.__struct_fields__)), one.name
        else:
            assert status in ((200, 404) if one.access.value in ("public", "viewer") else (403,)), (one.name, told)
    assert scripts["admin"].get("audit?limit=1000") == before
    assert scripts["admin"].get("sessions") == sessions


def test_metrics_are_what_prometheus_reads(scripts: dict[str, Script]) -> None:
    script = scripts["viewer"]
    status, headers, body = script.daemon.request(
        "GET", "/metrics", headers={"Authorization": f"Bearer {script.token}"}
    )
    text = body.decode()
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert len(families) >= 10
    helped = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP ")}
    typed = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    for family in families.values():
        assert family.type != "unknown", family.name
        assert family.documentation, family.name
        for sample in family.samples:
            assert sample.name in helped & typed, sample.name
            assert sample.name.startswith("claudeops_")
    assert {sample.labels["process"] for sample in families["claudeops_process_up"].samples} >= {"worker", "web"}


def test_what_belongs_to_admins_is_there_for_them(scripts: dict[str, Script]) -> None:
    assert scripts["admin"].get("users") == {"users": []}
    names = {token["role"] for token in scripts["admin"].get("tokens")["tokens"]}
    assert names == set(ROLES)
    assert scripts["admin"].token not in json.dumps(scripts["admin"].get("tokens"))


def test_a_day_that_is_spent_starts_nothing_for_programs_and_queues_it(daemon: Daemon, script: Script) -> None:
    ended(script, started(script)["id"])
    daemon.ctl("config", "set", "budget_day_usd", "0.001")
    try:
        status, told = script.ask("POST", "/api/v1/sessions/trigger", {"prompt": "look"})
        assert status == 409
        assert "budget is used up" in told["error"]
        status, queued = script.ask("POST", "/api/v1/triggers", {"prompt": "look"})
        assert (status, queued["status"]) == (201, "waiting")
        assert script.ask("POST", f"/api/v1/triggers/{queued['id']}/cancel")[0] == 200
    finally:
        daemon.ctl("config", "reset", "budget_day_usd")


def test_models_come_from_the_api_of_the_sessions_and_the_key_stays_with_the_worker(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = tmp_path_factory.mktemp("models") / "daemon"
    with messages_api() as (url, _), running(place, ANTHROPIC_BASE_URL=url, ANTHROPIC_API_KEY=KEY) as daemon:
        script = Script(daemon, "operator")
        found = script.get("models/available")
        assert found["discovery_available"] is True
        assert found["models"] == sorted(found["models"])
        assert "claude-haiku-4-5-20251001" in found["models"]
        assert script.get("models/available") == found, "the answer of a moment ago"
        status, anew = script.ask("POST", "/api/v1/models/available/refresh")
        assert (status, anew["models"]) == (200, found["models"])
        assert anew["last_refreshed"] > found["last_refreshed"]
        assert script.get("models/available?refresh=true")["last_refreshed"] > anew["last_refreshed"]
        pid = daemon.pid("web")
        with open(f"/proc/{pid}/environ", "rb") as environment:
            assert KEY.encode() not in environment.read()


def test_the_next_run_is_the_schedule_s_own_date(tmp_path: Path) -> None:
    schedule = {"CLAUDEOPS_SCHEDULE_ENABLED": "true", "CLAUDEOPS_INTERVAL": "600"}
    with running(tmp_path / "daemon", **schedule) as daemon:
        script = Script(daemon, "viewer")
        first = wait_for(lambda: script.get("stats")["next_run"], 60, "the end of the first session")
        end = timestamps.parse(script.get("stats")["last_session"]["ended_at"])
        assert 590 < (timestamps.parse(first) - end).total_seconds() < 615
        time.sleep(2.5)
        later = script.get("stats")["next_run"]
        assert abs((timestamps.parse(later) - timestamps.parse(first)).total_seconds()) < 1, "it does not run away"
        told = timestamps.parse(daemon.json("status")["next_run_at"])
        assert abs((timestamps.parse(later) - told).total_seconds()) < 2
