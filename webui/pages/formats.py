"""Numbers and times as people read them. Pure; used by every page. A missing value is a dash, never 0."""

from datetime import UTC, datetime
from typing import NamedTuple

from schema import timestamps

NONE = "–"
THIN = "\u2009"


class At(NamedTuple):
    """A moment: machine-readable, and in words."""

    iso: str
    text: str


def _near(seconds: float) -> str:
    seconds = max(0.0, seconds)
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds // 86400)} d"


def ago(stored: str, now: datetime) -> At:
    """A stored time seen from `now`: "4 min ago"."""
    moment = timestamps.parse(stored)
    return At(timestamps.stamp(moment), f"{_near((now - moment).total_seconds())} ago")


def until(stored: str, now: datetime) -> str:
    """A stored time to come: "in 12 min"; "now" when it has passed."""
    left = (timestamps.parse(stored) - now).total_seconds()
    return f"in {_near(left)}" if left > 0 else "now"


def expires(stored: str, now: datetime) -> str:
    """When something ends, to the second below an hour: "expires in 14:32", "expires in 5 h 12 m", "expires now"."""
    seconds = (timestamps.parse(stored) - now).total_seconds()
    if seconds <= 0:
        return "expires now"
    left = f"{int(seconds // 60)}:{int(seconds % 60):02d}" if seconds < 3600 else duration(seconds)
    return f"expires in {left}"


def clock(stored: str) -> str:
    """14:02:11, in UTC."""
    return timestamps.parse(stored).strftime("%H:%M:%S")


def duration(seconds: float | None) -> str:
    """950 ms · 12.4 s · 3 m 07 s · 2 h 05 m · 4 d 3 h."""
    return NONE if seconds is None else timestamps.lasting(seconds)


def span(seconds: int) -> str:
    """A length that somebody has set: 4 h, 90 s, 1 d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return elapsed(seconds)


def elapsed(seconds: float) -> str:
    """A duration that ticks in the page, in whole seconds as the script shows it."""
    return f"{max(0, int(seconds))} s" if seconds < 60 else duration(seconds)


def cost(dollars: float | None) -> str:
    """$0.0042 below a cent, $1.24, $1,240."""
    if dollars is None:
        return NONE
    if dollars == 0:
        return "$0.00"
    if dollars < 0.01:
        return f"${dollars:.4f}"
    return f"${dollars:,.2f}" if dollars < 1000 else f"${dollars:,.0f}"


def tokens(count: int | None) -> str:
    """12.3k, 1.2M."""
    if count is None:
        return NONE
    if count < 1000:
        return str(count)
    return f"{count / 1000:.1f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def count(number: int) -> str:
    """Thousands apart by a thin space."""
    return f"{number:,}".replace(",", THIN)


def size(octets: int | None) -> str:
    """Bytes as KiB and MiB."""
    if octets is None:
        return NONE
    if octets < 1024:
        return f"{octets} B"
    value = float(octets)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1024 or unit == "TiB":
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    raise AssertionError(octets)


def now() -> datetime:
    """The wall clock, for the callers of the above."""
    return datetime.now(UTC)
