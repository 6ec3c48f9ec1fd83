"""Services that are probed, as lists and heads show them: status, latency, the last findings as a bar.

Used by `webui.pages.probed`, `webui.pages.probed_view` and `webui.live.rows`. Pure.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from pathlib import PurePath
from typing import NamedTuple

from schema import beats
from schema.monitored import Monitored
from schema.states import ServiceStatus
from webui.pages import formats, service_rows
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.session_rows import Look

LOOKS: Mapping[ServiceStatus, Look] = {
    ServiceStatus.DOWN: Look("bad", "octagon-x", "down"),
    ServiceStatus.TIMEOUT: Look("bad", "clock-alert", "timeout"),
    ServiceStatus.DEGRADED: Look("warn", "triangle-alert", "degraded"),
    ServiceStatus.BLOCKED: Look("neutral", "link-2-off", "blocked"),
    ServiceStatus.PENDING: Look("info", "circle-dashed", "pending"),
    ServiceStatus.UNKNOWN: Look("neutral", "circle-question-mark", "unknown"),
    ServiceStatus.MAINTENANCE: Look("plan", "wrench", "maintenance"),
    ServiceStatus.PAUSED: Look("neutral", "circle-pause", "paused"),
    ServiceStatus.HEALTHY: Look("ok", "circle-check", "healthy"),
}
# Worst first: what is broken now, what may be, what is set aside, what works.
ORDER = tuple(LOOKS)
FINE = frozenset({ServiceStatus.HEALTHY, ServiceStatus.PAUSED})
DETAIL_CHARS = 300
URL_CHARS = 160
STEP = 10
# How high a finding stands in the bar, of 100, so that it can be told without its colour.
HEIGHTS = {"h": 50, "g": 75, "d": 100, "t": 100, "p": 60, "m": 50, "b": 25, "u": 25}


class Part(NamedTuple):
    """The findings of one kind in a bar: a letter of `schema.beats`, and where they are."""

    letter: str
    path: str


class Bar(NamedTuple):
    """The last findings, the newest at the right. `label` says the same in words."""

    width: int
    parts: list[Part]
    label: str


class ProbedRow(NamedTuple):
    """One service. `detail` only where something is wrong; `owner`: the file that describes it, `file` its name."""

    id: int
    name: str
    href: str
    url: str
    tone: str
    icon: str
    word: str
    since: At | None
    latency: str
    checked: At | None
    tags: list[str]
    group: str
    detail: str
    flapping: bool
    owner: str
    file: str
    bar: Bar | None


def row(service: Monitored, now: datetime) -> ProbedRow:
    """The row of a service, seen at `now`."""
    looks = LOOKS[service.status]
    detail = "" if service.status in FINE else plain(service.detail)[:DETAIL_CHARS]
    return ProbedRow(
        id=service.id,
        name=plain(service.name),
        href=service_rows.href(service.name),
        url=plain(service.url)[:URL_CHARS],
        tone=looks.tone,
        icon=looks.icon,
        word=looks.word,
        since=formats.ago(service.since, now) if service.since else None,
        latency=latency(service.latency_ms),
        checked=formats.ago(service.last_checked_at, now) if service.last_checked_at else None,
        tags=service.tags,
        group=plain(service.group),
        detail=" ".join(detail.split()),
        flapping=service.flapping,
        owner=plain(service.owner),
        file=plain(PurePath(service.owner).name),
        bar=bar(service.beats) if service.beats else None,
    )


def latency(ms: float | None) -> str:
    """How long an answer took: decimals below 10 ms alone."""
    if ms is None:
        return formats.NONE
    return f"{ms:.1f} ms" if ms < 10 else formats.duration(ms / 1000)


@lru_cache(4096)
def bar(found: str) -> Bar:
    """Findings as they are stored, a letter each, the newest last. Most services have the same few bars."""
    found = found[-beats.SHOWN :].lstrip(beats.NO_DATA)
    missing = beats.SHOWN - len(found)
    paths: dict[str, list[str]] = {}
    if missing:
        paths[beats.NO_DATA] = [_stretch(beats.NO_DATA, 0, missing * STEP)]
    place = missing
    for letter, run in groupby(found):
        length = sum(1 for _ in run)
        paths.setdefault(letter, []).append(_stretch(letter, place * STEP, length * STEP))
        place += length
    counted = Counter(found)
    words = ", ".join(
        f"{counted[letter]} {LOOKS[status].word}"
        for status in reversed(ORDER)
        if (letter := beats.LETTERS.get(status, "")) in counted
    )
    checks, gaps = len(found) - counted[beats.NO_DATA], sum(letter == beats.NO_DATA for letter, _ in groupby(found))
    label = f"Last {checks} check{'' if checks == 1 else 's'}: {words}."
    if gaps:
        label += f" No data in between, {'once' if gaps == 1 else f'{gaps} times'}."
    return Bar(beats.SHOWN * STEP, [Part(letter, "".join(path)) for letter, path in sorted(paths.items())], label)


def _stretch(letter: str, start: int, length: int) -> str:
    """Findings that are alike, as one stroke; its dashes are the single bars."""
    if letter == "t":  # hollow: its top and its foot
        return f"M{start} 15h{length}M{start} 85h{length}"
    if letter == beats.NO_DATA:
        return f"M{start} 99h{length}"
    middle = 100 - HEIGHTS.get(letter, 25) / 2
    return f"M{start} {middle:g}h{length}"
