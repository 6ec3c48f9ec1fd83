"""The rows of services that are probed, as every process passes them on. Built from `queries/monitored.sql`."""

from typing import Any

import msgspec

from schema import beats, timestamps
from schema.definitions import Definition, Kind, Window
from schema.facts import Certificate
from schema.states import ServiceStatus


class Monitored(msgspec.Struct, frozen=True, kw_only=True):
    """A service and how it stands. Times are stored times; `beats` are its last findings, a letter each.

    `owner`: the file that describes it; empty where people do. `url` is without passwords.
    """

    id: int
    name: str
    url: str
    kind: Kind
    status: ServiceStatus
    since: str | None = None
    latency_ms: float | None = None
    last_checked_at: str | None = None
    cause: str | None = None
    detail: str = ""
    tags: list[str] = []
    group: str = ""
    paused: bool = False
    owner: str = ""
    version: int = 1
    incident_id: int | None = None
    flapping: bool = False
    beats: str = ""
    certificate: Certificate | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. `phases` in ms, in their order."""

    at: str
    status: ServiceStatus
    latency_ms: float | None = None
    detail: str = ""
    phases: dict[str, float] = {}


class PlannedWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A maintenance window, whether it goes on now and until when, and when it begins next; neither: it is over."""

    id: int
    window: Window
    active: bool = False
    ends_at: str | None = None
    next_at: str | None = None
    created_by: str = ""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which a service did not work. `ended_by`: `probe`, or the person who set it aside."""

    id: int
    service_id: int
    service: str
    began_at: str
    ended_at: str | None = None
    ended_by: str | None = None
    cause: str
    detail: str = ""
    acknowledged_at: str | None = None
    acknowledged_by: str | None = None


class IncidentEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. `kind`: began, finding, told, acknowledged, note, session, action, ended."""

    at: str
    kind: str
    text: str
    author: str | None = None
    session_id: int | None = None


def from_row(row: dict[str, Any]) -> Monitored:
    """A row of `monitored.page` as a value."""
    return Monitored(
        id=row["id"],
        name=row["name"],
        url=row["url"],
        kind=Kind(row["kind"]),
        status=ServiceStatus(row["status"]),
        since=_stamp(row["since"]),
        latency_ms=None if row["latency_us"] is None else row["latency_us"] / 1000,
        last_checked_at=_stamp(row["checked_at"]),
        cause=row["cause"],
        detail=row["detail"],
        tags=row["tags"].split(",") if row["tags"] else [],
        group=row["group_name"],
        paused=bool(row["paused"]),
        owner=row["owner"],
        version=row["version"],
        incident_id=row["incident_id"],
        flapping=row["flapping_since"] is not None,
        beats=row["beats"],
        certificate=msgspec.json.decode(row["certificate"], type=Certificate) if row["certificate"] else None,
    )


def result_from_row(row: dict[str, Any]) -> Result:
    """A row of `results.newest` as a value."""
    return Result(
        at=timestamps.at(row["at"] / 1000),
        status=beats.STATUSES[row["beat"]],
        latency_ms=None if row["latency_us"] is None else row["latency_us"] / 1000,
        detail=row["detail"] or "",
        phases=beats.unpack(row["phases"]),
    )


def definition_of(text: str) -> Definition:
    """A definition as it is stored."""
    return msgspec.json.decode(text, type=Definition)


def _stamp(ms: int | None) -> str | None:
    return None if ms is None else timestamps.at(ms / 1000)
