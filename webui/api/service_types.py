"""What the API's operations about services take and answer. Used by `webui.api.service_operations`."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ipc.messages.services import FileMistake
from schema.definitions import Definition
from schema.monitored import Incident, IncidentEntry, Monitored, PlannedWindow, Result
from schema.states import ServiceStatus
from schema.status_pages import Page, StatusPage
from webui.api.asked import Given, Name

Ids = Annotated[list[Annotated[int, Meta(ge=1)]], Meta(min_length=1, max_length=5000)]


class ServiceQuery(Given, frozen=True):
    """Which services; they come by name."""

    after: Annotated[str, Meta(max_length=100, description="Names after this one.")] = ""
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most.")] = 200
    status: ServiceStatus | UnsetType = UNSET
    tag: Name = ""
    q: Annotated[str, Meta(max_length=200, description="Words of its name, URL, tags or group.")] = ""


class ResultQuery(Given, frozen=True):
    """Which findings; the newest come first."""

    before: Annotated[str, Meta(max_length=40, description="Before this time (RFC 3339); empty: now.")] = ""
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most.")] = 100


class ImportQuery(Given, frozen=True):
    """How a file of services is taken."""

    dry_run: Annotated[bool, Meta(description="Only say what would change.")] = False
    prune: Annotated[bool, Meta(description="Remove people's services that are not in it.")] = False
    file: Annotated[str, Meta(max_length=200, description="Its name, for mistakes and the audit log.")] = "import"


class IncidentQuery(Given, frozen=True):
    """Which incidents; the newest come first."""

    open: bool = False
    service_id: Annotated[int, Meta(ge=0, description="Of this service; 0: of all.")] = 0
    before: Annotated[int, Meta(ge=0, description="Below this id; 0: from the newest.")] = 0
    limit: Annotated[int, Meta(ge=1, le=500, description="How many at most.")] = 50


class ChangedService(Given, frozen=True):
    """A service as it is from now on. `version` is that which its author saw."""

    version: Annotated[int, Meta(ge=1)]
    definition: Definition


class ServiceIds(Given, frozen=True):
    """The services that it is about."""

    ids: Ids


class ServiceTags(Given, frozen=True):
    """The tags that services are given, and those that are taken from them."""

    ids: Ids
    add: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    remove: Annotated[tuple[str, ...], Meta(max_length=100)] = ()


class ChangedStatusPage(Given, frozen=True):
    """A status page as it is from now on. `version` is that which its author saw."""

    version: Annotated[int, Meta(ge=1)]
    page: Page


class IncidentNote(Given, frozen=True):
    """What a person says of an incident, and whether they look after it."""

    acknowledge: bool = False
    text: Annotated[str, Meta(max_length=4000)] = ""


class ServiceList(msgspec.Struct, frozen=True, kw_only=True):
    """Services by name, and how many there are of each status over all.

    `next` is the `after` of those that follow; empty where these are the last.
    """

    services: list[Monitored]
    counts: dict[str, int]
    next: str = ""


class ServiceDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One service, how it stands, and its definition without passwords; to viewers without body and command, too.

    `push_path`, of a heartbeat that is new: where its job tells of itself. It is told this once.
    """

    service: Monitored
    definition: Definition
    push_path: str = ""


class ServicesChanged(msgspec.Struct, frozen=True, kw_only=True):
    """What it was done to, and why not to others, by id."""

    done: list[int]
    failed: dict[str, str]


class ServicesImported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do, by name. With `errors` it did nothing, and `error` says the first of them."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    unchanged: int
    errors: list[FileMistake]
    dry_run: bool
    error: str = ""


class ResultList(msgspec.Struct, frozen=True, kw_only=True):
    """Findings, newest first."""

    results: list[Result]


class IncidentList(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents, newest first."""

    incidents: list[Incident]


class IncidentDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One incident, and what happened in it, the first first."""

    incident: Incident
    entries: list[IncidentEntry]


class WindowList(msgspec.Struct, frozen=True, kw_only=True):
    """Maintenance windows, those that go on first."""

    windows: list[PlannedWindow]


class StatusPageList(msgspec.Struct, frozen=True, kw_only=True):
    """Status pages, in the order in which they were added."""

    pages: list[StatusPage]


class TriedCondition(msgspec.Struct, frozen=True, kw_only=True):
    """A condition with its values, and whether it holds."""

    shown: str
    holds: bool


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe that was asked for has found; nothing of it is stored. `phases` in ms."""

    status: ServiceStatus
    detail: str
    latency_ms: float | None
    phases: dict[str, float]
    http_status: int | None
    conditions: list[TriedCondition]
