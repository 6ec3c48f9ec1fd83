"""What names a service elsewhere: what others depend on, and maintenance windows. A new name is written there, too, and
that of a service that goes is taken out.

Functions of a transaction, called by `daemon.services.catalogue` and `.taking`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from daemon import audit
from daemon.services import stored
from schema import monitored
from schema.audit_actions import Action
from schema.database import Database, Row
from schema.definitions import Window


class Author(NamedTuple):
    """Who changes something, and when."""

    by: str
    moment: datetime


def rename(db: Database, id_: int, before: str, after: str, author: Author) -> list[int]:
    """A service has another name from now on; the ids of those that depend on it, which are others now."""
    if before == after:
        return []

    def named(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(after if name.casefold() == before.casefold() else name for name in names)

    _plan(db, named, author)
    return _depend(db, id_, named, f"needs: {before} is {after} now", author)


def remove(db: Database, row: Row, author: Author) -> list[int]:
    """Removes a service with all that was found of it; the ids of those that depended on it, which are others now."""

    def named(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name.casefold() != row["name"].casefold())

    _plan(db, named, author)
    ids = _depend(db, row["id"], named, f"needs: {row['name']} was removed", author)
    stored.remove(db, row)
    return ids


def _depend(
    db: Database, id_: int, named: Callable[[Iterable[str]], tuple[str, ...]], why: str, author: Author
) -> list[int]:
    ids = []
    for dependent in db.rows("definitions.dependents", needs_id=id_):
        row = stored.existing(db, dependent["service_id"])
        before = monitored.definition_of(row["definition"])
        wanted = msgspec.structs.replace(before, needs=named(before.needs))
        if wanted == before:
            continue  # its file says so already
        ids.append(row["id"])
        stored.replace(db, row, wanted, by=author.by, moment=author.moment)
        audit.add(db, actor=author.by, action=Action.SERVICE_CHANGED, subject=row["name"], at=author.moment, detail=why)
    return ids


def _plan(db: Database, named: Callable[[Iterable[str]], tuple[str, ...]], author: Author) -> None:
    for row in db.rows("windows.all", limit=stored.WINDOWS_MAX):
        before = msgspec.json.decode(row["definition"], type=Window)
        window = msgspec.structs.replace(before, services=named(before.services))
        if window == before:
            continue
        if window.services or window.tags:
            db.change("windows.change", id=row["id"], definition=msgspec.json.encode(window).decode())
            continue
        # It was for nothing else.
        db.change("windows.remove", id=row["id"])
        audit.add(
            db, actor=author.by, action=Action.MAINTENANCE_REMOVED, subject=row["title"], at=author.moment,
            detail="its services were removed",
        )  # fmt: skip
