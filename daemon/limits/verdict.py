"""The verdict on one call within one transaction: what was said before, standing rules, bounds, cooldowns, approvals.

What a command does is judged before, by `daemon.limits.calls`; here it meets what is stored, and what follows is
stored with it: the call, what it counts for, who has to be asked, a line in the audit log. Called by
`daemon.limits.judge`; the functions take the database of a transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from daemon import audit
from daemon.approvals import rules as approval_rules
from daemon.cooldowns import cooldowns
from daemon.cooldowns import rules as cooldown_rules
from daemon.limits import bounds
from daemon.limits.kinds import HANDOFF, Decision, Found, Judgement, Kind
from daemon.limits.rules import judge
from daemon.notifications import outbox
from schema import actors, timestamps
from schema.audit_actions import Action
from schema.database import Database
from schema.limits import ApprovalRule
from schema.sessions import Session
from schema.settings import Settings

CHANGED = "This is not the call that was asked about under this id, so it was not run."
REPEATED = "This call was let through before, and may have run; look whether it did before you make it anew."
TAKEN = (
    "handoff.json holds what session {} hands over, until that session is over: hand over by the escalation of your "
    "structured output, or say in your answer what has to be done."
)
PUT_OFF = "Another call of this session waits for a person; nothing else runs until it is decided. End your turn."


class Asked(NamedTuple):
    """One call, understood and free of secrets. `subject`: it in words; `found` is the JSON of what it would do.

    `judged`: each thing found with what the policy alone says to it. `words`: the agent's stated reason.
    """

    session: Session
    run_id: str
    tool_use_id: str
    tool: str
    input: str
    input_hash: str
    subject: str
    words: str | None
    judgement: Judgement
    judged: Sequence[tuple[Found, Decision]]
    found: str
    now: datetime


class Verdict(NamedTuple):
    """What becomes of a call, and why. `waits_for`: the approval that it needs; `stop`: why its session is stopped."""

    decision: Decision
    reason: str
    rule: str
    waits_for: int | None = None
    stop: str | None = None
    counted: bool = False


def first_time(db: Database, asked: Asked, settings: Settings) -> Verdict:
    """The verdict on a call that was not asked about before; stored with all that follows from it."""
    verdict = decide(db, asked, settings)
    _store(db, asked, verdict)
    if verdict.decision is Decision.ASK:
        return verdict._replace(waits_for=_wait(db, asked, verdict, settings))
    if verdict.decision is Decision.ALLOW:
        return verdict._replace(counted=count(db, asked))
    return verdict


def decide(db: Database, asked: Asked, settings: Settings) -> Verdict:
    """The verdict by all rules, in their order. Changes nothing."""
    session, judgement = asked.session, asked.judgement
    deferred = db.one("approvals.deferred_in", session_id=session.id, run_id=asked.run_id)
    if deferred is not None and asked.tool not in bounds.ALWAYS:
        return Verdict(Decision.DENY, PUT_OFF, "approval")
    bound = bounds.bound(
        asked.tool,
        asked.subject[:200],
        calls=db.value("calls.count", session_id=session.id),
        alike=db.value("calls.count_alike", session_id=session.id, input_hash=asked.input_hash),
        calls_max=settings.calls_max,
        repeat_max=settings.repeat_max,
    )
    if bound is not None:
        return Verdict(Decision.DENY, bound.reason, bound.rule, stop=bound.stop)
    if judgement.decision is Decision.DENY:
        return Verdict(Decision.DENY, judgement.reason, judgement.rule)
    return by_rules(db, asked, settings)


def by_rules(db: Database, asked: Asked, settings: Settings) -> Verdict:
    """What standing rules and cooldowns make of a call that the policy does not deny."""
    judgement = asked.judgement
    verdict = Verdict(judgement.decision, judgement.reason, judgement.rule)
    found = standing(db, asked)
    if found is not None:
        told = approval_rules.told(found.rule)
        why = f"{told}: {found.rule.reason}" if found.rule.reason else told
        verdict = Verdict(found.decision, why, f"standing-{found.rule.id}")
    if verdict.decision is Decision.DENY:
        return verdict
    refused = cooling(db, judgement.found, settings, asked.now) or taken(db, asked)
    if refused is not None:
        return refused
    unknown = cooldown_rules.uncountable(judgement.found)
    if unknown is not None and verdict.decision is Decision.ALLOW:
        item, why = unknown
        reason = f"{item.text}: this {item.kind} can't be counted, for {why}; needs approval"
        return Verdict(Decision.ASK, reason, "cooldown-unknown")
    return verdict._replace(reason=verdict.reason + _usage(db, judgement.found, settings, asked.now))


def _usage(db: Database, found: Sequence[Found], settings: Settings, now: datetime) -> str:
    """How much of the cooldowns is used with this call, for whoever reads or decides; empty if it uses none."""
    wanted = cooldown_rules.counted(found)
    told = [cooldown_rules.usage(one, cooldowns.use_of(db, one, settings, now)) for one in wanted]
    return f" ({'; '.join(told)})" if told else ""


def standing(db: Database, asked: Asked) -> approval_rules.Standing | None:
    """The standing rule that decides about a call, if one does."""
    rows = db.rows("approvals.active_rules", tool=asked.tool, now=timestamps.stamp(asked.now))
    known = [msgspec.convert(row, ApprovalRule) for row in rows]
    return approval_rules.standing(known, asked.tool, asked.judged, asked.session.tier, asked.now)


def cooling(db: Database, found: Sequence[Found], settings: Settings, now: datetime) -> Verdict | None:
    """The denial of a call that restarts or redeploys what may not be just now; None if it may."""
    wanted = cooldown_rules.counted(found)
    again = cooldown_rules.twice(wanted)
    if again is not None:
        reason = f"one call may {again.action} {again.service} once, and this does more often; make one call for each"
        return Verdict(Decision.DENY, reason, "cooldown")
    for one in wanted:
        used = cooldowns.use_of(db, one, settings, now)
        if used.blocked:
            return Verdict(Decision.DENY, cooldown_rules.refusal(one, used, now), "cooldown")
    return None


def taken(db: Database, asked: Asked) -> Verdict | None:
    """The denial of a call that would write over what another session hands over; None if it may be carried out."""
    if not hands_over(asked.judgement.found):
        return None
    other = db.value("sessions.handing_over", id=asked.session.id)
    return None if other is None else Verdict(Decision.DENY, TAKEN.format(other), "handoff")


def hands_over(found: Sequence[Found]) -> bool:
    """Whether a call writes the file by which a session hands over."""
    return any(item.kind is Kind.WRITE and item.target == HANDOFF for item in found)


def judged(found: Sequence[Found], *, tier: int, dry_run: bool) -> list[tuple[Found, Decision]]:
    """Each thing found with what the policy alone says to it."""
    return [(item, judge((item,), tier=tier, dry_run=dry_run, disallowed=()).decision) for item in found]


def changes_something(judgement: Judgement) -> bool:
    """Whether a call does more than read."""
    return any(item.kind is not Kind.READ for item in judgement.found)


def _store(db: Database, asked: Asked, verdict: Verdict) -> None:
    db.change(
        "calls.insert",
        session_id=asked.session.id,
        run_id=asked.run_id,
        tool_use_id=asked.tool_use_id,
        tool=asked.tool,
        input=asked.input,
        input_hash=asked.input_hash,
        decision=verdict.decision.value,
        rule=verdict.rule,
        reason=verdict.reason,
        found=asked.found,
        now=timestamps.stamp(asked.now),
    )
    note(db, asked, verdict)


def note(db: Database, asked: Asked, verdict: Verdict) -> None:
    """The audit log's line on a verdict."""
    audit.add(
        db,
        actor=actors.RULES,
        action=Action(f"call.{verdict.decision}"),
        subject=asked.subject,
        at=asked.now,
        session_id=asked.session.id,
        rule=verdict.rule,
        detail=verdict.reason,
    )


