"""Triggers as lists show them. Pure."""

from datetime import datetime
from typing import NamedTuple

from schema.states import Trigger, TriggerStatus
from schema.triggers import QueuedTrigger
from webui.pages import formats
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.session_rows import Look

LOOKS = {
    TriggerStatus.WAITING: Look("info", "hourglass", "waits"),
    TriggerStatus.STARTED: Look("ok", "play", "started"),
    TriggerStatus.CANCELLED: Look("neutral", "ban", "cancelled"),
    TriggerStatus.REFUSED: Look("warn", "circle-x", "refused"),
}
PROMPT_CHARS = 160


class TriggerRow(NamedTuple):
    """One trigger. `kind`: what made it; `tier`: in words; `key`: what makes it the same as another; `merged`: how many
    it took in."""

    id: int
    tone: str
    icon: str
    word: str
    kind: str
    tier: str
    prompt: str
    key: str
    merged: int
    reason: str
    by: str
    added: At
    changed: At
    session_id: int | None
    parent_id: int | None
    cancel_href: str | None


def row(trigger: QueuedTrigger, now: datetime) -> TriggerRow:
    """A trigger seen at `now`."""
    look = LOOKS[trigger.status]
    waits = trigger.status is TriggerStatus.WAITING
    return TriggerRow(
        id=trigger.id,
        tone=look.tone,
        icon=look.icon,
        word=look.word,
        kind=trigger.kind.value,
        tier=tier_words(trigger),
        prompt=prompt_line(trigger),
        key=plain(trigger.key or ""),
        merged=trigger.merged,
        reason=trigger.reason or "",
        by=trigger.requested_by or "",
        added=formats.ago(trigger.created_at, now),
        changed=formats.ago(trigger.updated_at, now),
        session_id=trigger.session_id,
        parent_id=trigger.parent_session_id,
        # What a person has decided must come about; whoever wants it not to stops the session.
        cancel_href=f"/triggers/{trigger.id}/cancel" if waits and trigger.kind is not Trigger.APPROVAL else None,
    )


def tier_words(trigger: QueuedTrigger) -> str:
    """Its tier; a model may still be choosing it, or a person took the trigger out before one did."""
    if trigger.tier:
        return f"tier {trigger.tier}"
    return "tier being chosen" if trigger.status is TriggerStatus.WAITING else "no tier"


def prompt_line(trigger: QueuedTrigger) -> str:
    """What its session will be asked, in one line."""
    words = " ".join(plain(trigger.prompt[:1000]).split())
    if words:
        return words if len(words) <= PROMPT_CHARS else f"{words[:PROMPT_CHARS]} …"
    if trigger.kind is Trigger.APPROVAL:
        return f"Session {trigger.session_id} goes on with the call that was decided"
    if trigger.kind is Trigger.ESCALATION:
        return f"Tier {trigger.tier} takes over from session {trigger.parent_session_id}"
    return f"The prompt file of tier {trigger.tier}"
