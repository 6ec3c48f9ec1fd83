"""A trigger in words: what it will ask, why it waits, and whether a person may take it back."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schema.states import Trigger, TriggerStatus
from schema.triggers import QueuedTrigger
from webui.pages import trigger_rows

NOW = datetime(2026, 3, 14, 2, 6, 30, tzinfo=UTC)


def trigger(**changes: Any) -> QueuedTrigger:
    values: dict[str, Any] = {
        "id": 9, "kind": Trigger.MANUAL, "status": TriggerStatus.WAITING, "tier": 2, "priority": 1,
        "created_at": "2026-03-14T02:02:30.000Z", "updated_at": "2026-03-14T02:06:00.000Z",
    }  # fmt: skip
    return QueuedTrigger(**values | changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": "Look\n at \x1b[1m web"}, "Look at web"),
        ({"prompt": "x" * 300}, "x" * 160 + " …"),
        ({"kind": Trigger.SCHEDULED}, "The prompt file of tier 2"),
        ({"kind": Trigger.ESCALATION, "parent_session_id": 4}, "Tier 2 takes over from session 4"),
        ({"kind": Trigger.APPROVAL, "session_id": 4}, "Session 4 goes on with the call that was decided"),
    ],
)
def test_what_it_will_ask(changes: dict[str, Any], words: str) -> None:
    assert trigger_rows.prompt_line(trigger(**changes)) == words


def test_what_waits_can_be_cancelled_but_not_what_a_person_has_decided() -> None:
    assert trigger_rows.row(trigger(), NOW).cancel_href == "/triggers/9/cancel"
    assert trigger_rows.row(trigger(kind=Trigger.APPROVAL), NOW).cancel_href is None
    assert trigger_rows.row(trigger(status=TriggerStatus.STARTED), NOW).cancel_href is None


def test_every_status_has_a_look() -> None:
    assert set(trigger_rows.LOOKS) == set(TriggerStatus)


def test_the_ages_are_of_its_making_and_its_last_change() -> None:
    row = trigger_rows.row(trigger(merged=3, reason="busy"), NOW)
    assert (row.added.text, row.changed.text, row.merged, row.reason) == ("4 min ago", "30 s ago", 3, "busy")
