"""What a call that was asked about before is told: the same again, or what a person has decided meanwhile.

Within one transaction each; called by `daemon.limits.judge`. An approved call is let through once, by compare-and-set,
and only if it is the very call that was approved.
"""

from daemon import audit
from daemon.approvals import rules
from daemon.approvals.approvals import read
from daemon.limits import verdict as verdicts
from daemon.limits.kinds import Decision
from daemon.limits.verdict import Asked, Verdict
from schema import actors, timestamps
from schema.audit_actions import Action
from schema.database import Database, Row
from schema.limits import Approval
from schema.settings import Settings
from schema.states import APPROVAL, ApprovalStatus, follow

ALONE = "This call needs approval, and a call that waits for a person has to come alone: make it as the only one."
SUBAGENT = "This call needs approval, which a subagent can't wait for: report it, so that the main agent makes it."
WAITS = "This call waits for a person; the session goes on once it is decided."


def again(db: Database, asked: Asked, settings: Settings, known: Row) -> Verdict:
    """The verdict on a call that was asked about before, in this run or in one before it."""
    if known["input_hash"] != asked.input_hash:
        verdict = Verdict(Decision.DENY, verdicts.CHANGED, "changed")
        verdicts.note(db, asked, verdict)
        return verdict
    before = Verdict(Decision(known["decision"]), known["reason"], known["rule"])
    if before.decision is Decision.ASK:
        return decided(db, asked, settings)
    # In a later run, a call that acts may have been carried out already; in the same, the answer was lost on the way.
    repeated = known["run_id"] != asked.run_id and verdicts.changes_something(asked.judgement)
    if before.decision is Decision.ALLOW and repeated:
        verdict = Verdict(Decision.DENY, verdicts.REPEATED, "repeated")
        verdicts.note(db, asked, verdict)
        return verdict
    return before


def decided(db: Database, asked: Asked, settings: Settings) -> Verdict:
    """What has become of a call that needs a person; `waits_for` while nobody has decided."""
    row = db.one("approvals.by_call", session_id=asked.session.id, tool_use_id=asked.tool_use_id)
    if row is None:
        raise LookupError(f"the approval of {asked.tool_use_id} is gone")
    approval = read(row)
    if row["input_hash"] != asked.input_hash:
        return Verdict(Decision.DENY, verdicts.CHANGED, "changed")
    if approval.status is ApprovalStatus.WAITING:
        return Verdict(Decision.ASK, approval.reason, approval.rule, waits_for=approval.id)
    if approval.status is ApprovalStatus.APPROVED:
        return _use(db, asked, settings, approval)
    if approval.status is ApprovalStatus.USED and row["used_run"] == asked.run_id:
        return Verdict(Decision.ALLOW, f"approved by {approval.decided_by}", "approval")
    return Verdict(Decision.DENY, rules.denial(approval), "approval")


def _use(db: Database, asked: Asked, settings: Settings, approval: Approval) -> Verdict:
    """Lets an approved call through, if nothing that a person can't lift has come in its way since."""
    refused = _in_the_way(db, asked, settings)
    if refused is not None:
        cancel(db, approval, refused.reason, asked)
        verdicts.note(db, asked, refused)
        return refused
    follow(APPROVAL, approval.status, ApprovalStatus.USED)
    db.change("approvals.use", id=approval.id, now=timestamps.stamp(asked.now), run_id=asked.run_id)
    verdict = Verdict(Decision.ALLOW, f"approved by {approval.decided_by}", "approval")
    verdicts.note(db, asked, verdict)
    return verdict._replace(counted=verdicts.count(db, asked))


def _in_the_way(db: Database, asked: Asked, settings: Settings) -> Verdict | None:
    """What denies a call although a person approved it: dry run, a pattern, a standing rule, a cooldown, a handoff."""
    judgement = asked.judgement
    if judgement.decision is Decision.DENY:
        return Verdict(Decision.DENY, judgement.reason, judgement.rule)
    found = verdicts.standing(db, asked)
    if found is not None and found.decision is Decision.DENY:
        return Verdict(Decision.DENY, rules.told(found.rule), f"standing-{found.rule.id}")
    return verdicts.cooling(db, judgement.found, settings, asked.now) or verdicts.taken(db, asked)


def after_hold(db: Database, asked: Asked, settings: Settings, *, alone: bool, subagent: bool) -> tuple[Verdict, bool]:
    """(verdict, deferred) once a call was held as long as may be. Who still waits is deferred, if that is possible."""
    verdict = decided(db, asked, settings)
    if verdict.waits_for is None:
        return verdict, False
    if alone and not subagent:
        db.change("approvals.defer", id=verdict.waits_for, run_id=asked.run_id)
        return verdict._replace(reason=WAITS), True
    reason = SUBAGENT if subagent else ALONE
    row = db.one("approvals.by_id", id=verdict.waits_for)
    if row is not None:
        cancel(db, read(row), reason, asked)
    return Verdict(Decision.DENY, reason, "approval"), False


def cancel(db: Database, approval: Approval, reason: str, asked: Asked) -> None:
    """Ends an approval whose call will not run; the reason says why."""
    follow(APPROVAL, approval.status, ApprovalStatus.CANCELLED)
    db.change("approvals.cancel", id=approval.id, now=timestamps.stamp(asked.now), answer=reason)
    audit.add(
        db,
        actor=actors.RULES,
        action=Action.APPROVAL_CANCELLED,
        subject=asked.subject,
        at=asked.now,
        session_id=asked.session.id,
        rule=approval.rule,
        detail=reason,
    )
