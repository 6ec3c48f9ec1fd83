"""When a process is started again and when it is given up: one Enum, one table, and functions of values.

Called by `daemon.supervisor.children` and `daemon.supervisor.loop`; time and chance are arguments.
"""

from collections.abc import Sequence
from enum import Enum

FIRST_DELAY = 0.25
LONGEST_DELAY = 30.0
STEADY_SECONDS = 60.0
RETRY_FAILED_SECONDS = 300.0
READY_SECONDS = 30.0
PREPARE_SECONDS = 1800.0
ABORT_GRACE = 3.0
STOP_GRACE = 10.0
EXIT_ANEW = 76
EXIT_CONFIGURATION = 78
ANEW_MAX = 5
KILLS_PER_END = 20
FRESH_SECONDS = 3.0
STANDBY_READY_SECONDS = 2.0
STANDBY_PAUSE = 30.0
UNWATCHED_SECONDS = 60.0
OVERSLEPT_SECONDS = 3.0


class ProcessState(Enum):
    """How a process of the daemon is."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    FAILED = "failed"


MEANING = {
    ProcessState.STOPPED: "not there, and not wanted",
    ProcessState.STARTING: "started, and does not serve yet",
    ProcessState.RUNNING: "serves, and beats once a second",
    ProcessState.STOPPING: "told to end, or killed because it was silent",
    ProcessState.BACKOFF: "ended by itself; is started again after a delay",
    ProcessState.FAILED: "ended too often; is tried again every five minutes",
}

TRANSITIONS = {
    ProcessState.STOPPED: frozenset({ProcessState.STARTING, ProcessState.BACKOFF}),
    ProcessState.STARTING: frozenset(
        {ProcessState.RUNNING, ProcessState.STOPPING, ProcessState.BACKOFF, ProcessState.FAILED, ProcessState.STOPPED}
    ),
    ProcessState.RUNNING: frozenset(
        {ProcessState.STOPPING, ProcessState.BACKOFF, ProcessState.FAILED, ProcessState.STOPPED}
    ),
    ProcessState.STOPPING: frozenset(
        {ProcessState.STOPPED, ProcessState.STARTING, ProcessState.BACKOFF, ProcessState.FAILED}
    ),
    ProcessState.BACKOFF: frozenset({ProcessState.STARTING, ProcessState.STOPPED, ProcessState.FAILED}),
    ProcessState.FAILED: frozenset({ProcessState.STARTING, ProcessState.STOPPED, ProcessState.BACKOFF}),
}


class TransitionError(Exception):
    """A state was asked to follow another that it can't follow."""


def follow(current: ProcessState, wanted: ProcessState) -> ProcessState:
    """`wanted`, if the table lists it after `current`."""
    if wanted not in TRANSITIONS[current]:
        raise TransitionError(f"{current.value} can't become {wanted.value}")
    return wanted


def delay(failures: int, chance: float) -> float:
    """Seconds until the next start after `failures` ends in a row; `chance` in [0, 1) spreads them by a quarter.

    The first is at once; then a quarter of a second, doubling up to half a minute.
    """
    if failures <= 1:
        return 0.0
    seconds = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 2, 16))
    return float(seconds * (0.875 + 0.25 * chance))


def failures_after(failures: int, ready_for: float, *, killed: bool) -> int:
    """Ends in a row, one more; one that had served for a minute begins a new row.

    Who is killed from outside does not fail by itself: that is no reason to wait longer each time.
    """
    return 1 if killed or ready_for >= STEADY_SECONDS else failures + 1


def over_limit(ends: Sequence[tuple[float, bool]], now: float, limit: int, window: float) -> bool:
    """Whether a process has ended too often within `window` seconds: (when, killed from outside) for each end.

    A kill counts a twentieth, so that a kernel short of memory is noticed, and an operator's kill -9 is not.
    """
    weight = sum(1 if killed else KILLS_PER_END for end, killed in ends if now - end <= window)
    return weight > limit * KILLS_PER_END


def overall(worker: ProcessState, web: ProcessState, *, stopping: bool, trouble: bool) -> str:
    """The daemon's state in one word. `trouble`: the worker serves, but says that something is wrong."""
    if stopping:
        return "stopping"
    if ProcessState.FAILED in (worker, web):
        return "degraded"
    if worker is ProcessState.RUNNING and web is ProcessState.RUNNING:
        return "degraded" if trouble else "running"
    if ProcessState.BACKOFF in (worker, web) or ProcessState.STOPPING in (worker, web):
        return "degraded"
    return "starting"


def gets_ready(running_for: float, silent_for: float, *, stood_by: bool) -> bool:
    """Whether a child that does not serve yet is on its way: one that beats meanwhile has long work to do first.

    That is a large database to check or to migrate; half an hour of it is too much. One that stood by has done all
    that takes time: if it keeps people waiting, a fresh one is quicker.
    """
    return silent_for <= (STANDBY_READY_SECONDS if stood_by else READY_SECONDS) and running_for <= PREPARE_SECONDS


def wants_standby(unwatched_for: float) -> bool:
    """Whether a web process should stand by: somebody watches, or did a moment ago and may only be reconnecting."""
    return unwatched_for <= UNWATCHED_SECONDS


def overslept(pause: float) -> bool:
    """Whether the supervisor itself was stopped, as the freezer does: then nobody's silence means anything."""
    return pause > OVERSLEPT_SECONDS


def level_of(text: str) -> str:
    """How grave a line of a child is, which says no level of its own: a guess by its words."""
    words = text.lower()
    if any(word in words for word in ("failed", "aborted", "damaged", "fatal", "exception")):
        return "error"
    grave = ("can't", "cannot", "could not", "not answering", "is lost", "warning", "error", "is full", "stays in use")
    return "warning" if any(word in words for word in grave) else "info"


def watchdog_period(watchdog_usec: str) -> float | None:
    """Seconds between two WATCHDOG=1: a third of what systemd allows; None without a watchdog."""
    return int(watchdog_usec) / 3_000_000 if watchdog_usec.isdigit() and int(watchdog_usec) > 0 else None


def feeds_watchdog(worker: ProcessState, silent_for: float) -> bool:
    """Whether systemd may think that all is well: the worker beats, or is being replaced by one that soon will.

    `silent_for` is since a worker was last heard that served or was at work on its database, whichever it was: one
    that is started again and again and does neither is not well.
    """
    if worker is ProcessState.STARTING:
        return silent_for < READY_SECONDS
    return worker in (ProcessState.RUNNING, ProcessState.STOPPING) and silent_for < FRESH_SECONDS
