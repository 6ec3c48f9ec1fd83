"""The bar of a service's last findings, each by itself: when, what, how fast and why, for beats.js to say. Pure.

Used by `webui.pages.probed_view`. Who has no script reads the list of findings, to which the page leads.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from schema import beats
from schema.monitored import Monitored, Result
from webui.pages import formats, probed_rows, service_view
from webui.pages.ansi import plain
from webui.pages.formats import At

DETAIL_CHARS = 120
NO_DATA = "no data"


class Beats(NamedTuple):
    """What stands at the bar's ends, and what is said of each finding in it: texts as JSON, the newest last.

    `begins`: the oldest of them; None where that is not kept any more. `whole`: the bar is full. `ends`: the newest,
    where nothing is looked for now; None: it ends now.
    """

    told: str
    begins: At | None
    whole: bool
    ends: At | None


def view(service: Monitored, results: Sequence[Result], now: datetime) -> Beats:
    """`results`: the newest first."""
    found = service.beats[-beats.SHOWN :].lstrip(beats.NO_DATA)
    # What was found since the service's row was read is in no bar yet.
    ours = [one for one in results if one.at <= (service.last_checked_at or "")]
    checks = len(found) - found.count(beats.NO_DATA)
    return Beats(
        told=msgspec.json.encode(texts(found, ours)).decode(),
        begins=formats.ago(ours[checks - 1].at, now) if 0 < checks <= len(ours) else None,
        whole=len(found) == beats.SHOWN,
        ends=formats.ago(service.last_checked_at, now) if service.paused and service.last_checked_at else None,
    )


def texts(found: str, results: Sequence[Result]) -> list[str]:
    """What is said of each letter. A finding that is not kept any more is told by its status alone."""
    told: list[str] = []
    stored = iter(results)
    for letter in reversed(found):
        if letter == beats.NO_DATA:
            told.append(NO_DATA)
            continue
        word = probed_rows.LOOKS[beats.STATUSES[letter]].word
        one = next(stored, None)
        told.append(_text(one) if one else f"{word}, longer ago than findings are kept")
    return told[::-1]


def _text(one: Result) -> str:
    parts = [f"{service_view.exact(one.at)} UTC", probed_rows.LOOKS[one.status].word]
    if one.latency_ms is not None:
        parts.append(probed_rows.latency(one.latency_ms))
    detail = " ".join(plain(one.detail).split())
    if len(detail) > DETAIL_CHARS:
        detail = f"{detail[:DETAIL_CHARS]}…"
    return ", ".join(parts) + (f": {detail}" if detail else "")
