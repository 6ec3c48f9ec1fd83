"""The supervisor: one thread, one loop that reads signals and channels, reaps, and decides what is due.

Called by `daemon.__main__`. Decisions are in `rules`; what is owned is in `places`; what a child is in `children`;
what is told to whom in `report`; the end in `stopping`.
"""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from daemon.supervisor import reexec, rules
from daemon.supervisor.children import Child, Message
from daemon.supervisor.log import log
from daemon.supervisor.notify import Notifier
from daemon.supervisor.places import Places, address_of
from daemon.supervisor.programs import Programs
from daemon.supervisor.report import Report
from daemon.supervisor.rules import ProcessState
from daemon.supervisor.shutdown import Leftovers
from daemon.supervisor.signals import Signals, hold
from daemon.supervisor.standby import Standby
from daemon.supervisor.stopping import Stopping
from daemon.supervisor.voices import VOICES
from schema.configuration import ConfigurationError

EXIT_CLEAN, EXIT_INTERNAL, EXIT_CONFIGURATION = 0, 70, 78
PAUSE = 1.0
SHORT_PAUSE = 0.02


class Supervisor:
    """The table of processes and what is being done with it."""

    def __init__(
        self, programs: Programs, places: Places, notifier: Notifier, boot_id: str, version: str, argv: list[str]
    ) -> None:
        self.programs = programs
        self.places = places
        self.argv = argv
        self.settings = programs.settings
        self.worker = Child("worker", programs.worker(places, boot_id))
        self.web = Child("web", programs.web(places, boot_id))
        self.children = (self.worker, self.web)
        self.standby = Standby(self.web)
        self.signals = Signals()
        self.rolling: list[str] = []
        self.renewal_wanted = False
        identity = {"boot_id": boot_id, "version": version, "address": places.address, "log_file": programs.log_path}
        self.report = Report(self.worker, self.web, Path(self.settings.runtime_dir), notifier, identity)
        self.stopping = Stopping(self.children, Leftovers(Path(self.settings.state_dir) / "runs", programs.spared))

    def run(self) -> int:
        """Serves until the daemon has ended; its exit code."""
        for child in self.children:
            if child.state is ProcessState.STOPPED:
                self._start(child)
        now = time.monotonic()
        while True:
            self._wait()
            before, now = now, time.monotonic()
            if rules.overslept(now - before):
                for child in self.children:
                    child.beat_at = now
            for signum in self.signals.read():
                self._on_signal(signum, now)
            for child in self.children:
                if child.waits():
                    child.say()
                for message in child.messages():
                    self._on_message(child, message, now)
            self._reap(now)
            if self.stopping.code is None:
                self._tick(now)
            elif self.stopping.step(now, self.settings.heartbeat_timeout):
                return self.stopping.code
            self.report.tell(now, stopping=self.stopping.begun)

    def _wait(self) -> None:
        talking = [(child, child.channel) for child in self.children if child.channel is not None]
        now = time.monotonic()
        due = [child.due_at - now for child in self.children if child.state is ProcessState.BACKOFF]
        due += [child.kill_at - now for child in self.children if child.kill_at is not None]
        if self.report.due_at is not None:
            due.append(self.report.due_at - now)
        pause = SHORT_PAUSE if self.stopping.begun else PAUSE
        VOICES.select(
            [self.signals.descriptor, *(channel.fileno() for _, channel in talking)],
            [channel.fileno() for child, channel in talking if child.waits()],
            max(0.0, min([pause, *due])),
        )

    def _start(self, child: Child) -> None:
        """Starts a child from the code and with the settings of now; one that stands by may have others."""
        now = time.monotonic()
        if child is self.web:
            self.standby.end()
        try:
            child.start(now)
        except OSError as error:
            child.not_started(error, now, random.random())  # noqa: S311 - spread, not secrecy

    def _on_signal(self, signum: int, now: float) -> None:
        if signum in (signal.SIGTERM, signal.SIGINT):
            if self.stopping.begun:
                self.stopping.hurry(now)
            else:
                self._stop(EXIT_CLEAN, now)
        elif self.stopping.begun:
            return
        elif signum == signal.SIGQUIT:
            self._stop(EXIT_CLEAN, now, keep_sessions=True)
        elif signum == signal.SIGHUP:
            self.reload()
        elif signum == signal.SIGUSR2:
            self.renewal_wanted = True

    def _stop(self, code: int, now: float, *, keep_sessions: bool = False) -> None:
        self.report.stopping()
        self.standby.end()
        self.stopping.begin(code, now, self.settings.stop_timeout, keep_sessions=keep_sessions)

    def _on_message(self, child: Child, message: Message, now: float) -> None:
        if isinstance(note := message.get("note"), dict):
            child.note = note
        if "beat" in message:
            child.beat_at = now
            child.heard_at = now
        elif message.get("ready") and child.state is ProcessState.STARTING:
            child.become(ProcessState.RUNNING)
            child.ready_at = child.beat_at = child.heard_at = now
            log(f"{child.name} serves (pid {child.pid})")
        elif "command" in message and child is self.worker:
            child.tell({"done": message.get("id"), "error": self._command(message, now)})

    def _command(self, message: Message, now: float) -> str | None:
        """Carries out what claudeopsctl asked the worker for; None, or why not."""
        command, name = message.get("command"), message.get("name")
        if self.stopping.begun:
            return "the daemon is stopping"
        if command == "restart" and name in ("worker", "web"):
            self._roll(str(name))
        elif command == "reload":
            return self.reload()
        elif command == "stop":
            self._stop(EXIT_CLEAN, now)
        else:
            return f"the supervisor knows no {command!r} of {name!r}"
        return None

    def _roll(self, name: str) -> None:
        """Has a child replaced as soon as the other one serves."""
        if name not in self.rolling:
            self.rolling.append(name)

    def reload(self) -> str | None:
        """Reads the environment file anew; None, or what is wrong with it, and all stays as it was."""
        self.report.reloading()
        try:
            web_changed, restart_needed = self.programs.reload()
        except ConfigurationError as error:
            for problem in error.problems:
                log(f"the settings stay as they were: {problem}", "error")
            return str(error)
        finally:
            self.report.reloaded()
        self.settings = self.programs.settings
        self.programs.begin_log()
        log(f"settings read anew{f'; these want a restart: {restart_needed}' if restart_needed else ''}")
        self.worker.tell({"command": "reload", "environment": self.programs.environ})
        self.report.moved(address_of(self.places.http, secure=bool(self.settings.tls_cert)))
        if web_changed:
            self._roll("web")
        else:
            self.web.tell({"command": "reload"})
        return None

    def _renew(self, now: float) -> None:
        """Re-executes in place, if what is installed now can start. Does not return then."""
        self.renewal_wanted = False
        wrong = reexec.check(self.argv)
        if wrong is not None:
            log(f"not re-executed: {wrong}; going on as before", "error")
            return
        hold()
        for signum in self.signals.read():  # what has come must not be lost with the pipe
            self._on_signal(signum, now)
        if not self.stopping.begun:
            log("re-executing in place")
            self.standby.end()
            facts = {
                **self.report.facts(now),
                "spared": self.programs.spared,
                "fixed": self.programs.fixed(),
                "children": reexec.facts_of(self.children),
            }
            try:
                reexec.execute(self.places, facts, self.argv)
            except OSError as error:
                log(f"can't re-execute: {error.strerror}; going on as before", "error")
        self.signals.let()

    def resume(self, facts: dict[str, Any]) -> None:
        """After a re-execution: the children are ours still; each is replaced, one after the other."""
        now = time.monotonic()
        self.report.resume(facts, now)
        reexec.adopt(self.children, facts, now)
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
            child = next((child for child in self.children if child.pid == pid), None)
            if child is not None:
                for message in child.messages(to_the_end=True):
                    self._on_message(child, message, now)
                child.ended(status)
                self._on_end(child, os.waitstatus_to_exitcode(status), now)
            else:
                self.standby.reaped(pid, status)

    def _on_end(self, child: Child, code: int, now: float) -> None:
        asked = child.state is ProcessState.STOPPING and child.again and code in (0, -signal.SIGTERM)
        ready_for = now - child.ready_at if child.ready_at is not None else 0.0
        log(f"{child.name} has ended: {child.last_exit}", "info" if code == 0 or asked else "error")
        if ready_for >= rules.STEADY_SECONDS:
            child.anew, child.given_up = 0, False
        if self.stopping.begun:
            child.become(ProcessState.STOPPED)
        elif code == rules.EXIT_CONFIGURATION and child is self.worker:
            child.become(ProcessState.STOPPED)
            log("the worker can't work with what it found; see its words above", "error")
            self._stop(EXIT_CONFIGURATION, now)
        elif asked or (code == rules.EXIT_ANEW and child.anew < rules.ANEW_MAX):
            child.anew += code == rules.EXIT_ANEW
            child.failures = 0
            child.become(ProcessState.STOPPED)
            self._start(child)
        else:
            killed = code == -signal.SIGKILL and child.state is not ProcessState.STOPPING
            self._crashed(child, ready_for, now, killed=killed)

    def _crashed(self, child: Child, ready_for: float, now: float, *, killed: bool) -> None:
        child.failures = rules.failures_after(child.failures, ready_for, killed=killed)
        child.ends.append((now, killed))
        over = rules.over_limit(child.ends, now, self.settings.restart_limit, self.settings.restart_window)
        if not over and (killed or not child.given_up):
            child.become(ProcessState.BACKOFF)
            child.due_at = now + rules.delay(child.failures, random.random())  # noqa: S311 - spread, not secrecy
            return
        limit = f"{self.settings.restart_limit} times in {self.settings.restart_window:g} s"
        child.become(ProcessState.FAILED)
        if child is self.worker:
            log(f"the worker has ended more than {limit}; giving up", "error")
            self._stop(EXIT_INTERNAL, now, keep_sessions=True)
        else:
            log(f"web has ended more than {limit}; it is tried again every five minutes, sessions go on", "error")
            child.given_up = True
            child.due_at = now + rules.RETRY_FAILED_SECONDS

    def _tick(self, now: float) -> None:
        """Whatever is due."""
        for child in self.children:
            if child.state in (ProcessState.BACKOFF, ProcessState.FAILED) and now >= child.due_at:
                if child is self.worker or not self.standby.serve(now):
                    self._start(child)
            elif child.state is ProcessState.STARTING and not rules.gets_ready(
                now - child.started_at, now - child.beat_at, stood_by=child.stood_by
            ):
                log(f"{child.name} does not get ready; aborting it", "error")
                child.abort(now)
            elif child.state is ProcessState.RUNNING and now - child.beat_at > self.settings.heartbeat_timeout:
                log(f"{child.name} is silent for {now - child.beat_at:.0f} s; aborting it", "error")
                child.abort(now)
            child.kill_if_due(now)
        self.standby.keep(now)
        states = {child.state for child in self.children}
        # Who comes after us knows nothing of a child that is about to end.
        if self.renewal_wanted and ProcessState.STOPPING not in states:
            self._renew(now)
        elif self.rolling and not states & {ProcessState.STARTING, ProcessState.STOPPING}:
            self._replace(self.worker if self.rolling[0] == "worker" else self.web, now)

    def _replace(self, child: Child, now: float) -> None:
        if child.state is ProcessState.RUNNING:
            self.rolling.pop(0)
            child.stop(now, sessions="keep", again=True)
        elif child.state in (ProcessState.FAILED, ProcessState.BACKOFF):
            self.rolling.pop(0)
            child.ends.clear()
            child.given_up = False
            self._start(child)
