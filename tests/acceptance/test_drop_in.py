"""The daemon takes the place of the Go program: its volumes open as they are, and nothing in them is lost."""

import hashlib
import json
import re
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.harness import Daemon
from tests.fixtures import go_state
from tests.fixtures.go_state import rows

TABLES = ("sessions", "health_checks", "cooldown_actions", "service_health_streak", "config", "events", "memories")


def everything(path: Path) -> dict[str, list[dict[str, Any]]]:
    return {table: rows(path, table) for table in TABLES}


@pytest.fixture(params=["goose", "legacy"])
def taken_over(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Daemon, datetime, dict[str, Any]]]:
    """A daemon that has started on the Go program's volumes, their "now", and the rows as they were."""
    daemon = Daemon(tmp_path / "daemon")
    versions = go_state.GOOSE if request.param == "goose" else go_state.LEGACY
    now = go_state.write(daemon.state, daemon.results, versions=versions)
    before = everything(daemon.state / "claudeops.db")
    try:
        yield daemon.start().sign_in(), now, before
    finally:
        daemon.close()


def seconds(stored: str, moment: datetime) -> float:
    return abs((datetime.fromisoformat(stored) - moment).total_seconds())


def page(daemon: Daemon, path: str) -> str:
    status, _, body = daemon.request("GET", path)
    assert status == 200, (path, status, body[:300])
    return body.decode()


def test_the_volumes_of_the_go_program_open_with_nothing_lost(
    taken_over: tuple[Daemon, datetime, dict[str, Any]],
) -> None:
    daemon, now, before = taken_over
    database = daemon.state / "claudeops.db"

    # Every session by claudeopsctl, in full; what never ended is told as interrupted.
    listed = {session["id"]: session for session in daemon.json("sessions", "list", "--limit", "100")}
    assert sorted(listed) == [row["id"] for row in before["sessions"]]
    for old in before["sessions"]:
        shown = daemon.session(old["id"])
        for name in ("model", "prompt_file", "prompt_text", "response", "cost_usd", "num_turns", "exit_code"):
            assert shown[name] == old[name], (old["id"], name)
        assert old["summary"] is None or shown["summary"] == old["summary"]
        ended = old["status"] not in ("running", "paused")
        assert shown["status"] == (old["status"] if ended else "interrupted")
    assert listed[3]["started_at"] == "2026-01-31T09:00:00.000Z"
    assert listed[1]["started_at"] == "2026-01-31T08:05:00.123Z"
    assert seconds(listed[20]["started_at"], now - timedelta(minutes=90)) < 1
    assert [session["id"] for session in daemon.json("sessions", "chain", "2")] == [1, 2]

    # Every row of the other tables, by claudeopsctl and by the pages.
    events = daemon.json("events", "list", "--limit", "100")
    assert {event["message"] for event in events} == {row["message"] for row in before["events"]}
    recent = [event["created_at"] for event in events if event["message"].startswith("an event that is")]
    assert all(seconds(at, now - timedelta(minutes=80)) < 1.5 for at in recent)
    assert len(recent) == 3
    memories = daemon.json("memories", "list", "--all", "--limit", "100")
    assert {memory["observation"] for memory in memories} == {row["observation"] for row in before["memories"]}
    assert all(not memory["updated_at"].startswith("0001") for memory in memories)
    services = {service["service"] for service in daemon.json("health")}
    assert services == {row["service"] for row in before["health_checks"]}
    settings = {item["name"]: item for item in daemon.json("config", "list")}
    for row in before["config"]:
        assert (settings[row["key"]]["value"], settings[row["key"]]["source"]) == (row["value"], "override")
    for path, words in (
        ("/sessions", "restart jellyfin"), ("/events", "an event that is critical"), ("/cooldowns", "jellyfin"),
        ("/memories", "what is known of its timing"), ("/sessions/20", "interrupted"), ("/", "jellyfin"),
    ):  # fmt: skip
        assert words in page(daemon, path), path
    migrated = everything(database)
    for table in TABLES:
        if table not in ("cooldown_actions", "service_health_streak"):
            assert len(migrated[table]) == len(before[table]), table

    # Actions that only cooldown.json knew count; the one that the database had already counts once.
    cooldowns = {(one["service"], one["action"]): one for one in daemon.json("cooldowns")}
    assert cooldowns["jellyfin", "restart"]["used"] == 2
    assert cooldowns["jellyfin", "restart"]["blocked"]
    assert cooldowns["grafana", "redeployment"]["used"] == 1
    failed = [action for action in migrated["cooldown_actions"] if action["error"] == "it did not come up"]
    assert len(failed) == 1
    assert failed[0]["success"] == 0
    exported = json.loads((daemon.state / "cooldown.json").read_text())
    assert len(exported["services"]["jellyfin"]["restarts"]) == 2
    assert exported["last_daily_digest"]

    # Logs of both formats, though their rows name another directory; and the one that no row named.
    assert '"type":"result"' in daemon.ctl("sessions", "tail", "1").stdout.replace(" ", "")
    assert daemon.ctl("sessions", "tail", "2").stdout == go_state.PLAIN
    assert '"init"' in daemon.ctl("sessions", "tail", "20").stdout
    assert "Done: web answers again." in page(daemon, "/sessions/2")
    assert listed[20]["log_file"].startswith(str(daemon.results))

    # A handoff that a chain had left is no session's of ours.
    id_ = daemon.trigger(lines=1)["id"]
    assert daemon.wait_ended(id_)["status"] == "completed"
    assert id_ == max(listed) + 1
    assert len(daemon.json("sessions", "chain", str(id_))) == 1


