"""The shim from its first to its last moment: becomes what it must be, keeps one command, leaves the exit record."""

import contextlib
import fcntl
import json
import os
import signal
import sys
import time

from daemon import native, procfs, title
from daemon.runs import files
from daemon.runs.redaction import Redactor
from daemon.runs.shim.c_library import fast_search, keep_buffers
from daemon.runs.shim.keeper import END_SIGNALS, FORCE_SIGNAL, READ_SIZE, Keeper
from daemon.runs.shim.record import exit_record, timestamp, write_record
from daemon.runs.shim.spec import Spec, read_spec
from daemon.runs.states import EndReason

EXIT_NOTHING_STARTED = 66
EXIT_NO_RECORD = 74
DEAF_TO = (signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2)


def main(channel_fd: int, lock_fd: int, run_dir: str) -> None:
    """Run to the end and exit: 0 with an exit record written, 66 when told nothing, 74 when it could not be written."""
    wakeup = settle(lock_fd)
    os.set_inheritable(channel_fd, False)
    spec = read_spec(channel_fd)
    if spec is None:
        sys.exit(EXIT_NOTHING_STARTED)
    if spec.title_module:
        title.show(f"claudeops: run {spec.run_id}", spec.title_module)
    record = run(spec, run_dir, wakeup, channel_fd)
    sys.exit(0 if write_record(run_dir, record) else EXIT_NO_RECORD)


def settle(lock_fd: int) -> int:
    """Leader of a session, subreaper, in no directory, known by the lock file; signals arrive on the returned pipe."""
    os.set_inheritable(lock_fd, False)
    fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    me = os.getpid()
    os.pwrite(lock_fd, json.dumps({"pid": me, "start_time": procfs.start_time(me)}).encode(), 0)
    if os.getsid(0) != me:
        os.setsid()
    os.chdir("/")
    native.become_subreaper()
    keep_buffers(READ_SIZE)
    wakeup, wakeup_end = os.pipe()
    os.set_blocking(wakeup, False)
    os.set_blocking(wakeup_end, False)
    signal.set_wakeup_fd(wakeup_end, warn_on_full_buffer=False)
    for signum in (*END_SIGNALS, FORCE_SIGNAL, signal.SIGCHLD):
        signal.signal(signum, lambda *_: None)
    for signum in DEAF_TO:
        signal.signal(signum, signal.SIG_IGN)
    return wakeup


def run(spec: Spec, run_dir: str, wakeup: int, channel: int) -> dict[str, object]:
    """Keep the command to its end; the exit record, whatever happens."""
    started_at = timestamp()
    redactor = Redactor(spec.secrets, fast_search())
    try:
        files.reserve(run_dir)
        keeper = Keeper(spec, run_dir, wakeup, redactor)
    except OSError as error:
        return exit_record(
            EndReason.SPAWN_FAILED, None, started_at=started_at, error=f"{error.filename or run_dir}: {error.strerror}"
        )
    try:
        if keeper.start():
            report(channel)
            keeper.keep()
        return keeper.finish()
    except Exception as error:  # noqa: BLE001 - a fault of ours must neither leave a process nor lose the record
        import traceback  # a megabyte that no healthy shim needs

        print(redactor.text(traceback.format_exc()), file=sys.stderr)
        kill_all()
        sentence = redactor.text(f"the shim failed: {type(error).__name__}: {error}; see {files.ERRORS}")
        return exit_record(EndReason.INTERRUPTED, keeper.status, started_at=started_at, error=sentence)


def report(channel: int) -> None:
    """Tell the worker that the command runs. If it is dead by now, its successor will find shim.json."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        os.write(channel, b"started\n")
    os.close(channel)


def kill_all() -> None:
    """End every process below us, without the courtesies."""
    deadline = time.monotonic() + 10.0
    while time.monotonic() < deadline:
        for pid in procfs.descendants(os.getpid()):
            started = procfs.start_time(pid)
            if started is not None:
                procfs.signal_process(pid, started, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)
