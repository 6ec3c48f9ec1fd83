"""`handoff.json` in the state directory: how a session that has no structured output hands over.

All tiers have one path, and run beside each other. The file is of that session whose call was let write it: nothing
else may write there, and no other session may until that one is over (`daemon.limits.verdict`). A file that was there
before that call is nobody's, and is left aside. Called by `daemon.sessions.ending`.
"""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schema import timestamps

NAME = "handoff.json"
BYTES_MAX = 1024 * 1024
# How far the clock of a file system may lag behind ours.
LAG = timedelta(seconds=2)


def take(state_dir: str, session_id: int, handoff_at: str) -> bytes | None:
    """What a session wrote that may write since `handoff_at` (a stored time) and is not over; None if it did not.

    It is put aside under the session's own name first, so that whoever writes next finds the shared path free; taken
    again, by a worker after one that was killed, it is read from there.
    """
    shared, own = Path(state_dir) / NAME, _own(state_dir, session_id)
    since = timestamps.parse(handoff_at) - LAG
    if _is_newer(shared, since):
        shared.replace(own)
    if not _is_newer(own, since):
        return None
    with own.open("rb") as file:
        return file.read(BYTES_MAX)


def clear(state_dir: str, session_id: int) -> None:
    """Removes what was taken, once it is stored what follows from it."""
    _own(state_dir, session_id).unlink(missing_ok=True)


def _own(state_dir: str, session_id: int) -> Path:
    return Path(state_dir) / f".handoff-{session_id}.json"


def _is_newer(path: Path, since: datetime) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    # Whoever opens a pipe waits for its other end, and a link may lead to what no session may read.
    return stat.S_ISREG(found.st_mode) and datetime.fromtimestamp(found.st_mtime, UTC) >= since
