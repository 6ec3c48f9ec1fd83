"""The pages that repositories contribute to the dashboard: `.claude-ops/dashboard/*.html`. Called by `handlers`.

A panel is found by comparing names with what is there, never by joining a path from a request: nothing outside of the
repository's own directory can be named.
"""

import os
from pathlib import Path
from typing import NamedTuple

from daemon.repositories import files, scan
from daemon.repositories.files import RefusedError
from daemon.repositories.servers import printable
from ipc.errors import CallError, Code
from schema import timestamps

FOLDER = "dashboard"


class Panel(NamedTuple):
    """A panel's text, and when its file was changed."""

    html: str
    modified_at: str


def read(repos_dir: str, repository: str, name: str) -> Panel:
    """A panel by the names that people are shown. CallError `not_found`, or `invalid` for a file of no use."""
    place = next((found for found in scan.mounted(repos_dir).places if printable(found.name) == repository), None)
    if place is None:
        raise CallError(Code.NOT_FOUND, f"There is no repository {printable(repository)[:100]!r}.")
    folder, root = place / scan.FOLDER / FOLDER, os.path.realpath(place)
    missing = CallError(Code.NOT_FOUND, f"{repository} has no panel {printable(name)[:100]!r}.")
    try:
        file = _file(folder, name, root)
        data = None if file is None else files.read(file, scan.DOCUMENT_MAX, root)
        if file is None or data is None:
            raise missing
        modified = file.stat().st_mtime
    except RefusedError as error:
        said = f"{repository}: {scan.FOLDER}/{FOLDER}/{printable(name)[:100]} {error}."
        raise CallError(Code.INVALID, said) from error
    except OSError as error:
        raise missing from error
    return Panel(data.decode("utf-8", "replace"), timestamps.at(modified))


def _file(folder: Path, name: str, root: str) -> Path | None:
    suffix = scan.FOLDERS[FOLDER]
    if not name.endswith(suffix) or not folder.is_dir() or not files.inside(str(folder), root):
        return None
    # Whatever is refused is told so when it is read, so the check is left to that.
    with os.scandir(folder) as entries:
        shown = (entry.name for entry in entries if not entry.name.startswith("."))
        found = next((one for one in shown if printable(one) == name), None)
    return folder / found if found else None
