"""Time zones by name, and a time as a person writes it in one, as a stored time.

Used by what plans and expects by dates, by the command line and by forms. The zones are loaded with the first name that
needs them: few daemons have one, and they take 0.3 MiB.
"""

from datetime import UTC, datetime, tzinfo

from schema import timestamps


def zone(name: str) -> tzinfo:
    """The zone of that name. ValueError for one that is not known says how one is written."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # OSError: a directory of zones, or too long
        raise ValueError(f"{name!r} is no time zone; Europe/Berlin is one") from None


def local_start(text: str, name: str) -> str:
    """`2026-01-31 22:00` in the zone of that name, or a time that has one itself. ValueError says how to write it."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no time; write it like 2026-01-31T22:00") from None
    return timestamps.stamp(found if found.tzinfo else found.replace(tzinfo=zone(name)))
