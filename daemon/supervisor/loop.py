"""The supervisor: one thread, one loop that reads signals and channels, reaps, and decides what is due.

Called by `daemon.__main__`. Decisions are in `rules`; what is owned is in `places`; what a child is in `children`.
"""

import os
import random
import select
import signal
import time
from pathlib import Path
from typing import Any

from daemon.supervisor import reexec, rules
from daemon.supervisor.children import Child, Message
from daemon.supervisor.log import log
from daemon.supervisor.notify import Notifier
from daemon.supervisor.places import Places
from daemon.supervisor.programs import Programs
from daemon.supervisor.rules import ProcessState
from daemon.supervisor.shutdown import Leftovers
from daemon.supervisor.signals import Signals
from daemon.supervisor.status import StatusFile, describe
from schema import timestamps
from schema.configuration import ConfigurationError

EXIT_CLEAN, EXIT_INTERNAL, EXIT_CONFIGURATION = 0, 70, 78
STATUS_EVERY = 5.0
PAUSE = 1.0
SHORT_PAUSE = 0.02
HURRY_SECONDS = 0.4


class Supervisor:
    """The table of processes and what is being done with it."""

    def __init__(
        self, programs: Programs, places: Places, notifier: Notifier, boot_id: str, version: str, argv: list[str]
    ) -> None:
        self.programs = programs
        self.places = places
        self.notifier = notifier
        self.boot_id = boot_id
        self.version = version
        self.argv = argv
        self.settings = programs.settings
        self.worker = Child("worker", programs.worker(places, boot_id))
        self.web = Child("web", programs.web(places, boot_id))
        self.children = (self.worker, self.web)
        self.signals = Signals()
        self.file = StatusFile(Path(self.settings.runtime_dir))
        self.started_at = timestamps.now()
        self.began = time.monotonic()
        self.restarts = 0
        self.rolling: list[str] = []
        self.exit_code: int | None = None
        self.keep_sessions = False
        self.deadline = 0.0
        self.hurried_at: float | None = None
        self.leftovers = Leftovers(Path(self.settings.state_dir) / "runs", programs.spared)
        self.told_ready = False
        self.written_at = 0.0
        self.written: Any = None
        self.watchdog = rules.watchdog_period(os.environ.get("WATCHDOG_USEC", ""))
        self.watchdog_at = 0.0

    def run(self) -> int:
        """Serves until the daemon has ended; its exit code."""
        for child in self.children:
            if child.state is ProcessState.STOPPED:
                self._start(child)
        while True:
            self._wait()
            now = time.monotonic()
            for signum in self.signals.read():
                self._on_signal(signum, now)
            for child in self.children:
                for message in child.messages():
                    self._on_message(child, message, now)
            self._reap(now)
            if self.exit_code is None:
                self._tick(now)
            elif self._ended(now):
                return self.exit_code
            self._report(now)

    def _wait(self) -> None:
        channels = [child.channel.fileno() for child in self.children if child.channel is not None]
        now = time.monotonic()
        due = [child.due_at - now for child in self.children if child.state is ProcessState.BACKOFF]
        due += [child.kill_at - now for child in self.children if child.kill_at is not None]
        pause = SHORT_PAUSE if self.exit_code is not None else PAUSE
        select.select([self.signals.descriptor, *channels], [], [], max(0.0, min([pause, *due])))

    def _start(self, child: Child) -> None:
        now = time.monotonic()
        try:
            child.start(now)
        except OSError as error:
            log(f"{child.name} can't be started: {error.strerror}", "error")
            child.failures += 1
            child.due_at = now + max(rules.FIRST_DELAY, rules.delay(child.failures, random.random()))  # noqa: S311
            if child.state is not ProcessState.BACKOFF:
                child.become(ProcessState.BACKOFF)

    def _on_signal(self, signum: int, now: float) -> None:
        if signum in (signal.SIGTERM, signal.SIGINT):
            if self.exit_code is None:
                self._stop(EXIT_CLEAN, now)
            elif self.hurried_at is None:
                self._hurry(now)
        elif signum == signal.SIGQUIT and self.exit_code is None:
            self.keep_sessions = True
            self._stop(EXIT_CLEAN, now)
        elif signum == signal.SIGHUP and self.exit_code is None:
            self.reload()
        elif signum == signal.SIGUSR2 and self.exit_code is None:
            self._reexecute(now)

    def _on_message(self, child: Child, message: Message, now: float) -> None:
        if "beat" in message:
            child.beat_at = now
            note = message.get("note")
            child.note = note if isinstance(note, dict) else {}
        elif message.get("ready") and child.state is ProcessState.STARTING:
            child.become(ProcessState.RUNNING)
            child.ready_at = child.beat_at = now
            child.anew = 0
            log(f"{child.name} serves (pid {child.pid})")
        elif "command" in message and child is self.worker:
            child.tell({"done": message.get("id"), "error": self._command(message, now)})

    def _command(self, message: Message, now: float) -> str | None:
        """Carries out what claudeopsctl asked the worker for; None, or why not."""
        command, name = message.get("command"), message.get("name")
        if self.exit_code is not None:
            return "the daemon is stopping"
        if command == "restart" and name in ("worker", "web"):
            self.rolling.append(str(name))
        elif command == "reload":
            return self.reload()
        elif command == "stop":
            self._stop(EXIT_CLEAN, now)
        else:
            return f"the supervisor knows no {command!r} of {name!r}"
        return None

    def reload(self) -> str | None:
        """Reads the environment file anew; None, or what is wrong with it, and all stays as it was."""
        self.notifier.reloading()
        try:
            web_changed, restart_needed = self.programs.reload()
        except ConfigurationError as error:
            for problem in error.problems:
                log(f"the settings stay as they were: {problem}", "error")
            return str(error)
        finally:
            if self.told_ready:
                self.notifier.send("READY=1")
        self.settings = self.programs.settings
        log(f"settings read anew{f'; these want a restart: {restart_needed}' if restart_needed else ''}")
        self.worker.tell({"command": "reload", "environment": self.programs.environ})
        if web_changed and "web" not in self.rolling:
            self.rolling.append("web")
        return None

    def _reexecute(self, now: float) -> None:
        facts = {
            "boot_id": self.boot_id,
            "started_at": self.started_at,
            "uptime": now - self.began,
            "restarts": self.restarts + 1,
            "spared": sorted(self.programs.spared),
            "children": {
                child.name: {
                    "pid": child.pid,
                    "channel": child.channel.fileno(),
                    "restarts": child.restarts,
                    "ready": child.ready_at is not None,
                }
                for child in self.children
                if child.pid is not None and child.channel is not None and child.state is not ProcessState.STOPPING
            },
        }
        log("re-executing in place")
        channels = [child["channel"] for child in facts["children"].values()]  # type: ignore[attr-defined]
        try:
            reexec.execute(self.places, facts, channels, self.argv)
        except OSError as error:
            log(f"can't re-execute: {error.strerror}; going on as before", "error")

    def resume(self, facts: dict[str, Any]) -> None:
        """After a re-execution: the children are ours still; each is replaced, one after the other."""
        now = time.monotonic()
        self.started_at, self.began, self.restarts = facts["started_at"], now - facts["uptime"], facts["restarts"]
        for child in self.children:
            known = facts["children"].get(child.name)
            if known is not None:
                child.adopt(known["pid"], known["channel"], now, known["ready"])
                child.restarts = known["restarts"]
        self.rolling = [child.name for child in (self.web, self.worker) if child.pid is not None]

    def _reap(self, now: float) -> None:
        """Every process that has ended, ours or an orphan; whose it was comes before what its status means."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self.children:
                if child.pid == pid:
                    for message in child.messages():
                        self._on_message(child, message, now)
                    child.ended(status)
                    self._on_end(child, os.waitstatus_to_exitcode(status), now)

    def _on_end(self, child: Child, code: int, now: float) -> None:
        asked = child.state is ProcessState.STOPPING and child.again and code == 0
        log(f"{child.name} has ended: {child.last_exit}", "info" if code == 0 else "error")
        if self.exit_code is not None:
            child.become(ProcessState.STOPPED)
        elif code == rules.EXIT_CONFIGURATION and child is self.worker:
            child.become(ProcessState.STOPPED)
            log("the worker can't work with what it found; see its words above", "error")
            self._stop(EXIT_CONFIGURATION, now)
        elif asked or (code == rules.EXIT_ANEW and child.anew < rules.ANEW_MAX):
            child.anew += code == rules.EXIT_ANEW
            child.failures = 0
            self._start(child)
        else:
            self._crashed(child, now, killed=code == -signal.SIGKILL and child.state is not ProcessState.STOPPING)

    def _crashed(self, child: Child, now: float, *, killed: bool) -> None:
        ready_for = now - child.ready_at if child.ready_at is not None else 0.0
        child.failures = rules.failures_after(child.failures, ready_for, killed=killed)
        child.ends.append((now, killed))
        if not rules.over_limit(child.ends, now, self.settings.restart_limit, self.settings.restart_window):
            child.become(ProcessState.BACKOFF)
            child.due_at = now + rules.delay(child.failures, random.random())  # noqa: S311 - spread, not secrecy
            return
        limit = f"{self.settings.restart_limit} times in {self.settings.restart_window:g} s"
        child.become(ProcessState.FAILED)
        if child is self.worker:
            log(f"the worker has ended more than {limit}; giving up", "error")
            self._stop(EXIT_INTERNAL, now)
        else:
            log(f"web has ended more than {limit}; it is tried again every five minutes, sessions go on", "error")
            child.due_at = now + rules.RETRY_FAILED_SECONDS

    def _tick(self, now: float) -> None:
        """Whatever is due."""
        for child in self.children:
            if child.state in (ProcessState.BACKOFF, ProcessState.FAILED) and now >= child.due_at:
                child.ends.clear() if child.state is ProcessState.FAILED else None
                self._start(child)
            elif child.state is ProcessState.STARTING and now - child.started_at > rules.READY_SECONDS:
                log(f"{child.name} does not get ready; aborting it", "error")
                child.abort(now)
            elif child.state is ProcessState.RUNNING and now - child.beat_at > self.settings.heartbeat_timeout:
                log(f"{child.name} is silent for {now - child.beat_at:.0f} s; aborting it", "error")
                child.abort(now)
        self._kill_due(now)
        if self.rolling and all(child.state is not ProcessState.STARTING for child in self.children):
            child = self.worker if self.rolling[0] == "worker" else self.web
            if child.state is ProcessState.RUNNING:
                self.rolling.pop(0)
                child.stop(now, sessions="keep", again=True)
            elif child.state in (ProcessState.FAILED, ProcessState.BACKOFF):
                self.rolling.pop(0)
                child.ends.clear()
                self._start(child)

    def _kill_due(self, now: float) -> None:
        for child in self.children:
            if child.kill_at is not None and now >= child.kill_at:
                child.kill_at = None
                log(f"{child.name} does not end; killing it", "error")
                child.signal(signal.SIGKILL)

    def _stop(self, code: int, now: float) -> None:
        """Begins the end."""
        self.exit_code = code
        self.deadline = now + self.settings.stop_timeout
        self.notifier.send("STOPPING=1")
        log("stopping")
        sessions = "keep" if self.keep_sessions or code == EXIT_INTERNAL else "end"
        self.keep_sessions = sessions == "keep"
        for child in self.children:
            if child.pid is None:
                if child.state is not ProcessState.STOPPED:
                    child.become(ProcessState.STOPPED)
                continue
            child.stop(now, sessions=sessions, again=False)
            child.kill_at = self.deadline

    def _hurry(self, now: float) -> None:
        """A second request to stop: at once."""
        log("stopping at once")
        self.hurried_at = now
        for child in self.children:
            child.signal(signal.SIGKILL)
        if not self.keep_sessions:
            self.leftovers.hurry()

    def _ended(self, now: float) -> bool:
        """Whether all of it has ended; does the next step if not."""
        self._kill_due(now)
        if any(child.pid is not None for child in self.children):
            return False
        if self.keep_sessions:
            return True
        if self.hurried_at is not None:
            if now - self.hurried_at >= HURRY_SECONDS:
                self.leftovers.kill()
            return not self.leftovers.find() or now - self.hurried_at > HURRY_SECONDS + 1.0
        if not self.leftovers.ask():
            return True
        if now >= self.deadline:
            log("what is left is killed", "error")
            self._hurry(now)
        return False

    def _state(self) -> tuple[str, str | None]:
        trouble = self.worker.note.get("degraded")
        state = rules.overall(
            self.worker.state, self.web.state, stopping=self.exit_code is not None, trouble=bool(trouble)
        )
        failed = [child.name for child in self.children if child.state is ProcessState.FAILED]
        reason = f"{', '.join(failed)} failed" if failed else trouble
        return state, str(reason) if reason else None

    def _report(self, now: float) -> None:
        """Tells systemd, the status file and the worker how things are."""
        state, reason = self._state()
        both = all(child.state is ProcessState.RUNNING for child in self.children)
        if both and not self.told_ready:
            self.told_ready = True
            self.notifier.send("READY=1")
        if self.watchdog and now - self.watchdog_at >= self.watchdog:
            if now - self.worker.beat_at < self.settings.heartbeat_timeout and self.worker.pid is not None:
                self.notifier.send("WATCHDOG=1")
            self.watchdog_at = now
        summary = (state, reason, *((child.state, child.pid, child.restarts) for child in self.children))
        if summary == self.written and now - self.written_at < STATUS_EVERY:
            return
        changed = summary != self.written
        self.written, self.written_at = summary, now
        running = self.worker.note.get("sessions_running")
        self.notifier.status(f"{state}{f': {reason}' if reason else ''}; {running or 0} sessions run")
        own = {
            "name": "supervisor",
            "pid": os.getpid(),
            "state": "stopping" if self.exit_code is not None else "running",
            "restarts": self.restarts,
            "uptime_s": round(now - self.began, 1),
            "last_exit": None,
        }
        processes = describe(own, self.children, now)
        self.file.write(
            {
                "state": state,
                "reason": reason,
                "boot_id": self.boot_id,
                "version": self.version,
                "pid": os.getpid(),
                "started_at": self.started_at,
                "written_at": timestamps.now(),
                "sessions": None if running is None else {"running": running},
                "next_run_at": self.worker.note.get("next_run_at"),
                "warnings": self.worker.note.get("warnings", []),
                "processes": processes,
                "address": self.places.address,
            }
        )
        if changed or self.worker.state is ProcessState.RUNNING:
            self.worker.tell({"state": state, "reason": reason, "processes": processes})
