"""The rows that hold a session's limits: calls with verdicts, approvals, standing rules, cooldowns, the audit log.

Stored by the worker; passed on by `ipc.messages.limits`; read by the dashboard's pages.
"""

import msgspec

from schema.states import ApprovalStatus


class FoundCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a call was understood to do; see `daemon.limits.kinds.Found`."""

    kind: str
    text: str
    target: str | None = None
    host: str | None = None
    through: tuple[str, ...] = ()
    reason: str = ""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call that the hook asked about. `input` and `found` are JSON text."""

    id: int
    session_id: int
    tool_use_id: str
    tool: str
    input: str
    decision: str
    rule: str
    reason: str
    found: str
    asked_at: str


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One call that waits, or waited, for a person. `input` and `found` are JSON text."""

    id: int
    session_id: int
    tool_use_id: str
    tier: int
    tool: str
    input: str
    rule: str
    reason: str
    found: str
    words: str | None = None
    status: ApprovalStatus
    created_at: str
    expires_at: str
    decided_at: str | None = None
    decided_by: str | None = None
    answer: str | None = None
    used_at: str | None = None


class ApprovalRule(msgspec.Struct, frozen=True, kw_only=True):
    """A standing decision of a person: which calls, on which host and tier, until when."""

    id: int = 0
    decision: str
    tool: str = "Bash"
    pattern: str
    host: str | None = None
    tier: int | None = None
    reason: str | None = None
    created_at: str = ""
    created_by: str = ""
    expires_at: str | None = None
    revoked_at: str | None = None
    revoked_by: str | None = None


class Cooldown(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a limit a service has used. `resets_at`: when one more is allowed, or the oldest stops counting."""

    service: str
    action: str
    used: int
    limit: int
    window_s: int
    blocked: bool
    last_at: str | None = None
    resets_at: str | None = None
    healthy_checks: int = 0


class CooldownAction(msgspec.Struct, frozen=True, kw_only=True):
    """One restart or redeployment that counts, or counted."""

    id: int
    service: str
    action_type: str
    timestamp: str
    success: bool
    tier: int
    error: str | None = None
    session_id: int | None = None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit log."""

    id: int
    at: str
    actor: str
    action: str
    session_id: int | None = None
    subject: str
    rule: str | None = None
    detail: str = ""