def test_what_was_there_is_copied_before_anything_is_changed_and_a_second_start_changes_nothing(
    taken_over: tuple[Daemon, datetime, dict[str, Any]],
) -> None:
    daemon, _, before = taken_over
    (copy,) = daemon.state.glob("claudeops-go-*.db")
    assert everything(copy) == before
    assert rows(copy, "sqlite_master WHERE name IN ('goose_db_version', 'schema_migrations')")
    (file,) = daemon.state.glob("cooldown-go-*.json")
    assert json.loads(file.read_text())["services"]["jellyfin"]["restarts"][0]["error"] == "it did not come up"
    assert str(copy) in daemon.log()
    first = everything(daemon.state / "claudeops.db")
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
    assert daemon.stop() == 0

    daemon.start()
    assert everything(daemon.state / "claudeops.db") == first
    assert [path.name for path in daemon.state.glob("claudeops-go-*")] == [copy.name]
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == digest
    assert daemon.log().count("carried forward; a copy lies at") == 1


def test_going_back_is_putting_the_copy_in_its_place(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "daemon")
    try:
        go_state.write(daemon.state, daemon.results)
        before = everything(daemon.state / "claudeops.db")
        daemon.start()
        assert daemon.stop() == 0
        (copy,) = daemon.state.glob("claudeops-go-*.db")
        for suffix in ("-wal", "-shm"):
            (daemon.state / f"claudeops.db{suffix}").unlink(missing_ok=True)
        copy.replace(daemon.state / "claudeops.db")
        assert everything(daemon.state / "claudeops.db") == before
        # And forward again, from the same copy.
        daemon.start()
        assert len(daemon.json("sessions", "list", "--limit", "100")) == len(before["sessions"])
    finally:
        daemon.close()


