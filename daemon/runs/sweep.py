"""Ending what a dead shim left behind: the processes that carry the run's directory in their environment.

The command itself dies with its shim; what it had started in sessions of its own does not. Called for lost runs only:
while a shim lives, it ends its tree itself.
"""

import asyncio
import os
import signal
import time
from pathlib import Path

from daemon import procfs

TERM_GRACE_S = 2.0
KILL_PATIENCE_S = 10.0
PAUSE_S, PAUSE_MAX_S = 0.02, 0.5


def processes_of(run_dir: Path) -> list[tuple[int, int]]:
    """(pid, start time) of every process that we may look at and that was started within the run.

    Known by the directory, not the id alone: another daemon on this machine may count its runs the same way.
    """
    mark = b"CLAUDEOPS_RUN_DIR=" + os.fsencode(run_dir)
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                marked = mark in file.read().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # gone, or another user's: none that we started
        started = procfs.start_time(int(name)) if marked else None
        if started is not None:
            found.append((int(name), started))
    return found


async def sweep(run_dir: Path, term_grace_s: float = TERM_GRACE_S) -> int:
    """End all processes of a run: SIGTERM, then SIGKILL after the grace. How many there were.

    TimeoutError when one is left even after SIGKILL. It looks in a thread, for all of /proc is read each time.
    """
    began = time.monotonic()
    pause = PAUSE_S
    signalled: set[tuple[int, int, int]] = set()
    while left := await asyncio.to_thread(processes_of, run_dir):
        waited = time.monotonic() - began
        if waited > term_grace_s + KILL_PATIENCE_S:
            pids = ", ".join(str(pid) for pid, _ in left)
            raise TimeoutError(
                f"processes of run {run_dir.name} can't be ended, even by SIGKILL: {pids}; they wait for a device or a"
                " mount that does not answer: bring it back"
            )
        signum = signal.SIGTERM if waited < term_grace_s else signal.SIGKILL
        for pid, started in left:
            if (pid, started, signum) not in signalled:
                signalled.add((pid, started, signum))
                procfs.signal_process(pid, started, signum)
                procfs.signal_process(pid, started, signal.SIGCONT)
        await asyncio.sleep(pause)
        pause = min(2 * pause, PAUSE_MAX_S)
    return len({(pid, started) for pid, started, _ in signalled})
