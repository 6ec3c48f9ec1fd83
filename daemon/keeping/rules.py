"""When the daily work is due, what is old enough to go, and how much is removed at a time. Pure.

Called by the rest of `daemon.keeping`.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from math import ceil
from typing import NamedTuple

HOUR = 3  # local time
APART_LEAST = timedelta(hours=20)
PATIENCE = timedelta(hours=3)  # for a moment in which no session runs
BATCH_FIRST, BATCH_LEAST, BATCH_MOST = 200, 20, 5000
BATCH_SECONDS = 0.01
FREE_LEAST, FREE_SHARE = 4 * 1024 * 1024, 8  # of a database's file, for what is written next


class Log(NamedTuple):
    """The log of a session that is over."""

    session: int
    name: str
    ended_at: str
    size: int


def due(last: datetime, now: datetime, running: int) -> bool:
    """Whether the daily work is due: three o'clock local time was since `last`, and no session runs, or runs for long.

    Both times are aware, in local time. Twice within 20 hours is never due, so that a first start removes nothing.
    """
    moment = last.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    while moment <= last or moment - last < APART_LEAST:
        moment += timedelta(days=1)
    return now >= moment and (running == 0 or now - moment >= PATIENCE)


def before(now: datetime, days: int) -> datetime | None:
    """What is older goes; None keeps everything."""
    return now - timedelta(days=days) if days > 0 else None


def batch(size: int, seconds: float) -> int:
    """How many rows to remove next, after `size` took so long: the store is never held for much more than 10 ms."""
    if seconds < 1e-6:
        return min(size * 2, BATCH_MOST)
    wanted = int(size * BATCH_SECONDS / seconds)
    return max(BATCH_LEAST, min(wanted, size * 2, BATCH_MOST))


def logs_to_remove(logs: Sequence[Log], older_than: str | None, most_bytes: int) -> list[Log]:
    """The logs to remove, oldest first: those of before a stored time, then more until the rest is small enough.

    `older_than` None and `most_bytes` 0 set no bound.
    """
    ordered = sorted(logs, key=lambda log: (log.ended_at, log.session))
    left = sum(log.size for log in ordered)
    found = []
    for log in ordered:
        old = older_than is not None and log.ended_at < older_than
        if not old and not (most_bytes and left > most_bytes):
            break
        found.append(log)
        left -= log.size
    return found


class Share(NamedTuple):
    """The rows of one kind on one day, and about how many bytes of the database they take up."""

    day: str
    kind: str
    rows: int
    bytes: float


def oldest_first(shares: Iterable[Share], over: float) -> dict[str, tuple[int, int]]:
    """About how many rows of each kind go, and their bytes, until the database uses `over` bytes less.

    The oldest day goes first; within a day, the kinds in the order in which they come.
    """
    found: dict[str, tuple[int, int]] = {}
    for share in sorted(shares, key=lambda share: share.day):
        if over <= 0:
            break
        part = min(1.0, over / share.bytes) if share.bytes > 0 else 1.0
        rows, size = found.get(share.kind, (0, 0))
        found[share.kind] = (rows + ceil(share.rows * part), size + int(share.bytes * part))
        over -= share.bytes
    return found


def end_of_day(moment: str) -> str:
    """The day after the one of a stored time: all that is older is of that day, or of one before."""
    return (date.fromisoformat(moment[:10]) + timedelta(days=1)).isoformat()


def free_to_give(live: int, free: int) -> int:
    """How many of the free bytes of a database's file the disk gets back; the rest is for what is written next."""
    return max(0, free - max(FREE_LEAST, live // FREE_SHARE))


def backups_to_remove(names: Iterable[str], keep: int, fresh: str) -> list[str]:
    """The automatic backups that are one too many, oldest first. Their names sort by time; `fresh` always stays."""
    ordered = sorted(name for name in names if name != fresh)
    return ordered[: max(0, len(ordered) - max(0, keep - 1))]


def is_held(name: str, open_names: Collection[str]) -> bool:
    """Whether a file of the sessions' HOME belongs to an open session, by the CLI's session id in its path."""
    return any(open_name in name for open_name in open_names)