# Every variable that the Go program reads or hands on; of BROWSER_CRED_* an example of each kind.
OF_THE_GO_PROGRAM = {
    *(f"CLAUDEOPS_{name}" for name in (
        "INTERVAL", "PROMPT", "TIER2_PROMPT", "TIER3_PROMPT", "TIER1_MODEL", "TIER2_MODEL", "TIER3_MODEL", "STATE_DIR",
        "RESULTS_DIR", "REPOS_DIR", "ALLOWED_TOOLS", "DISALLOWED_TOOLS", "DRY_RUN", "VERBOSE", "APPRISE_URLS",
        "MCP_CONFIG", "DASHBOARD_PORT", "MAX_TIER", "MEMORY_BUDGET", "BROWSER_ALLOWED_ORIGINS", "SUMMARY_MODEL",
        "WEBHOOK_MODEL", "WEBHOOK_SYSTEM_PROMPT", "SCHEMA_PATH", "CHAT_API_KEY", "PR_ENABLED", "TIER",
    )),
    *(f"CLAUDEOPS_TIER{tier}_{name}_TOOLS" for tier in (1, 2, 3) for name in ("ALLOWED", "DISALLOWED")),
    "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "GITHUB_TOKEN", "GITEA_URL", "GITEA_TOKEN",
    *(f"BROWSER_CRED_GRAFANA_{what}" for what in ("USER", "PASS", "TOKEN", "API_KEY")),
}  # fmt: skip
ENVIRONMENT = """\
# Claude Ops: settings of the Go program
ANTHROPIC_API_KEY=sk-ant-made-up-of-the-file
ANTHROPIC_BASE_URL=http://127.0.0.1:9/of-the-file
CLAUDEOPS_STATE_DIR={state}
CLAUDEOPS_RESULTS_DIR={results}
CLAUDEOPS_DASHBOARD_PORT={port}
CLAUDEOPS_INTERVAL=1800
CLAUDEOPS_PROMPT=prompts/tier1-observe.md
CLAUDEOPS_TIER2_PROMPT=prompts/tier2-investigate.md
CLAUDEOPS_TIER3_PROMPT=prompts/tier3-remediate.md
CLAUDEOPS_TIER1_MODEL=haiku
CLAUDEOPS_TIER2_MODEL=sonnet
CLAUDEOPS_TIER3_MODEL=opus
CLAUDEOPS_REPOS_DIR={repos}
CLAUDEOPS_ALLOWED_TOOLS=Bash,Read,Grep,Glob,Task,WebFetch
CLAUDEOPS_DISALLOWED_TOOLS=Bash(docker restart:*),Bash(docker compose:*),Bash(ansible-playbook:*),Bash(helm:*),\
Bash(gh pr create:*),Bash(git push:*),Bash(systemctl restart:*),Bash(apprise:*)
CLAUDEOPS_TIER1_ALLOWED_TOOLS=
CLAUDEOPS_TIER1_DISALLOWED_TOOLS=
CLAUDEOPS_TIER2_ALLOWED_TOOLS=Bash,Read,Write,Edit,Grep,Glob,Task,WebFetch,WebSearch
CLAUDEOPS_TIER2_DISALLOWED_TOOLS=Bash(ansible:*),Bash(helm:*)
CLAUDEOPS_TIER3_ALLOWED_TOOLS=Bash,Read,Write,Edit,Grep,Glob,Task,WebFetch,WebSearch
CLAUDEOPS_TIER3_DISALLOWED_TOOLS=Bash(rm -rf /:*)
CLAUDEOPS_DRY_RUN=T
CLAUDEOPS_VERBOSE=true
CLAUDEOPS_APPRISE_URLS=json://127.0.0.1:9/made-up-apprise-path
CLAUDEOPS_MCP_CONFIG={app}/.claude/mcp.json
CLAUDEOPS_MAX_TIER=2
CLAUDEOPS_MEMORY_BUDGET=-1
CLAUDEOPS_BROWSER_ALLOWED_ORIGINS=https://grafana.example.org
CLAUDEOPS_SUMMARY_MODEL=claude-haiku-4-5-20251001
CLAUDEOPS_WEBHOOK_MODEL=claude-haiku-4-5-20251001
CLAUDEOPS_WEBHOOK_SYSTEM_PROMPT=
CLAUDEOPS_SCHEMA_PATH={app}/schemas/agent-response.json
CLAUDEOPS_CHAT_API_KEY=made-up-chat-key
CLAUDEOPS_TIER=1
CLAUDEOPS_APP_DIR={app}
BROWSER_CRED_GRAFANA_USER=admin
BROWSER_CRED_GRAFANA_PASS=made-up-password
BROWSER_CRED_GRAFANA_TOKEN=made-up-token
BROWSER_CRED_GRAFANA_API_KEY=made-up-browser-key
GITHUB_TOKEN=made-up-github-token
GITEA_URL=https://git.example.org
GITEA_TOKEN=
CLAUDEOPS_PR_ENABLED=false
CLAUDEOPS_TIER1_MODLE=opus
"""


