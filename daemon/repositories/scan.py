"""What each repository below CLAUDEOPS_REPOS_DIR contributes to sessions. Called by `handlers` and by `mcp`.

Sessions read the runbook, checks, playbooks and skills themselves; here people are shown what they will find, and what
they won't. Nothing in a repository is fatal: what can't be used is named in its `problem`.
"""

import os
from pathlib import Path
from typing import NamedTuple

from daemon.repositories import files, servers
from daemon.repositories.files import RefusedError
from daemon.repositories.servers import ServersError, Source, printable
from ipc.messages.repositories import Repository

RUNBOOK = "CLAUDE-OPS.md"
FOLDER = ".claude-ops"
FOLDERS = {"checks": ".md", "playbooks": ".md", "skills": ".md", "dashboard": ".html"}
DOCUMENT_MAX = 262_144  # bytes; more than a session should read at once
DOCUMENTS_MAX = 100  # shown of one folder
REPOSITORIES_MAX = 5000
PROBLEM_MAX = 1000  # characters


class Mounted(NamedTuple):
    """The repositories' directories by name, and what is wrong with the place itself."""

    places: tuple[Path, ...] = ()
    problem: str | None = None


class Found(NamedTuple):
    """A repository's MCP servers, and what is wrong with their file."""

    source: Source
    problems: tuple[str, ...] = ()


def mounted(repos_dir: str) -> Mounted:
    """The directories below CLAUDEOPS_REPOS_DIR, in alphabetical order; hidden ones and files are passed over.

    A link to a directory elsewhere is a repository too: whoever runs the daemon has put it there.
    """
    try:
        with os.scandir(repos_dir) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith(".") and _is_place(entry))
    except OSError as error:
        return Mounted((), f"CLAUDEOPS_REPOS_DIR: {repos_dir} can't be read: {error.strerror}")
    problem = None
    if len(names) > REPOSITORIES_MAX:
        problem = (
            f"CLAUDEOPS_REPOS_DIR: {repos_dir} has {len(names)} directories; the first {REPOSITORIES_MAX} are used"
        )
    return Mounted(tuple(Path(repos_dir, name) for name in names[:REPOSITORIES_MAX]), problem)


def _is_place(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a directory, or a link that can't be followed, which is shown with its problem."""
    try:
        return entry.is_dir() or (entry.is_symlink() and not entry.is_file())
    except OSError:
        return True


def mcp_servers(place: Path) -> Found:
    """The MCP servers of a repository: those of its `.claude-ops/mcp.json`, all or none."""
    file = place / FOLDER / "mcp.json"
    name = printable(place.name)
    try:
        data = files.read(file, servers.FILE_MAX, os.path.realpath(place))
        found = {} if data is None else servers.read(data, f"{name}/{FOLDER}/mcp.json", strict=True)
    except RefusedError as error:
        return Found(Source(name, {}), (f"{name}/{FOLDER}/mcp.json: {error}",))
    except ServersError as error:
        return Found(Source(name, {}), tuple(error.problems))
    return Found(Source(name, found))


def repository(place: Path) -> Repository:
    """One repository as it is now."""
    root = os.path.realpath(place)
    problems: list[str] = []
    documents: dict[str, tuple[str, ...]] = {}
    for folder, suffix in FOLDERS.items():
        found = files.listing(place / FOLDER / folder, suffix, root, size_max=DOCUMENT_MAX, count_max=DOCUMENTS_MAX)
        documents[folder] = tuple(printable(name) for name in found.names)
        problems += [f"{FOLDER}/{folder}: {problem}" for problem in found.problems]
    runbook = place / RUNBOOK
    has_runbook = os.path.lexists(runbook)
    try:
        place.stat()
        if has_runbook:
            files.check(str(runbook), root, DOCUMENT_MAX)
    except RefusedError as error:
        has_runbook = False
        problems.insert(0, f"{RUNBOOK} {error}")
    except OSError as error:
        problems = [f"can't be read: {error.strerror}"]
    served = mcp_servers(place)
    return Repository(
        name=printable(place.name),
        path=printable(str(place)),
        runbook=has_runbook,
        checks=documents["checks"],
        playbooks=documents["playbooks"],
        skills=documents["skills"],
        panels=documents["dashboard"],
        servers=tuple(sorted(served.source.servers)),
        problem=_shortened("; ".join(printable(problem) for problem in (*problems, *served.problems))) or None,
    )


def _shortened(text: str) -> str:
    return text if len(text) <= PROBLEM_MAX else text[: PROBLEM_MAX - 1] + "…"
