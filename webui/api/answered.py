"""What operations of the API answer, where that is no row of the database as it stands.

The fields are those that programs written for the existing Go program read; ours come on top of them. Listed with
their operations in `webui.api.operations`.
"""

from typing import Literal

import msgspec

from ipc.messages.alerts import TakenAlert
from schema.access import ApiToken, User
from schema.knowledge import Event, Memory
from schema.limits import Approval, ApprovalRule, AuditEntry
from schema.notifications import Channel, Notification
from schema.states import SessionStatus, Trigger
from schema.triggers import QueuedTrigger


class AlertsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the alerts of a body. A session starts when its tier is free, so `session_id` is null."""

    session_id: None = None
    status: Literal["triggered", "acknowledged"]
    tier: int | None
    trigger_id: int | None
    alerts: list[TakenAlert]


class AlertsRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing of a body was taken, as a sentence that says what to do."""

    error: str
    code: str


class HealthReply(msgspec.Struct, frozen=True, kw_only=True):
    """The web process serves. Whether the daemon can be used is /readyz."""

    status: Literal["ok"] = "ok"


class ListedSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session. Times are UTC, money is US dollars; `cost_usd` is null until the CLI has told it."""

    id: int
    tier: int
    model: str
    status: SessionStatus
    started_at: str
    ended_at: str | None = None
    exit_code: int | None = None
    cost_usd: float | None = None
    num_turns: int | None = None
    duration_ms: int | None = None
    trigger: Trigger
    prompt_text: str | None = None
    parent_session_id: int | None = None
    chain_id: int | None = None
    requested_by: str | None = None
    reason: str | None = None
    summary: str | None = None
    dry_run: bool = False


class SessionDetail(ListedSession, frozen=True, kw_only=True):
    """A session with its answer, its neighbours in the chain, and what the whole chain has cost."""

    response: str | None = None
    parent_session: ListedSession | None = None
    child_sessions: list[ListedSession] = []
    chain_cost: float | None = None


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions, newest first."""

    sessions: list[ListedSession]


class EventList(msgspec.Struct, frozen=True, kw_only=True):
    """Events, newest first."""

    events: list[Event]


class MemoryList(msgspec.Struct, frozen=True, kw_only=True):
    """Memories, active or not, the most certain first."""

    memories: list[Memory]


class CooldownCount(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a limit a service has used. `count` is of `limit` within `window_s` seconds."""

    service: str
    action_type: str
    count: int
    last_action: str | None
    limit: int
    window_s: int
    blocked: bool
    resets_at: str | None = None
    healthy_checks: int = 0


class CooldownList(msgspec.Struct, frozen=True, kw_only=True):
    """Every service that has used some of a limit."""

    cooldowns: list[CooldownCount]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that programs look at. The last four are set where the daemon is started."""

    interval: int
    tier1_model: str
    tier2_model: str
    tier3_model: str
    dry_run: bool
    max_tier: int
    state_dir: str
    results_dir: str
    repos_dir: str


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Totals. `success_rate` (0 to 1): chains that ended well, among those that are over."""

    total_runs: int
    escalations: int
    remediations: int
    success_rate: float
    total_cost_usd: float
    active_memories: int
    critical_events: int
    avg_duration_ms: int


class LastSession(msgspec.Struct, frozen=True, kw_only=True):
    """The newest session in short."""

    id: int
    tier: int
    status: SessionStatus
    started_at: str
    ended_at: str | None = None
    cost_usd: float | None = None
    duration_ms: int | None = None
    trigger: Trigger
    summary: str | None = None


class StatsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Figures for a widget. `next_run` is null while a session runs, and where the schedule is off."""

    stats: Figures
    last_session: LastSession | None
    next_run: str | None
    interval_seconds: int


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Models of the API that sessions use. Where it can't be asked, `discovery_available` is false."""

    models: list[str]
    last_refreshed: str | None
    discovery_available: bool


class TriggerList(msgspec.Struct, frozen=True, kw_only=True):
    """Triggers, newest first, and how many wait over all tiers."""

    triggers: list[QueuedTrigger]
    waiting: int


class ApprovalList(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that wait, or waited, for a person; newest first."""

    approvals: list[Approval]


class AuditList(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of the audit log, newest first."""

    entries: list[AuditEntry]


class NotificationList(msgspec.Struct, frozen=True, kw_only=True):
    """What people were told, newest first; the channels, and what is wrong with their configuration."""

    notifications: list[Notification]
    channels: list[Channel]
    problems: list[str]


class UserList(msgspec.Struct, frozen=True, kw_only=True):
    """People."""

    users: list[User]


class TokenList(msgspec.Struct, frozen=True, kw_only=True):
    """API tokens, without the tokens."""

    tokens: list[ApiToken]


class RuleList(msgspec.Struct, frozen=True, kw_only=True):
    """Standing rules, newest first; those that are over, too."""

    rules: list[ApprovalRule]


class UserLink(msgspec.Struct, frozen=True, kw_only=True):
    """A person with the link that sets their password, once. It is told this once."""

    user: User
    link: str
    expires_at: str | None


class ChangedUser(msgspec.Struct, frozen=True, kw_only=True):
    """A person as they are now, and the names of the tokens that ended with the change."""

    user: User
    revoked: list[str]


class MadeToken(ApiToken, frozen=True, kw_only=True):
    """A new API token, with the token itself. It is told this once."""

    token: str