def test_the_environment_file_of_the_go_program_works_unchanged(daemon: Daemon) -> None:
    app = daemon.directory / "app"
    (app / "prompts").mkdir(parents=True)
    (app / "prompts" / "tier1-observe.md").write_text("Look at everything, as you always have.")
    file = daemon.directory / "env"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Elsewhere than where the harness puts them, so that nothing but the file has named them.
    daemon.state, daemon.results = daemon.directory / "volumes" / "state", daemon.directory / "volumes" / "results"
    places = {"app": app, "repos": daemon.directory / "repos", "state": daemon.state, "results": daemon.results}
    file.write_text(ENVIRONMENT.format(**places, port=port))
    given = dict(line.split("=", 1) for line in file.read_text().splitlines() if line[0] != "#")
    assert given.keys() - OF_THE_GO_PROGRAM == {"CLAUDEOPS_APP_DIR", "CLAUDEOPS_TIER1_MODLE"}
    assert given.keys() >= OF_THE_GO_PROGRAM
    for name in given.keys() & daemon.environment.keys():
        del daemon.environment[name]
    daemon.environment["CLAUDEOPS_ENV_FILE"] = str(file)
    daemon.start()
    settings = {item["env"]: item for item in daemon.json("config", "list")}
    for name, value in given.items():
        if name in settings and value and name != "CLAUDEOPS_DRY_RUN" and not settings[name]["secret"]:
            assert settings[name]["value"] == value, name
        elif name in settings and not value:
            assert settings[name]["source"] == "default", name
    assert settings["CLAUDEOPS_DRY_RUN"]["value"] == "true"
    for name in ("CLAUDEOPS_CHAT_API_KEY", "ANTHROPIC_API_KEY", "CLAUDEOPS_APPRISE_URLS", "GITHUB_TOKEN"):
        assert (settings[name]["value"], settings[name]["source"]) == ("set", "environment"), name
    assert daemon.port == port
    assert (daemon.state / "claudeops.db").exists()

    # What has no effect is told once, by name, and stops nothing.
    told = re.findall(r"warning supervisor: (CLAUDEOPS_\w+) (.*)", daemon.log())
    assert {name for name, _ in told} == {"CLAUDEOPS_VERBOSE", "CLAUDEOPS_TIER", "CLAUDEOPS_TIER1_MODLE"}
    assert "did you mean CLAUDEOPS_TIER1_MODEL?" in dict(told)["CLAUDEOPS_TIER1_MODLE"]

    # A relative prompt is that of CLAUDEOPS_APP_DIR.
    session = daemon.json("sessions", "trigger", "--tier", "1")
    assert session["prompt_file"] == str(app / "prompts" / "tier1-observe.md")
    assert session["log_file"].startswith(str(daemon.results))
    daemon.wait_ended(session["id"])
    assert "made-up" not in daemon.log()


def test_settings_are_taken_as_the_go_programs_flags(daemon: Daemon) -> None:
    daemon.flags = ["--interval", "900", "--dry-run", "--max-tier=2", "--tier1-model", "sonnet"]
    daemon.start()
    settings = {item["name"]: item["value"] for item in daemon.json("config", "list")}
    assert [settings[name] for name in ("interval", "dry_run", "max_tier", "tier1_model")] == [
        "900", "true", "2", "sonnet",
    ]  # fmt: skip
