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


MEANING: Mapping[SessionStatus, str] = {
    SessionStatus.RUNNING: "its command runs, or is about to",
    SessionStatus.COMPLETED: "ended by itself, with exit code 0 and no error in its result",
    SessionStatus.FAILED: "ended without a usable result; the reason says why",
    SessionStatus.TIMED_OUT: "ran longer than CLAUDEOPS_SESSION_TIMEOUT and was stopped",
    SessionStatus.STOPPED: "stopped by a person",
    SessionStatus.INTERRUPTED: "cut off: the daemon or the machine went down, or its keeper was killed",
    SessionStatus.ESCALATED: "handed over to the next tier",
}

SESSION: Mapping[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.RUNNING: frozenset(SessionStatus) - {SessionStatus.RUNNING, SessionStatus.ESCALATED},
    SessionStatus.COMPLETED: frozenset({SessionStatus.ESCALATED}),
    SessionStatus.FAILED: frozenset(),
    SessionStatus.TIMED_OUT: frozenset(),
    SessionStatus.STOPPED: frozenset(),
    SessionStatus.INTERRUPTED: frozenset(),
    SessionStatus.ESCALATED: frozenset(),
}


class Trigger(StrEnum):
    """What asked for a session."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    API = "api"
    ALERT = "alert"
    ESCALATION = "escalation"


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
