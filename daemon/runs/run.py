"""A handle on one run, started here or adopted: wait for its end, stop it, kill it.

The shim is watched through a pidfd, the same way whether it is our child or not.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from daemon import procfs
from daemon.runs import files
from daemon.runs.record import ExitRecord, ShimRecord, read_exit, read_shim, write_interrupted
from daemon.runs.states import EndReason
from daemon.runs.sweep import sweep

SHIM_KILLED = "the process that kept this run was killed; what was left of the run has been ended"
GO_ON_S = 5.0
NEVER_STARTED = "the daemon was killed before it had told what to run; nothing was started"


class RunClosed(Exception):  # noqa: N818 - the domain's word
    """The handle was let go of while the run goes on."""


class Run:
    """One run. `pidfd` is None when its shim is dead already. Belongs to the loop it was made in."""

    def __init__(
        self, run_dir: Path, log_path: str, *, pidfd: int | None, child: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.run_id = run_dir.name
        self.run_dir = run_dir
        self.log_path = log_path
        self._pidfd = pidfd
        self._child = child
        self._shim_gone = asyncio.Event()
        self._settling = asyncio.Lock()
        self._asked = False
        self._closed = False
        if pidfd is None:
            self._shim_gone.set()
        else:
            asyncio.get_running_loop().add_reader(pidfd, self._on_shim_exit)

    @property
    def processes(self) -> ShimRecord | None:
        """Pids and start times of the shim and its command; None if nothing was started."""
        return read_shim(self.run_dir)

    async def wait(self) -> ExitRecord:
        """The exit record, once no process of the run is left. Any number of callers may wait; each may be cancelled.

        If the shim was killed, what it left behind is swept up first, and the run is recorded as interrupted.
        RunClosed after `close`, unless the run has ended.
        """
        await self._end_of_shim()
        async with self._settling:
            record = read_exit(self.run_dir)
            if record is not None:
                return record
            if self._closed:
                raise RunClosed(f"run {self.run_id} was let go of and goes on: adopt it again to wait for it")
            await sweep(self.run_dir)
            return write_interrupted(self.run_dir, SHIM_KILLED if self.processes else NEVER_STARTED)

    def stop(self, reason: EndReason = EndReason.STOPPED, by: str = "") -> bool:
        """Ask the shim to end the command: SIGINT, SIGTERM, SIGKILL to the whole tree, each with its grace.

        Returns at once; `wait` tells the end. A second call changes nothing. `reason` is STOPPED or INTERRUPTED, `by`
        who wanted it. False when the run has ended already, or was asked before.
        """
        if self._asked:
            return False
        self._asked = self._signal(signal.SIGTERM, reason, by)
        return self._asked

    def kill(self, reason: EndReason = EndReason.STOPPED, by: str = "") -> bool:
        """The same without grace: SIGKILL to the whole tree now. The exit record is still written."""
        return self._signal(signal.SIGQUIT, reason, by)

    def close(self) -> None:
        """Let go of the run, which goes on. For a worker that ends while its runs stay."""
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
            self._closed = True
            self._shim_gone.set()
        if self._child is not None and self._child.poll() is None:
            # Whoever adopts our orphans reaps it; without a return code Popen would warn of a forgotten child.
            self._child.returncode = 0
        self._child = None

    def _signal(self, signum: int, reason: EndReason, by: str) -> bool:
        if reason not in (EndReason.STOPPED, EndReason.INTERRUPTED):
            raise ValueError(f"a run cannot be stopped with reason {reason.value}: only stopped or interrupted")
        if self._pidfd is None:
            return False
        wish = self.run_dir / files.STOP
        # The first wish stands: it says why the run ends, a later one only hurries it.
        if not wish.exists():
            try:
                files.write_json(wish, {"reason": reason.value, "by": by})
            except OSError as error:
                # Better ended as "interrupted" than not ended.
                print(f"run {self.run_id}: the reason of its stop is lost: {error}", file=sys.stderr, flush=True)
        sent = self._send(signum)
        self._send(signal.SIGCONT)  # one that stands still hears of it only then
        return sent

    async def _end_of_shim(self) -> None:
        """Waits for it. One that was stopped, by a call of its session say, keeps no timeout: it is made to go on."""
        while not self._shim_gone.is_set():
            self._send(signal.SIGCONT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GO_ON_S):
                    await self._shim_gone.wait()

    def _send(self, signum: int) -> bool:
        """Whether there was somebody to signal."""
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signum)
                return True
        return False

    def _on_shim_exit(self) -> None:
        pidfd, self._pidfd = self._pidfd, None
        if pidfd is not None:
            asyncio.get_running_loop().remove_reader(pidfd)
            os.close(pidfd)
        if self._child is not None:
            self._child.wait()  # it has ended: this only reaps it
            self._child = None
        self._shim_gone.set()


def open_shim(pid: int, start_time: int) -> int | None:
    """A pidfd for the process with this pid and this start time; None when there is none (any more)."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    if procfs.start_time(pid) != start_time:
        os.close(pidfd)
        return None
    return pidfd
