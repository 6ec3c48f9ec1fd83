"""The row of one trigger in the queue, as stored and as every process passes it on."""

import msgspec

from schema.states import Trigger, TriggerStatus


class QueuedTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """One trigger. Times are stored times (UTC); `session_id` is the session that it started or resumes."""

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


def from_row(row: dict[str, object]) -> QueuedTrigger:
    """A row of the table as a value."""
    return msgspec.convert(row, QueuedTrigger)
