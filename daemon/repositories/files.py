"""Reading below a directory that somebody else fills: nothing outside it, nothing that never ends, nothing huge.

A mounted repository may hold links, pipes and devices. Used by `daemon.repositories.scan` and `mcp`.
"""

import os
import stat
from itertools import islice
from pathlib import Path
from typing import NamedTuple

ENTRIES_MAX = 5000  # looked at in one directory


class RefusedError(Exception):
    """A file that is not read; the sentence says which and why."""


class Listing(NamedTuple):
    """The usable files of a directory by name, and what is left out and why."""

    names: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def inside(path: str, root: str) -> bool:
    """Whether `path` leads to something in `root`, an absolute path free of links."""
    real = os.path.realpath(path)
    return real == root or real.startswith(root.rstrip("/") + "/")


def read(path: Path, limit: int, root: str | None = None) -> bytes | None:
    """A regular file's content; None if there is none. `root`: where it must lie, as for `inside`.

    Raises RefusedError for anything else: a directory, a pipe, more than `limit` bytes, a link that leads elsewhere.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        if path.is_symlink():
            raise RefusedError("is a link to nothing") from None
        return None
    except NotADirectoryError:
        return None
    except OSError as error:
        raise RefusedError(f"can't be read: {error.strerror}") from error
    try:
        # Of what is open, not of its name: that may have changed meanwhile.
        if root is not None and not inside(f"/proc/self/fd/{file}", root):
            raise RefusedError("leads out of its repository")
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise RefusedError("is not a regular file")
        with open(file, "rb", closefd=False) as opened:
            data = opened.read(limit + 1)
    except OSError as error:
        raise RefusedError(f"can't be read: {error.strerror}") from error
    finally:
        os.close(file)
    if len(data) > limit:
        raise RefusedError(f"has more than {limit} bytes")
    return data


def listing(folder: Path, suffix: str, root: str, *, size_max: int, count_max: int) -> Listing:
    """The regular files of a directory that end in `suffix`, at most `count_max`; hidden ones are passed over."""
    try:
        if not folder.is_dir():
            return Listing((), () if not os.path.lexists(folder) else ("is not a directory",))
        if not inside(str(folder), root):
            return Listing((), ("leads out of its repository",))
        with os.scandir(folder) as entries:
            found = sorted(islice(entries, ENTRIES_MAX + 1), key=lambda entry: entry.name)
    except OSError as error:
        return Listing((), (f"can't be read: {error.strerror}",))
    names, problems = [], []
    if len(found) > ENTRIES_MAX:
        problems.append(f"has more than {ENTRIES_MAX} entries; the others are not looked at")
    for entry in found[:ENTRIES_MAX]:
        if entry.name.startswith(".") or not entry.name.endswith(suffix):
            continue
        try:
            check(entry.path, root, size_max)
        except RefusedError as error:
            problems.append(f"{entry.name} {error}")
        else:
            names.append(entry.name)
    if len(names) > count_max:
        problems.append(f"has {len(names)} files; the first {count_max} are shown")
    return Listing(tuple(names[:count_max]), tuple(problems))


def check(path: str, root: str, size_max: int) -> None:
    """Raises RefusedError if `path`, which is there, is not a regular file within `root` that can be read."""
    try:
        if os.path.islink(path) and not inside(path, root):
            raise RefusedError("leads out of its repository")
        found = os.stat(path)
    except FileNotFoundError:
        raise RefusedError("is a link to nothing") from None
    except OSError as error:
        raise RefusedError(f"can't be read: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        raise RefusedError("is not a regular file")
    if found.st_size > size_max:
        raise RefusedError(f"has {found.st_size} bytes and may have {size_max}")
    if not os.access(path, os.R_OK):
        raise RefusedError("can't be read: Permission denied")
