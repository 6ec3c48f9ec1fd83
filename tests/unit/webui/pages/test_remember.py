"""A standing rule is exactly as wide as the person chose."""

import json
from typing import Any

import pytest

from ipc.errors import CallError
from schema import timestamps
from schema.limits import Approval
from tests.unit.webui.pages.test_approval_view import approval
from webui.pages import remember


def stored(*commands: dict[str, Any]) -> Approval:
    return approval(found=json.dumps(list(commands)))


RESTART = {"kind": "restart", "text": "docker restart web", "host": "db-2"}


def test_the_scopes_go_from_this_command_to_its_program_and_subcommand() -> None:
    found = remember.scopes(stored({"kind": "read", "text": "docker ps"}, RESTART))
    assert [(scope.pattern, scope.host) for scope in found] == [
        ("docker restart web", "db-2"),
        ("docker restart *", "db-2"),
    ]


@pytest.mark.parametrize(
    "command",
    [
        {"kind": "host", "text": "reboot -f"},
        {"kind": "write", "text": "tee '/a b'"},
        {"kind": "change", "text": "kill 123"},
        {"kind": "restart", "text": "docker -H tcp://x restart web", "host": "x"},
        {"kind": "unknown", "text": "eval $X"},
    ],
)
def test_what_has_no_subcommand_is_never_widened_to_its_whole_program(command: dict[str, Any]) -> None:
    assert [scope.pattern for scope in remember.scopes(stored(command))] == [command["text"]]


@pytest.mark.parametrize("text", ["echo 'a", "", "systemctl --user restart *"])
def test_what_a_rule_would_mean_otherwise_can_only_be_decided_once(text: str) -> None:
    assert remember.scopes(stored({"kind": "unknown", "text": text})) == []


def test_another_tool_is_meant_as_a_whole() -> None:
    [scope] = remember.scopes(approval(tool="mcp__k8s__scale", found="[]"))
    assert scope.pattern == "*"


def test_a_rule_has_the_chosen_words_host_tier_and_end() -> None:
    fields = {"scope": "0-program", "host": "same", "tier": "same", "expires": "3600", "reason": " known "}
    rule = remember.rule(stored(RESTART), fields, approve=True)
    assert rule is not None
    assert (rule.decision, rule.pattern, rule.host, rule.tier, rule.reason) == (
        "allow", "docker restart *", "db-2", 2, "known",
    )  # fmt: skip
    assert rule.expires_at is not None
    left = timestamps.parse(rule.expires_at) - timestamps.parse(timestamps.now())
    assert 3590 < left.total_seconds() <= 3600


def test_a_rule_can_be_wider_and_last() -> None:
    fields = {"scope": "0-exact", "host": "any", "tier": "any", "expires": ""}
    rule = remember.rule(stored(RESTART), fields, approve=False)
    assert rule is not None
    assert (rule.decision, rule.host, rule.tier, rule.expires_at) == ("deny", "*", None, None)


def test_without_a_scope_there_is_no_rule() -> None:
    assert remember.rule(stored(RESTART), {"scope": "", "host": "any"}, approve=True) is None


@pytest.mark.parametrize("fields", [{"scope": "5-exact"}, {"scope": "0-exact", "expires": "7"}])
def test_what_was_not_offered_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(CallError):
        remember.rule(stored(RESTART), fields, approve=True)
