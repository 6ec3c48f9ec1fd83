"""Settings and memories, taken along from one daemon to another: the export, and the import that takes all or nothing.

Built by `daemon.parts`. Secrets are never in an export, and are refused by an import.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from daemon import audit
from daemon.memories import rules as memory_rules
from daemon.sessions import prepare
from daemon.settings.live import LiveSettings, find
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.keeping import Export, ExportReply, Import, ImportReply, TakenMemory
from ipc.messages.knowledge import KnowledgeChanged
from ipc.server import Publisher
from schema import timestamps
from schema.audit_actions import Action
from schema.configuration import DECLARATIONS
from schema.database import Database, Row

PAGE = 200
TOLD_MAX = 50


class Problem(NamedTuple):
    """A field that can't be as it is, by its path in the document, and what would be right."""

    field: str
    text: str


class Taking:
    """Exports and imports."""

    def __init__(self, store: Store, settings: LiveSettings, publisher: Publisher) -> None:
        self._store = store
        self._settings = settings
        self._publisher = publisher

    async def give(self, request: Export) -> ExportReply:
        """A part of the export."""

        def read(db: Database) -> ExportReply:
            overrides = {} if request.after else {row["key"]: row["value"] for row in db.rows("keeping.overrides")}
            found = db.rows("keeping.memories", after=request.after, limit=PAGE)
            return ExportReply(
                settings={name: value for name, value in overrides.items() if _may_go(name)},
                memories=[_taken(row) for row in found],
                next=int(found[-1]["id"]) if len(found) == PAGE else None,
            )

        return await self._store.read(read)

    async def take(self, request: Import, by: str, request_id: str) -> ImportReply:
        """Takes in a document. CallError `invalid` has every problem in its data, and nothing is changed then."""
        settings: dict[str, str] = {}
        problems = list(self._settings_of(request.settings, settings))
        memories: list[TakenMemory] = []
        problems += self._memories_of(request.memories, memories)
        if problems:
            raise _refused(problems)
        moment = datetime.now(UTC)
        before = {name: self._settings.value(DECLARATIONS[name]).value for name in settings}

        def write(db: Database) -> ImportReply:
            changed = _changed(db, settings)
            reply = _apply(db, settings, memories, timestamps.stamp(moment), dry_run=request.dry_run)
            if not request.dry_run:
                for name, value in changed.items():
                    detail = f"{before[name] or 'not set'} → {value}, by an import"
                    audit.add(db, actor=by, action=Action.SETTING_CHANGED, subject=name, at=moment, detail=detail)
                told = (
                    f"{reply.settings_changed} settings changed, {reply.memories_added} memories added,"
                    f" {reply.memories_changed} changed"
                )
                audit.add(db, actor=by, action=Action.HOUSE_IMPORTED, subject="an export", at=moment, detail=told)
                stored = codec.store(reply)
                db.change("replies.insert", request_id=request_id, reply=stored, created_at=timestamps.stamp(moment))
            return reply

        if request.dry_run:
            return await self._store.read(write)
        reply = await self._store.write(write)
        await self._settings.read_overrides()
        self._publisher.publish(KnowledgeChanged(what="memories"))
        return reply

    def _settings_of(self, given: Mapping[str, Any], into: dict[str, str]) -> Iterator[Problem]:
        for name, value in given.items():
            field = f"settings.{name[:60]}"
            if not isinstance(value, str) or not value:
                yield Problem(field, "a text that is not empty; leave it out to keep what is set")
                continue
            try:
                declaration = find(name)
                if declaration.meta.secret:
                    yield Problem(field, "a secret is never taken along; set it in the environment")
                    continue
                into[declaration.name] = self._settings.checked(declaration, value)
            except CallError as error:
                yield Problem(field, error.message)

    def _memories_of(self, given: list[dict[str, Any]], into: list[TakenMemory]) -> Iterator[Problem]:
        redactor = prepare.redactor(self._settings)
        for number, item in enumerate(given):
            field = f"memories[{number}]"
            try:
                memory = msgspec.convert(item, TakenMemory)
            except msgspec.ValidationError as error:
                yield Problem(field, str(error))
                continue
            text = redactor.text(" ".join(memory.observation.replace("\0", " ").split()))
            service = " ".join((memory.service or "").split()) or None
            draft = memory_rules.Draft(service, memory.category, text, memory.confidence, memory.active)
            if not math.isfinite(memory.confidence):
                yield Problem(f"{field}.confidence", "a number from 0 to 1")
            elif problem := memory_rules.check(draft):
                yield Problem(f"{field}.{problem[0]}", problem[1])
            else:
                into.append(TakenMemory(**draft._asdict()))


def _may_go(name: str) -> bool:
    declaration = DECLARATIONS.get(name)
    return declaration is not None and declaration.meta.live and not declaration.meta.secret


def _taken(row: Row) -> TakenMemory:
    names = TakenMemory.__struct_fields__
    return msgspec.convert({**{name: row[name] for name in names}, "active": bool(row["active"])}, TakenMemory)


def _refused(problems: list[Problem]) -> CallError:
    told = "; ".join(f"{problem.field}: {problem.text}" for problem in problems[:3])
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    data = {
        "field": problems[0].field,
        "problems": [problem._asdict() for problem in problems[:TOLD_MAX]],
        "count": len(problems),
    }
    return CallError(Code.INVALID, f"nothing was imported: {told}{more}", data)


def _changed(db: Database, settings: Mapping[str, str]) -> dict[str, str]:
    present = {row["key"]: row["value"] for row in db.rows("keeping.overrides")}
    return {name: value for name, value in settings.items() if present.get(name) != value}


def _apply(
    db: Database, settings: Mapping[str, str], memories: list[TakenMemory], at: str, *, dry_run: bool
) -> ImportReply:
    """Writes what differs; what is as it should be stays untouched, so that a second import changes nothing."""
    changed = _changed(db, settings)
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    seen: set[tuple[str | None, str, str]] = set()
    if not dry_run:
        for name, value in changed.items():
            db.change("settings.set", key=name, value=value, updated_at=at)
    for memory in memories:
        key = (memory.service, memory.category, memory.observation)
        if key in seen:
            counts["unchanged"] += 1
            continue
        seen.add(key)
        counts[_apply_memory(db, memory, at, dry_run=dry_run)] += 1
    return ImportReply(
        dry_run=dry_run,
        settings_changed=len(changed),
        settings_unchanged=len(settings) - len(changed),
        memories_added=counts["added"],
        memories_changed=counts["changed"],
        memories_unchanged=counts["unchanged"],
    )


def _apply_memory(db: Database, memory: TakenMemory, at: str, *, dry_run: bool) -> str:
    where = {"service": memory.service, "category": memory.category, "observation": memory.observation}
    values = {**where, "confidence": memory.confidence, "active": int(memory.active)}
    known = db.one("keeping.same_memory", **where)
    if known is None:
        if not dry_run:
            db.value("memories.insert", at=at, session_id=None, tier=1, **values)
        return "added"
    if (known["confidence"], known["active"]) == (memory.confidence, int(memory.active)):
        return "unchanged"
    if not dry_run:
        db.change("memories.set", id=known["id"], updated_at=at, **values)
    return "changed"
