"""Signals as bytes in a pipe: the handlers do nothing, the loop reads the numbers and acts."""

import os
import signal

HANDLED = (
    signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD,
)  # fmt: skip


def hold() -> None:
    """Has signals wait until there are handlers. PID 1 would miss one that comes before, for ever."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)


class Signals:
    """The reading end is `descriptor`; `read` gives what has come."""

    def __init__(self) -> None:
        self.descriptor, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        for signum in HANDLED:
            signal.signal(signum, lambda *_: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self.let()

    def let(self) -> None:
        """Lets signals come again, those that were held first."""
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    def read(self) -> set[int]:
        """The signals since the last call; many of one kind are one."""
        try:
            return set(os.read(self.descriptor, 4096))
        except BlockingIOError:
            return set()
