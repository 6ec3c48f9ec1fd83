"""What the supervisor tells of itself: to systemd, to the status file, and to the worker, which tells everybody else.

Called by `daemon.supervisor.loop` each time around; says only what has changed, and the signs of life.
"""

import os
import time
from pathlib import Path
from typing import Any

from daemon.supervisor import rules
from daemon.supervisor.children import Child
from daemon.supervisor.notify import Notifier
from daemon.supervisor.rules import ProcessState
from daemon.supervisor.status import StatusFile, describe
from schema import timestamps

STATUS_EVERY = 5.0


class Report:
    """`identity` are the status file's fields that stay: boot_id, version, address, log_file."""

    def __init__(self, worker: Child, web: Child, runtime: Path, notifier: Notifier, identity: dict[str, Any]) -> None:
        self.told_ready = False
        self._identity = {**identity, "pid": os.getpid(), "started_at": timestamps.now()}
        self._began = time.monotonic()
        self._restarts = 0
        self._worker, self._web = worker, web
        self._notifier = notifier
        self._file = StatusFile(runtime)
        self._sessions: dict[str, Any] = {}  # what the worker said of them last: they go on without it
        self._written: object = None
        self._asked_at = 0.0
        self._written_at = 0.0
        ours = os.environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self._watchdog = rules.watchdog_period(os.environ.get("WATCHDOG_USEC", "")) if ours else None
        self._watchdog_at = 0.0

    def facts(self, now: float) -> dict[str, Any]:
        """What a re-execution hands over."""
        known = self._identity
        return {
            "boot_id": known["boot_id"],
            "started_at": known["started_at"],
            "uptime": now - self._began,
            "restarts": self._restarts + 1,
            "told_ready": self.told_ready,
        }

    def resume(self, facts: dict[str, Any], now: float) -> None:
        """Takes over what the process before this one has handed over."""
        self._identity["started_at"] = facts["started_at"]
        self._began, self._restarts = now - facts["uptime"], facts["restarts"]
        self.told_ready = facts["told_ready"]

    @property
    def due_at(self) -> float | None:
        """When systemd wants the next sign of life, in monotonic seconds."""
        return None if self._watchdog is None else self._watchdog_at + self._watchdog

    def moved(self, address: str) -> None:
        """The dashboard is reached by another address from now on."""
        self._identity["address"] = address

    def reloading(self) -> None:
        """A reload begins. systemd knows no reload of what is not ready yet."""
        if self.told_ready:
            self._notifier.reloading()

    def reloaded(self) -> None:
        """It has ended, one way or the other."""
        if self.told_ready:
            self._notifier.send("READY=1")

    def stopping(self) -> None:
        """The daemon begins to stop."""
        self._notifier.send("STOPPING=1")

    def tell(self, now: float, *, stopping: bool) -> None:
        """Tells whom it concerns."""
        children = (self._worker, self._web)
        if not self.told_ready and not stopping and all(child.state is ProcessState.RUNNING for child in children):
            self.told_ready = True
            self._notifier.send("READY=1")
        self._ask_for_time(now)
        self._feed_watchdog(now)
        state, reason = self._state(stopping)
        warnings = self._warnings()
        summary = (state, reason, warnings, *((child.state, child.pid, child.restarts) for child in children))
        changed = summary != self._written
        if not changed and now - self._written_at < STATUS_EVERY:
            return
        self._written, self._written_at = summary, now
        processes = describe(self._own(now, stopping), children, now)
        self._write(state, reason, processes)
        if changed or self._worker.state is ProcessState.RUNNING:
            told = {"state": state, "reason": reason, "processes": processes, "address": self._identity["address"]}
            self._worker.tell({**told, "web_warnings": self._web_warnings()})

    def _own(self, now: float, stopping: bool) -> dict[str, Any]:
        return {
            "name": "supervisor",
            "pid": os.getpid(),
            "state": "stopping" if stopping else "running",
            "restarts": self._restarts,
            "uptime_s": round(now - self._began, 1),
            "last_exit": None,
        }

    def _ask_for_time(self, now: float) -> None:
        """systemd waits with its start timeout for a worker that is at work on its database."""
        worker = self._worker
        waits = not self.told_ready and worker.state is ProcessState.STARTING
        if waits and worker.beat_at > worker.started_at and now - self._asked_at >= STATUS_EVERY:
            self._asked_at = now
            self._notifier.send(f"EXTEND_TIMEOUT_USEC={int(rules.READY_SECONDS * 2_000_000)}")

    def _feed_watchdog(self, now: float) -> None:
        if self.due_at is not None and now >= self.due_at:
            self._watchdog_at = now
            if rules.feeds_watchdog(self._worker.state, now - self._worker.heard_at):
                self._notifier.send("WATCHDOG=1")

    def _state(self, stopping: bool) -> tuple[str, str | None]:
        trouble = self._worker.note.get("degraded")
        state = rules.overall(self._worker.state, self._web.state, stopping=stopping, trouble=bool(trouble))
        failed = [child.name for child in (self._worker, self._web) if child.state is ProcessState.FAILED]
        reason = f"{', '.join(failed)} failed" if failed else trouble
        return state, str(reason) if reason else None

    def _web_warnings(self) -> list[str]:
        found = self._web.note.get("warnings")
        return [str(text) for text in found] if isinstance(found, list) else []

    def _warnings(self) -> list[str]:
        """What worker and web process have to say, each once."""
        return list(dict.fromkeys([*self._worker.note.get("warnings", []), *self._web_warnings()]))

    def _write(self, state: str, reason: str | None, processes: list[dict[str, Any]]) -> None:
        note = self._worker.note
        if "sessions_running" in note:
            self._sessions = note
        running = self._sessions.get("sessions_running")
        self._notifier.status(f"{state}{f': {reason}' if reason else ''}; sessions running: {running or 0}")
        self._file.write(
            {
                **self._identity,
                "state": state,
                "reason": reason,
                "written_at": timestamps.now(),
                "sessions": None if running is None else {"running": running},
                "next_run_at": self._sessions.get("next_run_at"),
                "warnings": self._warnings(),
                "proxy": self._web.note.get("proxy", ""),
                "processes": processes,
            }
        )
