"""What starts when, decided from values: the order of the queue, what holds its head back, the schedule's dates.

Pure: clocks and the cron expression's dates come as arguments. Called by `daemon.triggers.queue` and `.schedule`.
"""

import hashlib
import re
from datetime import datetime, time
from typing import NamedTuple

from daemon import cron
from schema.states import Trigger

# What a person decided goes before what people ask for, that before the chain, that before what programs ask for.
PRIORITY = {
    Trigger.APPROVAL: 0,
    Trigger.MANUAL: 1,
    Trigger.ESCALATION: 2,
    Trigger.ALERT: 3,
    Trigger.SERVICE: 3,
    Trigger.API: 4,
    Trigger.SCHEDULED: 5,
}
# What the daemon does not do by itself.
ASKED_FOR = frozenset({Trigger.MANUAL, Trigger.API, Trigger.ALERT})
ATTEMPTS_MAX = 3
QUIET = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


def key_of(kind: Trigger, tier: int, prompt: str, key: str) -> str:
    """What makes two triggers the same: the key that was given, else kind, tier and the whole prompt."""
    if key:
        return f"{kind.value}:{tier}:{key}"
    return f"{kind.value}:{tier}:{hashlib.sha256(prompt.encode()).hexdigest()[:32]}"


def is_asked_for(kind: Trigger) -> bool:
    """Whether people, programs or alerts ask for such a session, and not the schedule or another session."""
    return kind in ASKED_FOR


class QuietHours(NamedTuple):
    """A daily span on the local clock; it may pass midnight, and is empty where it ends as it begins."""

    start: time
    end: time

    def hold(self, moment: datetime) -> bool:
        """Whether `moment` (local) lies in the span."""
        now = moment.time()
        if self.start <= self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end


def quiet_hours(text: str) -> QuietHours | None:
    """The span of a setting such as `22:00-06:30`; None where it is empty. Its form has been checked."""
    found = QUIET.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, end_hours, end_minutes = map(int, found.groups())
    return QuietHours(time(hours, minutes), time(end_hours, end_minutes))


class Facts(NamedTuple):
    """What a tier's next trigger is judged by. `refusal`: why no session can start at all; `budget`: for money."""

    tier: int
    max_tier: int
    busy_with: int | None
    quiet_until: str | None
    refusal: str | None
    budget: str | None


class Wait(NamedTuple):
    """Why a trigger does not start now; `forever` if it never will, `soon` if that passes by itself in a moment."""

    reason: str
    forever: bool = False
    soon: bool = False


def holds_back(kind: Trigger, attempts: int, facts: Facts) -> Wait | None:
    """What holds the head of a tier's queue back; None if it may start."""
    if facts.tier > facts.max_tier:
        return Wait(f"tier {facts.tier} is above CLAUDEOPS_MAX_TIER, which is {facts.max_tier}", forever=True)
    if attempts >= ATTEMPTS_MAX:
        return Wait(f"the daemon was killed {attempts} times before it could start; add it again", forever=True)
    if facts.busy_with is not None:
        return Wait(f"tier {facts.tier} is busy with session {facts.busy_with}")
    if kind is Trigger.SCHEDULED and facts.quiet_until is not None:
        return Wait(f"quiet hours until {facts.quiet_until}")
    if facts.budget is not None and kind not in (Trigger.MANUAL, Trigger.APPROVAL):
        return Wait(facts.budget)
    if facts.refusal is not None:
        return Wait(facts.refusal)
    return None


class Due(NamedTuple):
    """When the schedule fires: on the monotonic clock of this host, within one start of the daemon (`boot`)."""

    boot: str
    mono: float


def due_at_start(stored: Due | None, boot: str, now: float) -> float:
    """When to fire first: at once after the daemon's start; a replaced worker goes on with the stored date."""
    return stored.mono if stored is not None and stored.boot == boot else now


def due_after(ended: float, interval: float) -> float:
    """When to fire after a chain that ended at `ended`."""
    return ended + interval


def due_after_change(due: float, old_interval: float, new_interval: float, now: float) -> float:
    """When to fire after the interval was changed while waiting: as if it had been the new one all along."""
    return max(now, due - old_interval + new_interval)


def next_date(expression: str, after: datetime) -> datetime:
    """The first date of a cron expression after a moment, in that moment's zone. ValueError says what is wrong."""
    try:
        return cron.following(expression, after)
    except ValueError as error:
        raise ValueError(f"CLAUDEOPS_SCHEDULE_CRON: {error}; write it as 0 */2 * * *") from None


def missed(stored: datetime | None, now: datetime) -> bool:
    """Whether a date passed while nobody was there; however many did, one session makes up for them."""
    return stored is not None and stored <= now
