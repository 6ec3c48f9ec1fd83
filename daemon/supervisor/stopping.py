"""The end of the daemon: children first, then whatever they have left, each asked once and killed when time is up.

Held by `daemon.supervisor.loop`, which takes a step of it each time around.
"""

import signal
from collections.abc import Iterable

from daemon.supervisor.children import Child
from daemon.supervisor.log import log
from daemon.supervisor.rules import ProcessState
from daemon.supervisor.shutdown import Leftovers

HURRY_SECONDS = 0.4
LAST_SECONDS = 1.0


class Stopping:
    """Whether the daemon is stopping (`code` is its exit code then), and how far it has come. Times are monotonic."""

    def __init__(self, children: Iterable[Child], leftovers: Leftovers) -> None:
        self.code: int | None = None
        self._children = tuple(children)
        self._leftovers = leftovers
        self._keep = False
        self._deadline = 0.0
        self._hurried_at: float | None = None

    @property
    def begun(self) -> bool:
        """Whether the daemon is stopping."""
        return self.code is not None

    def begin(self, code: int, now: float, timeout: float, *, keep_sessions: bool) -> None:
        """Asks every child to end; it has `timeout` seconds, and so has what it leaves behind."""
        log("stopping")
        self.code, self._keep, self._deadline = code, keep_sessions, now + timeout
        for child in self._children:
            if child.pid is None:
                if child.state is not ProcessState.STOPPED:
                    child.become(ProcessState.STOPPED)
                continue
            # One that is being aborted is killed no later than it would have been.
            sooner = child.kill_at if child.state is ProcessState.STOPPING else None
            child.stop(now, sessions="keep" if keep_sessions else "end", again=False)
            child.kill_at = self._deadline if sooner is None else min(sooner, self._deadline)

    def hurry(self, now: float) -> None:
        """A second request to stop: at once."""
        if self._hurried_at is not None:
            return
        log("stopping at once")
        self._hurried_at = now
        for child in self._children:
            child.signal(signal.SIGKILL)
        if not self._keep:
            self._leftovers.hurry()

    def step(self, now: float, heartbeat_timeout: float) -> bool:
        """Does what is due; whether all of it has ended."""
        for child in self._children:
            # Its share of the time would be lost to the sessions that it was to end.
            if child.pid is not None and child.kill_at is not None and now - child.beat_at > heartbeat_timeout:
                child.kill_at = min(child.kill_at, now)
            child.kill_if_due(now)
        if any(child.pid is not None for child in self._children):
            return False
        if self._keep:
            return True
        if self._hurried_at is not None:
            if now - self._hurried_at >= HURRY_SECONDS:
                self._leftovers.kill()
            return not self._leftovers.find() or now - self._hurried_at > HURRY_SECONDS + LAST_SECONDS
        if not self._leftovers.ask():
            return True
        if now >= self._deadline:
            log("what is left is killed", "error")
            self.hurry(now)
        return False
