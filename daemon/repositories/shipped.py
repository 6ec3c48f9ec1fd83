"""The prompts, checks, playbooks, skills and guides of the package, and where sessions find them.

A container has them in CLAUDEOPS_APP_DIR (the Dockerfile copies by the same LAYOUT). Where that directory is missing,
the worker fills the sessions' own working directory at its start (`fill`), and a prompt that is not there is read from
the package (`shipped`).
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

PROMPTS = Path(__file__).parents[1] / "prompts"
# From a path in the package to its places in the working directory. A directory stands for the .md files in it.
LAYOUT = {
    "tier1-observe.md": ("prompts/tier1-observe.md",),
    "tier2-investigate.md": ("prompts/tier2-investigate.md",),
    "tier3-remediate.md": ("prompts/tier3-remediate.md",),
    "agent.md": ("prompts/agent.md", "CLAUDE.md"),
    "agent-response.json": ("schemas/agent-response.json",),
    "checks": ("checks",),
    "playbooks": ("playbooks",),
    "skills": ("skills",),
    "guides": (".claude/skills",),
}
# What was written, so that a later version can tell its own files from those that people have changed.
RECORD = ".shipped.json"
NOT_OURS = "not a file of ours"


class Filled(NamedTuple):
    """What `fill` did: files written and removed, and those that people changed and that were left as they are."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def shipped(name: str) -> Path:
    """A file of the package by its name, such as `tier2-investigate.md` or `checks/http.md`."""
    return PROMPTS / name


def files() -> Iterator[tuple[str, Path]]:
    """Every place in the working directory, relative to it, with the file that belongs there."""
    for name, places in LAYOUT.items():
        source = shipped(name)
        for place in places:
            if source.is_dir():
                documents = sorted(source.iterdir(), key=lambda document: document.name)
                yield from ((f"{place}/{one.name}", one) for one in documents if one.name.endswith(".md"))
            else:
                yield place, source


def fill(directory: Path) -> Filled:
    """Brings a working directory to this version. OSError if it can't be written.

    Files that people put there or changed stay as they are; a changed one is told in `kept`.
    """
    record = _read_record(directory)
    wanted = {place: source.read_bytes() for place, source in files()}
    written, kept = [], []
    for place, data in wanted.items():
        path = directory / place
        found = _hash_of(path) if _is_ours(directory, path) else NOT_OURS
        if found == _hash(data):
            continue
        if found is not None and found != record.get(place):
            kept.append(place)
            continue
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        _replace(path, data)
        written.append(place)
    old = [place for place in record if place not in wanted and _is_ours(directory, directory / place)]
    removed = [place for place in old if _hash_of(directory / place) == record[place]]
    for place in removed:
        (directory / place).unlink()
    now = {place: _hash(data) for place, data in wanted.items() if place not in kept}
    if now != record:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        _replace(directory / RECORD, msgspec.json.encode(now, order="sorted"))
    return Filled(tuple(written), tuple(removed), tuple(kept))


def _is_ours(directory: Path, path: Path) -> bool:
    """Whether only plain directories lead to a place: a person's link leads to what is theirs."""
    parents = [parent for parent in path.parents if directory in parent.parents]
    return all(parent.is_dir() and not parent.is_symlink() for parent in parents if os.path.lexists(parent))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hash_of(path: Path) -> str | None:
    """The hash of what is there; None if nothing is. What is no plain file counts as a person's."""
    if not os.path.lexists(path):
        return None
    if path.is_symlink() or not path.is_file():
        return NOT_OURS
    return _hash(path.read_bytes())


def _read_record(directory: Path) -> dict[str, str]:
    """What was written before. Without a readable record every file that differs counts as a person's."""
    path = directory / RECORD
    try:
        record = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
        return {}
    # Only places below the directory, whatever the record says.
    return {place: known for place, known in record.items() if not place.startswith("/") and ".." not in place}


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(data)
    os.replace(beside, path)
