"""Backups of the database, online: those that people ask for, and one each night of which the last few are kept.

Built by `daemon.parts`. The copy is made by a connection and a thread of its own; beside it lies `<name>.json`, its
manifest, by which a restore sees whether it still is what was written.
"""

import asyncio
import json
import os
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from daemon import audit, trouble
from daemon.keeping import rules
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.system import BackupReply
from schema import backup, timestamps
from schema.audit_actions import Action
from schema.database import Database, DatabaseError
from schema.version import VERSION

NIGHTLY = "nightly-"
MANIFEST = ".json"


class Backups:
    """Makes copies, one at a time."""

    def __init__(self, store: Store, settings: LiveSettings) -> None:
        self._store = store
        self._settings = settings
        self._busy = asyncio.Lock()

    @property
    def directory(self) -> Path:
        """Where backups lie unless a person says otherwise."""
        return Path(self._settings.current.state_dir) / "backups"

    async def make(self, path: str, by: str, request_id: str) -> BackupReply:
        """A backup that a person wants. CallError names what can't be."""
        target = Path(path) if path else self._unused()
        if not target.is_absolute():
            raise CallError(Code.INVALID, f"{path}: give an absolute path; the daemon's directory is not yours")
        if target.exists():
            raise CallError(Code.CONFLICT, f"{target} is there already; name another file")
        reply = await self._copy(target)

        def write(db: Database) -> None:
            now = datetime.now(UTC)
            audit.add(
                db, actor=by, action=Action.DATABASE_COPIED, subject=str(target), at=now, detail=f"{reply.size} bytes"
            )
            stored = codec.store(reply)
            db.change("replies.insert", request_id=request_id, reply=stored, created_at=timestamps.stamp(now))

        await self._store.write(write)
        return reply

    def _unused(self) -> Path:
        """A file of this second; with a suffix where there is one already."""
        stem = f"claudeops-{datetime.now():%Y%m%d-%H%M%S}"
        names = chain([stem], (f"{stem}-{number}" for number in count(2)))
        return next(path for name in names if not (path := self.directory / f"{name}.db").exists())

    async def nightly(self) -> None:
        """The backup of this night, if the settings want one; the oldest one too many goes. CallError."""
        keep = self._settings.current.backup_keep
        if not keep:
            return
        name = f"{NIGHTLY}{datetime.now(UTC):%Y%m%d-%H%M%S}.db"
        await self._copy(self.directory / name)
        await asyncio.to_thread(_rotate, self.directory, keep, name)

    async def _copy(self, target: Path) -> BackupReply:
        if self._busy.locked():
            raise CallError(Code.CONFLICT, "a backup is being made right now; ask again when it is done")
        async with self._busy:
            try:
                return await asyncio.to_thread(_make, self._store.path, target)
            except FileExistsError as error:
                raise CallError(Code.CONFLICT, f"{target} is there already; name another file") from error
            except OSError as error:
                if error.errno in trouble.NO_SPACE:
                    raise trouble.refusal(error, "no backup was made: ") from error
                text = f"can't write {target}: {error.strerror}; name a place that the daemon's user, and its unit or"
                raise CallError(Code.INVALID, f"{text} container, may write to, or none: {self.directory}") from error
            except DatabaseError as error:
                raise trouble.refusal(error, "no backup was made: ") from error


def manifest_of(path: Path) -> Path:
    """Where the manifest of a backup lies."""
    return path.with_name(path.name + MANIFEST)


def _make(source: Path, target: Path) -> BackupReply:
    """Copies, and writes the manifest. OSError, DatabaseError."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    made_at = timestamps.now()
    found = backup.copy(source, target)
    reply = BackupReply(path=str(target), version=VERSION, made_at=made_at, **found._asdict())
    facts = {"file": target.name, "made_at": made_at, "version": VERSION, **found._asdict()}
    manifest = manifest_of(target)
    partial = backup.partial_of(manifest)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(json.dumps(facts) + "\n")
    partial.rename(manifest)
    return reply


def _rotate(directory: Path, keep: int, fresh: str) -> None:
    """Removes the nightly backups that are one too many, and what a kill has left of any. OSError."""
    names = {entry.name for entry in directory.iterdir() if entry.is_file() and not entry.is_symlink()}
    nightly = [name for name in names if name.startswith(NIGHTLY) and name.endswith(".db")]
    for name in rules.backups_to_remove(nightly, keep, fresh):
        (directory / name).unlink()
        manifest_of(directory / name).unlink(missing_ok=True)
    for name in names:
        if ".db" in name and ".partial" in name:
            (directory / name).unlink(missing_ok=True)
