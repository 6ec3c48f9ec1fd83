"""Finding the runs that are on disk, and taking up those that live. Called once, when the worker starts."""

import asyncio
import fcntl
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import msgspec

from daemon import procfs
from daemon.runs import files
from daemon.runs.record import read_exit, read_shim
from daemon.runs.rules import Verdict, judge
from daemon.runs.run import Run, open_shim
from daemon.runs.spec import KnownSpec, read_known

START_PATIENCE_S = 5.0  # a shim that has its lock, and not yet its shim.json
PAUSE_S = 0.02
REMOVED = ".removed-"


class RunAlive(Exception):  # noqa: N818 - the domain's word
    """The run directory is in use by a living shim."""


class Found(msgspec.Struct, frozen=True):
    """A run on disk. `run` works for each verdict: `run.wait()` gives the end of a lost run, too, sweeping up first.

    `spec` is None when spec.json is missing (the worker was killed before it was written): nothing ran.
    """

    verdict: Verdict
    run: Run
    spec: KnownSpec | None


async def adopt_all(runs_dir: Path) -> list[Found]:
    """Every run directory below `runs_dir`, oldest name first; a missing directory holds none."""
    if not runs_dir.is_dir():
        return []
    found = []
    for entry in sorted(runs_dir.absolute().iterdir()):
        if entry.name.startswith(REMOVED):
            _finish_removal(entry)
        elif entry.is_dir():
            found.append(entry)
    return list(await asyncio.gather(*(adopt(run_dir) for run_dir in found)))


def _finish_removal(aside: Path) -> None:
    """A removal that was cut short; one that fails again is no reason not to start."""
    try:
        shutil.rmtree(aside)
    except OSError as error:
        told = f"runs: can't remove {aside}: {error}; nobody needs it any more, remove it by hand"
        print(told, file=sys.stderr, flush=True)


async def adopt(run_dir: Path) -> Found:
    """Judge one run directory, and take hold of its shim if it lives."""
    deadline = time.monotonic() + START_PATIENCE_S
    verdict, pidfd = _judge(run_dir, waited_long=False)
    while verdict is Verdict.UNCLEAR:
        await asyncio.sleep(PAUSE_S)
        verdict, pidfd = _judge(run_dir, waited_long=time.monotonic() >= deadline)
    if verdict is Verdict.LOST:
        _kill_holder(run_dir)
    spec = read_known(run_dir)
    return Found(verdict, Run(run_dir, spec.log_path if spec else "", pidfd=pidfd), spec)


def _judge(run_dir: Path, *, waited_long: bool) -> tuple[Verdict, int | None]:
    """The verdict, and for a live run the pidfd of its shim."""
    shim = read_shim(run_dir)
    pidfd = open_shim(shim.pid, shim.start_time) if shim else None
    # The lock before the exit record: a shim that ends in between has written it.
    held = lock_held(run_dir)
    verdict = judge(
        ended=read_exit(run_dir) is not None,
        lock_held=held,
        shim_known=shim is not None,
        shim_alive=pidfd is not None,
        waited_long=waited_long,
    )
    if verdict is not Verdict.LIVE and pidfd is not None:
        os.close(pidfd)
        pidfd = None
    return verdict, pidfd


def lock_held(run_dir: Path) -> bool:
    """Whether a shim holds the lock of the run directory."""
    try:
        fd = os.open(run_dir / files.LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _kill_holder(run_dir: Path) -> None:
    """End a shim that hangs before it has started anything; the lock file says who it is."""
    if not lock_held(run_dir):
        return
    holder = files.read_json(run_dir / files.LOCK) or {}
    pid, started = holder.get("pid"), holder.get("start_time")
    if isinstance(pid, int) and isinstance(started, int):
        procfs.signal_process(pid, started, signal.SIGKILL)


def remove(run_dir: Path) -> None:
    """Delete a run directory, once what it says is in the database. The log stays. RunAlive while a shim holds it."""
    if lock_held(run_dir):
        raise RunAlive(f"run {run_dir.name} is still kept by its shim: stop it first")
    # Renamed first: half a directory would look like a lost run.
    aside = run_dir.with_name(REMOVED + run_dir.name)
    run_dir.rename(aside)
    shutil.rmtree(aside)
