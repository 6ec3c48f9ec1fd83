"""How fast a service answered in the last day, by quarters of an hour: one set of numbers, shown four times.

The server's drawing, the table behind it, what `latency.js` draws in the drawing's place, and the page's JSON all come
from `quarters`. Pure; used by `webui.pages.probed_view` and `webui.pages.service`, of what `probed_read` has read.
"""

from typing import NamedTuple

import msgspec

from schema import latency, timestamps
from schema.states import ServiceStatus
from webui.pages import charts, probed_rows
from webui.pages.charts import Chart
from webui.pages.probed_read import MINUTE, QUARTER, SLOTS, Stored

BROKEN = frozenset({ServiceStatus.DOWN, ServiceStatus.TIMEOUT})
SHARES = (0.5, 0.95, 0.99)


class Quarter(msgspec.Struct):
    """A quarter of an hour: from when (ms since 1970), and how fast in ms; None where nothing was answered in it.

    `p50`, `p95`, `p99`: what so many percent of the answers did not exceed.
    """

    at: int
    checks: int = 0
    failures: int = 0
    low: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    high: float | None = None


class Line(NamedTuple):
    """A line of the table."""

    begins: str
    checks: int
    failures: int
    fastest: str
    p50: str
    p95: str
    p99: str
    slowest: str


class Plot(msgspec.Struct):
    """What `latency.js` reads: where each quarter begins (s since 1970), and the lines (ms), interrupted by None."""

    at: list[int]
    p50: list[float | None]
    p95: list[float | None]
    p99: list[float | None]


def quarters(stored: Stored, end: int) -> list[Quarter]:
    """The day up to `end` (ms); what no minute's sum holds yet comes from the findings themselves."""
    first = end // QUARTER - SLOTS + 1
    found = [Quarter((first + place) * QUARTER) for place in range(SLOTS)]
    summed = stored.minutes[-1]["at"] + MINUTE if stored.minutes else 0
    rows = [(row["at"], row["checks"], row["failures"], row["low_us"], row["high_us"]) for row in stored.minutes]
    for one in stored.results:
        at = int(timestamps.parse(one.at).timestamp() * 1000)
        if at >= summed:
            took = None if one.latency_ms is None else one.latency_ms * 1000
            rows.append((at, 1, int(one.status in BROKEN), took, took))
    for at, checks, failures, low, high in rows:
        place = at // QUARTER - first
        if not 0 <= place < SLOTS:
            continue
        into = found[place]
        into.checks += checks
        into.failures += failures
        into.low = min((one for one in (into.low, _ms(low)) if one is not None), default=None)
        into.high = max((one for one in (into.high, _ms(high)) if one is not None), default=None)
    for into, answers in zip(found, stored.latencies, strict=True):
        into.p50, into.p95, into.p99 = (_ms(latency.exact(answers, share)) for share in SHARES)
    return found


def _ms(us: float | None) -> float | None:
    return None if us is None else us / 1000


def line(one: Quarter) -> Line:
    """A quarter as the table has it."""
    begins = timestamps.at(one.at / 1000)[:16].replace("T", " ")
    low, half, most, nearly, high = map(probed_rows.latency, (one.low, one.p50, one.p95, one.p99, one.high))
    return Line(begins, one.checks, one.failures, low, half, most, nearly, high)


def plot(found: list[Quarter]) -> str:
    """What the script draws, as JSON; a hundredth of a millisecond is all that can be seen of it."""
    lines = [[None if value is None else round(value, 2) for value in column] for column in
             ([one.p50 for one in found], [one.p95 for one in found], [one.p99 for one in found])]  # fmt: skip
    return msgspec.json.encode(Plot([one.at // 1000 for one in found], *lines)).decode()


def chart(found: list[Quarter]) -> tuple[Chart | None, str]:
    """The server's drawing, and its line."""
    return charts.lined(
        [one.high for one in found],
        [f"from {timestamps.at(one.at / 1000)[11:16]} UTC: {probed_rows.latency(one.high)}" for one in found],
        "Slowest answer of each quarter of an hour, the last day",
        probed_rows.latency,
    )
