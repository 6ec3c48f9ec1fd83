"""Copying the database while it is used, and judging a copy before it is put in its place.

`copy` is called by the worker in a thread, with a connection of its own: whoever writes is never held up. `examine` and
`in_use` are called by `claudeopsctl restore`, while no daemon runs.
"""

import hashlib
import time
from pathlib import Path
from typing import NamedTuple

import apsw

from schema import database_file, go_database, sql
from schema.database import CorruptError, Database, DatabaseError, LockedError, UnknownVersionError, translated

PAGES = 1000
PAUSE = 0.002
BLOCK = 1024 * 1024


class Copy(NamedTuple):
    """A copy: its size in bytes, its SHA-256, and the number of the last step of its schema."""

    size: int
    sha256: str
    step: int


def partial_of(target: Path) -> Path:
    """Where a copy grows until it is whole."""
    return target.with_name(target.name + ".partial")


def copy(source: Path, target: Path) -> Copy:
    """A consistent copy, mode 0600, as of the moment of the call; whole under its name, or not there at all.

    DatabaseError; OSError. FileExistsError where there is something under this name already.
    """
    partial = partial_of(target)
    _discard(partial)
    try:
        partial.touch(mode=0o600)
        with translated():
            _copy(source, partial)
        found = Copy(partial.stat().st_size, digest(partial), examine(partial))
        database_file.sync(partial)
        _name(partial, target)
    except BaseException:
        _discard(partial)
        raise
    return found


def _name(partial: Path, target: Path) -> None:
    if target.exists():
        raise FileExistsError(f"{target} is there already")
    partial.rename(target)
    database_file.sync(target.parent)


def _discard(path: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        database_file.beside(path, suffix).unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    reading = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
    writing = apsw.Connection(str(target))
    try:
        reading.set_busy_timeout(5000)
        # One snapshot for the whole copy: without it every write of others would start it anew.
        reading.execute("BEGIN; SELECT count(*) FROM sqlite_schema").fetchall()
        with writing.backup("main", reading, "main") as backup:
            while not backup.done:
                backup.step(PAGES)
                time.sleep(PAUSE)
        writing.execute("PRAGMA journal_mode = DELETE").fetchall()
    finally:
        writing.close()
        reading.close()


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex. OSError."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def examine(path: Path) -> int:
    """The number of the last step of a copy's schema, once all of it is checked; 0 for one of the Go program.

    CorruptError; UnknownVersionError where it is another program's, or a newer version's.
    """
    with translated():
        # Immutable: nothing is made beside it, and what lies there is not looked at.
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(f"file:{_quoted(path)}?immutable=1", flags=flags)
        try:
            problem = connection.execute("PRAGMA integrity_check(1)").get
            if problem != "ok":
                raise CorruptError(f"{path} is damaged: {str(problem).splitlines()[0]}; take another backup")
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            if go_database.is_one(tables):
                return 0
            if "migrations" not in tables:
                raise UnknownVersionError(f"{path} is no database of this program")
            rows = connection.execute("SELECT number, checksum FROM migrations")
            applied = {int(str(number)): str(checksum) for number, checksum in rows}
        finally:
            connection.close()
    return _judge(path, applied)


def _judge(path: Path, applied: dict[int, str]) -> int:
    known = {migration.number: migration.checksum for migration in sql.migrations()}
    for number, checksum in sorted(applied.items()):
        if number not in known:
            raise UnknownVersionError(f"{path} is of a newer version (step {number}); install that version first")
        if known[number] != checksum:
            raise UnknownVersionError(f"{path} was made by another edition of this program: step {number} differs")
    if not applied:
        raise CorruptError(f"{path} has no tables; take another backup")
    return max(applied)


def _quoted(path: Path) -> str:
    from urllib.parse import quote  # wanted only here

    return quote(str(path.absolute()))


def fold(path: Path) -> None:
    """Moves what is in the `-wal` into the file, so that this is all of it; a damaged one stays as it is.

    LockedError while another process has it open.
    """
    try:
        with translated():
            # First by one that can change nothing: SQLite would throw the log of a damaged file away.
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            finally:
                connection.close()
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                mode = connection.execute("PRAGMA journal_mode = DELETE").get
            finally:
                connection.close()
    except LockedError:
        raise
    except DatabaseError:
        return
    if mode != "delete":
        raise LockedError(f"another process has {path} open")


def newest_step() -> int:
    """The number of the last step that this version knows."""
    return sql.migrations()[-1].number


def step_of(database: Database) -> int:
    """The number of the last step that an open database has taken. DatabaseError."""
    return int(database.value("keeping.step") or 0)
