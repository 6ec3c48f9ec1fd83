"""The daemon from outside: where it is, whether it lives, what its supervisor wrote, and signals to its processes.

Used where the worker can't be asked. Looks at the lock without touching it: taking it, even for a moment, could make a
daemon that is just starting believe that another one runs.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipc.ctl.errors import REFUSED, UNREACHABLE, CtlError, forbidden
from schema.places import STATE_LOCK

PLACES = ("/run/claudeops", "/state/run", ".claudeops/demo/run", ".claudeops/live/run")
FRESH_SECONDS = 15.0
HOLDER_BYTES = 4200
CLOCK_SLACK = 2.0
Facts = dict[str, Any]


def find_runtime(given: str | None) -> Path:
    """The daemon's runtime directory: as given, by the environment, or the first of the usual ones that is there."""
    environ = os.environ
    if given:
        return Path(given)
    if environ.get("CLAUDEOPS_RUNTIME_DIR"):
        return Path(environ["CLAUDEOPS_RUNTIME_DIR"])
    if environ.get("RUNTIME_DIRECTORY"):
        return Path(environ["RUNTIME_DIRECTORY"].split(":")[0])
    if environ.get("CLAUDEOPS_STATE_DIR"):
        return Path(environ["CLAUDEOPS_STATE_DIR"]) / "run"
    there = [place for place in PLACES if os.path.isdir(place)]
    # A directory that an ended daemon left is no reason to miss one that runs; one that we can't look into may run.
    alive = [place for place in there if not os.access(place, os.X_OK) or holder(Path(place)) is not None]
    return Path((alive or there or PLACES)[0])


def _listed(lock: int) -> int | None:
    """The pid, as this process would call it, that the kernel lists with a lock on this file; None if there is none."""
    facts = os.fstat(lock)
    device = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}"
    written = os.pread(lock, 32, 0).decode("ascii", "replace").strip().partition("\n")[0]
    with open("/proc/locks", encoding="ascii") as locks:
        for line in locks:
            fields = line.split()
            if fields[1] == "->":
                continue  # somebody who waits for it
            where, _, inode = fields[5].rpartition(":")
            # Some file systems show another device number than stat does; there the pid in the file must agree.
            if inode == str(facts.st_ino) and (where == device or fields[4] == written):
                return max(0, int(fields[4]))
    return None


def _listens(runtime: Path) -> bool:
    """Whether somebody listens at the worker's socket: a supervisor in another process namespace, seen from here."""
    import socket  # wanted only where the kernel lists no lock

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(str(runtime / "rpc.sock"))
        except BlockingIOError:
            return True  # its queue is full
        except OSError:
            return False
        return True


