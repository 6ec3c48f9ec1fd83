"""A web process that stands by while somebody watches: it has imported everything, and waits for its word to serve.

An interpreter and its imports are nearly all of the time that a web process needs before it serves. Whoever watches a
session while the web process dies is served by the one that stood by, without that wait. It costs memory, so there is
none while nobody watches. Held by `daemon.supervisor.loop`; its other end is in `webui.__main__`.
"""

import signal
from collections.abc import Callable, Mapping

from daemon.supervisor import rules
from daemon.supervisor.children import Child, Program
from daemon.supervisor.log import log
from daemon.supervisor.rules import ProcessState

VARIABLE = "CLAUDEOPS_STANDBY"


class Standby:
    """At most one process, which may take the place of `web`. Times are monotonic seconds."""

    def __init__(self, web: Child) -> None:
        self._web = web
        self._watched_at = float("-inf")
        self._due_at = float("-inf")
        self._child = Child("web standby", web.program._replace(environment=_standing_by(web.program)))

    @property
    def pid(self) -> int | None:
        """The process that stands by."""
        return self._child.pid

    def keep(self, now: float) -> None:
        """Starts one if it is wanted and not there, ends it if it is wanted no longer."""
        if self._web.note.get("live"):
            self._watched_at = now
        if not rules.wants_standby(now - self._watched_at):
            self.end()
        elif self._child.pid is None and self._web.state is ProcessState.RUNNING and now >= self._due_at:
            # Should it end by itself, as while its files are being replaced, the next one is not started at once.
            self._due_at = now + rules.STANDBY_PAUSE
            try:
                self._child.start(now)
            except OSError as error:
                log(f"no web process can stand by: {error.strerror}", "warning")

    def serve(self, now: float) -> bool:
        """Puts the one that stands by in the place of `web`, which has ended; False if there is none."""
        if self._child.state is not ProcessState.STARTING:
            return False
        self._web.take(self._child, now)
        self._web.tell({"command": "serve"})
        self._due_at = now
        return True

    def end(self) -> None:
        """Ends it at once: it has nothing to lose. What code and settings it has are those of its start."""
        if self._child.state is ProcessState.STARTING:
            self._child.become(ProcessState.STOPPING)
            self._due_at = float("-inf")
            self._child.signal(signal.SIGKILL)

    def reaped(self, pid: int, status: int) -> bool:
        """Takes note of the end of a process, if it is this one."""
        if self._child.pid != pid:
            return False
        self._child.ended(status)
        self._child.become(ProcessState.STOPPED)
        return True


def _standing_by(program: Program) -> Callable[[], Mapping[str, str]]:
    return lambda: {**program.environment(), VARIABLE: "1"}
