"""Services that are described by files: read at the start and whenever they change, applied like an import.

Built by `daemon.services.services`, which runs `run`. A file with mistakes changes nothing: what it said before holds,
and every mistake is told in the log, on the page of services and by `claudeopsctl doctor`.
"""

import asyncio
import sys
import time
import traceback
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import NamedTuple

from daemon.services import stored
from daemon.services.catalogue import Catalogue
from daemon.services.rules import sources
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.errors import CallError
from ipc.messages.services import FileMistake, ImportServices, ServiceFile, ServiceFilesReply
from schema.actors import DAEMON
from schema.database import DatabaseError

POLL_SECONDS = 2.0
# That a file has been left alone before it is read: one that is being written lacks what comes next, and what a file no
# longer describes is removed with its history.
SETTLE_SECONDS = 0.5
SUFFIXES = (".yaml", ".yml")
FILES_MAX = 500
SHOWN_MAX = 3
NOTHING = "services: []"


class Looked(NamedTuple):
    """One look: the files and how each is marked by the file system; `listed` is None where the place can't be read."""

    listed: dict[str, tuple[int, int, int]] | None
    problem: str = ""


class WatchedFiles:
    """The files that a setting names."""

    def __init__(self, store: Store, settings: LiveSettings, catalogue: Catalogue) -> None:
        self._store, self._settings, self._catalogue = store, settings, catalogue
        self._read: dict[str, tuple[int, int, int]] = {}
        self._mistakes: dict[str, list[FileMistake]] = {}
        self._place = ""
        self._fresh = False
        self._changed = asyncio.Event()
        settings.on_change.append(self._again)

    def _again(self) -> None:
        """Another place, or variables that files name are others: all is read anew."""
        self._read = {}
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._changed.clear()
            place = self._settings.current.services_file
            try:
                await self._follow(place)
            except (DatabaseError, CallError) as error:
                print(f"services: files are read later: {error}", file=sys.stderr, flush=True)
                self._read = {}
            try:
                seconds = SETTLE_SECONDS if self._fresh else POLL_SECONDS
                async with asyncio.timeout(seconds if place else None):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _follow(self, place: str) -> None:
        looked = await asyncio.to_thread(look, place)
        known = self._read
        if looked.problem:
            self._tell(place, [FileMistake(place, 1, 1, looked.problem)])
        if place == self._place and looked.listed == known and not looked.problem:
            return
        there = looked.listed.keys() if looked.listed else {place}
        self._mistakes = {name: told for name, told in self._mistakes.items() if name in there}
        owners = await self._store.read(stored.owners)
        left = sources.orphans(place, looked.listed, owners)
        if left.released:
            await self._catalogue.release(left.released, DAEMON)
        listed = looked.listed or {}
        # What one with mistakes lacked, or what another had, may be so no more.
        wanted = [
            path
            for path, mark in listed.items()
            if known.get(path) != mark or place != self._place or path in self._mistakes
        ]
        fresh = {path for path in wanted if 0 <= time.time() - listed[path][0] / 1e9 < SETTLE_SECONDS}
        wanted = [path for path in wanted if path not in fresh]
        # What one file takes over from another, or depends on in it, may be there only once that is read.
        later = [path for path in wanted if not await self._take(path, left.gone, last=False)]
        for path in later:
            await self._take(path, left.gone, last=True)
        # A file that was renamed has taken its services over by now. One that can't be read yet may be that file, and
        # what is removed has lost its history for good.
        if not fresh and not self._mistakes:
            for owner in left.gone:
                await self._catalogue.take(ImportServices(text=NOTHING, file=owner), DAEMON, "", owner=owner)
        # What is fresh is another at the next look.
        self._read = {path: mark for path, mark in listed.items() if path not in fresh}
        self._place, self._fresh = place, bool(fresh)

    async def _take(self, path: str, gone: Collection[str], *, last: bool) -> bool:
        """Applies one file, which may take over what files that are `gone` described; False if it has mistakes.

        They are told where this is the last try.
        """
        try:
            text = await asyncio.to_thread(partial(Path(path).read_text, encoding="utf-8"))
            request = ImportServices(text=text, file=path)
            errors = (await self._catalogue.take(request, DAEMON, "", owner=path, gone=gone)).errors
        except (OSError, UnicodeDecodeError) as error:
            errors = [FileMistake(path, 1, 1, f"it can't be read: {error}")]
        except (DatabaseError, CallError):
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours that one file finds must not end the watching of all
            if last:
                traceback.print_exc()
            what = f"{type(error).__name__}: {error}; that is a fault of the daemon, please report it"
            errors = [FileMistake(path, 1, 1, f"it can't be taken in: {what}")]
        if not errors or last:
            self._tell(path, errors)
        return not errors

    def _tell(self, path: str, errors: list[FileMistake]) -> None:
        if errors == self._mistakes.get(path, []):
            return
        for one in errors:
            print(f"services: {_sentence(one)}; what it said before holds", file=sys.stderr, flush=True)
        if errors:
            self._mistakes[path] = errors
        else:
            print(f"services: {path} has no mistakes any more", file=sys.stderr, flush=True)
            del self._mistakes[path]

    def listing(self) -> ServiceFilesReply:
        """The files that are watched, and what is wrong with each."""
        names = sorted(self._read.keys() | self._mistakes.keys())
        return ServiceFilesReply(files=[ServiceFile(name, self._mistakes.get(name, [])) for name in names])

    def warnings(self) -> list[str]:
        """The mistakes, as sentences that people should know."""
        found = []
        for path, errors in sorted(self._mistakes.items()):
            found += [f"{_sentence(one)}; what the file said before holds" for one in errors[:SHOWN_MAX]]
            if len(errors) > SHOWN_MAX:
                found.append(f"{path}: {len(errors) - SHOWN_MAX} more mistakes; the page of services shows all")
        return found


def _sentence(one: FileMistake) -> str:
    return f"{one.file}:{one.line}:{one.column}: {one.message}"


def look(place: str) -> Looked:
    """The files of a place. It blocks."""
    if not place:
        return Looked({})
    path = Path(place)
    try:
        if not path.is_dir():
            return Looked({place: _mark(path)})
        found = sorted(one for one in path.iterdir() if one.suffix in SUFFIXES and one.is_file())
        if len(found) > FILES_MAX:
            return Looked(None, f"there are {len(found)} files in it; at most {FILES_MAX} are read")
        return Looked({str(one): _mark(one) for one in found})
    except OSError as error:
        return Looked(None, f"it can't be read: {error.strerror}; CLAUDEOPS_SERVICES_FILE names it")


def _mark(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
