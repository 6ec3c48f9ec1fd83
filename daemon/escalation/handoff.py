"""`handoff.json` in the state directory: how a session that has no structured output hands over.

A file belongs to the session that wrote it: one older than the session's start is somebody else's, and is left aside.
Called by `daemon.sessions.ending`.
"""

from datetime import UTC, datetime
from pathlib import Path

from schema import timestamps

NAME = "handoff.json"
BYTES_MAX = 1024 * 1024


def read(state_dir: str, started_at: str) -> bytes | None:
    """The file that a session wrote which started at `started_at` (a stored time); None if there is none."""
    path = Path(state_dir) / NAME
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if written < timestamps.parse(started_at):
            return None
        with path.open("rb") as file:
            return file.read(BYTES_MAX)
    except FileNotFoundError:
        return None


def clear(state_dir: str) -> None:
    """Removes what was read, or what is left of an earlier chain."""
    (Path(state_dir) / NAME).unlink(missing_ok=True)
