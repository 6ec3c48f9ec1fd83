"""One service that is probed, whole: how it stands, how long it worked, how fast it was, what was found, its incidents.

Used by `webui.pages.service`, which shows below it what sessions found. Pure: `webui.pages.probed_read` reads.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from markupsafe import Markup

from schema import timestamps
from schema.definitions import Definition, Kind, as_shown
from schema.facts import Certificate
from schema.monitored import Result
from schema.uptime import Spent
from webui.pages import (
    beat_texts,
    formats,
    incident_rows,
    latencies,
    probed_rows,
    service_form,
    service_rows,
    service_view,
    tried,
)
from webui.pages.ansi import plain
from webui.pages.beat_texts import Beats
from webui.pages.charts import Chart
from webui.pages.formats import At
from webui.pages.incident_rows import IncidentRow
from webui.pages.latencies import Line
from webui.pages.links import linked
from webui.pages.probed_read import RANGES, Stored
from webui.pages.probed_rows import LOOKS, ProbedRow
from webui.pages.tried import Phase

CERTIFICATE_DAYS = 21
GAPS = 5
FINDINGS = 20
ABOVE = frozenset({"name", "tags", "group", "description"})  # fields that stand in the page's head


class Uptime(NamedTuple):
    """The share of a range in which it worked."""

    label: str
    share: str
    note: str


class Finding(NamedTuple):
    """What a probe found."""

    tone: str
    icon: str
    word: str
    at: At
    exact: str
    latency: str
    detail: str
    phases: list[Phase]


class Gap(NamedTuple):
    """A time of which nothing is known. `ends`: empty while it goes on."""

    begins: str
    ends: str
    lasted: str


class Need(NamedTuple):
    """A service that it depends on."""

    name: str
    href: str


class Probed(NamedTuple):
    """The context of `_probed.html`."""

    row: ProbedRow
    beats: Beats
    heartbeat: bool
    testable: bool
    paused: bool
    uptimes: list[Uptime]
    gaps: list[Gap]
    latency: Chart | None
    latency_path: str
    latency_plot: str
    quarters: list[Line]
    certificate: list[Phase]
    certificate_ends: bool
    findings: list[Finding]
    incidents: list[IncidentRow]
    needs: list[Need]
    description: Markup
    definition: list[Phase]
    updated_by: str


def percent(found: Spent) -> str:
    """The share of the time that counts; never rounded up to all of it."""
    if found.share is None:
        return formats.NONE
    return "100 %" if not found.failed else f"{int(found.share * 10_000) / 100:.2f} %"


def view(stored: Stored, now: datetime) -> Probed:
    """What the page shows."""
    service, definition = stored.service, stored.definition
    quarters = latencies.quarters(stored, int(now.timestamp() * 1000))
    latency, path = latencies.chart(quarters)
    certificate, ends = _certificate(service.certificate, now)
    return Probed(
        row=probed_rows.row(service, now),
        beats=beat_texts.view(service, stored.results, now),
        heartbeat=service.kind is Kind.HEARTBEAT,
        testable=service.kind not in (Kind.HEARTBEAT, Kind.OBSERVED),
        paused=service.paused,
        uptimes=[
            Uptime(label, percent(found), f"{formats.duration(found.failed / 1000)} down" if found.failed else "")
            for (label, _), found in zip(RANGES, stored.spent, strict=True)
        ],
        gaps=[_gap(begins, ends, now) for begins, ends in stored.gaps[-GAPS:]],
        latency=latency,
        latency_path=path,
        latency_plot=latencies.plot(quarters),
        quarters=[latencies.line(one) for one in reversed(quarters) if one.checks],
        certificate=certificate,
        certificate_ends=ends,
        findings=[_finding(one, now) for one in stored.results[:FINDINGS]],
        incidents=[incident_rows.row(row, now, entries) for row, entries in stored.incidents],
        needs=[Need(plain(name), service_rows.href(name)) for name in definition.needs],
        description=linked(plain(definition.description)),
        definition=_definition(definition),
        updated_by=plain(stored.updated_by),
    )


def _gap(begins: int, ends: int, now: datetime) -> Gap:
    goes_on = ends >= int(now.timestamp() * 1000)
    texts = [timestamps.at(at / 1000)[:16].replace("T", " ") for at in (begins, ends)]
    return Gap(texts[0], "" if goes_on else texts[1], formats.duration((ends - begins) / 1000))


def _certificate(found: Certificate | None, now: datetime) -> tuple[list[Phase], bool]:
    if found is None or not found.expires_at:
        return [], False
    left = timestamps.parse(found.expires_at) - now
    days = f"in {left.days} day{'' if left.days == 1 else 's'}"
    text = f"{found.expires_at[:10]}, {'over' if left < timedelta() else days}"
    pairs = [Phase("Good until", text), Phase("Of", plain(found.subject)), Phase("By", plain(found.issuer)),
             Phase("Names", plain(", ".join(found.names)))]  # fmt: skip
    return [pair for pair in pairs if pair.value], left < timedelta(days=CERTIFICATE_DAYS)


def _finding(one: Result, now: datetime) -> Finding:
    looks = LOOKS[one.status]
    return Finding(
        looks.tone,
        looks.icon,
        looks.word,
        formats.ago(one.at, now),
        service_view.exact(one.at),
        probed_rows.latency(one.latency_ms),
        " ".join(plain(one.detail)[: probed_rows.DETAIL_CHARS].split()),
        tried.phases(one.phases),
    )


def _definition(definition: Definition) -> list[Phase]:
    """What its author wrote: the main fields, and of the others those that are not as usual.

    To everybody as to a viewer: who may change it sees the rest in its form.
    """
    mine, usual = service_form.texts(as_shown(definition)), service_form.texts(service_form.NEW)
    shown = [field for field in service_form.FIELDS if field.name not in ABOVE]
    return [
        Phase(field.label.partition(",")[0], plain(mine[field.name]))
        for field in shown
        if mine[field.name] and (mine[field.name] != usual[field.name] or field.name in ("interval", "timeout"))
    ]
