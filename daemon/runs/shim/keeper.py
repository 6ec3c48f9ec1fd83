"""The shim's loop: reads the command's output, keeps its deadlines, ends its whole tree, writes the exit record.

One thread, one poll. It obeys signals (SIGTERM: end the command; again, or SIGQUIT: at once) and the clock, never
the worker, which may be long dead.
"""

import os
import select
import signal
import time

from daemon import procfs
from daemon.runs import files
from daemon.runs.redaction import Redactor
from daemon.runs.shim import command
from daemon.runs.shim.logfile import LogFile
from daemon.runs.shim.output import Output, Stream
from daemon.runs.shim.record import exit_record, sentence, timestamp
from daemon.runs.shim.spec import Spec
from daemon.runs.states import EndReason, Event, Stage, advance

READ_SIZE = 256 * 1024
DRAIN_S = 0.2  # what the command leaves behind has this long to finish its output
WALK_S = 0.1  # between two looks for new processes while the tree is being ended
KILL_WALK_S = 0.02
HEAD_START_S = 0.5  # SIGINT reaches the command before its tools: one whose tool ends first may go on instead of ending
RETRY_S = 0.25  # between two attempts to write to a full disk
KILL_PATIENCE_S = 30.0  # then a process that SIGKILL does not end is left to the kernel
SIGNAL_OF = {Stage.INTERRUPTING: signal.SIGINT, Stage.TERMINATING: signal.SIGTERM, Stage.KILLING: signal.SIGKILL}
END_SIGNALS = (signal.SIGTERM, signal.SIGINT)
FORCE_SIGNAL = signal.SIGQUIT


