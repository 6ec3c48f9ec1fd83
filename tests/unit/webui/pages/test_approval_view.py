"""A card says who asks, what for, until when; and once decided, who said what."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from schema.limits import Approval, Cooldown
from schema.states import ApprovalStatus
from webui.pages import approval_view

NOW = datetime(2026, 3, 14, 2, 6, 30, tzinfo=UTC)
FOUND = json.dumps([{"kind": "restart", "text": "docker restart web", "target": "web", "host": "db-2"}])


def approval(status: ApprovalStatus = ApprovalStatus.WAITING, **changes: Any) -> Approval:
    values: dict[str, Any] = {
        "id": 7,
        "session_id": 3,
        "tool_use_id": "t",
        "tier": 2,
        "tool": "Bash",
        "input": json.dumps({"command": "ssh db-2 sudo docker restart web"}),
        "rule": "policy",
        "reason": "Restarts need a person.",
        "found": FOUND,
        "status": status,
        "created_at": "2026-03-14T02:02:30.000Z",
        "expires_at": "2026-03-14T02:21:02.000Z",
    }
    return Approval(**values | changes)


def test_a_waiting_card_shows_the_call_whole_what_makes_it_risky_and_the_time_left() -> None:
    use = Cooldown(service="web", action="restart", used=1, limit=2, window_s=14400, blocked=False)
    card = approval_view.card(approval(words="it hangs"), NOW, approval_view.uses([use]), 2)
    assert card.waiting
    assert str(card.call) == "ssh <mark>db-2</mark> <mark>sudo</mark> docker restart web"
    assert card.marks == ["on db-2", "as another user"]
    assert card.uses == ["web: 1 of 2 restarts used in 4 h"]
    assert (card.expires.text, card.words, card.alike, card.decision) == ("expires in 14:32", "it hangs", 2, "")


@pytest.mark.parametrize(
    ("status", "who", "words"),
    [
        (ApprovalStatus.APPROVED, "ada", "approved by ada"),
        (ApprovalStatus.USED, "ada", "approved by ada"),
        (ApprovalStatus.DENIED, "bob", "denied by bob"),
        (ApprovalStatus.DENIED, None, "denied by somebody"),
        (ApprovalStatus.EXPIRED, None, "expired: nobody decided in time"),
        (ApprovalStatus.CANCELLED, None, "cancelled before it ran"),
        (ApprovalStatus.CANCELLED, "ada", "approved by ada, but cancelled before it ran"),
    ],
)
def test_a_decided_card_says_by_whom(status: ApprovalStatus, who: str | None, words: str) -> None:
    card = approval_view.card(approval(status, decided_by=who, decided_at="2026-03-14T02:06:18.000Z"), NOW, {})
    assert not card.waiting
    assert card.decision == words
    assert card.decided is not None
    assert card.decided.text == "12 s ago"


def test_every_status_has_a_look() -> None:
    assert set(approval_view.LOOKS) == set(ApprovalStatus)


def test_the_agents_words_are_its_reason_or_else_its_description() -> None:
    given = json.dumps({"command": "ls", "description": "Lists \x07files"})
    assert approval_view.card(approval(input=given), NOW, {}).words == "Lists \ufffdfiles"
    assert approval_view.card(approval(input=given, words="because"), NOW, {}).words == "because"


def test_limits_are_asked_for_only_where_a_call_counts() -> None:
    assert approval_view.needs_uses([approval()])
    assert not approval_view.needs_uses([approval(found='[{"kind":"write","text":"x"}]')])


def test_a_long_call_is_cut_in_lists_alone() -> None:
    text = "echo " + "x" * 500
    card = approval_view.card(approval(input=json.dumps({"command": text})), NOW, {})
    assert str(card.call) == text
    assert card.line.endswith("…")
    assert len(card.line) < 130
