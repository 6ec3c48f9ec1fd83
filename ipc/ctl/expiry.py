"""When something ends: read from what people type, and told in their words. The present is an argument."""

from datetime import UTC, datetime, timedelta

from ipc.ctl.errors import USAGE, CtlError
from ipc.ctl.terminal import duration
from schema.timestamps import parse, stamp

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
ADVICE = "give 90m, 12h, 7d, 4w, or a time to come such as 2030-01-31T08:00:00Z"


def expires_at(text: str, now: datetime) -> str:
    """The stored time that `7d` or a time in RFC 3339 means. CtlError if it means none, or one that has passed."""
    number, unit = text[:-1], text[-1:]
    try:
        if unit in UNITS and number.isascii() and number.isdigit():
            moment = now + timedelta(**{UNITS[unit]: int(number)})
        else:
            moment = parse(text)
    except (ValueError, OverflowError):
        raise CtlError(USAGE, "invalid", f"{text!r} is no time to end at; {ADVICE}") from None
    if moment <= now:
        raise CtlError(USAGE, "invalid", f"{text!r} is not in the future; {ADVICE}")
    return stamp(moment)


def left(stored: str | None, now: datetime) -> str:
    """`in 14 m 32 s`, `over`, or a dash for what never ends."""
    if not stored:
        return "–"
    seconds = (parse(stored) - now).total_seconds()
    return f"in {duration(seconds)}" if seconds > 0 else "over"


def present() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)
