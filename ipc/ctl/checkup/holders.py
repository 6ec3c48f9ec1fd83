"""A check of who else works on the state directory: two daemons on one database undo each other's work.

A second daemon is kept out by the state directory's lock; one of before there was that lock, or a program such as the
`sqlite3` shell, is found by the files that it has open.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ipc.ctl.checkup.host import Finding, Host, bad, ok, warn
from ipc.ctl.place import parent_of, state_holder

WRITABLE = 0o200  # of the link in /proc: the file is open for writing
WORKER = "claudeops: worker"


def others(host: Host) -> Finding | None:
    """Whether any process but this daemon's writes to the state directory."""
    path = host.state / "claudeops.db"
    held = state_holder(host.state)
    if held is not None and held[0] != host.pid and Path(held[1]) != host.runtime.absolute():
        pid, runtime = held
        text = f"a daemon with the runtime directory {runtime or '(unknown)'} (pid {pid}) works on {host.state}"
        return bad(f"{text}; ask that one, by CLAUDEOPS_RUNTIME_DIR, or stop it")
    if not path.exists():
        return None
    found = [(pid, _title(pid)) for pid in _writers(path) if not _is_ours(pid, host.pid)]
    named = ", ".join(f"{title} (pid {pid})" for pid, title in found)
    if any(title.startswith(WORKER) for _, title in found):
        return bad(f"another daemon has {path} open: {named}; two on one database undo each other's work: stop one")
    if found:
        return warn(f"{named} may write to {path}, and can keep the daemon from it; end what is not wanted there")
    seen = "" if os.geteuid() == 0 else f", as far as uid {os.geteuid()} can see"
    return ok(f"no other process has {path.name} open for writing{seen}")


def _writers(path: Path) -> Iterator[int]:
    """The processes that have a file open for writing. Those of other users can't be looked at but by root."""
    wanted = path.stat()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):  # it has ended, or is not ours to look at
                if any(_is_open(descriptor, wanted) for descriptor in (entry / "fd").iterdir()):
                    yield int(entry.name)


def _is_open(descriptor: Path, wanted: os.stat_result) -> bool:
    try:
        if not descriptor.lstat().st_mode & WRITABLE:
            return False
        found = descriptor.stat()
    except OSError:
        return False  # closed meanwhile
    return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)


def _title(pid: int) -> str:
    """What a process calls itself."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").split()
        return " ".join(words)[:60] or "a process"
    return "a process that has ended"


def _is_ours(pid: int, supervisor: int | None) -> bool:
    """Whether a process is the supervisor or below it."""
    while pid > 1 and supervisor:
        if pid == supervisor:
            return True
        try:
            pid = parent_of(pid)
        except OSError:
            return True  # it has ended
    return pid == supervisor
