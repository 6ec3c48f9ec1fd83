"""One child of the supervisor: how it is started, what it says on its channel, how it ends.

fork, then exec of a fresh interpreter: new code after an upgrade, no inherited state, and an environment of its own.
"""

import itertools
import json
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from daemon import native
from daemon.supervisor import rules
from daemon.supervisor.log import Limit, log
from daemon.supervisor.rules import ProcessState
from daemon.supervisor.voices import VOICES

LINE_MAX = 1024 * 1024
UNSAID_MAX = 4 * 1024 * 1024
GARBAGE_LINES = 5
Message = dict[str, Any]


class Program(NamedTuple):
    """What a child runs: its arguments, and its environment and descriptors as they are when it starts."""

    argv: list[str]
    environment: Callable[[], Mapping[str, str]]
    descriptors: Mapping[str, int]


class Child:
    """A process in the table. Times are monotonic seconds."""

    def __init__(self, name: str, program: Program) -> None:
        self.name = name
        self.program = program
        self.state = ProcessState.STOPPED
        self.pid: int | None = None
        self.channel: socket.socket | None = None
        self.note: Message = {}
        self.restarts = -1
        self.failures = 0
        self.ends: deque[tuple[float, bool]] = deque(maxlen=2000)
        self.anew = 0
        self.given_up = False
        self.started_at = 0.0
        self.ready_at: float | None = None
        self.beat_at = 0.0
        self.heard_at = float("-inf")
        self.due_at = 0.0
        self.kill_at: float | None = None
        self.again = False
        self.stood_by = False
        self.last_exit: str | None = None
        self._garbage = Limit(GARBAGE_LINES)
        self._heard = b""
        self._cut = False
        self._unsaid = b""

    def become(self, state: ProcessState) -> None:
        """Changes state, as the table allows."""
        self.state = rules.follow(self.state, state)

    def start(self, now: float) -> None:
        """Starts the program. OSError if there can be no process; nothing is left then."""
        parent = os.getpid()
        ours, theirs = socket.socketpair()
        try:
            voice = VOICES.open(self.name)
        except OSError:
            ours.close()
            theirs.close()
            raise
        # A signal that comes to the child before its handlers are reset would look like one of ours.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
            if pid == 0:
                self._exec(theirs.fileno(), parent, voice)
        except OSError:
            ours.close()
            theirs.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            if voice is not None:
                os.close(voice)
        theirs.close()
        ours.setblocking(False)
        self.channel = ours
        self._began(pid, now)
        self.become(ProcessState.STARTING)
        self.restarts += 1
        self.ready_at = None
        self.stood_by = False

    def not_started(self, why: OSError, now: float, chance: float) -> None:
        """Takes note that there could be no process; it is tried again after a while, spread by `chance` in [0, 1)."""
        log(f"{self.name} can't be started: {why.strerror}", "error")
        self.failures += 1
        self.due_at = now + max(rules.FIRST_DELAY, rules.delay(self.failures, chance))
        if self.state is not ProcessState.BACKOFF:
            self.become(ProcessState.BACKOFF)

    def take(self, other: "Child", now: float) -> None:
        """Goes on as the process of another child, which has been started already and now is that child's no longer."""
        if other.pid is None:
            raise ValueError(f"{other.name} has no process")
        pid, other.pid = other.pid, None
        self.channel, other.channel = other.channel, None
        other.become(ProcessState.STOPPED)
        self._began(pid, now)
        self.become(ProcessState.STARTING)
        self.restarts += 1
        self.ready_at = None
        self.stood_by = True

    def _began(self, pid: int, now: float) -> None:
        self.pid = pid
        self.started_at = self.beat_at = now
        self.kill_at, self.again, self.note = None, False, {}
        self._heard, self._cut, self._unsaid = b"", False, b""

    def adopt(self, pid: int, channel: int | None, now: float, ready: bool) -> None:
        """Takes over a child of this process from before it was re-executed; one without a channel counts as silent."""
        if channel is not None:
            self.channel = socket.socket(fileno=channel)
            self.channel.setblocking(False)
            os.set_inheritable(channel, False)
        self._began(pid, now)
        self.become(ProcessState.STARTING)
        self.heard_at = now
        if ready:
            self.become(ProcessState.RUNNING)
            self.ready_at = now

    def _exec(self, channel: int, parent: int, voice: int | None) -> None:
        """In the child: never returns."""
        try:
            native.die_with_parent(signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(70)
            signal.set_wakeup_fd(-1)
            for signum in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                if signum < signal.SIGRTMIN:
                    signal.signal(signum, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.setpgid(0, 0)
            if voice is not None:
                os.dup2(voice, 1)
                os.dup2(voice, 2)
            environment = dict(self.program.environment())
            handed = {**self.program.descriptors, "CLAUDEOPS_CONTROL_FD": channel}
            for name, descriptor in handed.items():
                os.set_inheritable(descriptor, True)
                environment[name] = str(descriptor)
            # Whoever started us may have left descriptors open.
            edges = [2, *sorted(handed.values()), os.sysconf("SC_OPEN_MAX")]
            for low, high in itertools.pairwise(edges):
                os.closerange(low + 1, high)
            os.execve(self.program.argv[0], self.program.argv, environment)
        except BaseException as error:  # noqa: BLE001 - nothing of the supervisor may run on in the child
            log(f"{self.name} can't be started: {error!r}", "error")
        os._exit(70)

    def messages(self, *, to_the_end: bool = False) -> list[Message]:
        """What the child has said since the last call. Garbage is reported and left out.

        A child that never stops talking must not keep the loop: only `to_the_end` reads all there is.
        """
        found: list[Message] = []
        while self.channel is not None:
            try:
                data = self.channel.recv(65536)
            except BlockingIOError:
                break
            except ConnectionResetError:
                data = b""  # it has ended without reading all that it was told
            except OSError as error:
                log(f"{self.name}: its channel failed: {error.strerror}", "warning")
                data = b""
            if not data:
                self.hang_up()
                break
            found += self._take(data)
            if not to_the_end:
                break
        return found

    def _take(self, data: bytes) -> list[Message]:
        *lines, self._heard = (self._heard + data).split(b"\n")
        if self._cut and lines:
            lines.pop(0)  # the end of the line that was left out
            self._cut = False
        if self._cut or len(self._heard) > LINE_MAX:
            if not self._cut:
                self._garbage.log(f"{self.name}: a line of its channel has no end; left out")
            self._heard, self._cut = b"", True
        return [message for line in lines if (message := self._read(line)) is not None]

    def _read(self, line: bytes) -> Message | None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self._garbage.log(f"{self.name}: not a message: {line[:120]!r}")
            return None
        return message

    def tell(self, message: Message) -> None:
        """Says something to the child; what its channel does not take at once waits. A deaf one is hung up on."""
        if self.channel is None:
            return
        if len(self._unsaid) > UNSAID_MAX:
            log(f"{self.name}: does not read its channel", "warning")
            self.hang_up()
            return
        self._unsaid += json.dumps(message).encode() + b"\n"
        self.say()

    def waits(self) -> bool:
        """Whether something is left to say."""
        return self.channel is not None and bool(self._unsaid)

    def say(self) -> None:
        """Says as much of what waits as the channel takes."""
        if self.channel is None:
            return
        try:
            sent = self.channel.send(self._unsaid)
        except BlockingIOError:
            return
        except OSError:
            self.hang_up()
            return
        self._unsaid = self._unsaid[sent:]

    def hang_up(self) -> None:
        """Closes the channel. A child that lives on is silent from here, which its heartbeat tells."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None

    def signal(self, signum: int) -> None:
        """Sends a signal, if the child is there."""
        if self.pid is not None:
            try:
                os.kill(self.pid, signum)
            except ProcessLookupError:
                return  # it has ended, and is about to be reaped

    def stop(self, now: float, *, sessions: str, again: bool) -> None:
        """Asks the child to end, once: by its channel, then by SIGTERM. `again`: it is started anew afterwards."""
        self.again = again
        if self.state is ProcessState.STOPPING or self.pid is None:
            return
        self.tell({"command": "stop", "sessions": sessions})
        self.become(ProcessState.STOPPING)
        self.kill_at = now + rules.STOP_GRACE
        self.signal(signal.SIGTERM)
        # A stopped process handles nothing before it goes on.
        self.signal(signal.SIGCONT)

    def abort(self, now: float) -> None:
        """Has a silent child print its stacks and end; it is killed if it can't."""
        self.become(ProcessState.STOPPING)
        self.again = True
        self.kill_at = now + rules.ABORT_GRACE
        self.signal(signal.SIGABRT)
        self.signal(signal.SIGCONT)

    def kill_if_due(self, now: float) -> None:
        """Kills it once its time to end is over."""
        if self.pid is not None and self.kill_at is not None and now >= self.kill_at:
            self.kill_at = None
            log(f"{self.name} does not end; killing it", "error")
            self.signal(signal.SIGKILL)

    def ended(self, status: int) -> None:
        """Takes note of the end of the process."""
        self.hang_up()
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            known = number in {item.value for item in signal.Signals}
            self.last_exit = signal.Signals(number).name if known else f"signal {number}"
        else:
            self.last_exit = f"exit code {os.WEXITSTATUS(status)}"
        self.pid = self.kill_at = None


def python(module: str) -> list[str]:
    """The command that runs one of our modules. Tracebacks name no columns: half a MiB in memory that would be."""
    return [sys.executable, "-X", "no_debug_ranges", "-m", module]
