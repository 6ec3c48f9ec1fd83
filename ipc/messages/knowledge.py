"""Messages about what sessions say: events, memories, the health of services."""

from typing import ClassVar

import msgspec

from ipc.messages.envelope import Done, Event, Reply, Request
from schema import knowledge


class EventsReply(Reply, frozen=True):
    """A page of events, newest first."""

    events: list[knowledge.Event]


class ListEvents(Request, frozen=True):
    """Events below an id (0: from the newest), of one level, service or session if given."""

    subject: ClassVar[str] = "events.list"
    reply: ClassVar[type[Reply]] = EventsReply
    level: knowledge.Level | None = None
    service: str = ""
    session_id: int | None = None
    before: int = 0
    limit: int = 50


class MemoryReply(Reply, frozen=True):
    """One memory."""

    memory: knowledge.Memory


class MemoriesReply(Reply, frozen=True):
    """Memories, in the order that was asked for."""

    memories: list[knowledge.Memory]


class ListMemories(Request, frozen=True):
    """Memories of one service or category if given; with `all`, inactive ones too.

    The most certain first, or with `above` those above that id in the order of their ids, for whoever reads them all.
    """

    subject: ClassVar[str] = "memories.list"
    reply: ClassVar[type[Reply]] = MemoriesReply
    service: str = ""
    category: str = ""
    all: bool = False
    limit: int = 200
    above: int | None = None


class AddMemory(Request, frozen=True):
    """Adds a memory; one that says the same is reinforced, a contradicted one loses confidence."""

    subject: ClassVar[str] = "memories.add"
    reply: ClassVar[type[Reply]] = MemoryReply
    changes: ClassVar[bool] = True
    category: str
    observation: str
    service: str = ""
    confidence: float = 0.7
    by: str = ""


class ChangeMemory(Request, frozen=True):
    """Changes what is given of a memory; None leaves it as it is."""

    subject: ClassVar[str] = "memories.change"
    reply: ClassVar[type[Reply]] = MemoryReply
    changes: ClassVar[bool] = True
    id: int
    observation: str | None = None
    category: str | None = None
    service: str | None = None
    confidence: float | None = None
    active: bool | None = None
    by: str = ""


class DeleteMemory(Request, frozen=True):
    """Deletes a memory."""

    subject: ClassVar[str] = "memories.delete"
    reply: ClassVar[type[Reply]] = Done
    changes: ClassVar[bool] = True
    id: int
    by: str = ""


class DeletedReply(Reply, frozen=True):
    """How many memories were deleted, and how many were not there any more."""

    deleted: int
    missing: int


class DeleteMemories(Request, frozen=True):
    """Deletes several memories in one transaction, at most 500; those that are not there are only counted."""

    subject: ClassVar[str] = "memories.delete_several"
    reply: ClassVar[type[Reply]] = DeletedReply
    changes: ClassVar[bool] = True
    ids: list[int]
    by: str = ""


class ServiceHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one service: its last check, and how many in a row were healthy."""

    service: str
    status: str
    checked_at: str
    healthy_checks: int = 0
    detail: str | None = None
    session_id: int | None = None


class HealthReply(Reply, frozen=True):
    """Every service that a session has looked at, the worst first."""

    services: list[ServiceHealth]


class ListHealth(Request, frozen=True):
    """The health of every service that a session has looked at."""

    subject: ClassVar[str] = "health.list"
    reply: ClassVar[type[Reply]] = HealthReply


class EventSaid(Event, frozen=True):
    """A session, or the daemon, said something worth knowing."""

    subject: ClassVar[str] = "event.said"
    id: int
    level: str
    service: str | None
    session_id: int | None


class KnowledgeChanged(Event, frozen=True):
    """Memories or the health of services have changed: `memories`, `health` or `cooldowns`."""

    subject: ClassVar[str] = "knowledge.changed"
    what: str
