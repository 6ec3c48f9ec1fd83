"""Opening the one SQLite file: one writer that migrates it, many read-only readers. The only place that imports apsw.

The worker's store holds the writer; the web process and commands hold readers. Errors of SQLite become the few that a
caller can act on.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw

from schema import database_file, go_database, migrating, sql, timestamps
from schema.database_errors import ConstraintError as ConstraintError
from schema.database_errors import CorruptError as CorruptError
from schema.database_errors import DatabaseError as DatabaseError
from schema.database_errors import DiskError as DiskError
from schema.database_errors import DiskFullError as DiskFullError
from schema.database_errors import LockedError as LockedError
from schema.database_errors import UnknownVersionError as UnknownVersionError
from schema.database_errors import translated as translated

BUSY_TIMEOUT_MS = 5000
WAL_KEPT = 16 * 1048576  # what the WAL's file keeps of its size once it is written anew
CHECK_SECONDS = 10.0
Row = dict[str, Any]


class Database:
    """One connection. Not for more than one thread at a time."""

    def __init__(self, path: str | Path, *, readonly: bool) -> None:
        """Opens `path`; a reader wants it to exist. A writer makes what is missing, and refuses what can't be whole."""
        if not readonly:
            with translated():
                if not Path(path).exists():
                    database_file.make(Path(path))
                elif problem := database_file.damage(Path(path)):
                    raise CorruptError(f"the database is damaged: {problem}; restore a backup")
        flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        with translated():
            self._connection = apsw.Connection(str(path), flags=flags, statementcachesize=256)
            self._connection.set_busy_timeout(BUSY_TIMEOUT_MS)
            self._connection.execute("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048")
            if not readonly:
                # One by one: a statement that returns a row ends there, and what stands behind it is not run.
                self._connection.pragma("journal_mode", "WAL")
                self._connection.pragma("synchronous", "NORMAL")
                self._connection.pragma("journal_size_limit", WAL_KEPT)

    def close(self) -> None:
        """Closes the connection; a writer's close checkpoints."""
        self._connection.close()

    def rows(self, name: str, /, **values: Any) -> list[Row]:
        """All rows of a named query, as dictionaries by column."""
        with translated():
            cursor = self._connection.execute(sql.queries()[name].sql, values)
            try:
                columns = [column[0] for column in cursor.get_description()]
            except apsw.ExecutionCompleteError:
                return []
            return [dict(zip(columns, row, strict=True)) for row in cursor]

    def one(self, name: str, /, **values: Any) -> Row | None:
        """The first row of a named query, or None."""
        rows = self.rows(name, **values)
        return rows[0] if rows else None

    def value(self, name: str, /, **values: Any) -> Any:
        """The first column of the first row."""
        with translated():
            return self._connection.execute(sql.queries()[name].sql, values).get

    def change(self, name: str, /, **values: Any) -> int:
        """Carries out a named statement; the number of rows that it changed."""
        with translated():
            self._connection.execute(sql.queries()[name].sql, values)
            return self._connection.changes()

    def plan(self, name: str) -> list[str]:
        """What EXPLAIN QUERY PLAN says of a named query, for the test that every query uses an index."""
        text = sql.queries()[name].sql
        return [row[3] for row in self._connection.execute("EXPLAIN QUERY PLAN " + text, sql.AnyBinding())]

    def script(self, text: str) -> None:
        """Runs SQL text of a migration, whose statements nobody keeps: they are run once."""
        with translated():
            self._connection.execute(text, can_cache=False)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE … COMMIT, or ROLLBACK on any error."""
        with translated():
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with translated():
                self._connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself after some errors, such as a full disk.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """One part of a transaction that can fail by itself."""
        with translated():
            self._connection.execute("SAVEPOINT part")
        try:
            yield
            with translated():
                self._connection.execute("RELEASE part")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO part; RELEASE part")
            raise

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; false after an error that rolled all of it back."""
        return self._connection.in_transaction

    def data_version(self) -> int:
        """A number that changes when another connection has written."""
        return int(self._connection.pragma("data_version"))

    @contextmanager
    def waiting(self, milliseconds: int) -> Iterator[None]:
        """Has statements wait so long for another process's lock, instead of BUSY_TIMEOUT_MS."""
        self._connection.set_busy_timeout(milliseconds)
        try:
            yield
        finally:
            self._connection.set_busy_timeout(BUSY_TIMEOUT_MS)

    def try_write(self) -> None:
        """Writes a page as it is; waits for no lock. DatabaseError if nothing can be written now."""
        with self.waiting(0), self.transaction(), translated():
            self._connection.pragma("user_version", self._connection.pragma("user_version"))

    def checkpoint(self, *, truncate: bool = False) -> tuple[int, int]:
        """Moves the WAL into the file: (frames in the WAL, frames moved). Never waits for readers.

        With `truncate`, its file is emptied too; LockedError where a reader still needs it.
        """
        mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if truncate else apsw.SQLITE_CHECKPOINT_PASSIVE
        with self.waiting(0), translated():
            return self._connection.wal_checkpoint(mode=mode)

    def give_back(self, pages: int) -> None:
        """Takes up to so many free pages off the file's end; the disk has them back with the next checkpoint."""
        with translated():
            # It frees one page each time that it is asked for the next row.
            self._connection.execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()

    def backup(self, target: Path) -> None:
        """A consistent copy, while everybody goes on; complete or not there at all."""
        partial = target.with_name(target.name + ".partial")
        with suppress(FileNotFoundError):
            partial.unlink()
        try:
            with translated():
                self._copy(partial)
            database_file.sync(partial)
            partial.rename(target)
        except BaseException:
            for suffix in ("", "-journal"):
                database_file.beside(partial, suffix).unlink(missing_ok=True)
            raise

    def _copy(self, target: Path) -> None:
        copy = apsw.Connection(str(target))
        try:
            with copy.backup("main", self._connection, "main") as backup:
                while not backup.done:
                    backup.step(1000)
            copy.execute("PRAGMA journal_mode = DELETE")
            problem = copy.pragma("quick_check")
        finally:
            copy.close()
        if problem != "ok":
            raise CorruptError(f"the copy does not pass its check: {problem}")

    def check(self) -> None:
        """SQLite's quick check, for at most CHECK_SECONDS (a longer one counts as passed). CorruptError otherwise."""
        end = time.monotonic() + CHECK_SECONDS
        self._connection.set_progress_handler(lambda: time.monotonic() > end, 100_000)
        try:
            with translated():
                problem = self._connection.pragma("quick_check")
        except DatabaseError as error:
            if isinstance(error.__cause__, apsw.InterruptError):
                return
            raise
        finally:
            self._connection.set_progress_handler(None)
        if problem != "ok":
            raise CorruptError(f"the database is damaged: {str(problem).splitlines()[0]}; restore a backup")

    def _tables(self) -> set[str]:
        with translated():
            return {row[0] for row in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def is_foreign(self) -> bool:
        """Whether this is a database of the Go program that `migrate` would carry forward."""
        return go_database.is_one(self._tables())

    def migrate(self) -> list[str]:
        """Brings the schema up to date, each step in a transaction; the names of the steps taken."""
        tables = self._tables()
        if go_database.is_one(tables):
            return self._carry_forward(tables)
        if "migrations" not in tables:
            if tables:
                names = ", ".join(sorted(tables)[:3])
                raise UnknownVersionError(
                    f"the file holds another program's tables: {names}; name another state directory"
                )
            raise CorruptError("the database is damaged: it has no tables, and had some when made; restore a backup")
        return self._apply(self._applied())

    def _applied(self) -> dict[int, str]:
        with translated():
            return dict(self._connection.execute("SELECT number, checksum FROM migrations"))

    def _apply(self, applied: dict[int, str]) -> list[str]:
        known = {migration.number: migration for migration in sql.migrations()}
        for number, checksum in applied.items():
            if number not in known:
                raise UnknownVersionError(f"the database is of a newer version (step {number}); install that version")
            if known[number].checksum != checksum:
                raise UnknownVersionError(f"migration {number:04d} is not the one that this database was made with")
        done = []
        for migration in sql.migrations():
            if migration.number not in applied:
                with migrating.unbound(self._connection, wanted=migration.rebuilds), self.transaction():
                    self._step(migration)
                    if migration.rebuilds and (broken := migrating.broken_reference(self._connection)):
                        raise CorruptError(f"{migration.name}: {broken}; restore a backup")
                done.append(migration.name)
        if done:
            # From here on the file itself has every table: a lost -wal can't make it look new.
            self.checkpoint()
            self._connection.execute("PRAGMA shrink_memory")
        return done

    def _step(self, migration: sql.Migration) -> None:
        self.script(database_file.BOOKKEEPING)
        self.script(migration.sql)
        with translated():
            migrating.complete(self._connection, migration.number)
            self._connection.execute(
                "INSERT INTO migrations VALUES (?, ?, ?, ?)", (*migration[:2], migration.checksum, timestamps.now())
            )

    def _carry_forward(self, tables: set[str]) -> list[str]:
        """Takes over a database of the Go program, in one transaction; ours replace its tables once all is copied."""
        with translated():
            version = go_database.version(self._connection, tables)
        if version != go_database.VERSION:
            raise UnknownVersionError(
                f"the Go program's database is version {version}, not {go_database.VERSION};"
                " start its last release on it once"
            )
        with migrating.unbound(self._connection, wanted=True), self.transaction(), translated():
            go_database.move_aside(self._connection)
            self._step(sql.migrations()[0])
            self.script(sql.carry_forward())
            go_database.drop(self._connection, tables)
        return ["carried forward from the Go program", *self._apply(self._applied())]
