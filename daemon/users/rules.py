"""How long a sign-in lasts, and which failed ones are written into the audit log, which is never cleared.

Called by `daemon.users.handlers` and `daemon.users.failures`. Anybody can fail, from as many addresses as they have, so
lines are counted: by whom they speak of, and all together. An attack shows by its first lines; how many failures there
were besides, those say that come later.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

KEPT = timedelta(days=1)  # how long a failure is remembered
WINDOW = timedelta(hours=1)
SUBJECT_MAX = 10  # lines in an hour on one person; as many on all names that nobody has
ALL_MAX = 100  # lines in an hour on everybody


def expiry(begun: datetime, now: datetime, days: int, max_days: int) -> datetime:
    """When a sign-in ends that is used now: after `days` without use, and `max_days` after it began in any case."""
    return min(now + timedelta(days=days), begun + timedelta(days=max_days))


def left(lines: Iterable[tuple[str, str]], subject: str, since: str) -> int:
    """How many lines on a subject may still be written. `lines`: (time, subject) of the newest ALL_MAX."""
    lately = [one for at, one in lines if at > since]
    return max(0, min(SUBJECT_MAX - lately.count(subject), ALL_MAX - len(lately)))
