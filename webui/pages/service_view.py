"""The rows of a service's page: checks, and what was done to it. Pure; used by `webui.pages.service`."""

from datetime import datetime
from typing import NamedTuple

from schema import timestamps
from schema.knowledge import HealthCheck
from schema.services import Remediation
from webui.pages import formats, service_rows
from webui.pages.ansi import plain
from webui.pages.formats import At

DETAIL_CHARS = 500


class CheckRow(NamedTuple):
    """One check. `exact`: when, to the second."""

    id: int
    tone: str
    icon: str
    word: str
    at: At
    exact: str
    response: str
    detail: str
    tier: int | None
    session_id: int | None


class RemediationRow(NamedTuple):
    """One restart or redeployment. `allowed`: by which rule or by whom."""

    id: int
    action: str
    ok: bool
    error: str
    at: At
    exact: str
    tier: int
    session_id: int | None
    allowed: str
    approval_id: int | None


def exact(stored: str) -> str:
    """2026-01-31 08:05:00."""
    return timestamps.stamp(timestamps.parse(stored))[:19].replace("T", " ")


def check(found: HealthCheck, now: datetime) -> CheckRow:
    """The row of a check, seen at `now`."""
    looks = service_rows.look(found.status)
    took = found.response_time_ms
    return CheckRow(
        id=found.id,
        tone=looks.tone,
        icon=looks.icon,
        word=looks.word,
        at=formats.ago(found.checked_at, now),
        exact=exact(found.checked_at),
        response=formats.NONE if took is None else formats.duration(took / 1000),
        detail=plain(found.error_detail or "")[:DETAIL_CHARS],
        tier=found.tier,
        session_id=found.session_id,
    )


def remediation(action: Remediation, now: datetime) -> RemediationRow:
    """The row of an action, seen at `now`."""
    return RemediationRow(
        id=action.id,
        action=action.action_type,
        ok=action.success,
        error=plain(action.error or ""),
        at=formats.ago(action.timestamp, now),
        exact=exact(action.timestamp),
        tier=action.tier,
        session_id=action.session_id,
        allowed=allowed(action),
        approval_id=action.approval_id,
    )


def allowed(action: Remediation) -> str:
    """Who or what let it through, in words."""
    if action.decided_by:
        return f"approved by {plain(action.decided_by)}"
    if action.rule:
        return f"allowed by the rule {plain(action.rule)}"
    return "by the session’s word; no call was seen"
