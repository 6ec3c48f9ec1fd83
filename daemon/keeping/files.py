"""What housekeeping removes from the disk: logs, run directories that were left, the CLI's own files.

Only plain files, in directories of ours, by a descriptor of the directory: a link is neither followed nor removed.
Called by `daemon.keeping.keeper`, in a thread.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from daemon.keeping.rules import Log, is_held
from daemon.runs.adopt import REMOVED, RunAlive, lock_held, remove
from schema.database import Row

# Below the sessions' HOME: what the CLI leaves of each session. Its settings and credentials are not among it.
CLI_PLACES = ("projects", "session-env", "shell-snapshots", "todos", "file-history", "debug")


class Found(NamedTuple):
    """Files, and how large they are together."""

    names: list[str]
    size: int


@contextmanager
def _directory(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _plain(name: str, directory: int) -> os.stat_result | None:
    """What a plain file is; None where there is none, or something else has its name."""
    try:
        facts = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return facts if stat.S_ISREG(facts.st_mode) else None


def logs(results: Path, rows: Iterable[Row], held: Collection[str]) -> list[Log]:
    """The logs that are there, by their sessions' rows. OSError.

    A log has its session's name for it in the results directory itself; `held` names those that must stay.
    """
    there: list[Log] = []
    with _directory(results) as directory:
        for row in rows:
            name = os.path.basename(row["log_file"])
            if not name or name in held:
                continue
            facts = _plain(name, directory)
            if facts is not None:
                there.append(Log(int(row["id"]), name, str(row["ended_at"]), facts.st_size))
    return there


def remove_log(results: Path, name: str) -> int:
    """Removes a log; the bytes that it had. OSError."""
    name = os.path.basename(name)
    with _directory(results) as directory:
        facts = _plain(name, directory) if name else None
        if facts is None:
            return 0
        os.unlink(name, dir_fd=directory)
        return facts.st_size


def old_runs(runs: Path, held: Collection[str], before: float) -> list[Path]:
    """Run directories that an ended run has left: untouched since `before` (seconds), and kept by no shim. OSError."""
    if not runs.is_dir():
        return []
    return [
        entry
        for entry in sorted(runs.iterdir())
        if entry.name not in held
        and not entry.name.startswith(REMOVED)
        and not entry.is_symlink()
        and entry.is_dir()
        and entry.stat().st_mtime < before
        and not lock_held(entry)
    ]


def remove_run(run: Path) -> bool:
    """Removes a run directory, unless a shim keeps it. OSError."""
    with suppress(RunAlive):
        remove(run)
        return True
    return False


def transcripts(home: Path, held: Collection[str], before: float, *, removing: bool) -> Found:
    """The CLI's files of sessions that are over, last written before a time (seconds), relative to `home`. OSError.

    With `removing` they are gone then, and the directories that they leave empty.
    """
    names: list[str] = []
    size = 0
    for place in CLI_PLACES:
        top = home / ".claude" / place
        if top.is_symlink() or not top.is_dir():
            continue
        for folder, folders, files, directory in os.fwalk(top, topdown=False, follow_symlinks=False):
            for file in files:
                facts = _plain(file, directory)
                name = os.path.relpath(os.path.join(folder, file), home)
                if facts is None or facts.st_mtime >= before or is_held(name, held):
                    continue
                if removing:
                    os.unlink(file, dir_fd=directory)
                names.append(name)
                size += facts.st_size
            if removing:
                _remove_empty(folders, directory, before, held)
    return Found(names, size)


def _remove_empty(folders: Iterable[str], directory: int, before: float, held: Collection[str]) -> None:
    for folder in folders:
        facts = os.stat(folder, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISDIR(facts.st_mode) and facts.st_mtime < before and not is_held(folder, held):
            with suppress(OSError):  # something is in it
                os.rmdir(folder, dir_fd=directory)
