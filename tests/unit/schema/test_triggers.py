"""Why a trigger waits, from its place in its tier's line."""

from typing import Any

from schema.states import Trigger, TriggerStatus
from schema.triggers import CHOOSING, QueuedTrigger, in_line

BUSY = "tier 1 is busy with session 4"


def trigger(id_: int, **changes: Any) -> QueuedTrigger:
    values: dict[str, Any] = {
        "id": id_, "kind": Trigger.MANUAL, "status": TriggerStatus.WAITING, "tier": 1, "priority": 1,
        "created_at": "2026-03-14T02:02:30.000Z", "updated_at": "2026-03-14T02:06:00.000Z",
    }  # fmt: skip
    return QueuedTrigger(**values | changes)


def test_behind_the_first_of_a_tier_each_says_who_is_before_it_and_what_holds_that() -> None:
    waiting = [
        trigger(7, reason=BUSY), trigger(8), trigger(3, tier=2), trigger(9, reason="what held it as the first"),
        trigger(5, tier=2), trigger(6, tier=2), trigger(1, tier=0, choosing=True), trigger(2, tier=0, choosing=True),
    ]  # fmt: skip
    assert [(one.id, one.reason) for one in in_line(waiting)] == [
        (7, BUSY), (8, f"behind trigger 7: {BUSY}"), (3, None), (9, f"behind 2 others: {BUSY}"),
        (5, "behind trigger 3"), (6, "behind 2 others"), (1, CHOOSING), (2, CHOOSING),
    ]  # fmt: skip
