"""The life cycles of the house: each one Enum and one table of what may follow.

Called wherever a status changes; the documents' diagrams and the SQL CHECKs are compared with these tables. What is
not listed can't happen: `follow` raises and nothing changes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class SessionStatus(StrEnum):
    """What became of one session."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    ESCALATED = "escalated"
    AWAITING_APPROVAL = "awaiting_approval"


MEANING: Mapping[SessionStatus, str] = {
    SessionStatus.RUNNING: "its command runs, or is about to",
    SessionStatus.COMPLETED: "ended by itself, with exit code 0 and no error in its result",
    SessionStatus.FAILED: "ended without a usable result; the reason says why",
    SessionStatus.TIMED_OUT: "ran longer than CLAUDEOPS_SESSION_TIMEOUT and was stopped",
    SessionStatus.STOPPED: "stopped by a person",
    SessionStatus.INTERRUPTED: "cut off: the daemon or the machine went down, or its keeper was killed",
    SessionStatus.ESCALATED: "handed over to the next tier",
    SessionStatus.AWAITING_APPROVAL: "its command has ended and one call waits for a person; the decision resumes it",
}

SESSION: Mapping[SessionStatus, frozenset[SessionStatus]] = {
    # Completed and escalated in one transaction: a reader never sees the state between.
    SessionStatus.RUNNING: frozenset(SessionStatus) - {SessionStatus.RUNNING},
    SessionStatus.COMPLETED: frozenset({SessionStatus.ESCALATED}),
    SessionStatus.FAILED: frozenset(),
    SessionStatus.TIMED_OUT: frozenset(),
    SessionStatus.STOPPED: frozenset(),
    SessionStatus.INTERRUPTED: frozenset(),
    SessionStatus.ESCALATED: frozenset(),
    SessionStatus.AWAITING_APPROVAL: frozenset(
        {SessionStatus.RUNNING, SessionStatus.STOPPED, SessionStatus.INTERRUPTED, SessionStatus.FAILED}
    ),
}


class Trigger(StrEnum):
    """What asked for a session."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    API = "api"
    ALERT = "alert"
    SERVICE = "service"
    ESCALATION = "escalation"
    APPROVAL = "approval"


class TriggerStatus(StrEnum):
    """What became of a trigger in the queue."""

    WAITING = "waiting"
    STARTED = "started"
    CANCELLED = "cancelled"
    REFUSED = "refused"


TRIGGER_MEANING: Mapping[TriggerStatus, str] = {
    TriggerStatus.WAITING: "in the queue; its reason says for what",
    TriggerStatus.STARTED: "its session was started",
    TriggerStatus.CANCELLED: "taken out of the queue: by a person, or because what it was to look into is over",
    TriggerStatus.REFUSED: "can't ever start; its reason says why",
}

TRIGGER: Mapping[TriggerStatus, frozenset[TriggerStatus]] = {
    TriggerStatus.WAITING: frozenset({TriggerStatus.STARTED, TriggerStatus.CANCELLED, TriggerStatus.REFUSED}),
    # The daemon was killed before anything of the session ran: the trigger waits again.
    TriggerStatus.STARTED: frozenset({TriggerStatus.WAITING}),
    TriggerStatus.CANCELLED: frozenset(),
    TriggerStatus.REFUSED: frozenset(),
}


class ApprovalStatus(StrEnum):
    """What became of a call that waits for a person."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    USED = "used"


APPROVAL_MEANING: Mapping[ApprovalStatus, str] = {
    ApprovalStatus.WAITING: "nobody has decided yet",
    ApprovalStatus.APPROVED: "a person said yes; the call has not run yet",
    ApprovalStatus.DENIED: "a person said no; the model is told the reason",
    ApprovalStatus.EXPIRED: "nobody decided in time, which counts as no",
    ApprovalStatus.CANCELLED: "it will not run: its session is over, or something came in its way",
    ApprovalStatus.USED: "approved, and let through once",
}

APPROVAL: Mapping[ApprovalStatus, frozenset[ApprovalStatus]] = {
    ApprovalStatus.WAITING: frozenset(
        {ApprovalStatus.APPROVED, ApprovalStatus.DENIED, ApprovalStatus.EXPIRED, ApprovalStatus.CANCELLED}
    ),
    ApprovalStatus.APPROVED: frozenset({ApprovalStatus.USED, ApprovalStatus.CANCELLED}),
    ApprovalStatus.DENIED: frozenset(),
    ApprovalStatus.EXPIRED: frozenset(),
    ApprovalStatus.CANCELLED: frozenset(),
    ApprovalStatus.USED: frozenset(),
}


class DeliveryStatus(StrEnum):
    """How far a notification has got on its way to one channel."""

    PENDING = "pending"
    SENDING = "sending"
    RETRYING = "retrying"
    SENT = "sent"
    GIVEN_UP = "given_up"
    SUPPRESSED = "suppressed"


