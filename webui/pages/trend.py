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


def start(now: datetime, chosen: Range) -> datetime:
    """The first hour of the first span; the last span holds the present hour."""
    present = now.replace(minute=0, second=0, microsecond=0)
    # Spans stand still: they begin at multiples of their length, counted from midnight.
    into = present.hour % chosen.hours
    last = present - timedelta(hours=into)
    return last - timedelta(hours=chosen.hours * (chosen.spans - 1))


def spans(hours: list[HourOfChecks], name: str, now: datetime) -> list[Span]:
    """All spans of a range, the oldest first."""
    chosen = RANGES[name]
    first = start(now, chosen)
    places = _places(first, chosen)
    inside: list[list[HourOfChecks]] = [[] for _ in range(chosen.spans)]
    for one in hours:
        if one.hour in places:
            inside[places[one.hour]].append(one)
    return [
        _span(first + timedelta(hours=number * chosen.hours), chosen.hours, together(some))
        for number, some in enumerate(inside)
    ]


def _places(first: datetime, chosen: Range) -> dict[str, int]:
    """The span that each hour belongs to, by the hour's name."""
    found = {}
    day = ""
    for number in range(chosen.spans * chosen.hours):
        days, hour = divmod(first.hour + number, 24)
        if hour == 0 or not day:
            day = (first.date() + timedelta(days=days)).isoformat()
        found[f"{day}T{hour:02d}"] = number // chosen.hours
    return found


def together(hours: list[HourOfChecks]) -> HourOfChecks:
    """Several hours as one."""
    if len(hours) == 1:
        return hours[0]
    checks = healthy = degraded = down = timed = total_ms = 0
    for one in hours:
        checks += one.checks
        healthy += one.healthy
        degraded += one.degraded
        down += one.down
        timed += one.timed
        total_ms += one.total_ms
    return HourOfChecks("", checks, healthy, degraded, down, timed, total_ms)


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
    return charts.lined(
        [span.response_ms for span in found],
        [f"{span.begins} to {span.ends} UTC: {span.response}" for span in found],
        "Mean response time, as far as checks told one",
        lambda value: formats.duration(value / 1000),
    )


def since(chosen: Range, now: datetime) -> str:
    """The hour from which a range's share counts."""
    return service_rows.hour(now - timedelta(hours=chosen.spans * chosen.hours))


def share(chosen: Range, sums: dict[str, int]) -> ShareOf:
    """The share of healthy checks over a range."""
    checks = sums.get("checks", 0)
    note = f"{formats.count(checks)} check{'' if checks == 1 else 's'}"
    return ShareOf(chosen.label, service_rows.share(sums.get("healthy", 0), checks), note)
