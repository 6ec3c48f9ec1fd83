"""The database below the state directory: opened, checked and brought up to date before anything else. Called once, by
`daemon.worker`, in a thread of its own, for it may take long.
"""

import contextlib
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from schema.database import Database

NAME = "claudeops.db"


def open_database(path: Path, log: Callable[[str], None]) -> Database:
    """The database, checked and migrated; a copy is left beside it before it is carried forward."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    fresh = not path.exists()
    database = Database(path, readonly=False)
    if not fresh:
        database.check()
        if database.is_foreign():
            copy = path.with_name(f"claudeops-go-{datetime.now():%Y%m%d-%H%M%S}.db")
            database.backup(copy)
            log(f"the Go program's database is carried forward; a copy lies at {copy}")
    for step in database.migrate():
        log(f"database: {step}")
    return database


def quarantine(path: Path) -> Path | None:
    """Copies a damaged database and its companions aside, untouched, for whoever wants to rescue it."""
    target = path.with_name(f"{path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}")
    with contextlib.suppress(OSError):
        for suffix in ("", "-wal"):
            if path.with_name(path.name + suffix).exists():
                shutil.copy2(path.with_name(path.name + suffix), target.with_name(target.name + suffix))
        return target
    return None
