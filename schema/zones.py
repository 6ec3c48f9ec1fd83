"""A time as a person writes it, in a zone, as a stored time. Used by the command line and by forms."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schema import timestamps


def local_start(text: str, zone: str) -> str:
    """`2026-01-31 22:00` in a zone, or a time that has one itself. ValueError says how to write it."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no time; write it like 2026-01-31T22:00") from None
    if found.tzinfo is None:
        try:
            found = found.replace(tzinfo=ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{zone!r} is no time zone; Europe/Berlin is one") from None
    return timestamps.stamp(found)
