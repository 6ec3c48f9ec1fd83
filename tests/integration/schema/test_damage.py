"""Damage and shortage: told as what they are, never answered with an empty database, over once their cause is."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from schema import database_file
from schema.database import CorruptError, Database, DatabaseError, DiskFullError, translated
from tests.fixtures import machine

PAGE = 4096


def filled(path: Path, rows: int = 2000) -> None:
    """A database of a few hundred pages, closed."""
    database = Database(path, readonly=False)
    database.migrate()
    database.script(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
        " INSERT INTO config SELECT 'k' || i, hex(zeroblob(200)), 't' FROM n"
    )
    database.close()


def opened(path: Path) -> None:
    """What a start does: open, check, migrate."""
    database = Database(path, readonly=False)
    try:
        database.check()
        database.migrate()
    finally:
        database.close()


def killed_writer(path: Path) -> None:
    """A daemon that was killed: the log holds what it wrote last."""
    pid = os.fork()
    if pid == 0:
        database = Database(path, readonly=False)
        database.change("settings.set", key="last", value="v", updated_at="t")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert database_file.beside(path, "-wal").stat().st_size > 0


def test_a_bad_header_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "claudeops.db"
    filled(path)
    with path.open("r+b") as file:
        file.write(b"not a database at all")
    before = path.read_bytes()
    with pytest.raises(CorruptError, match=r"damaged: .*; restore a backup"):
        opened(path)
    assert path.read_bytes() == before


def test_a_page_of_garbage_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "claudeops.db"
    filled(path)
    with path.open("r+b") as file:
        for page in range(60, 100):
            file.seek(page * PAGE)
            file.write(os.urandom(PAGE))
    with pytest.raises(CorruptError, match="restore a backup"):
        opened(path)


def test_a_file_that_was_cut_off_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "claudeops.db"
    filled(path)
    os.truncate(path, 20 * PAGE)
    with pytest.raises(CorruptError, match="restore a backup"):
        opened(path)


@pytest.mark.parametrize("with_log", [True, False])
def test_a_file_that_was_emptied_is_damage_and_its_log_is_kept(tmp_path: Path, with_log: bool) -> None:
    path = tmp_path / "claudeops.db"
    filled(path)
    if with_log:
        killed_writer(path)
    os.truncate(path, 0)
    with pytest.raises(CorruptError, match="is empty"):
        opened(path)
    assert database_file.beside(path, "-wal").exists() == with_log


def test_a_log_that_is_gone_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "claudeops.db"
    filled(path)
    killed_writer(path)
    database_file.beside(path, "-wal").unlink()
    with pytest.raises(CorruptError, match=r"claudeops\.db-wal is gone"):
        opened(path)


def test_a_first_start_that_loses_its_log_later_is_not_a_new_database(tmp_path: Path) -> None:
    """The tables are in the file itself at once, so that even without both companions nothing looks new."""
    path = tmp_path / "claudeops.db"
    pid = os.fork()
    if pid == 0:
        database = Database(path, readonly=False)  # kept by its name, so that it is not closed
        database.migrate()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    for suffix in ("-wal", "-shm"):
        database_file.beside(path, suffix).unlink()
    database = Database(path, readonly=False)
    assert database.migrate() == []
    database.close()


def test_a_file_without_tables_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "claudeops.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE t (a); DROP TABLE t")
    connection.close()
    with pytest.raises(CorruptError, match="has no tables"):
        opened(path)


def test_a_killed_writers_log_is_read_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "claudeops.db"
    filled(path, 1)
    killed_writer(path)
    database = Database(path, readonly=False)
    assert {row["key"] for row in database.rows("settings.overrides")} == {"k1", "last"}
    database.close()


def test_a_start_that_was_killed_before_its_first_table_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "claudeops.db"
    with monkeypatch.context() as patched:
        patched.setattr(database_file, "sync", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            Database(path, readonly=False)
    assert not path.exists()
    opened(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["claudeops.db"]


def test_a_reader_that_stays_open_when_the_writer_goes_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "claudeops.db"
    writer = Database(path, readonly=False)
    writer.migrate()
    writer.change("settings.set", key="a", value="v", updated_at="t")
    reader = Database(path, readonly=True)
    assert reader.rows("settings.overrides")
    writer.close()
    reader.close()
    opened(path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB: the migrations and their WAL take two of it."""
    with machine.small_disk(tmp_path / "disk", "3m") as place:
        yield place


def fill(place: Path) -> Path:
    """Takes all the space that is left."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * PAGE)
        except OSError:
            return ballast


def test_a_full_disk_is_told_and_writes_work_again_once_there_is_space(small_disk: Path) -> None:
    database = Database(small_disk / "claudeops.db", readonly=False)
    database.migrate()
    put = {"value": "v" * 5000, "updated_at": "t"}
    database.change("settings.set", key="before", **put)
    ballast = fill(small_disk)

    def write_until_it_fails() -> None:
        for number in range(200):
            with database.transaction():
                database.change("settings.set", key=f"k{number}", **put)

    with pytest.raises(DiskFullError, match="free some space"):
        write_until_it_fails()
    assert not database.in_transaction
    survivors = {row["key"] for row in database.rows("settings.overrides")}
    assert "before" in survivors
    ballast.unlink()
    with database.transaction():
        database.change("settings.set", key="after", **put)
    assert {row["key"] for row in database.rows("settings.overrides")} == survivors | {"after"}
    database.check()
    database.close()


def test_a_full_disk_in_a_savepoint_is_told_as_a_full_disk(small_disk: Path) -> None:
    database = Database(small_disk / "claudeops.db", readonly=False)
    database.migrate()
    ballast = fill(small_disk)

    def write_much() -> None:
        with database.transaction(), database.savepoint():
            for number in range(2000):
                database.change("settings.set", key=f"k{number}", value="v" * 5000, updated_at="t")

    with pytest.raises(DiskFullError):
        write_much()
    assert not database.in_transaction
    ballast.unlink()
    database.change("settings.set", key="after", value="v", updated_at="t")
    assert [row["key"] for row in database.rows("settings.overrides")] == ["after"]
    database.close()


def test_a_copy_that_does_not_fit_leaves_nothing_behind(tmp_path: Path, small_disk: Path) -> None:
    path = tmp_path / "claudeops.db"
    filled(path, 8000)
    assert path.stat().st_size > shutil.disk_usage(small_disk).total
    database = Database(path, readonly=False)
    with pytest.raises(DiskFullError):
        database.backup(small_disk / "copy.db")
    assert list(small_disk.iterdir()) == []
    database.close()


def test_a_first_start_on_a_full_disk_is_told(small_disk: Path) -> None:
    fill(small_disk)
    with pytest.raises(DatabaseError):
        Database(small_disk / "claudeops.db", readonly=False)
    assert not (small_disk / "claudeops.db").exists()


def test_damage_found_by_a_query_is_told_as_damage(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="restore a backup"), translated():
        raise apsw.CorruptError("database disk image is malformed")
