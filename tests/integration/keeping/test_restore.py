"""`claudeopsctl restore` as a program: into an empty place, beside what is there, and where it must not."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from schema import backup
from schema.database import Database

ROOT = Path(__file__).parents[3]


def database(path: Path, key: str) -> None:
    """A database that is known by an override."""
    made = Database(path, readonly=False)
    made.migrate()
    made.change("settings.set", key=key, value="v", updated_at="t")
    made.close()


def key_of(path: Path) -> str:
    """What it is known by."""
    made = Database(path, readonly=True)
    (row,) = made.rows("settings.overrides")
    made.close()
    return str(row["key"])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A backup."""
    database(tmp_path / "live.db", "old")
    backup.copy(tmp_path / "live.db", tmp_path / "backup.db")
    return tmp_path / "backup.db"


def restore(tmp_path: Path, source: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Runs it on the state directory `state` and the runtime directory `run`."""
    command = [sys.executable, "-m", "ipc.ctl", "restore", str(source), "--state-dir", str(tmp_path / "state"), *more]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    environ["CLAUDEOPS_RUNTIME_DIR"] = str(tmp_path / "run")
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_an_empty_place_gets_the_backup_and_nothing_else(tmp_path: Path, source: Path) -> None:
    (tmp_path / "state").mkdir()
    told = restore(tmp_path, source, "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["before"] == ""
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["claudeops.db", "daemon.lock"]
    assert (tmp_path / "state" / "claudeops.db").stat().st_mode & 0o777 == 0o600
    assert key_of(tmp_path / "state" / "claudeops.db") == "old"
    assert not (tmp_path / "run").exists(), "a runtime directory of another user would be in the daemon's way"


def test_what_was_there_is_kept_whole_under_another_name(tmp_path: Path, source: Path) -> None:
    (tmp_path / "state").mkdir()
    database(tmp_path / "state" / "claudeops.db", "new")
    told = restore(tmp_path, source, "--json")
    assert told.returncode == 0, told.stderr
    assert key_of(Path(json.loads(told.stdout)["before"])) == "new"
    assert key_of(tmp_path / "state" / "claudeops.db") == "old"


def test_a_damaged_database_is_moved_aside_as_it_is(tmp_path: Path, source: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "claudeops.db").write_bytes(b"damaged" * 1000)
    (tmp_path / "state" / "claudeops.db-wal").write_bytes(b"log")
    told = restore(tmp_path, source, "--json")
    assert told.returncode == 0, told.stderr
    before = Path(json.loads(told.stdout)["before"])
    assert before.read_bytes() == b"damaged" * 1000
    assert before.with_name(before.name + "-wal").read_bytes() == b"log"
    assert not (tmp_path / "state" / "claudeops.db-wal").exists()
    assert key_of(tmp_path / "state" / "claudeops.db") == "old"


def test_nothing_happens_while_somebody_holds_the_lock_or_the_database(tmp_path: Path, source: Path) -> None:
    for name in ("state", "run"):
        (tmp_path / name).mkdir()
    database(tmp_path / "state" / "claudeops.db", "new")
    lock = os.open(tmp_path / "run" / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    told = restore(tmp_path, source)
    os.close(lock)
    assert told.returncode == 1
    assert "claudeopsctl stop" in told.stderr
    lock = os.open(tmp_path / "state" / "daemon.lock", os.O_RDWR | os.O_CREAT)
    os.write(lock, b"4711\n/run/elsewhere\n")
    fcntl.flock(lock, fcntl.LOCK_EX)
    told = restore(tmp_path, source)
    os.close(lock)
    assert told.returncode == 1
    assert "(pid 4711, runtime directory /run/elsewhere)" in told.stderr
    held = Database(tmp_path / "state" / "claudeops.db", readonly=False)
    held.change("settings.set", key="new", value="w", updated_at="t")
    told = restore(tmp_path, source)
    assert told.returncode == 1
    assert "another process" in told.stderr
    held.close()
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["claudeops.db", "daemon.lock"]
    assert key_of(tmp_path / "state" / "claudeops.db") == "new"


def test_places_that_are_not_there_are_named(tmp_path: Path, source: Path) -> None:
    told = restore(tmp_path, source)
    assert (told.returncode, "--state-dir" in told.stderr) == (2, True)
    (tmp_path / "state").mkdir()
    told = restore(tmp_path, tmp_path / "nothing.db")
    assert (told.returncode, "nothing was changed" in told.stderr) == (1, True)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["daemon.lock"]
