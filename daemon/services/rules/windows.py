"""Maintenance windows: once, or again and again by a cron expression, in a time zone of their own. Pure.

Called by `daemon.services.windows`.
"""

from datetime import datetime, timedelta

from daemon import cron
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


def active(window: Window, now: datetime) -> bool:
    """Whether it is going on at a time (with a zone)."""
    length = timedelta(minutes=window.minutes)
    if window.starts_at:
        start = datetime.fromisoformat(window.starts_at)
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
    start = datetime.fromisoformat(window.starts_at) if window.starts_at else last_start(window, now)
    return start + timedelta(minutes=window.minutes) if start else None


def next_start(window: Window, now: datetime) -> datetime | None:
    """When it begins next, after a time."""
    if window.starts_at:
        start = datetime.fromisoformat(window.starts_at)
        return start if start > now else None
    return cron.following(window.cron, now.astimezone(zone(window.zone)))
