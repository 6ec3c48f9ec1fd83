"""The database below the state directory: opened, checked and brought up to date before anything else. Called once, by
`daemon.worker`, in a thread of its own, for it may take long.
"""

import contextlib
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from daemon import go_state
from schema.database import Database

NAME = "claudeops.db"


def open_database(path: Path, results_dir: Path, log: Callable[[str], None]) -> Database:
    """The database, checked and migrated; a copy is left beside it before it is carried forward."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    fresh = not path.exists()
    database = Database(path, readonly=False)
    if not fresh:
        database.check()
        if database.is_foreign():
            _prepare(database, path, results_dir, log)
    for step in database.migrate():
        log(f"database: {step}")
    return database


def _prepare(database: Database, path: Path, results_dir: Path, log: Callable[[str], None]) -> None:
    """Copies what the Go program has, and takes along what it keeps in files."""
    moment = f"{datetime.now():%Y%m%d-%H%M%S}"
    copy = path.with_name(f"claudeops-go-{moment}.db")
    database.backup(copy)
    log(f"the Go program's database is carried forward; a copy lies at {copy}")
    if cooldowns := go_state.copy(path.parent, moment):
        log(f"a copy of its cooldown.json lies at {cooldowns}")
    for told in go_state.take_along(database, path.parent, results_dir):
        log(told)


def quarantine(path: Path) -> Path | None:
    """Copies a damaged database and its companions aside, untouched, for whoever wants to rescue it."""
    target = path.with_name(f"{path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}")
    with contextlib.suppress(OSError):
        for suffix in ("", "-wal"):
            if path.with_name(path.name + suffix).exists():
                shutil.copy2(path.with_name(path.name + suffix), target.with_name(target.name + suffix))
        return target
    return None
