"""A call's mark in the transcript says what was decided, by which rule, and by whom."""

from typing import Any

import pytest

from webui.pages import verdicts

CHANGES = '[{"kind":"restart","text":"docker restart web"}]'
READS = '[{"kind":"read","text":"docker ps"}]'


def row(**changes: Any) -> dict[str, Any]:
    values = {
        "tool_use_id": "t", "decision": "allow", "rule": "cooldown", "reason": "1 of 2 used", "found": CHANGES,
        "approval_id": None, "approval": None, "decided_by": None, "answer": None,
    }  # fmt: skip
    return values | changes


@pytest.mark.parametrize(
    ("changes", "mark", "text"),
    [
        ({}, "changes", "Let through: 1 of 2 used"),
        ({"decision": "deny"}, "denied", "Denied: 1 of 2 used"),
        ({"decision": "ask"}, "asked", "Needs a person: 1 of 2 used"),
        ({"approval": "waiting"}, "asked", "Waits for a person: 1 of 2 used"),
        ({"approval": "used", "decided_by": "ada"}, "changes", "Approved by ada. 1 of 2 used"),
        ({"approval": "denied", "decided_by": "bob", "answer": "no"}, "denied", "Denied by bob: no"),
        ({"approval": "expired"}, "denied", "Nobody decided in time, so it did not run. 1 of 2 used"),
        ({"approval": "cancelled", "answer": "its session ended"}, "asked", "Not run: its session ended"),
        ({"approval": "cancelled"}, "asked", "Not run"),
        (
            {"approval": "cancelled", "decided_by": "ada", "answer": "2 of 2 used in 4 h"},
            "asked",
            "Approved by ada, but not run: 2 of 2 used in 4 h",
        ),
    ],
)
def test_a_mark_and_its_reason(changes: dict[str, Any], mark: str, text: str) -> None:
    found = verdicts.read([row(approval_id=7, **changes)])["t"]
    assert (found.mark, found.text, found.rule) == (mark, text, "cooldown")
    assert found.href == ("/approvals/7" if "approval" in changes else None)


def test_a_call_that_only_reads_is_not_marked() -> None:
    assert verdicts.read([row(found=READS), row(found="[]")]) == {}
    assert "t" in verdicts.read([row(found=READS, decision="deny")])


def test_what_a_rule_quotes_of_a_call_can_not_hide() -> None:
    assert "\u202e" not in verdicts.read([row(reason="\u202ex", decision="deny")])["t"].text
