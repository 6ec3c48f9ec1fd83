"""Lines of the audit log on the queue and its sessions, within the transaction of what they tell of.

What people, programs and alerts ask for is a line, and so is what the rule of an incident asks for: who made that rule
decided it. What the daemon does by itself is none: the schedule's triggers, the hand-over to the next tier, going on
after a decision, which is a line already. Those stand in the lists of sessions and triggers, whose old rows go; the
audit log is never cleared. Called by `.queue`, `daemon.alerts`, `daemon.services.remedies` and `daemon.sessions`.
"""

from datetime import UTC, datetime

from daemon import audit
from daemon.triggers.rules import is_asked_for
from schema import actors
from schema.audit_actions import Action
from schema.database import Database
from schema.sessions import Session
from schema.states import Trigger
from schema.triggers import QueuedTrigger

PROMPT_MAX = 200  # characters of a prompt; all of it stands with the session, as long as that is kept


def added(db: Database, trigger: QueuedTrigger, by: str, title: str = "", rule: str | None = None) -> None:
    """A trigger was put into the queue, or into one that waits there.

    `title` tells of an alert or an incident's service; `rule` of what asked for it, where nobody else did.
    """
    if _is_told(trigger.kind):
        merged = ", which waits already" if trigger.merged else ""
        audit.add(
            db,
            actor=by,
            action=Action.TRIGGER_ADDED,
            subject=title or _beginning(trigger.prompt, trigger.tier),
            at=datetime.now(UTC),
            rule=rule,
            detail=f"trigger {trigger.id}{merged}, {trigger.kind.value}, tier {trigger.tier}",
        )


def cancelled(db: Database, trigger: QueuedTrigger, by: str, title: str = "", reason: str = "resolved") -> None:
    """A waiting trigger was taken out. `title` tells of the alert, or the service, that is no reason any more, and
    `reason` why."""
    audit.add(
        db,
        actor=by,
        action=Action.TRIGGER_CANCELLED,
        subject=title or _beginning(trigger.prompt, trigger.tier),
        at=datetime.now(UTC),
        detail=f"trigger {trigger.id}, {trigger.kind.value}, tier {trigger.tier}{f', {reason}' if title else ''}",
    )


def started(db: Database, session: Session, prompt: str, queued: QueuedTrigger | None) -> None:
    """A session began: at once, or from the queue. `prompt` is empty for the tier's own."""
    if queued is None or _is_told(queued.kind):
        waited = f", trigger {queued.id}" if queued else ""
        audit.add(
            db,
            actor=actors.RULES if session.trigger is Trigger.SERVICE else session.requested_by or "",
            action=Action.SESSION_STARTED,
            subject=_beginning(prompt, session.tier),
            at=datetime.now(UTC),
            session_id=session.id,
            detail=f"session {session.id}{waited}, {session.trigger.value}, tier {session.tier}",
        )


def stopped(db: Database, session: Session, by: str) -> None:
    """Somebody had a session stopped that ran, or waited for a person."""
    audit.add(
        db,
        actor=by,
        action=Action.SESSION_STOPPED,
        subject=f"session {session.id}",
        at=datetime.now(UTC),
        session_id=session.id,
        detail=f"{session.trigger.value}, tier {session.tier}, {session.status.value.replace('_', ' ')}",
    )


def _is_told(kind: Trigger) -> bool:
    return is_asked_for(kind) or kind is Trigger.SERVICE


def _beginning(prompt: str, tier: int) -> str:
    words = " ".join(prompt[: PROMPT_MAX * 4].split())
    if not words:
        return f"the prompt of tier {tier}"
    return words if len(words) <= PROMPT_MAX and len(prompt) <= PROMPT_MAX * 4 else f"{words[:PROMPT_MAX]} …"
