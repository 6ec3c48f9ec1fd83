"""Passwords that people wrote into a service's URL or headers: in a file of their own beside the database, never in it.

Called by `daemon.services.catalogue`. The file is the worker's alone (0600) and is replaced as a whole, so a
transaction collects what it changes: what it adds is on disk before its commit, what it removes goes after it. Only the
store's thread writes it. What a kill in between leaves of services that are not there is dropped by the next start.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from daemon.services.rules.kept import NOTHING, Kept
from daemon.store import Store
from ipc.errors import CallError, Code
from schema.database import Database

T = TypeVar("T")
NAME = "service-credentials.json"

Changes = dict[int, Kept]
"""By service, what is kept of it from now on; nothing of one that is gone."""


class Credentials:
    """The file."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / NAME
        try:
            self._kept = msgspec.json.decode(self._path.read_bytes(), type=dict[int, Kept])
        except FileNotFoundError:
            self._kept = {}
        self._committed = self._kept

    def of(self, service_id: int) -> Kept:
        """What is kept of one service."""
        return self._kept.get(service_id, NOTHING)

    def keep(self, changes: Mapping[int, Kept]) -> None:
        """Before the commit: what is new is kept, and nothing goes yet. OSError, and then all is as it was."""
        self._write({**self._kept, **{id_: kept for id_, kept in changes.items() if kept != NOTHING}})

    def settle(self, changes: Mapping[int, Kept]) -> None:
        """After the commit: what is gone is dropped. OSError."""
        self._committed = _changed(self._committed, changes)
        self._write(_changed(self._kept, changes))

    def take_back(self, changes: Mapping[int, Kept]) -> None:
        """After a commit that failed: of these services is kept what was committed last. OSError."""
        self._write(_changed(self._kept, {id_: self._committed.get(id_, NOTHING) for id_ in changes}))

    def tidy(self, known: Callable[[int], bool]) -> None:
        """At the start: what is kept of services that nobody knows is dropped. OSError."""
        self.settle({id_: NOTHING for id_ in self._kept if not known(id_)})

    def _write(self, kept: dict[int, Kept]) -> None:
        if kept == self._kept:
            return
        partial = self._path.with_name(NAME + ".partial")
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(kept))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
        self._kept = kept


def _changed(kept: Mapping[int, Kept], changes: Mapping[int, Kept]) -> dict[int, Kept]:
    return {id_: one for id_, one in {**kept, **changes}.items() if one != NOTHING}


async def write(store: Store, credentials: Credentials, work: Callable[[Database, Changes], T]) -> T:
    """Runs `work` in a transaction, with what it changes here. What `Store.write` raises; CallError `unavailable`."""
    changes: Changes = {}

    def all_of_it(db: Database) -> T:
        found = work(db, changes)
        try:
            credentials.keep(changes)
        except OSError as error:
            raise CallError(Code.UNAVAILABLE, f"nothing was changed: {_unwritten(error)}") from error
        return found

    try:
        found = await store.write(all_of_it)
    except Exception:
        await store.read(lambda _: _follow(lambda: credentials.take_back(changes)))
        raise
    await store.read(lambda _: _follow(lambda: credentials.settle(changes)))
    return found


async def tidy(store: Store, credentials: Credentials) -> None:
    """Drops what is kept of services that are gone."""

    def known(db: Database, id_: int) -> bool:
        return db.one("definitions.one", id=id_) is not None

    await store.read(lambda db: _follow(lambda: credentials.tidy(lambda id_: known(db, id_))))


def _follow(change: Callable[[], None]) -> None:
    """What comes after a commit takes nothing back: where it fails, the file has too much until the next start."""
    try:
        change()
    except OSError as error:
        print(f"services: {_unwritten(error)}", file=sys.stderr, flush=True)


def _unwritten(error: OSError) -> str:
    return f"the file of passwords can't be written: {error.strerror}; make room for it, or let the daemon write it"
