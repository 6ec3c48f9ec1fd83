"""Messages about limits: the hook's question, approvals, standing rules, cooldowns, the audit log."""

from typing import ClassVar

from ipc.messages.envelope import Event, Reply, Request
from schema.limits import Approval, ApprovalRule, AuditEntry, Cooldown, CooldownAction, FoundCommand
from schema.states import ApprovalStatus


class CallReply(Reply, frozen=True):
    """What becomes of a call: `allow`, `deny` or `defer`, and the sentence that the model is told."""

    decision: str
    reason: str


class AskCall(Request, frozen=True):
    """May this call run? Asked by a session's hook, which names its run. `input` is the call's input as JSON text.

    May take as long as CLAUDEOPS_APPROVAL_HOLD. The same call asked again gets the same answer and counts once.
    `agent` names the subagent that makes the call, empty for the session itself; `cwd` is where the session stands.
    """

    subject: ClassVar[str] = "calls.ask"
    reply: ClassVar[type[Reply]] = CallReply
    run_id: str
    tool_use_id: str
    tool: str
    input: str
    agent: str = ""
    cwd: str = ""


class JudgementReply(Reply, frozen=True):
    """The verdict on a command: `allow`, `deny` or `ask`, why, by which rule, and what it was understood to do."""

    decision: str
    reason: str
    rule: str
    found: list[FoundCommand]


class CheckCommand(Request, frozen=True):
    """What would become of this command at a tier? The same rules as the hook's; nothing runs and nothing counts."""

    subject: ClassVar[str] = "commands.check"
    reply: ClassVar[type[Reply]] = JudgementReply
    tier: int
    command: str


class ApprovalReply(Reply, frozen=True):
    """One call that waits, or waited, for a person."""

    approval: Approval


class ApprovalsReply(Reply, frozen=True):
    """Approvals: those that wait by their expiry, others newest first."""

    approvals: list[Approval]


class ListApprovals(Request, frozen=True):
    """Approvals of one status, or of all; below an id (0: from the newest), at most `limit`."""

    subject: ClassVar[str] = "approvals.list"
    reply: ClassVar[type[Reply]] = ApprovalsReply
    status: ApprovalStatus | None = None
    before: int = 0
    limit: int = 50


class ShowApproval(Request, frozen=True):
    """One approval."""

    subject: ClassVar[str] = "approvals.show"
    reply: ClassVar[type[Reply]] = ApprovalReply
    id: int


class Decide(Request, frozen=True):
    """Approves or denies a waiting call, once; who comes second gets the error `conflict` with who was first.

    `reason` is what the model is told of a denial. With `remember`, a standing rule is made in the same step.
    """

    subject: ClassVar[str] = "approvals.decide"
    reply: ClassVar[type[Reply]] = ApprovalReply
    changes: ClassVar[bool] = True
    id: int
    approve: bool
    reason: str = ""
    by: str = ""
    remember: ApprovalRule | None = None


class RuleReply(Reply, frozen=True):
    """One standing rule."""

    rule: ApprovalRule


class RulesReply(Reply, frozen=True):
    """Standing rules, newest first."""

    rules: list[ApprovalRule]


class ListRules(Request, frozen=True):
    """Standing rules; with `all`, those that are over too."""

    subject: ClassVar[str] = "rules.list"
    reply: ClassVar[type[Reply]] = RulesReply
    all: bool = False


class AddRule(Request, frozen=True):
    """Makes a standing rule."""

    subject: ClassVar[str] = "rules.add"
    reply: ClassVar[type[Reply]] = RuleReply
    changes: ClassVar[bool] = True
    rule: ApprovalRule
    by: str = ""


class RevokeRule(Request, frozen=True):
    """Ends a standing rule at once."""

    subject: ClassVar[str] = "rules.revoke"
    reply: ClassVar[type[Reply]] = RuleReply
    changes: ClassVar[bool] = True
    id: int
    by: str = ""


class CooldownsReply(Reply, frozen=True):
    """Every service that has used some of a limit, the blocked ones first, and the newest actions."""

    cooldowns: list[Cooldown]
    actions: list[CooldownAction] = []


class ListCooldowns(Request, frozen=True):
    """How much of their limits services have used."""

    subject: ClassVar[str] = "cooldowns.list"
    reply: ClassVar[type[Reply]] = CooldownsReply


class ClearCooldown(Request, frozen=True):
    """Lets a service's counters begin anew."""

    subject: ClassVar[str] = "cooldowns.clear"
    reply: ClassVar[type[Reply]] = CooldownsReply
    changes: ClassVar[bool] = True
    service: str
    by: str = ""


class AuditReply(Reply, frozen=True):
    """A page of the audit log, newest first."""

    entries: list[AuditEntry]


class ListAudit(Request, frozen=True):
    """The audit log below an id (0: from the newest), of one action or session if given."""

    subject: ClassVar[str] = "audit.list"
    reply: ClassVar[type[Reply]] = AuditReply
    action: str = ""
    session_id: int | None = None
    before: int = 0
    limit: int = 50


class ApprovalChanged(Event, frozen=True):
    """An approval has been asked for, or decided; how many wait now."""

    subject: ClassVar[str] = "approval.changed"
    id: int
    status: ApprovalStatus
    session_id: int
    waiting: int


class CallJudged(Event, frozen=True):
    """A verdict on a session's call was stored."""

    subject: ClassVar[str] = "call.judged"
    session_id: int
    decision: str
