"""How often a service may be restarted or redeployed, decided from values. Pure: time is an argument.

Called by `daemon.limits.verdict` before a call may run, and by `daemon.cooldowns.cooldowns` for the list.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from daemon.limits.kinds import Found, Kind
from schema.settings import Settings

SUFFIX = ".service"
# Wrappers that may carry out what they wrap any number of times.
REPEATING = frozenset({"xargs", "watch", "find", "parallel", "while", "for"})
MINUTE, HOUR = 60, 3600


class Action(StrEnum):
    """What is counted, as stored."""

    RESTART = "restart"
    REDEPLOYMENT = "redeployment"


ACTIONS = {Kind.RESTART: Action.RESTART, Kind.REDEPLOYMENT: Action.REDEPLOYMENT}


class Limit(NamedTuple):
    """So many actions of a service within so many seconds."""

    most: int
    window_s: int


class Counted(NamedTuple):
    """One action that a call would carry out: what, on which service."""

    action: Action
    service: str


class Use(NamedTuple):
    """How much of a limit is used. `next_at`: when one more is allowed; None if it is now, or never will be."""

    used: int
    limit: Limit
    next_at: datetime | None

    @property
    def blocked(self) -> bool:
        """Whether one more is refused."""
        return self.used >= self.limit.most


def limit_of(settings: Settings, action: Action) -> Limit:
    """The limit of an action."""
    if action is Action.RESTART:
        return Limit(settings.cooldown_restarts, settings.cooldown_restart_window)
    return Limit(settings.cooldown_redeployments, settings.cooldown_redeployment_window)


def service_of(target: str) -> str:
    """The name that a target is counted under: a unit and a container of one name are one service."""
    return target.removesuffix(SUFFIX) or target


def counted(found: Iterable[Found]) -> list[Counted]:
    """What of a call is counted, in order. What has no known target is not among it; see `uncountable`."""
    return [
        Counted(ACTIONS[item.kind], service_of(item.target)) for item in found if item.kind in ACTIONS and item.target
    ]


def uncountable(found: Iterable[Found]) -> tuple[Found, str] | None:
    """The first restart or redeployment that can't be counted, and why; None if all can."""
    for item in found:
        if item.kind in ACTIONS and not item.target:
            return item, "its target is not known"
        if item.kind in ACTIONS and any(wrapper.split(" ", 1)[0] in REPEATING for wrapper in item.through):
            return item, "it can't be told how often it is done"
    return None


def twice(wanted: Sequence[Counted]) -> Counted | None:
    """What one call would do to the same service more than once."""
    return next((one for one, times in Counter(wanted).items() if times > 1), None)


def use(limit: Limit, actions: Iterable[datetime], now: datetime) -> Use:
    """How much of a limit the counting actions of a service have used; those that left the window don't count."""
    start = now - timedelta(seconds=limit.window_s)
    within = sorted((moment for moment in actions if moment > start), reverse=True)
    next_at = None
    if len(within) >= limit.most > 0:
        next_at = within[limit.most - 1] + timedelta(seconds=limit.window_s)
    return Use(len(within), limit, next_at)


def resets_at(limit: Limit, actions: Iterable[datetime], now: datetime) -> datetime | None:
    """When one more is allowed, or else when the oldest that counts stops counting; None without any."""
    start = now - timedelta(seconds=limit.window_s)
    within = [moment for moment in actions if moment > start]
    blocked = use(limit, within, now).next_at
    return blocked or (min(within) + timedelta(seconds=limit.window_s) if within else None)


def refusal(one: Counted, used: Use, now: datetime) -> str:
    """The sentence that denies: used and allowed, and when the next is possible."""
    if used.limit.most == 0:
        return f"{one.action} of {one.service}: none is allowed"
    text = f"{one.action} of {one.service}: {used.used} of {used.limit.most} used in {span(used.limit.window_s)}"
    if used.next_at is None:
        return text
    day = "" if used.next_at.date() == now.date() else f"{used.next_at:%d %b} "
    # A time that is rounded down would be asked for a minute too early.
    return f"{text}, next at {day}{used.next_at + timedelta(seconds=59):%H:%M} UTC"


def usage(one: Counted, used: Use) -> str:
    """Which of the allowed ones the next would be, in words."""
    return f"{one.action} of {one.service}: {used.used + 1} of {used.limit.most} in {span(used.limit.window_s)}"


def span(seconds: int) -> str:
    """`4 h`, `90 min`, `45 s`."""
    if seconds % HOUR == 0:
        return f"{seconds // HOUR} h"
    if seconds % MINUTE == 0:
        return f"{seconds // MINUTE} min"
    return f"{seconds} s"
