"""The MCP servers of sessions: CLAUDEOPS_MCP_CONFIG with those of mounted repositories over it, merged anew each time.

Called before each session by `daemon.parts`, and by `handlers`. The operator's file is never written to. Nothing here
keeps a session from starting but a full disk: a file that can't be used is told, and left out.
"""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from daemon import trouble
from daemon.repositories import files, rules, scan, servers
from daemon.repositories.files import RefusedError
from daemon.repositories.rules import BASELINE, Server
from daemon.repositories.servers import ServersError, Source
from schema.settings import Settings

NAME = "mcp.json"
# Beside its configuration the Go program keeps the baseline; the configuration itself is then its last merge.
GO_SUFFIX = ".baseline"


class Merged(NamedTuple):
    """The servers of the next session, the refused ones among them, and a sentence for each file left out."""

    servers: list[Server]
    problems: tuple[str, ...] = ()


def read(settings: Settings) -> Merged:
    """Reads and merges all files as they are now. Takes as long as the disks take: call it in a thread."""
    baseline, problems = _baseline(settings.mcp_config)
    overlays: list[Source] = []
    if os.path.lexists(settings.repos_dir):
        places = scan.mounted(settings.repos_dir)
        found = [scan.mcp_servers(place) for place in places.places]
        overlays = [one.source for one in found]
        problems += [places.problem] if places.problem else []
        problems += [problem for one in found for problem in one.problems]
    merged = rules.merge(baseline, overlays, replace=settings.mcp_replace)
    return Merged(merged, tuple(problems))


def write(settings: Settings, merged: Merged) -> str:
    """Writes the file that the CLI is given, whole or not at all; its path. CallError if the disk refuses.

    For the daemon's user alone: environments and headers may be secret. The same servers leave the file untouched, so
    that a CLI that starts at this moment reads either state whole.
    """
    path, data = Path(settings.state_dir) / NAME, rules.content(merged.servers)
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_mode & 0o077 or path.read_bytes() != data:
            _replace(path, data)
    except OSError as error:
        raise trouble.refusal(error, f"can't write {path}: ", "; no session can start") from error
    return str(path)


def _baseline(configured: str) -> tuple[Source, list[str]]:
    """The operator's own servers, and what is wrong with their file."""
    path = Path(configured + GO_SUFFIX)
    if not os.path.lexists(path):
        path = Path(configured)
    try:
        data = files.read(path, servers.FILE_MAX)
        found = {} if data is None else servers.read(data, str(path), strict=False)
    except RefusedError as error:
        return Source(BASELINE, {}), [f"CLAUDEOPS_MCP_CONFIG: {path} {error}"]
    except ServersError as error:
        return Source(BASELINE, {}), [f"CLAUDEOPS_MCP_CONFIG: {problem}" for problem in error.problems]
    return Source(BASELINE, found), []


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.rename(name, path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
