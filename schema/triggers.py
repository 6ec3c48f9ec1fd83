"""The row of one trigger in the queue, as stored and as every process passes it on, and why one that waits does.

The worker stores what holds the first of a tier back; `why` tells it of all others: to the dashboard, the API and
`claudeopsctl triggers` alike, which come by `lines`, `in_line` or `explained`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from schema.states import Trigger, TriggerStatus

if TYPE_CHECKING:
    from schema.database import Database

CHOOSING = "its tier is being chosen"


class QueuedTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """One trigger. Times are stored times (UTC); `session_id` is the session that it started or resumes.

    `choosing`: a model chooses its tier, which is 0 until then (and stays 0 if the trigger is taken out before).
    """

    id: int
    kind: Trigger
    status: TriggerStatus
    tier: int
    priority: int
    prompt: str = ""
    context: str | None = None
    key: str | None = None
    merged: int = 0
    attempts: int = 0
    reason: str | None = None
    requested_by: str | None = None
    created_at: str
    updated_at: str
    parent_session_id: int | None = None
    session_id: int | None = None
    choosing: bool = False


def from_row(row: dict[str, object]) -> QueuedTrigger:
    """A row of the table as a value."""
    choosing = bool(row["choosing"])
    return msgspec.convert({**row, "choosing": choosing, "tier": 0 if choosing else row["tier"]}, QueuedTrigger)


def why(trigger: QueuedTrigger, ahead: int, first: QueuedTrigger) -> str | None:
    """Why a trigger waits: `ahead` of its tier start before it, `first` is the first of them (or itself). Pure."""
    if trigger.choosing:
        return CHOOSING
    if not ahead:
        return trigger.reason
    before = f"behind trigger {first.id}" if ahead == 1 else f"behind {ahead} others"
    return f"{before}: {first.reason}" if first.reason else before


def in_line(waiting: Iterable[QueuedTrigger]) -> list[QueuedTrigger]:
    """Triggers that wait, of each tier from its first on in the order of their start, each with its reason. Pure."""
    first: dict[int, QueuedTrigger] = {}
    passed: Counter[int] = Counter()
    found = []
    for trigger in waiting:
        head = first.setdefault(trigger.tier, trigger)
        found.append(_told(trigger, passed[trigger.tier], head))
        passed[trigger.tier] += 1
    return found


def lines(database: "Database", most: int) -> list[QueuedTrigger]:
    """What waits over all tiers in the order of its start, at most so many of each, with its reasons. DatabaseError."""
    rows = [row for tier in (1, 2, 3) for row in database.rows("pages.triggers_of_tier", tier=tier, limit=most)]
    rows += database.rows("triggers.choosing", limit=most)
    return sorted(in_line(map(from_row, rows)), key=lambda trigger: (trigger.priority, trigger.id))


def explained(database: "Database", triggers: Sequence[QueuedTrigger]) -> list[QueuedTrigger]:
    """Any triggers, each that waits with its reason. DatabaseError."""
    if all(trigger.status is not TriggerStatus.WAITING for trigger in triggers):
        return list(triggers)
    ahead: dict[int, int] = {}
    passed: Counter[int] = Counter()
    for row in database.rows("triggers.line"):
        ahead[row["id"]] = passed[row["tier"]]
        passed[row["tier"]] += 1
    heads = [from_row(row) for tier in passed for row in database.rows("triggers.head", tier=tier)]
    first = {head.tier: head for head in heads}
    return [
        _told(one, ahead.get(one.id, 0), first.get(one.tier, one)) if one.status is TriggerStatus.WAITING else one
        for one in triggers
    ]


def _told(trigger: QueuedTrigger, ahead: int, first: QueuedTrigger) -> QueuedTrigger:
    return msgspec.structs.replace(trigger, reason=why(trigger, ahead, first))
