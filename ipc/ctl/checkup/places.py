"""Checks of places: runtime directory and sockets, state and results, what their disks are, what was left in them."""

import fcntl
import os
import shutil
import stat
import time
from pathlib import Path

from ipc.ctl.checkup.host import Finding, Host, bad, ok, warn
from ipc.ctl.place import FRESH_SECONDS, status_age, status_file
from ipc.ctl.terminal import duration, size
from schema.version import VERSION

FREE_MIN = 1048576
NETWORKED = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"})
BACKUP_LATE = 3 * 86400


def _socket(host: Host, name: str) -> Finding:
    path = host.runtime / name
    try:
        facts = path.stat()
    except OSError as error:
        return bad(f"{path}: {error.strerror}; restart the daemon")
    mode = stat.S_IMODE(facts.st_mode)
    if not stat.S_ISSOCK(facts.st_mode):
        return bad(f"{path} is no socket; move it away and restart the daemon")
    if mode & 0o007:
        return bad(f"{path} has mode {mode:04o}: anybody may reach the daemon; chmod 0660 it")
    return ok(f"{path} has mode {mode:04o}")


def rpc_socket(host: Host) -> Finding | None:
    """The worker's socket for requests."""
    return None if host.pid is None else _socket(host, "rpc.sock")


def pub_socket(host: Host) -> Finding | None:
    """The worker's socket for what changes."""
    return None if host.pid is None else _socket(host, "pub.sock")


def runtime_directory(host: Host) -> Finding | None:
    """Who may enter it, and whether a status file fits."""
    try:
        facts = host.runtime.stat()
    except FileNotFoundError:
        return None  # it is made at the start
    mode = stat.S_IMODE(facts.st_mode)
    if mode & 0o007:
        return bad(f"{host.runtime} has mode {mode:04o}: anybody may reach the daemon; chmod 0750 it")
    free = shutil.disk_usage(host.runtime).free
    if free < FREE_MIN:
        return bad(f"{size(free)} free beneath {host.runtime}; make room")
    return ok(f"{host.runtime} has mode {mode:04o}, {size(free)} free")


def status(host: Host) -> Finding | None:
    """Whether the supervisor still writes its status."""
    if host.pid is None:
        return None
    known, age = status_file(host.runtime), status_age(host.runtime)
    if not known or age is None:
        return bad(f"{host.runtime / 'status.json'} can't be read; look at `claudeopsctl logs`")
    if age > FRESH_SECONDS:
        return bad(f"written {duration(age)} ago; the supervisor hangs, or its disk is full")
    return ok(f"written {duration(age)} ago")


def processes(host: Host) -> Finding | None:
    """Whether every process runs."""
    known = status_file(host.runtime).get("processes", []) if host.pid is not None else []
    told = []
    for process in known:
        ended = f", last exit: {process['last_exit']}" if process.get("last_exit") else ""
        told.append((process["state"] == "running", f"{process['name']} {process['state']}{ended}"))
    if not told:
        return None
    text = "; ".join(text for _, text in told)
    return ok(text) if all(well for well, _ in told) else bad(f"{text}; look at `claudeopsctl logs`")


def version(host: Host) -> Finding | None:
    """Whether daemon and command are of one version."""
    known = status_file(host.runtime).get("version") if host.pid is not None else None
    if known is None:
        return None
    if known != VERSION:
        return warn(f"the daemon is {known}, this command {VERSION}; reload the daemon's unit after an upgrade")
    return ok(f"{VERSION}, daemon and command")


def _directory(path: Path, setting: str, free_min: int) -> Finding:
    """A directory that the daemon writes to."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return warn(f"{path} is not there; the daemon makes it at its start, or set {setting}")
    if not stat.S_ISDIR(facts.st_mode):
        return bad(f"{path} is no directory; move it away, or set {setting}")
    mode = stat.S_IMODE(facts.st_mode)
    if mode & 0o002:
        return bad(f"{path} has mode {mode:04o}: anybody may write there; chmod o-w it")
    if not os.access(path, os.W_OK | os.X_OK):
        return warn(f"{path} belongs to uid {facts.st_uid} and is not open to uid {os.getuid()}; run this as its owner")
    free = shutil.disk_usage(path).free
    inodes = os.statvfs(path)
    if free < free_min:
        return bad(
            f"{size(free)} free beneath {path}, and {size(free_min)} are wanted; make room: `claudeopsctl housekeep`"
        )
    if inodes.f_files and inodes.f_favail < 1000:
        return bad(f"{inodes.f_favail} inodes free beneath {path}; remove files: `claudeopsctl housekeep`")
    return ok(f"{path}: uid {facts.st_uid}, mode {mode:04o}, {size(free)} free")


def state_directory(host: Host) -> Finding:
    """The database's place."""
    return _directory(host.state, "CLAUDEOPS_STATE_DIR", host.settings.free_disk_min)


def results_directory(host: Host) -> Finding:
    """The logs' place."""
    return _directory(Path(host.place("results_dir")), "CLAUDEOPS_RESULTS_DIR", host.settings.free_disk_min)


def file_systems(host: Host) -> Finding | None:
    """What lies beneath state and results: SQLite's log wants a disk of this host."""
    places = [path for path in (host.state, Path(host.place("results_dir"))) if path.is_dir()]
    if not places:
        return None
    kinds = [_kind(path) for path in places]
    if kinds[0] in NETWORKED and places[0] == host.state:
        return bad(f"{host.state} lies on {kinds[0]}; a database in use wants a disk of this host")
    same = len({path.stat().st_dev for path in places}) == 1
    return ok(f"{', '.join(dict.fromkeys(kinds))}; state and results on {'one' if same else 'two'}")


def _kind(path: Path) -> str:
    """The file system's type, as the kernel lists it."""
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
        for line in mounts:
            head, _, tail = line.partition(" - ")
            if head.split()[2] == wanted:
                return tail.split()[0]
    return "a file system that is not listed"


def left_shims(host: Host) -> Finding | None:
    """Shims that live although no running session has their run."""
    runs = host.state / "runs"
    if not runs.is_dir() or not (host.state / "claudeops.db").exists():
        return None
    held = [entry.name for entry in sorted(runs.iterdir()) if _held(entry / "lock")]
    if not held:
        return ok("no shim runs" if host.pid is None else "every shim has its session")
    from schema.database import Database  # apsw is loaded by the checks that want it

    database = Database(host.state / "claudeops.db", readonly=True)
    try:
        known = {row["run_id"] for row in database.rows("sessions.running")}
    finally:
        database.close()
    strange = [name for name in held if name not in known]
    if strange:
        return bad(f"shims without a running session: {', '.join(strange[:5])}; the next start of the daemon ends them")
    if host.pid is None:
        return warn(f"{len(held)} sessions run without a daemon; its next start adopts them")
    return ok("every shim has its session")


def _held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def backups(host: Host) -> Finding | None:
    """How old the newest nightly backup is."""
    keep = host.place("backup_keep")
    place = host.state / "backups"
    if keep == "0":
        return warn("CLAUDEOPS_BACKUP_KEEP is 0: no nightly backup is made; make your own by `claudeopsctl backup`")
    found = [entry.stat().st_mtime for entry in place.glob("*.db")] if place.is_dir() else []
    if not found:
        return None  # none is made on the first day
    age = time.time() - max(found)
    text = f"the newest is {duration(max(0.0, age))} old, in {place}"
    return (
        ok(text) if age < BACKUP_LATE else warn(f"{text}; look at `claudeopsctl logs`, or call `claudeopsctl backup`")
    )
