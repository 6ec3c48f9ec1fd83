"""Tool calls that are no shell commands: files, searches, MCP, tools that nobody knows."""

from collections.abc import Mapping
from typing import Any

import pytest

from daemon.limits.calls import judge_call
from daemon.limits.kinds import Decision, Judgement, Kind


def call(tool: str, tool_input: Mapping[str, object], **kw: Any) -> Judgement:
    given: dict[str, Any] = {"tier": 1, "dry_run": False, "disallowed": [], "mcp_reading": [], "state_dir": "/state"}
    return judge_call(tool, tool_input, **(given | kw))


def kind(tool: str, tool_input: Mapping[str, object], **kw: Any) -> Kind:
    return call(tool, tool_input, **kw).found[0].kind


def test_a_shell_call_is_judged_by_its_command() -> None:
    assert call("Bash", {"command": "docker ps", "run_in_background": True}).decision is Decision.ALLOW
    assert call("Bash", {"command": "docker stop a"}).decision is Decision.DENY
    assert call("Bash", {"command": "docker stop a"}, tier=2).decision is Decision.ASK
    assert call("Bash", {"command": "cat /state/claudeops.db"}, tier=3).rule == "tier3-secrets"
    assert call("Bash", {"command": "cat claudeops.log"}, cwd="/state").rule == "tier1-secrets"


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("Read", {"file_path": "/repos/a/CLAUDE-OPS.md"}),
        ("Read", {"file_path": "/var/log/syslog", "offset": 1, "limit": 10}),
        ("Read", {"file_path": "/state/handoff.json"}),
        ("Read", {"file_path": "/state/cooldown.json"}),
        ("Grep", {"pattern": "error", "path": "/var/log"}),
        ("Grep", {"pattern": "x"}),
        ("Grep", {"pattern": "x", "path": "/repos", "glob": "*.{py,md}"}),
        ("Glob", {"pattern": "**/*.yml"}),
        ("WebFetch", {"url": "https://example.com/status", "prompt": "?"}),
        ("WebSearch", {"query": "x"}),
        ("Task", {"prompt": "look"}),
        ("TodoWrite", {"todos": []}),
        ("StructuredOutput", {"summary": "x"}),
    ],
)
def test_looking_is_allowed_at_every_tier_and_in_a_dry_run(tool: str, given: dict[str, object]) -> None:
    for tier in (1, 2, 3):
        assert call(tool, given, tier=tier, dry_run=True).decision is Decision.ALLOW


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("Read", {"file_path": "/proc/self/environ"}),
        ("Read", {"file_path": "/root/.ssh/id_rsa"}),
        ("Read", {"file_path": "/state/claudeops.db"}),
        ("Read", {"file_path": "/state/runs/1/spec.json"}),
        ("Read", {"file_path": "/results/../state/claudeops.db"}),
        ("Read", {"file_path": "/repos/app/.env"}),
        ("Grep", {"pattern": "KEY", "path": "/state"}),
        ("Grep", {"pattern": "KEY", "path": "/"}),
        ("Grep", {"pattern": "KEY", "path": "/repos", "glob": "*.pem"}),
        ("Grep", {"pattern": "KEY", "path": "/repos", "glob": "{a.py,.env}"}),
        ("WebFetch", {"url": "http://169.254.169.254/latest/meta-data/"}),
    ],
)
def test_credentials_are_denied_at_every_tier(tool: str, given: dict[str, object]) -> None:
    for tier in (1, 2, 3):
        assert call(tool, given, tier=tier).rule == f"tier{tier}-secrets"


@pytest.mark.parametrize("tool", ["Write", "Edit", "MultiEdit"])
def test_files_are_written_with_approval_only_and_the_handoff_without(tool: str) -> None:
    plain, handoff = {"file_path": "/srv/app/x.yml"}, {"file_path": "/state/handoff.json"}
    assert [call(tool, plain, tier=tier).decision for tier in (1, 2, 3)] == [
        Decision.DENY,
        Decision.ASK,
        Decision.ALLOW,
    ]
    judged = call(tool, handoff)
    assert (judged.decision, judged.rule) == (Decision.ALLOW, "handoff")
    assert call(tool, handoff, dry_run=True).rule == "dry-run"
    assert call(tool, {"file_path": "/state/claudeops.db"}, tier=3).decision is Decision.DENY
    assert call(tool, {"file_path": "/etc/cron.d/x"}, tier=2).decision is Decision.DENY
    assert call(tool, {"file_path": "/state/handoff.json/../claudeops.db"}).rule == "tier1-steers"
    assert call(tool, {"file_path": "/other/handoff.json"}).rule == "tier1-writes"


def test_a_session_may_note_something_down_where_it_runs_as_anywhere_else() -> None:
    decisions = [call("Write", {"file_path": "/state/work/note.txt"}, tier=tier).decision for tier in (1, 2, 3)]
    assert decisions == [call("Write", {"file_path": "/srv/note.txt"}, tier=tier).decision for tier in (1, 2, 3)]
    assert decisions[2] is Decision.ALLOW


