"""Whether a service comes and goes too often to tell people each time. Pure; called by `daemon.services.incidents`."""

from collections.abc import Sequence


def flaps(ends: Sequence[int], at: int, *, window_ms: int, changes: int) -> bool:
    """Whether incidents began and ended `changes` times or more within the window before `at` (ms since 1970)."""
    return changes > 0 and sum(1 for end in ends if at - window_ms < end <= at) >= changes


def calm(last_change: int, at: int, *, window_ms: int) -> bool:
    """Whether nothing has changed for a whole window, so that people are told again."""
    return at - last_change >= window_ms


def stays(began: int, at: int, *, window_ms: int, changes: int) -> bool:
    """Whether what is out since `began` comes and goes no more: what does, changes more often than that."""
    return at - began >= window_ms / changes
