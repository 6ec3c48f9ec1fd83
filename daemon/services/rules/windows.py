"""Maintenance windows: once, or again and again by a cron expression, in a time zone of their own. Pure.

Called by `daemon.services.maintenance`.
"""

from datetime import datetime, timedelta

from daemon import cron
from schema import timestamps
from schema.definitions import Window
from schema.zones import zone

LONGEST_MINUTES = 31 * 24 * 60


def problem(window: Window) -> tuple[str, str] | None:
    """The field that can't be so, and why; None if all is well."""
    if window.starts_at and window.cron:
        return "cron", "a window is either once (starts_at) or by a cron expression, not both"
    if not window.starts_at and not window.cron:
        return "starts_at", "say when: starts_at for once, cron for again and again"
    if not 0 < window.minutes <= LONGEST_MINUTES:
        return "minutes", f"a window takes 1 to {LONGEST_MINUTES} minutes"
    if not (window.services or window.tags):
        return "services", "name the services or the tags that it is for; the tag * is all services"
    if window.starts_at and not _is_time(window):
        return "starts_at", f"{window.starts_at!r} is no time; it is written like 2026-01-31T22:00:00Z"
    try:
        where = zone(window.zone)
    except ValueError as error:
        return "zone", str(error)
    try:
        if window.cron:
            cron.following(window.cron, datetime(2026, 1, 1, tzinfo=where))
    except ValueError as error:
        return "cron", str(error)
    return None


def _is_time(window: Window) -> bool:
    try:
        return bool(_start(window) + timedelta(minutes=window.minutes))
    except (ValueError, OverflowError):  # no time, or one that ends after all times
        return False


def _start(window: Window) -> datetime:
    return timestamps.parse(window.starts_at)


def over(window: Window, now: datetime) -> bool:
    """Whether it was once, and goes on no more at a time."""
    return bool(window.starts_at) and _start(window) + timedelta(minutes=window.minutes) <= now


def active(window: Window, now: datetime) -> bool:
    """Whether it is going on at a time (with a zone)."""
    length = timedelta(minutes=window.minutes)
    if window.starts_at:
        start = _start(window)
        return start <= now < start + length
    begun = last_start(window, now)
    return begun is not None and now < begun + length


def last_start(window: Window, now: datetime) -> datetime | None:
    """When a repeated window last began, at or before a time; None if it never did in the last years."""
    return cron.preceding(window.cron, now.astimezone(zone(window.zone)) + timedelta(minutes=1))


def end(window: Window, now: datetime) -> datetime | None:
    """When it is over that goes on at a time; None where it does not."""
    if not active(window, now):
        return None
    start = _start(window) if window.starts_at else last_start(window, now)
    return start + timedelta(minutes=window.minutes) if start else None


def next_start(window: Window, now: datetime) -> datetime | None:
    """When it begins next, after a time."""
    if window.starts_at:
        start = _start(window)
        return start if start > now else None
    return cron.following(window.cron, now.astimezone(zone(window.zone)))