@pytest.mark.parametrize(
    "path",
    ["claudeops.db", "mcp.json", "work/claude.md", "work/.claude/settings.json",
     "home/.claude/settings.json", "work/CLAUDE.md", "app/prompts/tier1-observe.md",
     "run/rpc.sock", "x/../mcp.json", "."],
)  # fmt: skip
def test_what_belongs_to_the_daemon_is_never_written(path: str) -> None:
    for tier in (1, 2, 3):
        for command in (f"cp x /state/{path}", f"echo x > /state/{path}", f"sudo tee /state/{path} < x"):
            judged = call("Bash", {"command": command}, tier=tier)
            assert judged.decision is Decision.DENY, (command, judged)
        assert call("Write", {"file_path": f"/state/{path}"}, tier=tier).rule == f"tier{tier}-steers"


@pytest.mark.parametrize("path", ["/repos/x/.claude-ops/mcp.json", "/repos/x/CLAUDE.md", "/app/checks/http.md"])
def test_what_later_sessions_are_told_is_written_with_approval_only(path: str) -> None:
    assert [call("Edit", {"file_path": path}, tier=tier).decision for tier in (1, 2, 3)] == [
        Decision.DENY,
        Decision.DENY,
        Decision.ASK,
    ]


def test_repositories_below_the_state_directory_are_worked_in_like_others() -> None:
    assert call("Edit", {"file_path": "/state/repos/shop/compose.yml"}, tier=3).decision is Decision.ALLOW


@pytest.mark.parametrize(
    "path", ["work/checks/http.md", "app/.claude/skills/x.md", "repos/a/CLAUDE-OPS.md", "results/r.log"]
)
def test_what_lies_below_the_state_directory_for_sessions_is_read(path: str) -> None:
    assert call("Read", {"file_path": f"/state/{path}"}).decision is Decision.ALLOW
    assert call("Bash", {"command": f"cat /state/{path}"}).decision is Decision.ALLOW


@pytest.mark.parametrize(
    "path", ["home/x", "runs/1/spec.json", "backups/a.db", "work/../mcp.json", "works/x", "repos/a/.env"]
)
def test_the_rest_of_it_is_not(path: str) -> None:
    assert call("Read", {"file_path": f"/state/{path}"}, tier=3).decision is Decision.DENY


def test_mcp_tools_are_reading_only_if_they_are_listed() -> None:
    listed = ["mcp__grafana__query", "mcp__docs__*"]
    assert kind("mcp__grafana__query", {}, mcp_reading=listed) is Kind.READ
    assert kind("mcp__docs__search", {}, mcp_reading=listed) is Kind.READ
    assert kind("mcp__grafana__query_delete", {}, mcp_reading=listed) is Kind.UNKNOWN
    assert kind("mcp__other__x", {}, mcp_reading=listed) is Kind.UNKNOWN
    assert call("mcp__other__x", {}, tier=3).decision is Decision.ASK


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("Bash", {}),
        ("Bash", {"command": 3}),
        ("Bash", {"command": ["docker", "ps"]}),
        ("Bash", {"command": None}),
        ("Read", {}),
        ("Read", {"file_path": ["/etc/hosts"]}),
        ("Read", {"file_path": ""}),
        ("Write", {"file_path": 1}),
        ("WebFetch", {}),
        ("WebFetch", {"url": "file:///etc/hosts"}),
        ("Nobody", {"command": "docker ps"}),
        ("bash", {"command": "docker ps"}),
        ("", {}),
    ],
)
def test_what_has_another_shape_than_it_should_is_not_understood(tool: str, given: dict[str, object]) -> None:
    assert kind(tool, given) is Kind.UNKNOWN
    assert call(tool, given).decision is Decision.DENY


@pytest.mark.parametrize(
    ("tool", "given"), [(None, {}), (3, {}), ("Bash", None), ("Bash", "docker ps"), ("Bash", ["docker ps"])]
)
def test_what_is_no_call_at_all_is_not_understood(tool: Any, given: Any) -> None:
    judged = call(tool, given)
    assert judged.decision is Decision.DENY
    assert judged.found[0].kind is Kind.UNKNOWN


def test_whole_tools_are_disallowed_by_name_or_prefix() -> None:
    assert call("Write", {"file_path": "/srv/x"}, tier=3, disallowed=["Write"]).rule == "disallowed: Write"
    assert call("Read", {"file_path": "/srv/x"}, disallowed=["Write"]).decision is Decision.ALLOW
    listed = {"mcp_reading": ["mcp__x__*"], "disallowed": ["mcp__x__*"]}
    assert call("mcp__x__list", {}, **listed).rule == "disallowed: mcp__x__*"
    assert call("Bash", {"command": "docker ps"}, disallowed=["Bash"]).rule == "disallowed: Bash"
    assert call("Bash", {"command": "helm list"}, disallowed=["Bash(helm:*)"]).rule == "disallowed: Bash(helm:*)"
