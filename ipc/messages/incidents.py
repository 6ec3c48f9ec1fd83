"""Messages about what people do when services fail, or are about to: incidents and maintenance windows."""

from typing import ClassVar

from ipc.messages.envelope import Event, Reply, Request
from schema.definitions import Window
from schema.monitored import Incident, IncidentEntry, PlannedWindow


class WindowReply(Reply, frozen=True):
    """One maintenance window."""

    window: PlannedWindow


class WindowsReply(Reply, frozen=True):
    """Maintenance windows, those that go on first."""

    windows: list[PlannedWindow]


class ListWindows(Request, frozen=True):
    """Maintenance windows that go on or are to come; with `over`, those that are over too."""

    subject: ClassVar[str] = "maintenance.list"
    reply: ClassVar[type[Reply]] = WindowsReply
    over: bool = False


class AddWindow(Request, frozen=True):
    """A maintenance window; without a time it begins now."""

    subject: ClassVar[str] = "maintenance.add"
    reply: ClassVar[type[Reply]] = WindowReply
    changes: ClassVar[bool] = True
    window: Window
    by: str = ""


class RemoveWindow(Request, frozen=True):
    """Ends a maintenance window, or takes it back."""

    subject: ClassVar[str] = "maintenance.remove"
    id: int
    by: str = ""


class IncidentsReply(Reply, frozen=True):
    """Incidents, those that go on first, then the newest."""

    incidents: list[Incident]


class ListIncidents(Request, frozen=True):
    """Incidents below an id (0: from the newest); of one service (0: of all); those that go on alone."""

    subject: ClassVar[str] = "incidents.list"
    reply: ClassVar[type[Reply]] = IncidentsReply
    service_id: int = 0
    open: bool = False
    before: int = 0
    limit: int = 50


class IncidentReply(Reply, frozen=True):
    """One incident and what happened in it, the first first."""

    incident: Incident
    entries: list[IncidentEntry] = []


class ShowIncident(Request, frozen=True):
    """One incident with its timeline."""

    subject: ClassVar[str] = "incidents.show"
    reply: ClassVar[type[Reply]] = IncidentReply
    id: int


class NoteIncident(Request, frozen=True):
    """A person looks after an incident (`acknowledge`), or says something about it, or both."""

    subject: ClassVar[str] = "incidents.note"
    reply: ClassVar[type[Reply]] = IncidentReply
    changes: ClassVar[bool] = True
    id: int
    acknowledge: bool = False
    text: str = ""
    by: str = ""


class MaintenanceChanged(Event, frozen=True):
    """A maintenance window was planned, begun, ended or taken back."""

    subject: ClassVar[str] = "maintenance.changed"
