"""The database's file, before SQLite sees it: how it comes into being, and when it can't be whole.

SQLite takes an empty file, or one whose log is gone, for a new or a smaller database and says nothing. Here that is
told apart: a file is complete with its first table the moment its name appears. Called by `schema.database`.
"""

import os
from contextlib import suppress
from pathlib import Path

import apsw

WAL_LARGE = 64 * 1048576
BOOKKEEPING = (
    "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " checksum TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT"
)


def beside(path: Path, suffix: str) -> Path:
    """SQLite's companion of a database: `-wal` or `-shm`."""
    return path.with_name(path.name + suffix)


def wal_size(path: Path) -> int:
    """How large the WAL of the database at `path` is on disk, in bytes; 0 where there is none."""
    try:
        return beside(path, "-wal").stat().st_size
    except FileNotFoundError:
        return 0


def pinned(path: Path) -> str | None:
    """What to tell people of a WAL that somebody keeps from being emptied, as a sentence; None where it is small."""
    grown = wal_size(path)
    if grown <= WAL_LARGE:
        return None
    wal = beside(path, "-wal")
    return f"{wal} has grown to {grown // 1048576} MiB: somebody reads for very long; look who has it open"


def make(path: Path) -> None:
    """A new database that knows of no migration yet. Whoever is killed here leaves no `path`, or a complete one."""
    new = beside(path, ".new")
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            beside(new, suffix).unlink()
    connection = apsw.Connection(str(new))
    try:
        # Before anything else is written: housekeeping can give the disk back what it has removed.
        connection.pragma("auto_vacuum", "INCREMENTAL")
        connection.pragma("journal_mode", "WAL")
        connection.execute(BOOKKEEPING)
    finally:
        connection.close()
    sync(new)
    new.rename(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Waits until a file, or a directory's names, are on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damage(path: Path) -> str | None:
    """Why the file at `path` can't be whole, as far as names and sizes tell; None where nothing speaks against it."""
    wal, shm = beside(path, "-wal"), beside(path, "-shm")
    if path.stat().st_size == 0:
        return f"{path} is empty, and was not when it was made"
    # SQLite makes -wal before -shm, and removes -shm before -wal; the third look is for a reader that comes meanwhile.
    if not wal.exists() and shm.exists() and not wal.exists():
        return (
            f"{wal.name} is gone, and with it what was written last"
            f" (after putting a backup in place, remove {shm.name} too)"
        )
    return None
