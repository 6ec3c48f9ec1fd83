"""Backups while others write, their rotation, and which copies are refused."""

import asyncio
import json
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from daemon.keeping.backups import Backups
from ipc.errors import CallError
from schema import backup
from schema.database import CorruptError, Database, LockedError, UnknownVersionError
from tests.integration.knowledge.place import Place


def backups(place: Place, **environ: str) -> Backups:
    """Backups of this place."""
    return Backups(place.store, place.settings(**environ))


async def fill(place: Place, count: int) -> None:
    """Pairs of events: with each first there is a second."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    await place.script(
        f"{numbers} INSERT INTO events (level, message, created_at)"
        " SELECT 'info', hex(randomblob(200)), '2026-01-31T08:00:00.000Z' FROM n"
    )


async def test_a_backup_is_one_moment_of_the_database_while_others_write(place: Place, tmp_path: Path) -> None:
    await fill(place, 20_000)
    target = tmp_path / "out" / "copy.db"
    work = asyncio.create_task(backups(place).make(str(target), "ada", "id-1"))
    written = 0
    while not work.done():
        # Both rows or none: a copy of one moment never has one alone.
        await place.script(
            "INSERT INTO config VALUES ('a' || (SELECT count(*) FROM config), 'x', 't');"
            "INSERT INTO budget_warnings VALUES ('d', 's', (SELECT count(*) FROM budget_warnings))"
        )
        written += 1
    reply = await work
    assert written > 3, "nobody was held up"
    copy = Database(target, readonly=True)
    found = [copy._connection.execute(f"SELECT count(*) FROM {table}").get for table in ("config", "budget_warnings")]
    assert copy._connection.execute("SELECT count(*) FROM events").get == 20_000
    copy.close()
    assert found[0] == found[1]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    manifest = json.loads(target.with_name("copy.db.json").read_text())
    assert manifest["sha256"] == reply.sha256 == backup.digest(target)
    assert (manifest["file"], manifest["step"]) == ("copy.db", backup.newest_step())
    assert {path.name for path in target.parent.iterdir()} == {"copy.db", "copy.db.json"}
    (line,) = await place.rows("SELECT actor, action, subject FROM audit")
    assert line == {"actor": "ada", "action": "database.copied", "subject": str(target)}


async def test_a_backup_replaces_nothing_and_wants_an_absolute_path(place: Place, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("dear")
    with pytest.raises(CallError, match="there already"):
        await backups(place).make(str(tmp_path / "there"), "ada", "id-1")
    with pytest.raises(CallError, match="absolute"):
        await backups(place).make("here", "ada", "id-2")
    with pytest.raises(CallError, match="can't write"):
        await backups(place).make("/proc/nowhere/x.db", "ada", "id-3")
    assert (tmp_path / "there").read_text() == "dear"


async def test_a_backup_without_a_name_gets_one_of_its_own_though_there_is_one_of_this_second(place: Place) -> None:
    one = backups(place)
    one.directory.mkdir()
    now = datetime.now()
    taken = [one.directory / f"claudeops-{now + timedelta(seconds=n):%Y%m%d-%H%M%S}.db" for n in range(60)]
    for path in taken:
        path.write_text("dear")
    for suffix in ("-2", "-3"):
        path = Path((await one.make("", "ada", f"id{suffix}")).path)
        assert path.name.endswith(("-2.db", "-3.db"))
        assert path.stat().st_size > 1000
    assert {path.read_text() for path in taken} == {"dear"}


async def test_two_backups_at_a_time_are_refused(place: Place, tmp_path: Path) -> None:
    one = backups(place)
    first = asyncio.create_task(one.make(str(tmp_path / "1.db"), "ada", "id-1"))
    await asyncio.sleep(0)
    with pytest.raises(CallError, match="right now"):
        await one.make(str(tmp_path / "2.db"), "ada", "id-2")
    await first


async def test_of_the_nightly_backups_the_last_few_are_kept(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in ("nightly-20260101-030000.db", "nightly-20260102-030000.db", "claudeops-mine.db", "x.db.partial"):
        (folder / name).write_text("")
    (folder / "nightly-20260101-030000.db.json").write_text("{}")
    await backups(place, CLAUDEOPS_BACKUP_KEEP="2").nightly()
    names = sorted(path.name for path in folder.iterdir())
    assert names[:2] == ["claudeops-mine.db", "nightly-20260102-030000.db"]
    assert len(names) == 4, "the new one and its manifest"
    await backups(place, CLAUDEOPS_BACKUP_KEEP="0").nightly()
    assert sorted(path.name for path in folder.iterdir()) == names


def test_copies_that_are_not_ours_or_not_whole_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database = Database(path, readonly=False)
    database.migrate()
    database.script("INSERT INTO migrations VALUES (9999, 'later', 'x', 'y')")
    database.close()
    with pytest.raises(UnknownVersionError, match="newer version"):
        backup.examine(path)
    (tmp_path / "half.db").write_bytes(path.read_bytes()[:20_000])
    (tmp_path / "text.db").write_text("no database" * 1000)
    for name in ("half.db", "text.db"):
        with pytest.raises(CorruptError):
            backup.examine(tmp_path / name)
    (tmp_path / "empty.db").write_text("")
    with pytest.raises(UnknownVersionError, match="no database of this program"):
        backup.examine(tmp_path / "empty.db")


def test_a_database_that_somebody_has_open_is_not_moved(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db", readonly=False)
    database.migrate()
    with pytest.raises(LockedError):
        backup.fold(tmp_path / "x.db")
    database.close()
    backup.fold(tmp_path / "x.db")
    assert [path.name for path in tmp_path.iterdir()] == ["x.db"]
