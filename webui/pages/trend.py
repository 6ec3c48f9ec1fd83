"""How a service was over time: spans of hours, the share of healthy checks, response times; as charts and as words.

Pure; used by `webui.pages.service`. Sessions look when they run, so a span without a check is one of which nothing is
known, and a share is one of checks, not of time.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from schema.services import HourOfChecks
from webui.pages import charts, formats, service_rows
from webui.pages.charts import Chart, Slot

WORDS = {"ok": "healthy", "warn": "degraded", "bad": "down", "neutral": "unknown", "": "no check"}
ICONS = {"ok": "circle-check", "warn": "triangle-alert", "bad": "octagon-x", "neutral": "circle-question-mark"}


class Range(NamedTuple):
    """A range of the trend: so many spans of so many hours."""

    label: str
    spans: int
    hours: int


RANGES = {
    "24h": Range("24 h", 24, 1),
    "7d": Range("7 days", 56, 3),
    "30d": Range("30 days", 60, 12),
    "90d": Range("90 days", 90, 24),
}
USUAL = "7d"


class Span(NamedTuple):
    """Some hours: the worst that was found, and what was counted. `begins` and `ends` as people read them, UTC."""

    begins: str
    ends: str
    tone: str
    icon: str
    word: str
    checks: int
    healthy: int
    share: str
    response_ms: float | None
    response: str


class ShareOf(NamedTuple):
    """The share of healthy checks over a range."""

    label: str
    share: str
    note: str


def _start(now: datetime, chosen: Range) -> datetime:
    """The first hour of the first span; the last span holds the present hour."""
    present = now.replace(minute=0, second=0, microsecond=0)
    # Spans stand still: they begin at multiples of their length, counted from midnight.
    into = present.hour % chosen.hours
    last = present - timedelta(hours=into)
    return last - timedelta(hours=chosen.hours * (chosen.spans - 1))


def spans(hours: list[HourOfChecks], name: str, now: datetime) -> list[Span]:
    """All spans of a range, the oldest first."""
    chosen = RANGES[name]
    by_hour = {one.hour: one for one in hours}
    start = _start(now, chosen)
    found = []
    for number in range(chosen.spans):
        begins = start + timedelta(hours=number * chosen.hours)
        inside = [service_rows.hour(begins + timedelta(hours=step)) for step in range(chosen.hours)]
        found.append(_span(begins, chosen.hours, together([by_hour[one] for one in inside if one in by_hour])))
    return found


def together(hours: list[HourOfChecks]) -> HourOfChecks:
    """Several hours as one."""
    return HourOfChecks(
        hour=hours[0].hour if hours else "",
        checks=sum(one.checks for one in hours),
        healthy=sum(one.healthy for one in hours),
        degraded=sum(one.degraded for one in hours),
        down=sum(one.down for one in hours),
        timed=sum(one.timed for one in hours),
        total_ms=sum(one.total_ms for one in hours),
    )


def _span(begins: datetime, hours: int, sums: HourOfChecks) -> Span:
    tone = service_rows.tone_of(sums)
    took = sums.total_ms / sums.timed if sums.timed else None
    ends = begins + timedelta(hours=hours)
    return Span(
        begins=f"{begins:%Y-%m-%d %H:%M}",
        ends=f"{ends:%H:%M}" if hours < 24 else f"{ends:%Y-%m-%d %H:%M}",
        tone=tone,
        icon=ICONS.get(tone, ""),
        word=WORDS[tone],
        checks=sums.checks,
        healthy=sums.healthy,
        share=service_rows.share(sums.healthy, sums.checks),
        response_ms=took,
        response=formats.NONE if took is None else formats.duration(took / 1000),
    )


def chart(found: list[Span], chosen: Range) -> Chart:
    """The worst of each span, as a strip."""
    words = [span.word for span in found if span.checks]
    counted = ", ".join(f"{words.count(word)} {word}" for word in WORDS.values() if word in words)
    return Chart(
        width=len(found) * charts.STEP,
        layers=charts.states([span.tone for span in found]),
        slots=[Slot(number * charts.STEP, _said(span)) for number, span in enumerate(found)],
        label=f"Checks of {chosen.label}, the worst of each {_length(chosen.hours)}: {counted or 'none'}.",
    )


def _length(hours: int) -> str:
    return "hour" if hours == 1 else "day" if hours == 24 else f"{hours} hours"


def _said(span: Span) -> str:
    text = f"{span.begins} to {span.ends} UTC: {span.word}"
    return f"{text}, {span.healthy} of {span.checks} checks healthy" if span.checks else text


def response(found: list[Span]) -> tuple[Chart | None, str]:
    """Mean response times as a line, and its path; nothing where no check has told one."""
    values = [span.response_ms for span in found]
    known = [value for value in values if value is not None]
    if not known:
        return None, ""
    most = charts.nice(max(known))
    slots = [
        Slot(number * charts.STEP, f"{span.begins} to {span.ends} UTC: {span.response}")
        for number, span in enumerate(found)
        if span.response_ms is not None
    ]
    slowest = formats.duration(max(known) / 1000)
    label = f"Mean response time, as far as checks told one: {slowest} at most."
    top = formats.duration(most / 1000)
    return Chart(len(found) * charts.STEP, [], slots, label, top), charts.line(values, most)


def _since(hours: list[HourOfChecks], now: datetime, back: int) -> HourOfChecks:
    first = service_rows.hour(now - timedelta(hours=back))
    return together([one for one in hours if one.hour >= first])


def shares(hours: list[HourOfChecks], now: datetime) -> list[ShareOf]:
    """The share of each range."""
    found = []
    for one in RANGES.values():
        sums = _since(hours, now, one.spans * one.hours)
        note = f"{formats.count(sums.checks)} check{'' if sums.checks == 1 else 's'}"
        found.append(ShareOf(one.label, service_rows.share(sums.healthy, sums.checks), note))
    return found


def told(hours: list[HourOfChecks], now: datetime) -> str:
    """What is known of response times, where nobody has told any."""
    return "" if _since(hours, now, 90 * 24).timed else "No check has told a response time."
