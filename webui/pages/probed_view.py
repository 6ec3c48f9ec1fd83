"""One service that is probed, whole: how it stands, how long it worked, how fast it was, what was found, its incidents.

Used by `webui.pages.service`, which shows below it what sessions found. Pure: `webui.pages.probed_read` reads.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from schema import timestamps
from schema.definitions import Definition, Kind
from schema.facts import Certificate
from schema.monitored import Result
from schema.states import ServiceStatus
from schema.uptime import Spent
from webui.pages import charts, formats, incident_rows, probed_rows, service_form, service_rows, service_view, tried
from webui.pages.ansi import plain
from webui.pages.charts import Chart, Slot
from webui.pages.formats import At
from webui.pages.incident_rows import IncidentRow
from webui.pages.probed_read import MINUTE, QUARTER, RANGES, SLOTS, Stored
from webui.pages.probed_rows import LOOKS, ProbedRow
from webui.pages.tried import Phase

CERTIFICATE_DAYS = 21
BROKEN = frozenset({ServiceStatus.DOWN, ServiceStatus.TIMEOUT})


class Uptime(NamedTuple):
    """The share of a range in which it worked."""

    label: str
    share: str
    note: str


class Quarter(NamedTuple):
    """A quarter of an hour, as the chart's table has it."""

    begins: str
    checks: int
    failures: int
    fastest: str
    slowest: str


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


class Need(NamedTuple):
    """A service that it depends on."""

    name: str
    href: str


class Probed(NamedTuple):
    """The context of `_probed.html`."""

    row: ProbedRow
    heartbeat: bool
    testable: bool
    paused: bool
    uptimes: list[Uptime]
    latency: Chart | None
    latency_path: str
    quarters: list[Quarter]
    certificate: list[Phase]
    certificate_ends: bool
    findings: list[Finding]
    incidents: list[IncidentRow]
    needs: list[Need]
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
    quarters = _quarters(stored, now)
    latency, path = _chart(quarters)
    certificate, ends = _certificate(service.certificate, now)
    return Probed(
        row=probed_rows.row(service, now),
        heartbeat=service.kind is Kind.HEARTBEAT,
        testable=service.kind not in (Kind.HEARTBEAT, Kind.OBSERVED),
        paused=service.paused,
        uptimes=[
            Uptime(label, percent(found), f"{formats.duration(found.failed / 1000)} down" if found.failed else "")
            for (label, _), found in zip(RANGES, stored.spent, strict=True)
        ],
        latency=latency,
        latency_path=path,
        quarters=[_quarter(one) for one in reversed(quarters) if one["checks"]],
        certificate=certificate,
        certificate_ends=ends,
        findings=[_finding(one, now) for one in stored.results],
        incidents=[incident_rows.row(row, now, entries) for row, entries in stored.incidents],
        needs=[Need(plain(name), service_rows.href(name)) for name in definition.needs],
        definition=_definition(definition),
        updated_by=plain(stored.updated_by),
    )


def _quarters(stored: Stored, now: datetime) -> list[dict[str, Any]]:
    """The last day by quarters of an hour; what no minute's sum holds yet comes from the findings themselves."""
    last = int(now.timestamp() * 1000) // QUARTER
    found: list[dict[str, Any]] = [
        {"at": (last - SLOTS + 1 + place) * QUARTER, "checks": 0, "failures": 0, "low": None, "high": None}
        for place in range(SLOTS)
    ]
    summed = stored.minutes[-1]["at"] + MINUTE if stored.minutes else 0
    rows = [(row["at"], row["checks"], row["failures"], row["low_us"], row["high_us"]) for row in stored.minutes]
    for one in stored.results:
        at = int(timestamps.parse(one.at).timestamp() * 1000)
        if at >= summed:
            took = None if one.latency_ms is None else one.latency_ms * 1000
            rows.append((at, 1, int(one.status in BROKEN), took, took))
    for at, checks, failures, low, high in rows:
        place = at // QUARTER - (last - SLOTS + 1)
        if not 0 <= place < SLOTS:
            continue
        into = found[place]
        into["checks"] += checks
        into["failures"] += failures
        into["low"] = min((one for one in (into["low"], low) if one is not None), default=None)
        into["high"] = max((one for one in (into["high"], high) if one is not None), default=None)
    return found


def _quarter(one: dict[str, Any]) -> Quarter:
    begins = timestamps.at(one["at"] / 1000)[:16].replace("T", " ")
    low, high = (None if value is None else value / 1000 for value in (one["low"], one["high"]))
    return Quarter(begins, one["checks"], one["failures"], probed_rows.latency(low), probed_rows.latency(high))


def _chart(quarters: list[dict[str, Any]]) -> tuple[Chart | None, str]:
    values = [None if one["high"] is None else one["high"] / 1000 for one in quarters]
    known = [value for value in values if value is not None]
    if not known:
        return None, ""
    most = charts.nice(max(known))
    slots = [
        Slot(place * charts.STEP, f"from {timestamps.at(one['at'] / 1000)[11:16]} UTC: {probed_rows.latency(value)}")
        for place, (one, value) in enumerate(zip(quarters, values, strict=True))
        if value is not None
    ]
    label = f"Slowest answer of each quarter of an hour, the last day: {probed_rows.latency(max(known))} at most."
    chart = Chart(SLOTS * charts.STEP, [], slots, label, probed_rows.latency(most))
    return chart, charts.line(values, most)


def _certificate(found: Certificate | None, now: datetime) -> tuple[list[Phase], bool]:
    if found is None or not found.expires_at:
        return [], False
    left = timestamps.parse(found.expires_at) - now
    text = f"{found.expires_at[:10]}, {'over' if left < timedelta() else f'in {left.days} days'}"
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
    """What its author wrote: the main fields, and of the others those that are not as usual."""
    mine, usual = service_form.texts(definition), service_form.texts(service_form.NEW)
    shown = [field for field in service_form.FIELDS if field.name not in ("name", "tags", "group")]
    return [
        Phase(field.label.partition(",")[0], plain(mine[field.name]))
        for field in shown
        if mine[field.name] and (mine[field.name] != usual[field.name] or field.name in ("interval", "timeout"))
    ]
