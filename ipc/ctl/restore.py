"""`claudeopsctl restore`: puts a backup in the place of the database, while no daemon runs.

Takes the daemon's own locks for that time. The backup is copied and judged first; until then, and if anything fails,
the present database stays as it is. It is never deleted, only moved aside.
"""

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from ipc.ctl.connection import Connection
from ipc.ctl.errors import REFUSED, USAGE, CtlError, forbidden
from ipc.ctl.place import HOLDER_BYTES, find_state, require_stopped
from ipc.ctl.terminal import clean, show_json, size
from schema import backup
from schema.database import DatabaseError
from schema.places import STATE_LOCK

NAME = "claudeops.db"
SUFFIXES = ("", "-wal", "-shm", "-journal")


def restore(connection: Connection, arguments: argparse.Namespace) -> int:
    """Puts a backup in place; says where the database is that was there before."""
    source = Path(arguments.path).absolute()
    state = find_state(arguments.state_dir, connection.runtime)
    if not state.is_dir():
        text = f"there is no state directory {state}; name it by --state-dir, or by CLAUDEOPS_STATE_DIR"
        raise CtlError(USAGE, "invalid", text)
    with _locks(connection.runtime, state):
        try:
            told = _restore(source, state)
        except DatabaseError as error:
            raise CtlError(REFUSED, "invalid", f"nothing was changed: {error}") from error
        except OSError as error:
            text = f"nothing was changed: {error.filename or source}: {error.strerror or error}"
            raise CtlError(REFUSED, "invalid", text) from error
    if arguments.json:
        show_json(told)
        return 0
    made = f", made at {told['made_at']} by version {told['version']}" if told["made_at"] else ""
    print(clean(f"{told['restored']} ({size(told['size'])}, schema step {told['step']}{made}) is in place"))
    if told["before"]:
        print(clean(f"the database that was there lies at {told['before']}"))
    print("start the daemon; sessions that the backup has as running are marked interrupted, unless they still run")
    return 0


@contextlib.contextmanager
def _locks(runtime: Path, state: Path) -> Iterator[None]:
    """Holds the daemon's locks, of its runtime directory and of its state. CtlError `conflict` while one runs.

    A daemon with another runtime directory may have the same state.
    """
    require_stopped(runtime)
    made = not runtime.is_dir()
    with contextlib.ExitStack() as held:
        paths = (runtime / "lock", state / STATE_LOCK)
        try:
            runtime.mkdir(mode=0o750, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            locks = []
            for path in paths:
                locks.append(os.open(path, flags, 0o640))
                held.callback(os.close, locks[-1])
        except PermissionError as error:
            raise forbidden(error.filename or runtime) from None
        except OSError as error:
            text = f"can't take the lock {error.filename or runtime}: {error.strerror}"
            raise CtlError(REFUSED, "invalid", text) from error
        if made:  # a directory that is root's would keep the daemon from starting
            held.callback(_unmake, runtime)
        for path, lock in zip(paths, locks, strict=True):
            _take(path, lock, runtime)
            _belong(state, path)
        yield


def _take(path: Path, lock: int, runtime: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if path.parent == runtime:
            require_stopped(runtime)
        pid, _, place = os.pread(lock, HOLDER_BYTES, 0).decode("utf-8", "replace").strip().partition("\n")
        who = f"pid {pid or 'unknown'}{f', runtime directory {place}' if place else ''}"
        text = f"somebody holds {path} ({who}); if that is a daemon, stop it first, else try again in a moment"
        raise CtlError(REFUSED, "conflict", text) from None


def _unmake(runtime: Path) -> None:
    (runtime / "lock").unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        runtime.rmdir()


def _belong(state: Path, path: Path) -> None:
    """Gives a file to whom the state directory belongs, where root makes it."""
    if os.geteuid() == 0:
        owner = state.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _manifest(source: Path) -> dict[str, Any]:
    """What was written about a backup when it was made; empty without a manifest. CtlError if it is another file's."""
    try:
        found = json.loads(source.with_name(source.name + ".json").read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CtlError(REFUSED, "invalid", f"nothing was changed: {source}.json can't be read: {error}") from error
    return found if isinstance(found, dict) else {}


def _copy(source: Path, target: Path) -> None:
    """A copy of the backup on the state directory's own disk. OSError, CtlError."""
    if not stat.S_ISREG(source.stat().st_mode):
        raise CtlError(USAGE, "invalid", f"{source} is no file; name a backup")
    wal = source.with_name(source.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        text = f"{wal} belongs to it: this is a database in use, and no backup; make one by `claudeopsctl backup`"
        raise CtlError(REFUSED, "invalid", text)
    with source.open("rb") as reading:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as writing:
            shutil.copyfileobj(reading, writing, backup.BLOCK)
            writing.flush()
            os.fsync(writing.fileno())


def _restore(source: Path, state: Path) -> dict[str, Any]:
    """Judges the backup, moves the present database aside, puts it in place. DatabaseError, OSError, CtlError."""
    manifest = _manifest(source)
    new = state / f"{NAME}.restoring"
    try:
        _copy(source, new)
        if manifest and manifest.get("sha256") != backup.digest(new):
            text = f"nothing was changed: {source} is not what {source.name}.json says; take another backup"
            raise CtlError(REFUSED, "invalid", text)
        step = backup.examine(new)
        _belong(state, new)
        before = _aside(state)
        try:
            new.rename(state / NAME)
        except OSError:
            if before:
                _back(before, state / NAME)
            raise
    finally:
        new.unlink(missing_ok=True)
    _sync(state)
    return {
        "restored": str(source),
        "path": str(state / NAME),
        "size": (state / NAME).stat().st_size,
        "step": step,
        "made_at": str(manifest.get("made_at", "")),
        "version": str(manifest.get("version", "")),
        "before": str(before) if before else "",
    }


def _aside(state: Path) -> Path | None:
    """Gives the present database another name; None without one. LockedError while somebody has it open."""
    present = state / NAME
    if not present.exists():
        if left := next((present.with_name(NAME + suffix) for suffix in SUFFIXES[1:] if _there(state, suffix)), None):
            raise CtlError(REFUSED, "conflict", f"{left} lies there without its database; move it away first")
        return None
    backup.fold(present)
    aside = state / f"{NAME}.before-restore-{datetime.now():%Y%m%d-%H%M%S}"
    if aside.exists():
        raise CtlError(REFUSED, "conflict", f"{aside} is there already; wait a second")
    if any(_there(state, suffix) for suffix in SUFFIXES[1:]):
        _move(present, aside)  # it is damaged, and what belongs to it must stay with it
        return aside
    try:
        # A second name, so that there is never a moment without a database in which a daemon would make an empty one.
        aside.hardlink_to(present)
    except OSError:
        _move(present, aside)
    return aside


def _back(aside: Path, present: Path) -> None:
    """As it was before `_aside`."""
    if present.exists():
        aside.unlink()
    else:
        _move(aside, present)


def _there(state: Path, suffix: str) -> bool:
    return (state / (NAME + suffix)).exists()


def _move(present: Path, aside: Path) -> None:
    """Moves a database with what belongs to it: what belongs to it last, so that a torn move is seen."""
    for suffix in SUFFIXES:
        part = present.with_name(present.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