DELIVERY_MEANING: Mapping[DeliveryStatus, str] = {
    DeliveryStatus.PENDING: "waits for its turn, for quiet hours to end, or for the rate limit",
    DeliveryStatus.SENDING: "handed to the process that sends; it may have arrived",
    DeliveryStatus.RETRYING: "could not be sent; it is tried again",
    DeliveryStatus.SENT: "the channel has taken it",
    DeliveryStatus.GIVEN_UP: "could not be sent for a day, or is always refused; a person may have it sent again",
    DeliveryStatus.SUPPRESSED: "its channel is configured no more; a person may have it sent again",
}

DELIVERY: Mapping[DeliveryStatus, frozenset[DeliveryStatus]] = {
    DeliveryStatus.PENDING: frozenset({DeliveryStatus.SENDING, DeliveryStatus.SUPPRESSED}),
    # Pending again: one before it in the same batch failed, so that it was not tried.
    DeliveryStatus.SENDING: frozenset(
        {DeliveryStatus.SENT, DeliveryStatus.RETRYING, DeliveryStatus.GIVEN_UP, DeliveryStatus.PENDING}
    ),
    DeliveryStatus.RETRYING: frozenset({DeliveryStatus.SENDING, DeliveryStatus.SUPPRESSED}),
    DeliveryStatus.SENT: frozenset(),
    DeliveryStatus.GIVEN_UP: frozenset({DeliveryStatus.PENDING}),
    DeliveryStatus.SUPPRESSED: frozenset({DeliveryStatus.PENDING}),
}


class ServiceStatus(StrEnum):
    """How a service is, by what its probe found last and by what is known around it."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    TIMEOUT = "timeout"
    BLOCKED = "blocked"
    MAINTENANCE = "maintenance"
    PAUSED = "paused"


SERVICE_MEANING: Mapping[ServiceStatus, str] = {
    ServiceStatus.UNKNOWN: "nothing is known yet, or not any more: not probed, or this host itself was cut off",
    ServiceStatus.PENDING: "it failed, and is tried again before anybody is told",
    ServiceStatus.HEALTHY: "every condition holds",
    ServiceStatus.DEGRADED: "every condition holds, and one that only warns does not",
    ServiceStatus.DOWN: "a condition does not hold, or it can't be asked",
    ServiceStatus.TIMEOUT: "no answer within its timeout",
    ServiceStatus.BLOCKED: "it fails, and so does a service that it depends on; that one is told about",
    ServiceStatus.MAINTENANCE: "in a maintenance window: probed, and nobody is told",
    ServiceStatus.PAUSED: "a person has paused it: not probed",
}

_FOUND = frozenset({ServiceStatus.HEALTHY, ServiceStatus.DEGRADED, ServiceStatus.DOWN, ServiceStatus.TIMEOUT})
_ASIDE = frozenset({ServiceStatus.MAINTENANCE, ServiceStatus.PAUSED, ServiceStatus.UNKNOWN})
SERVICE: Mapping[ServiceStatus, frozenset[ServiceStatus]] = {
    ServiceStatus.UNKNOWN: frozenset(ServiceStatus) - {ServiceStatus.UNKNOWN},
    ServiceStatus.PENDING: _FOUND | _ASIDE | {ServiceStatus.BLOCKED},
    ServiceStatus.HEALTHY: frozenset(ServiceStatus) - {ServiceStatus.HEALTHY},
    ServiceStatus.DEGRADED: frozenset(ServiceStatus) - {ServiceStatus.DEGRADED},
    # What is down stays so until a probe succeeds: it is never pending again.
    ServiceStatus.DOWN: (_FOUND | _ASIDE | {ServiceStatus.BLOCKED}) - {ServiceStatus.DOWN},
    ServiceStatus.TIMEOUT: (_FOUND | _ASIDE | {ServiceStatus.BLOCKED}) - {ServiceStatus.TIMEOUT},
    ServiceStatus.BLOCKED: _FOUND | _ASIDE | {ServiceStatus.PENDING},
    # Judged anew from the next probe on.
    ServiceStatus.MAINTENANCE: frozenset(ServiceStatus) - {ServiceStatus.MAINTENANCE},
    ServiceStatus.PAUSED: frozenset({ServiceStatus.UNKNOWN}),
}


class Role(StrEnum):
    """What a person may do. Each role includes those before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


S = TypeVar("S", bound=StrEnum)


class TransitionError(Exception):
    """A status was asked to follow another that it can't follow."""


def follow(table: Mapping[S, frozenset[S]], current: S, wanted: S) -> S:
    """`wanted`, if the table lists it after `current`."""
    if wanted not in table[current]:
        raise TransitionError(f"{current.value} can't become {wanted.value}")
    return wanted