def holder(runtime: Path) -> int | None:
    """The supervisor's pid if the daemon lives (0: it can't be told from here), else None. CtlError: not for us."""
    try:
        lock = os.open(runtime / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        raise forbidden(runtime) from None
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        pid = _listed(lock)
    except OSError:
        pid = None  # no /proc/locks here
    finally:
        os.close(lock)
    return 0 if pid is None and _listens(runtime) else pid


def state_holder(state: Path) -> tuple[int, str] | None:
    """(pid, runtime directory) of who has the state directory's lock, as written there; None if nobody. OSError."""
    try:
        lock = os.open(state / STATE_LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        pid = _listed(lock)
        written = os.pread(lock, HOLDER_BYTES, 0).decode("utf-8", "replace").splitlines()
    finally:
        os.close(lock)
    return None if pid is None else (pid, written[1] if len(written) > 1 else "")


def parent_of(pid: int) -> int:
    """The parent of a process. OSError if it has ended."""
    return int(_stat(pid)[1])


def running(runtime: Path) -> bool:
    """Whether a supervisor holds the lock."""
    return holder(runtime) is not None


def require_stopped(runtime: Path) -> None:
    """CtlError `conflict` says what to do while a daemon runs."""
    if running(runtime):
        text = f"the daemon at {runtime} is running; stop it first, with `claudeopsctl stop` or its unit"
        raise CtlError(REFUSED, "conflict", text)


def find_state(given: str | None, runtime: Path) -> Path:
    """The daemon's state directory: as given, by the environment, or the usual one of its runtime directory."""
    named = given or os.environ.get("CLAUDEOPS_STATE_DIR")
    if named:
        return Path(named).absolute()
    if runtime.name == "run" and (runtime.parent / "claudeops.db").exists():
        return runtime.parent
    usual = Path("/var/lib/claudeops")
    return usual if str(runtime) == PLACES[0] and usual.is_dir() else Path("/state")


def require_running(runtime: Path) -> int:
    """The supervisor's pid. CtlError `not_running` says what to do."""
    pid = holder(runtime)
    if pid is None:
        text = f"there is no daemon at {runtime}; start it, or name its place by CLAUDEOPS_RUNTIME_DIR"
        if (runtime / "lock").exists():
            text = f"the daemon at {runtime} is not running; start it with `systemctl start claudeops` or `claudeops`"
        raise CtlError(UNREACHABLE, "not_running", text)
    return pid


def status_file(runtime: Path) -> Facts:
    """What the supervisor wrote last; empty if nothing can be read."""
    try:
        found = json.loads((runtime / "status.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def status_age(runtime: Path) -> float | None:
    """Seconds since the supervisor wrote its status file; it does so every five. None without a file."""
    try:
        return max(0.0, time.time() - (runtime / "status.json").stat().st_mtime)
    except OSError:
        return None


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; the parent is field 1, the start time field 19."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return text[text.rindex(")") + 2 :].split()


def _is_supervisor(runtime: Path, pid: int) -> bool:
    """Whether `pid` is who took the lock, not a later process that got its number.

    The lock is held; and either the process is older than the pid in the lock file, or it has just written its status.
    """
    if holder(runtime) != pid:
        return False
    age = status_age(runtime)
    if age is not None and age < FRESH_SECONDS and status_file(runtime).get("pid") == pid:
        return True  # however the clock was set meanwhile
    started_ago = time.clock_gettime(time.CLOCK_BOOTTIME) - int(_stat(pid)[19]) / os.sysconf("SC_CLK_TCK")
    written_ago = time.time() - (runtime / "lock").stat().st_mtime
    return started_ago + CLOCK_SLACK >= written_ago


def signal_supervisor(runtime: Path, signum: int) -> None:
    """Sends a signal to the supervisor that holds the lock, and to nobody else."""
    pid = require_running(runtime)
    if not pid:
        text = "the supervisor's process can't be seen from here; run this in the daemon's container, or as root"
        raise CtlError(REFUSED, "conflict", text)
    _send(pid, signum, lambda: _is_supervisor(runtime, pid))


def signal_child(runtime: Path, name: str, signum: int) -> None:
    """Sends a signal to the worker or web process, if it still is the supervisor's child. It is replaced then."""
    supervisor = require_running(runtime)
    processes = status_file(runtime).get("processes", [])
    pid = next((process["pid"] for process in processes if process["name"] == name), None)
    if not pid:
        text = f"{name} is not there now, and the supervisor starts it by itself; `claudeopsctl status` shows when"
        raise CtlError(REFUSED, "conflict", text)
    _send(pid, signum, lambda: _stat(pid)[1] == str(supervisor))


def _send(pid: int, signum: int, proof: Callable[[], bool]) -> None:
    """Signals through a descriptor of the process: `proof` is asked once nobody else can get the pid any more."""
    import signal  # wanted only where the worker does not answer

    try:
        process = os.pidfd_open(pid)
        try:
            if not proof():
                raise CtlError(
                    REFUSED, "conflict", f"pid {pid} is no longer what it was; look at `claudeopsctl status`"
                )
            signal.pidfd_send_signal(process, signum)
        finally:
            os.close(process)
    except (ProcessLookupError, FileNotFoundError, ValueError):
        text = f"process {pid} has ended just now; look at `claudeopsctl status`"
        raise CtlError(REFUSED, "conflict", text) from None
    except PermissionError:
        raise forbidden(f"process {pid}") from None
