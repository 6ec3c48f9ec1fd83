"""Messages about services that are probed: list, add, change, pause, test, remove; what their probes found."""

from enum import StrEnum
from typing import ClassVar

import msgspec

from ipc.messages.envelope import Event, Reply, Request
from schema.definitions import Definition
from schema.facts import Facts
from schema.monitored import Monitored, Result
from schema.states import ServiceStatus


class ServiceReply(Reply, frozen=True):
    """One service, how it stands, and its definition without passwords. `push_path` ends a heartbeat's new URL."""

    service: Monitored
    definition: Definition
    push_path: str = ""


class ServicesReply(Reply, frozen=True):
    """A page of services by name, and how many there are of each status over all."""

    services: list[Monitored]
    counts: dict[str, int] = {}


class ListServices(Request, frozen=True):
    """Services after a name, by name; empty: from the first."""

    subject: ClassVar[str] = "services.list"
    reply: ClassVar[type[Reply]] = ServicesReply
    after: str = ""
    limit: int = 200


class ShowService(Request, frozen=True):
    """One service, by its id or, where that is 0, by its name."""

    subject: ClassVar[str] = "services.show"
    reply: ClassVar[type[Reply]] = ServiceReply
    id: int = 0
    name: str = ""


class AddService(Request, frozen=True):
    """A service that is new. `invalid` names each field that can't be so, in `data`."""

    subject: ClassVar[str] = "services.add"
    reply: ClassVar[type[Reply]] = ServiceReply
    changes: ClassVar[bool] = True
    definition: Definition
    by: str = ""


class ChangeService(Request, frozen=True):
    """A service as it is from now on. `version` is what its author saw; `conflict` if it has changed meanwhile."""

    subject: ClassVar[str] = "services.change"
    reply: ClassVar[type[Reply]] = ServiceReply
    changes: ClassVar[bool] = True
    id: int
    version: int
    definition: Definition
    by: str = ""


class ChangedReply(Reply, frozen=True):
    """What became of many: the ids that it was done to, and why not to others, by id as text.

    `gone`: those of the others that are not there.
    """

    done: list[int]
    failed: dict[str, str] = {}
    gone: list[int] = []


class PauseServices(Request, frozen=True):
    """Pauses services, or resumes them."""

    subject: ClassVar[str] = "services.pause"
    reply: ClassVar[type[Reply]] = ChangedReply
    changes: ClassVar[bool] = True
    ids: list[int] = []
    paused: bool = True
    by: str = ""


class RemoveServices(Request, frozen=True):
    """Removes services with all that was found of them."""

    subject: ClassVar[str] = "services.remove"
    reply: ClassVar[type[Reply]] = ChangedReply
    changes: ClassVar[bool] = True
    ids: list[int] = []
    by: str = ""


class TagServices(Request, frozen=True):
    """Gives services tags, and takes tags from them."""

    subject: ClassVar[str] = "services.tag"
    reply: ClassVar[type[Reply]] = ChangedReply
    changes: ClassVar[bool] = True
    ids: list[int] = []
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    by: str = ""


class TriedCondition(msgspec.Struct, frozen=True):
    """Conditions as they were judged: the text with its values, and whether it holds."""

    shown: str
    holds: bool


class TriedReply(Reply, frozen=True):
    """What a probe that was asked for has found; nothing of it is stored. `facts.body` is cut."""

    status: ServiceStatus
    facts: Facts
    detail: str = ""
    conditions: list[TriedCondition] = []


class TryService(Request, frozen=True):
    """Probes once, now: a service by its id, a definition that is not stored yet (id 0), or one to be stored for it."""

    subject: ClassVar[str] = "services.test"
    reply: ClassVar[type[Reply]] = TriedReply
    id: int = 0
    definition: Definition | None = None
    by: str = ""


class ResultsReply(Reply, frozen=True):
    """Findings, newest first."""

    results: list[Result]


class ListResults(Request, frozen=True):
    """The findings of a service before a stored time (empty: now)."""

    subject: ClassVar[str] = "services.results"
    reply: ClassVar[type[Reply]] = ResultsReply
    id: int
    before: str = ""
    limit: int = 100


class Said(StrEnum):
    """What a heartbeat says."""

    SUCCESS = "success"
    START = "start"
    FAIL = "fail"


class HearService(Request, frozen=True):
    """A sign of life at a heartbeat's address, which ends with what `token_hash` is the SHA-256 of.

    `took_ms` where it says so itself; else it is counted from when it began.
    """

    subject: ClassVar[str] = "services.hear"
    changes: ClassVar[bool] = True
    token_hash: str
    said: Said = Said.SUCCESS
    exit_code: int = 0
    text: str = ""
    took_ms: float | None = None


class RenewPush(Request, frozen=True):
    """A fresh address for a heartbeat; the one before counts no more."""

    subject: ClassVar[str] = "services.renew_push"
    reply: ClassVar[type[Reply]] = ServiceReply
    id: int
    by: str = ""


class FileMistake(msgspec.Struct, frozen=True):
    """Something in a file that can't be so; lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str


Value = bool | int | float | str | list[str] | dict[str, str] | None
"""What a field of a definition may hold, as JSON."""


class ChangedField(msgspec.Struct, frozen=True):
    """A field of a service that is another in a file, masked; `secret`: what the mask stands for is another."""

    service: str
    field: str
    old: Value
    new: Value
    secret: bool = False


class ImportedReply(Reply, frozen=True):
    """What an import did, or would do, by name, and field by field in `differences`; with `errors` it did nothing.

    `left_out`: what another monitor's file says that only changes how a check is shown or alerted.
    """

    added: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    unchanged: int = 0
    errors: list[FileMistake] = []
    dry_run: bool = False
    differences: list[ChangedField] = []
    left_out: list[FileMistake] = []


class ImportServices(Request, frozen=True):
    """Takes services from a file's text: ours, Gatus', or Uptime Kuma's export. All of it, or nothing.

    With `prune`, services of people that are not in it are removed.
    """

    subject: ClassVar[str] = "services.import"
    reply: ClassVar[type[Reply]] = ImportedReply
    changes: ClassVar[bool] = True
    text: str
    file: str = ""
    dry_run: bool = False
    prune: bool = False
    by: str = ""


class ExportedReply(Reply, frozen=True):
    """All services as a file, without passwords."""

    text: str


class ExportServices(Request, frozen=True):
    """All services as a file that an import takes."""

    subject: ClassVar[str] = "services.export"
    reply: ClassVar[type[Reply]] = ExportedReply


class ServiceFile(msgspec.Struct, frozen=True):
    """A file that is watched, and what is wrong with it; where something is, what it said before holds."""

    file: str
    errors: list[FileMistake] = []


class ServiceFilesReply(Reply, frozen=True):
    """The files that describe services."""

    files: list[ServiceFile]


class ListServiceFiles(Request, frozen=True):
    """The files of CLAUDEOPS_SERVICES_FILE, with their mistakes."""

    subject: ClassVar[str] = "services.files"
    reply: ClassVar[type[Reply]] = ServiceFilesReply


class ServiceChanged(Event, frozen=True):
    """A service has another status, or is another. `kind`: found, defined, removed."""

    subject: ClassVar[str] = "services.changed"
    id: int
    kind: str
    status: ServiceStatus = ServiceStatus.UNKNOWN
    before: ServiceStatus = ServiceStatus.UNKNOWN


class ServicesProbed(Event, frozen=True):
    """Services were probed, and are as they were; what is known of them is newer."""

    subject: ClassVar[str] = "services.probed"
    ids: list[int]
