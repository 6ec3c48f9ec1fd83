"""Messages about keeping house: what is removed, and the document that takes settings and memories along."""

from typing import Any, ClassVar

import msgspec

from ipc.messages.envelope import Reply, Request


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed of one kind, or would be: rows or files, and the bytes of their texts or contents.

    `for_size` of the rows are not old enough, and go for the bound of the database's size; a dry run estimates them.
    """

    kind: str
    rows: int = 0
    bytes: int = 0
    for_size: int = 0


class HousekeepReply(Reply, frozen=True):
    """Every kind, whether anything of it was removed or not; how long it took; the database as it is now.

    `database_bytes` are in use, `database_free` are free within its file, `given_back` were taken off it.
    `problem`: what people should know of the bound of its size, as a sentence.
    """

    dry_run: bool
    removed: list[Removed]
    seconds: float = 0.0
    database_bytes: int = 0
    database_free: int = 0
    given_back: int = 0
    problem: str = ""


class Housekeep(Request, frozen=True):
    """Removes what is older, or more, than the settings keep; with `dry_run` it is only counted."""

    subject: ClassVar[str] = "house.keep"
    reply: ClassVar[type[Reply]] = HousekeepReply
    changes: ClassVar[bool] = True
    dry_run: bool = False
    by: str = ""


class TakenMemory(msgspec.Struct, frozen=True, kw_only=True):
    """A memory as an export has it; a `service` of None means all services."""

    service: str | None = None
    category: str
    observation: str
    confidence: float
    active: bool


class ExportReply(Reply, frozen=True):
    """A part of the export: overrides by setting name (with the first part), memories, where the next part begins."""

    settings: dict[str, Any]
    memories: list[TakenMemory]
    next: int | None = None


class Export(Request, frozen=True):
    """Overrides and memories, from the memory after an id on. Secrets are never among them."""

    subject: ClassVar[str] = "house.export"
    reply: ClassVar[type[Reply]] = ExportReply
    after: int = 0


class ImportReply(Reply, frozen=True):
    """How many were added, changed, and as they should be already."""

    dry_run: bool
    settings_changed: int
    settings_unchanged: int
    memories_added: int
    memories_changed: int
    memories_unchanged: int


class Import(Request, frozen=True):
    """Takes in what an export holds: all of it, or nothing where a field is wrong; the error names every such field."""

    subject: ClassVar[str] = "house.import"
    reply: ClassVar[type[Reply]] = ImportReply
    changes: ClassVar[bool] = True
    settings: dict[str, Any] = {}
    memories: list[dict[str, Any]] = []
    dry_run: bool = False
    by: str = ""