class Keeper:
    """One command, from its start to its exit record."""

    def __init__(self, spec: Spec, run_dir: str, wakeup: int, redactor: Redactor) -> None:
        self.spec = spec
        self.run_dir = run_dir
        self.redactor = redactor
        self.log = LogFile(spec.log_path)
        self.output = Output(self.log, redactor, spec.max_bytes)
        self.stage = Stage.RUNNING
        self.cause: EndReason | None = None
        self.by: str | None = None
        self.errors: list[str] = []
        self.status: int | None = None  # the command's, as waitpid gives it
        self.started_at = timestamp()
        self.ended_at: str | None = None
        self._started = self._ended = time.monotonic()
        self._stage_ends = float("inf")
        self._next_walk = self._next_retry = 0.0
        self._signalled: set[tuple[int, int]] = set()
        self._wakeup = wakeup
        self._poll = select.poll()
        self._poll.register(wakeup, select.POLLIN)
        self._open: dict[int, Stream] = {}  # our ends of the pipes
        self._polled: set[int] = set()
        self._left = 4 * command.PIPE_SIZE  # what is still read once every process is gone
        self.pid = 0

    # -- start ----------------------------------------------------------------------------------------------------

    def start(self) -> bool:
        """Start the command and say so in shim.json. False when it could not be started (the reason is kept)."""
        # Marks, by which the worker finds what is left of the run should this shim be killed.
        marks = {"CLAUDEOPS_RUN_ID": self.spec.run_id, "CLAUDEOPS_RUN_DIR": self.run_dir}
        try:
            started = command.start(self.spec.argv, self.spec.env | marks, self.spec.cwd, self.spec.stdin)
        except (command.SpawnError, OSError, ValueError) as error:
            self.cause = EndReason.SPAWN_FAILED
            self.errors.append(str(error))
            self.output.remark(str(error))
            return False
        self.pid = started.pid
        self._open = {started.stdout: self.output.stdout, started.stderr: self.output.stderr}
        me = os.getpid()
        facts = {
            "pid": me,
            "start_time": procfs.start_time(me),
            "command_pid": self.pid,
            "command_start_time": procfs.start_time(self.pid),
            "started_at": self.started_at,
        }
        try:
            files.write_json(os.path.join(self.run_dir, files.SHIM), facts)
        except OSError as error:
            # Without it no later worker could find this run: better none than one that nobody watches.
            self.errors.append(f"{files.SHIM} cannot be written: {error.strerror}")
            self._end(EndReason.DISK_FULL, Event.FORCE)
        return True

    # -- loop -----------------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Until no process is left below us."""
        while self.stage is not Stage.GONE or self.log.backlog or self._drain():
            self._choose()
            for fd, _ in self._poll.poll(self._timeout_ms()):
                if fd == self._wakeup:
                    self._signals()
                elif fd in self._open:
                    self._read(fd)
            self._clock()

    def _choose(self) -> None:
        """Poll the streams that are wanted now. (A closed pipe that is polled for nothing would still wake us.)"""
        for fd, stream in self._open.items():
            wanted = self.output.wants(stream)
            if wanted and fd not in self._polled:
                self._poll.register(fd, select.POLLIN)
                self._polled.add(fd)
            elif not wanted and fd in self._polled:
                self._poll.unregister(fd)
                self._polled.discard(fd)

    def _read(self, fd: int) -> bool:
        """Take one piece of output. False when there is none now."""
        try:
            chunk = os.read(fd, READ_SIZE)
        except BlockingIOError:
            return False
        stream = self._open[fd]
        if chunk:
            self.output.feed(stream, chunk)
            if self.output.over and self.cause is None:
                self._end(EndReason.QUOTA, Event.STOP)
            return True
        self._close(fd)
        self.output.end(stream)
        return False

    def _close(self, fd: int) -> None:
        if fd in self._polled:
            self._poll.unregister(fd)
            self._polled.discard(fd)
        del self._open[fd]
        os.close(fd)

    def _drain(self) -> bool:
        """Read what the pipes still hold. Whoever holds their other ends now is none of ours, and is not waited for.

        True when the disk is full in between: call again once it took what waits.
        """
        for fd in list(self._open):
            while self._left > 0 and fd in self._open and self._read(fd):
                self._left -= READ_SIZE
                if self.log.backlog:
                    return True
            if fd in self._open:
                self._close(fd)
        return False

    # -- signals --------------------------------------------------------------------------------------------------

    def _signals(self) -> None:
        try:
            received = os.read(self._wakeup, 4096)
        except BlockingIOError:
            return
        for signum in received:
            if signum in END_SIGNALS:
                self._asked(Event.STOP if self.cause is None else Event.FORCE)
            elif signum == FORCE_SIGNAL:
                self._asked(Event.FORCE)
        self._reap()

    def _asked(self, event: Event) -> None:
        """Someone wants the command ended; stop.json says who and why."""
        wish = files.read_json(os.path.join(self.run_dir, files.STOP)) or {}
        reason = EndReason.STOPPED if wish.get("reason") == EndReason.STOPPED else EndReason.INTERRUPTED
        by = wish.get("by")
        self._end(reason, event, by if isinstance(by, str) and by else None)

    def _reap(self) -> None:
        """Collect every child that has ended: the command, and the orphans that came to us."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                # A subreaper without children has no descendants.
                if self.stage is not Stage.GONE:
                    self._enter(Event.TREE_EMPTY)
                return
            if pid == 0:
                return
            if pid == self.pid and self.status is None:
                self.status = status
                self.ended_at = timestamp()
                self._ended = time.monotonic()
                if self.stage is not Stage.GONE:
                    self._enter(Event.COMMAND_EXITED)

    # -- ending ---------------------------------------------------------------------------------------------------

    def _end(self, reason: EndReason, event: Event, by: str | None = None) -> None:
        """End the tree. The first cause counts; a command that has ended by itself keeps its own end."""
        if self.cause is None:
            ended = self.status is not None and reason is not EndReason.QUOTA
            self.cause = EndReason.EXITED if ended else reason
            if not ended:
                self.by = by
                self.output.remark(sentence(reason, by, self.spec.timeout_s, self.spec.max_bytes))
        if self.stage is not Stage.GONE:
            self._enter(event)

    def _enter(self, event: Event) -> None:
        before, self.stage = self.stage, advance(self.stage, event)
        if self.stage is before:
            return
        grace = {
            Stage.DRAINING: DRAIN_S,
            Stage.INTERRUPTING: self.spec.grace_int_s,
            Stage.TERMINATING: self.spec.grace_term_s,
            Stage.KILLING: KILL_PATIENCE_S,
        }
        self._stage_ends = time.monotonic() + grace.get(self.stage, float("inf"))
        self._signalled.clear()
        self._next_walk = 0.0

    def _clock(self) -> None:
        """All that happens because time has passed."""
        now = time.monotonic()
        self.output.tick()
        if self.cause is None and self.status is None and now >= self._started + self.spec.timeout_s:
            self._end(EndReason.TIMED_OUT, Event.STOP)
        if self.log.backlog and now >= self._next_retry:
            self._next_retry = now + RETRY_S
            self.log.retry()
        if self.log.failing_for() >= self.spec.disk_patience_s and not self.log.given_up:
            self.log.give_up()
            self.errors.append(f"the log could not be written for {self.spec.disk_patience_s:g} s: {self.log.trouble}")
            if self.cause is None:
                self._end(EndReason.DISK_FULL, Event.STOP)
        if now >= self._stage_ends:
            self._grace_over()
        if self.stage in SIGNAL_OF and now >= self._next_walk:
            self._next_walk = now + (KILL_WALK_S if self.stage is Stage.KILLING else WALK_S)
            self._signal_tree(SIGNAL_OF[self.stage])
            self._reap()

    def _grace_over(self) -> None:
        if self.stage is not Stage.KILLING:
            self._enter(Event.GRACE_OVER)
            return
        left = ", ".join(map(str, procfs.descendants(os.getpid())))
        self.errors.append(f"these processes could not be ended, even by SIGKILL: {left}")
        self._enter(Event.GIVE_UP)

    def _signal_tree(self, signum: int) -> None:
        """Signal each process below us once in a stage; those that are new since the last look, too."""
        head_start_ends = self._stage_ends - self.spec.grace_int_s + HEAD_START_S
        early = signum == signal.SIGINT and time.monotonic() < head_start_ends
        for pid in procfs.descendants(os.getpid()):
            started = procfs.start_time(pid)
            if started is None or (pid, started) in self._signalled or (early and pid != self.pid):
                continue
            self._signalled.add((pid, started))
            try:
                procfs.signal_process(pid, started, signum)
                # One that is stopped (SIGSTOP, a debugger) would not notice.
                procfs.signal_process(pid, started, signal.SIGCONT)
            except PermissionError:
                self.errors.append(f"process {pid} belongs to another user and cannot be signalled")

    def _timeout_ms(self) -> float:
        now = time.monotonic()
        due = self._stage_ends
        if self.cause is None and self.status is None:
            due = min(due, self._started + self.spec.timeout_s)
        if self.stage in SIGNAL_OF:
            due = min(due, self._next_walk)
        if self.log.backlog:
            due = min(due, self._next_retry)
        if self.output.waiting():
            due = min(due, now + WALK_S)
        return max(0.0, min(due - now, 3600.0)) * 1000

    # -- the end --------------------------------------------------------------------------------------------------

    def finish(self) -> dict[str, object]:
        """Close the log; the exit record. It is written after that: whoever sees it can rely on a whole log."""
        last = [f"log limit reached, {self.output.cut} bytes cut"] if self.output.over else []
        if self.log.lost:
            last.append(f"the log could not be written ({self.log.trouble}), {self.log.lost} bytes are lost")
        self.output.close(*last)
        if self.log.lost and not self.log.given_up:
            self.errors.append(f"the end of the log could not be written: {self.log.trouble}")
        return exit_record(
            self.cause or EndReason.EXITED,
            self.status,
            by=self.by,
            error=self.redactor.text("; ".join(dict.fromkeys(self.errors))) or None,
            started_at=self.started_at,
            ended_at=self.ended_at,
            duration_s=self._ended - self._started,
            written=self.log.size,
            lines=self.log.lines,
            cut=self.output.cut + self.log.lost,
        )
