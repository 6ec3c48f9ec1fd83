"""What standing rules of people mean for a call, and the sentences about decisions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon.approvals import rules
from daemon.limits.kinds import Decision, Found, Kind
from daemon.limits.rules import judge
from daemon.limits.understanding import understand
from schema import timestamps
from schema.limits import Approval, ApprovalRule
from schema.states import ApprovalStatus

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def rule(pattern: str, decision: str = "allow", **more: Any) -> ApprovalRule:
    return ApprovalRule(id=7, decision=decision, pattern=pattern, created_by="ann", **more)


def decided(rules_: list[ApprovalRule], command: str, tier: int = 2) -> Decision | None:
    """What the rules make of a command; None if nothing."""
    found = understand(command)
    judged = [(item, judge((item,), tier=tier, dry_run=False, disallowed=()).decision) for item in found]
    standing = rules.standing(rules_, "Bash", judged, tier, NOW)
    return None if standing is None else standing.decision


@pytest.mark.parametrize(
    ("pattern", "command"),
    [
        ("docker stop web", "docker stop web"),
        ("docker stop web", "sudo docker stop web"),
        ("docker stop web", "bash -c 'docker stop web'"),
        ("docker stop web", "docker ps; docker stop web"),
        ("docker stop *", "docker stop web"),
        ("rm /tmp/a", "rm /tmp/a && true"),
    ],
)
def test_a_rule_lets_through_what_would_be_asked(pattern: str, command: str) -> None:
    assert decided([rule(pattern)], command) is Decision.ALLOW


@pytest.mark.parametrize(
    ("pattern", "command"),
    [
        ("docker stop web", "docker stop web db"),
        ("docker stop web", "docker stop $NAME"),
        ("docker stop *", "docker stop $NAME"),
        ("docker stop *", 'docker stop "$(cat name)"'),
        ("docker stop web", "docker stop web > /etc/motd"),
        ("docker stop web", "docker stop web; rm /tmp/a"),
        ("docker stop web", "docker -H ssh://far stop web"),
        ("docker stop web", "ssh far docker stop web"),
        ("rm /tmp/a", "docker exec web rm /tmp/a"),
        ("kubectl delete pod web", "kubectl --context prod delete pod web"),
        ("docker *", "docker stop web |"),
        ("frobnicate *", "frobnicate x; $(docker stop web)"),
    ],
)
def test_a_rule_covers_no_more_than_it_says(pattern: str, command: str) -> None:
    assert decided([rule(pattern)], command) is not Decision.ALLOW


def test_every_thing_that_asks_must_be_covered() -> None:
    both = "docker stop web && rm /tmp/a"
    assert decided([rule("docker stop web")], both) is None
    assert decided([rule("docker stop web"), rule("rm /tmp/a")], both) is Decision.ALLOW


@pytest.mark.parametrize("command", ["cat /home/a/.ssh/id_ed25519", "reboot"])
def test_what_is_denied_stays_denied(command: str) -> None:
    assert decided([rule(command), rule(command.split()[0] + " *")], command) is None
    assert decided([rule("docker stop web")], "docker stop web", tier=1) is None


@pytest.mark.parametrize(
    ("host", "command", "covered"),
    [
        (None, "docker stop web", True),
        (None, "ssh far docker stop web", False),
        ("far", "ssh far docker stop web", True),
        ("far", "docker stop web", False),
        ("far", "ssh near docker stop web", False),
        ("*", "ssh near docker stop web", True),
        ("*", "docker stop web", True),
    ],
)
def test_a_rule_holds_on_its_host(host: str | None, command: str, covered: bool) -> None:
    assert (decided([rule("docker stop web", host=host)], command) is Decision.ALLOW) == covered


@pytest.mark.parametrize(
    "more",
    [
        {"tier": 3},
        {"tool": "Write"},
        {"expires_at": timestamps.stamp(NOW)},
        {"revoked_at": timestamps.stamp(NOW)},
    ],
)
def test_a_rule_for_others_or_one_that_is_over_counts_nothing(more: dict[str, Any]) -> None:
    assert decided([rule("docker stop web", **more)], "docker stop web") is None
    later = timestamps.stamp(NOW + timedelta(seconds=1))
    assert decided([rule("docker stop web", tier=2, expires_at=later)], "docker stop web") is Decision.ALLOW


def test_a_denial_beats_a_question_and_a_question_beats_leave() -> None:
    allow, ask, deny = (rule("docker stop web", decision) for decision in ("allow", "ask", "deny"))
    assert decided([allow, ask, deny], "docker stop web") is Decision.DENY
    assert decided([allow, ask], "docker stop web") is Decision.ASK
    assert decided([ask], "docker restart web") is None


@pytest.mark.parametrize(
    "command",
    [
        "docker restart web",
        "docker --context far restart web",
        "ssh far docker restart web",
        "xargs docker restart web",
    ],
)
def test_a_rule_that_denies_or_asks_is_wide(command: str) -> None:
    found = [(item, Decision.ALLOW) for item in understand(command)]
    standing = rules.standing([rule("docker restart *", "deny")], "Bash", found, 2, NOW)
    assert standing is not None
    assert standing.decision is Decision.DENY


def test_a_command_that_is_not_understood_is_covered_only_as_it_was_written() -> None:
    found = Found(Kind.UNKNOWN, "frobnicate 'a;b' ;")
    assert rules.covers(rule("frobnicate 'a;b' ;"), found, strictly=True)
    assert not rules.covers(rule("frobnicate a ';b' ;"), found, strictly=True)
    assert not rules.covers(rule("frobnicate *"), found, strictly=True)
    cut = Found(Kind.UNKNOWN, "frobnicate … (5000 characters)")
    assert not rules.covers(rule(cut.text), cut, strictly=True)


@pytest.mark.parametrize(
    ("made", "word"),
    [
        (rule("docker stop web", "perhaps"), "allow, ask or deny"),
        (rule("docker stop web", tool=" "), "name of a tool"),
        (rule("  "), "words of a command"),
        (rule("docker 'stop"), "words of a command"),
        (rule("docker * web"), "last word"),
        (rule("*"), "is none"),
        (rule("docker stop web", tier=4), "1, 2 or 3"),
        (rule("docker stop web", expires_at="tomorrow"), "no time"),
        (rule("docker stop web", expires_at="2026-01-31T11:59:00Z"), "over already"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_what_is_wrong(made: ApprovalRule, word: str) -> None:
    assert word in str(rules.problem(made, NOW))


def test_a_good_rule_has_no_problem() -> None:
    assert rules.problem(rule("docker stop web", tier=2, expires_at="2026-02-01T00:00:00Z"), NOW) is None
    assert rules.problem(rule("*", "deny"), NOW) is None
    assert rules.problem(rule("*", tool="mcp__shop__order"), NOW) is None


def approval(status: ApprovalStatus, **more: Any) -> Approval:
    at = timestamps.stamp(NOW)
    return Approval(
        id=1, session_id=2, tool_use_id="t", tier=2, tool="Bash", input="{}", rule="r", reason="why", found="[]",
        status=status, created_at=at, expires_at=at, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "more", "sentence"),
    [
        (ApprovalStatus.DENIED, {"decided_by": "ann"}, "already denied by ann 12 s ago"),
        (ApprovalStatus.APPROVED, {"decided_by": "ann"}, "already approved by ann 12 s ago"),
        (ApprovalStatus.USED, {"decided_by": "ann"}, "already approved by ann 12 s ago"),
        (ApprovalStatus.EXPIRED, {}, "it expired 12 s ago, which counts as denied; the session may ask again"),
        (ApprovalStatus.CANCELLED, {"answer": "gone"}, "it does not wait any more since 12 s ago: gone"),
    ],
)
def test_who_comes_second_is_told_who_was_first(status: ApprovalStatus, more: dict[str, Any], sentence: str) -> None:
    found = approval(status, decided_at=timestamps.stamp(NOW), **more)
    assert rules.too_late(found, NOW + timedelta(seconds=12)) == sentence


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s ago"), (119, "119 s ago"), (300, "5 min ago"), (10800, "3 h ago"), (864000, "10 days ago")],
)
def test_how_long_ago_in_words(seconds: float, text: str) -> None:
    assert rules.ago(seconds) == text


def test_the_model_is_told_who_denied_and_why() -> None:
    denied = approval(ApprovalStatus.DENIED, decided_by="ann", answer="not during the sale")
    assert rules.denial(denied).startswith("Denied by ann: not during the sale.")
    assert "in time" in rules.denial(approval(ApprovalStatus.EXPIRED))
    assert "once before" in rules.denial(approval(ApprovalStatus.USED))
