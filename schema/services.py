"""Services as sessions have found them: the rows that pages and commands pass on. Built from `queries/services.sql`."""

import msgspec

from schema.limits import CooldownAction


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service. `since`: when its present status began, as far as sessions have seen it."""

    service: str
    status: str | None = None
    since: str | None = None
    checked_at: str | None = None
    healthy_checks: int = 0


class HourOfChecks(msgspec.Struct, frozen=True):
    """The checks of one hour, such as 2026-01-31T08. What is neither healthy, degraded nor down said something else."""

    hour: str
    checks: int = 0
    healthy: int = 0
    degraded: int = 0
    down: int = 0
    timed: int = 0
    total_ms: int = 0


class Remediation(CooldownAction, frozen=True, kw_only=True):
    """One restart or redeployment of a service, with the rule that let it through, or who approved it."""

    rule: str | None = None
    approval_id: int | None = None
    decided_by: str | None = None
