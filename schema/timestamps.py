"""The one format of stored times: UTC, milliseconds, fixed width, so that text sorts as time does.

Also reads the formats of the Go program's database. Used wherever a time is stored or shown.
"""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """`2026-01-31T08:05:00.000Z` for an aware datetime."""
    # Not strftime: its %Y leaves out the zeros of a year such as 0001, which Go writes for "never".
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """The wall clock, as stored."""
    return stamp(datetime.now(UTC))


def at(seconds: float) -> str:
    """Seconds since 1970 as stored."""
    return stamp(datetime.fromtimestamp(seconds, UTC))


def parse(text: str) -> datetime:
    """A stored time, RFC 3339 with any fraction or offset, or SQLite's `datetime('now')` text. ValueError otherwise."""
    text = text.strip()
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    # Python reads at most microseconds; Go writes nanoseconds.
    head, dot, tail = text.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999 in UTC") from None


def ms(text: str) -> int:
    """A stored time in ms since 1970."""
    return round(parse(text).timestamp() * 1000)


def lasting(seconds: float) -> str:
    """How long something took, for people: `950 ms`, `12.4 s`, `3 m 07 s`, `2 h 05 m`, `4 d 3 h`."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole // 60 % 60:02d} m"
    return f"{whole // 86400} d {whole // 3600 % 24} h"
