"""Where the CLI had a conversation: it finds one again only from that directory, and fails from any other.

The CLI keeps each as a file of JSON lines below its HOME. Called by `daemon.sessions.opening`.
"""

import os
from itertools import islice
from pathlib import Path

import msgspec

LINES_LOOKED_AT = 50


class _Line(msgspec.Struct, frozen=True):
    cwd: str | None = None


def place(home: Path, cli_session: str) -> str | None:
    """The directory in which the CLI had a conversation; None if it has none of that id, or does not tell."""
    kept = next((home / ".claude" / "projects").glob(f"*/{cli_session}.jsonl"), None)
    if kept is None:
        return None
    with kept.open("rb") as lines:
        for line in islice(lines, LINES_LOOKED_AT):
            try:
                told = msgspec.json.decode(line, type=_Line).cwd
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return None  # of another version of the CLI, or cut off
            if told:
                return told
    return None


def goes_on_in(home: Path, cli_session: str, directory: Path) -> bool:
    """Whether a session that runs in a directory can go on in a conversation."""
    where = place(home, cli_session)
    return where is not None and os.path.realpath(where) == os.path.realpath(directory)
