"""Starting a run: its directory, its lock, its shim, and what the shim is told. Called by the executor."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import msgspec

from daemon import title
from daemon.runs import files, shim
from daemon.runs.run import Run
from daemon.runs.spec import RunSpec, known, told
from schema import timestamps

SHIM = str(Path(shim.__file__).with_name("__main__.py"))
SHIM_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
START_SECONDS = 60.0


class LaunchError(Exception):
    """The run could not be started for a reason of ours, not the command's; nothing runs."""


async def launch(spec: RunSpec, runs_dir: Path) -> Run:
    """Start a run in `runs_dir`/<run id>, and return once its command runs, or has failed to start (see `Run.wait`).

    LaunchError when the run directory exists already, no shim can be started, or it starts nothing within
    START_SECONDS; it has been killed then, and its directory may stay. If the caller is cancelled, a run that the shim
    knows whole goes on and can be adopted; one that it does not, never starts.
    """
    run_dir = runs_dir.absolute() / spec.run_id
    try:
        run_dir.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise LaunchError(f"run {spec.run_id} exists already in {runs_dir}: a run id is used once") from None
    document = told(spec, run_dir, title.extension())
    try:
        ours, child, pidfd = _spawn(spec, run_dir)
    except OSError as error:
        shutil.rmtree(run_dir)
        raise LaunchError(f"no shim can be started for run {spec.run_id}: {error}") from error
    with ours:
        run = Run(run_dir, spec.log_path, pidfd=pidfd, child=child)
        try:
            async with asyncio.timeout(START_SECONDS):
                await _tell(ours, document)
        except ConnectionError:
            pass  # the shim is dead: `wait` finds out what it left
        except OSError as error:
            child.kill()  # and the command with it; `run` lives until the loop has seen its end
            raise LaunchError(_why_not(spec, error)) from error
        except BaseException:
            run.close()
            raise
    return run


async def _tell(ours: socket.socket, document: bytes) -> None:
    """What to run; returns once the shim has said "started", or has ended without starting anything."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(ours, document)
    ours.shutdown(socket.SHUT_WR)
    await loop.sock_recv(ours, 64)


def _why_not(spec: RunSpec, error: OSError) -> str:
    if not isinstance(error, TimeoutError):
        return f"the shim of run {spec.run_id} can't be talked to: {error}"
    return (
        f"run {spec.run_id} has not started within {START_SECONDS:g} s; {spec.argv[0]} or {spec.cwd} may lie on a mount"
        " that does not answer: see that it does, then try again"
    )


def _spawn(spec: RunSpec, run_dir: Path) -> tuple[socket.socket, subprocess.Popen[bytes], int]:
    """Fill the run directory and start the shim; our end of its channel (non-blocking), the shim, and its pidfd."""
    files.write_json(run_dir / files.SPEC, msgspec.to_builtins(known(spec, timestamps.now())))
    if spec.stdin is not None:
        text = spec.stdin.encode(errors="surrogateescape") if isinstance(spec.stdin, str) else spec.stdin
        _write(run_dir / files.STDIN, text)
    with contextlib.ExitStack() as inherited:
        lock = os.open(run_dir / files.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        inherited.callback(os.close, lock)
        errors = os.open(run_dir / files.ERRORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        inherited.callback(os.close, errors)
        # The lock belongs to the open file, which the shim inherits: it is held until the shim is gone.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours, theirs = socket.socketpair()
        inherited.enter_context(theirs)
        ours.setblocking(False)
        try:
            child = subprocess.Popen(
                [sys.executable, "-I", "-S", "-X", "utf8", SHIM, str(theirs.fileno()), str(lock), str(run_dir)],
                pass_fds=(theirs.fileno(), lock),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env=SHIM_ENVIRONMENT,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        try:
            return ours, child, os.pidfd_open(child.pid)
        except OSError:
            ours.close()
            child.kill()  # it has been told nothing
            child.wait()
            raise


def _write(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        files.write_all(fd, data)
    finally:
        os.close(fd)
