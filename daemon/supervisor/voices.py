"""What worker and web process say on standard output and error, where their lines are to be JSON, or in the log file.

Each has a pipe; its lines become records of the log. A traceback is one record. So is whatever a library, a dying
interpreter or a stack dump prints. Called by `daemon.supervisor.loop`; opened by `daemon.supervisor.children`.
"""

import os
import re
import select
from collections.abc import Sequence

from daemon.supervisor import rules
from daemon.supervisor.log import LOG

READ_MAX = 65536
LINE_MAX = 65536
TRACE_MAX = 500  # lines
SILENCE = 0.05
TRACE = "Traceback (most recent call last):"
# How our own lines begin ("worker: ", "session 7: "), and those of asyncio and the interpreter.
RECORD = re.compile(r"[a-z][\w .-]{0,40}: |Task exception |Exception (?:in|ignored) ")
DUMP = ("Fatal Python error", "Thread 0x", "Current thread 0x")
# What stands between two tracebacks that belong together.
BETWEEN = (
    "",
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)


class Voice:
    """One pipe, and what has not become a record yet."""

    def __init__(self, process: str, descriptor: int) -> None:
        self.process = process
        self.descriptor = descriptor
        self._rest = b""
        self._trace: list[str] = []

    def read(self) -> bool:
        """Takes what has come; False at its end."""
        try:
            data = os.read(self.descriptor, READ_MAX)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_MAX:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._take(line.decode("utf-8", "replace").rstrip("\r"))
        if not data:
            self.flush()
        return bool(data)

    def flush(self) -> None:
        """What is half said counts as said."""
        if self._rest:
            self._take(self._rest.decode("utf-8", "replace"))
            self._rest = b""
        self._tell_trace()

    def _take(self, line: str) -> None:
        if self._trace:
            if self._goes_on(line) and len(self._trace) < TRACE_MAX:
                self._trace.append(line)
                return
            if self._trace[0] == TRACE and (not self._is_over() or not RECORD.match(line)):
                self._trace.append(line)  # the exception itself, which is not indented, and the rest of its message
                return
            self._tell_trace()
        if line == TRACE or line.startswith(DUMP):
            self._trace = [line]
        elif line.strip():
            text = line.removeprefix(f"{self.process}: ")
            LOG.write(self.process, rules.level_of(text), text)

    def _goes_on(self, line: str) -> bool:
        return line.startswith((" ", "\t")) or line == TRACE or line.startswith(DUMP) or line in BETWEEN

    def _is_over(self) -> bool:
        """Whether the exception that ends a traceback has been said already."""
        last = next((line for line in reversed(self._trace) if line.strip()), TRACE)
        return not last.startswith((" ", "\t")) and last != TRACE and last not in BETWEEN

    def _tell_trace(self) -> None:
        if self._trace:
            lines, self._trace = self._trace, []
            LOG.write(self.process, "error", _title(lines), "\n".join(lines))

    @property
    def waits(self) -> bool:
        """Whether a traceback may be over, which only silence tells."""
        return bool(self._trace)

    def quiet(self) -> None:
        """Nothing more has come for a while."""
        if not self._rest:
            self._tell_trace()


def _title(lines: list[str]) -> str:
    """The line that names what was raised last; of a stack dump, the first."""
    if lines[0] != TRACE:
        return lines[0]
    last = max(index for index, line in enumerate(lines) if line == TRACE)
    return next((line for line in lines[last + 1 :] if line.strip() and not line.startswith((" ", "\t"))), lines[-1])


class Voices:
    """All of them."""

    def __init__(self) -> None:
        self._voices: list[Voice] = []

    def open(self, process: str) -> int | None:
        """The end of a new pipe for a child to write to; None where children write where the supervisor does."""
        if not LOG.gathers:
            return None
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(ours, False)
        self._voices.append(Voice(process.removesuffix(" standby"), ours))
        return theirs

    def adopt(self, handed: Sequence[Sequence[object]]) -> None:
        """Goes on with those of the process that re-executed into this one."""
        for process, descriptor in handed:
            os.set_inheritable(int(str(descriptor)), False)
            self._voices.append(Voice(str(process), int(str(descriptor))))

    def facts(self) -> list[tuple[str, int]]:
        """What a re-execution hands over; what is half said is said before."""
        for voice in self._voices:
            voice.flush()
        return [(voice.process, voice.descriptor) for voice in self._voices]

    def select(self, reading: Sequence[int], writing: Sequence[int], seconds: float) -> None:
        """Waits as `select.select` does, and for them too; takes what has come of theirs."""
        ours = [voice.descriptor for voice in self._voices]
        if any(voice.waits for voice in self._voices):
            seconds = min(seconds, SILENCE)
        ready, _, _ = select.select([*reading, *ours], writing, [], seconds)
        if ours:
            self.read(ready)

    def read(self, ready: Sequence[int], *, to_the_end: bool = False) -> None:
        """Takes what has come; from those that say nothing, what they had begun."""
        for voice in list(self._voices):
            if voice.descriptor not in ready and not to_the_end:
                voice.quiet()
                continue
            if not self._hear(voice, to_the_end=to_the_end):
                os.close(voice.descriptor)
                self._voices.remove(voice)

    def _hear(self, voice: Voice, *, to_the_end: bool) -> bool:
        while True:
            before = _waiting(voice.descriptor)
            if to_the_end and not before:
                voice.flush()
                return True
            if not voice.read():
                return False
            if not to_the_end:
                return True


def _waiting(descriptor: int) -> int:
    """How many bytes wait in a pipe."""
    import fcntl
    import struct
    import termios

    return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0])


VOICES = Voices()
