"""When a heartbeat is missed: a job that says when it has run, and did not in time. Pure.

Times are ms since 1970. Called by `daemon.services.heartbeats`.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from daemon import cron
from schema.definitions import Definition
from schema.zones import zone

# The worker leaves a trace of its life every minute, so a silence that looks no longer than this may be a mere restart.
SHORT_MS = 180_000
# Who wakes so much later than it wanted to stood still: the machine slept, or the process was stopped.
LATE_MS = 60_000


class Heard(NamedTuple):
    """What was heard of a job: its last success, and a start that no end has followed.

    `awaited_from`: when it was added, changed or resumed last; one that was never heard is waited for from then on.
    """

    at: int | None = None
    begun_at: int | None = None
    awaited_from: int | None = None

    @property
    def last(self) -> int | None:
        """From when its next time counts."""
        return self.awaited_from if self.at is None else self.at


class Deaf(NamedTuple):
    """A time in which nobody listened: the daemon stood still, or the service was paused."""

    since: int
    until: int


def deadline(definition: Definition, heard: Heard, deaf: Deaf) -> int | None:
    """When it is missed; None where nobody waits for it. What nobody could hear is not held against it."""
    expected = heard.begun_at
    if expected is None and heard.last is not None:
        expected = following(definition, heard.last)
    if expected is None:
        return None
    grace, interval = round(definition.grace * 1000), round(definition.interval * 1000)
    due = expected + grace
    if expected < deaf.until and due >= deaf.since and _counts(definition, interval, deaf):
        # It may have told of itself and not been heard, so that its next time is the first that tells anything.
        return max(due, following(definition, deaf.until) + grace)
    return max(due, deaf.until + min(grace, interval))


def stood_still(looked: int, wanted: int, now: int) -> Deaf | None:
    """The time in which nobody listened, where who looked last at one time and wanted to look again did so only now."""
    return Deaf(looked, now) if now - wanted > LATE_MS else None


def longer(deaf: Deaf, heard: Heard, further: Deaf) -> Deaf:
    """The time in which nobody listened, after a further one: both as one, if nothing was heard between them."""
    silent = max(heard.at or 0, heard.begun_at or 0) < deaf.until
    return Deaf(deaf.since, further.until) if silent else further


def _counts(definition: Definition, interval: int, deaf: Deaf) -> bool:
    """Whether one may have been lost: were each restart to forgive a night, a nightly job would never be missed."""
    return deaf.until - deaf.since > SHORT_MS or (not definition.cron and interval <= SHORT_MS)


def following(definition: Definition, at: int) -> int:
    """When the next sign of life is expected after one."""
    if not definition.cron:
        return at + round(definition.interval * 1000)
    moment = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone(definition.zone))
    return round(cron.following(definition.cron, moment).timestamp() * 1000)
