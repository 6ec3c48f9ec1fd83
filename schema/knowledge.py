"""The rows of what sessions say: events, memories, health checks. Passed on by `ipc.messages.knowledge`."""

from enum import StrEnum

import msgspec

# Of memories; what an older program has stored may be otherwise.
CATEGORIES = ("timing", "dependency", "behavior", "remediation", "maintenance")
OBSERVATION_MAX = 2000
SERVICE_MAX = 100
DELETED_MAX = 500  # at a time


class Level(StrEnum):
    """How much an event matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing worth knowing that a session, or the daemon, said."""

    id: int
    session_id: int | None = None
    level: str
    service: str | None = None
    message: str
    created_at: str


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that sessions are told again. Confidence lies in [0, 1]; below 0.3 it is inactive."""

    id: int
    service: str | None = None
    category: str
    observation: str
    confidence: float
    active: bool
    created_at: str
    updated_at: str
    session_id: int | None = None
    tier: int = 1


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a session found of one service."""

    id: int
    session_id: int | None = None
    service: str
    check_type: str
    status: str
    response_time_ms: int | None = None
    error_detail: str | None = None
    checked_at: str
    tier: int | None = None