def _wait(db: Database, asked: Asked, verdict: Verdict, settings: Settings) -> int:
    expires_at = timestamps.at(asked.now.timestamp() + settings.approval_expires)
    id_ = int(
        db.value(
            "approvals.insert",
            session_id=asked.session.id,
            tool_use_id=asked.tool_use_id,
            tier=asked.session.tier,
            tool=asked.tool,
            input=asked.input,
            input_hash=asked.input_hash,
            rule=verdict.rule,
            reason=verdict.reason,
            found=asked.found,
            words=asked.words,
            now=timestamps.stamp(asked.now),
            expires_at=expires_at,
        )
    )
    outbox.note_approval(
        db,
        id_,
        session_id=asked.session.id,
        tier=asked.session.tier,
        subject=asked.subject,
        reason=verdict.reason,
        expires_at=expires_at,
    )
    return id_


def count(db: Database, asked: Asked) -> bool:
    """Counts what an allowed call does, and notes whose handoff.json is now; whether there was anything to count."""
    if hands_over(asked.judgement.found):
        db.change("sessions.hands_over", id=asked.session.id, now=timestamps.stamp(asked.now))
    wanted = cooldown_rules.counted(asked.judgement.found)
    for one in wanted:
        cooldowns.count(
            db,
            one,
            session_id=asked.session.id,
            tool_use_id=asked.tool_use_id,
            tier=asked.session.tier,
            now=asked.now,
        )
    return bool(wanted)
