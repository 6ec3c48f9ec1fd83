"""The worker's memories: what people add, change and delete, what a prompt is given, and how it all fades.

Built by `daemon.parts`; sessions' own memories come in with their log, through `daemon.sessions.said`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from daemon import audit
from daemon.memories import rules, stored
from daemon.sessions import prepare
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.envelope import Done, Reply
from ipc.messages.knowledge import (
    AddMemory,
    ChangeMemory,
    DeletedReply,
    DeleteMemories,
    DeleteMemory,
    KnowledgeChanged,
    ListMemories,
    MemoryReply,
)
from ipc.server import Publisher
from schema import timestamps
from schema.audit_actions import Action
from schema.database import Database
from schema.knowledge import DELETED_MAX, Memory

R = TypeVar("R", bound=Reply)
LIMIT_MAX = 1000


class Memories:
    """What is known, and who may say that it is otherwise."""

    def __init__(self, store: Store, settings: LiveSettings, publisher: Publisher) -> None:
        self._store = store
        self._settings = settings
        self._publisher = publisher

    async def page(self, request: ListMemories) -> list[Memory]:
        """Memories of one service or category if given, the most certain first, or above an id by their ids."""
        limit = max(1, min(request.limit, LIMIT_MAX))
        return await self._store.read(
            lambda db: stored.page(
                db,
                service=request.service,
                category=request.category,
                inactive=request.all,
                limit=limit,
                above=request.above,
            )
        )

    async def for_prompt(self) -> list[Memory]:
        """All that a session may be told, for `daemon.memories.prompt.section`."""
        return await self._store.read(lambda db: stored.page(db, limit=LIMIT_MAX))

    async def add(self, request: AddMemory, by: str, request_id: str) -> MemoryReply:
        """Takes in what a person (`by`) has noted. CallError names the field that can't be as it is."""
        sure = request.confidence
        service, category = _line(request.service) or None, _line(request.category)
        draft = self._checked(rules.Draft(service, category, request.observation, sure, rules.is_active(sure)))
        moment = datetime.now(UTC)
        now = timestamps.stamp(moment)

        def write(db: Database) -> MemoryReply:
            id_ = stored.remember(
                db,
                service=draft.service,
                category=draft.category,
                observation=draft.observation,
                confidence=draft.confidence,
                at=now,
            )
            audit.add(
                db, actor=by, action=Action.MEMORY_ADDED, subject=draft.observation, at=moment, detail=f"memory {id_}"
            )
            return _reply(db, id_, request_id, moment)

        return self._told(await self._store.write(write))

    async def change(self, request: ChangeMemory, by: str, request_id: str) -> MemoryReply:
        """Changes what is given of a memory. CallError `not_found`, or names the field that can't be as it is."""
        given = {
            "service": request.service,
            "category": request.category,
            "observation": request.observation,
            "confidence": request.confidence,
            "active": request.active,
        }
        if all(value is None for value in given.values()):
            raise CallError(Code.INVALID, f"nothing is to be changed; give one of {', '.join(given)}")
        moment = datetime.now(UTC)
        now = timestamps.stamp(moment)

        def write(db: Database) -> MemoryReply:
            memory = stored.by_id(db, request.id)
            if memory is None:
                raise _missing(request.id)
            wanted = rules.revised(
                memory,
                service=request.service,
                category=request.category,
                observation=request.observation,
                confidence=request.confidence,
                active=request.active,
            )
            fields = [name for name, value in given.items() if value is not None]
            draft = self._checked(wanted, fields)
            stored.put(db, draft, memory.id, now)
            told = f"memory {memory.id}: changed {', '.join(fields)}"
            audit.add(db, actor=by, action=Action.MEMORY_CHANGED, subject=draft.observation, at=moment, detail=told)
            return _reply(db, memory.id, request_id, moment)

        return self._told(await self._store.write(write))

    async def delete(self, request: DeleteMemory, by: str, request_id: str) -> Done:
        """Deletes a memory. CallError `not_found`."""
        moment = datetime.now(UTC)

        def write(db: Database) -> Done:
            if not _forget(db, request.id, by, moment):
                raise _missing(request.id)
            return _stored(db, Done(), request_id, moment)

        return self._told(await self._store.write(write))

    async def delete_several(self, request: DeleteMemories, by: str, request_id: str) -> DeletedReply:
        """Deletes those of some memories that are there: all of them, or with an error none. CallError for too many."""
        ids = list(dict.fromkeys(request.ids))
        if not 0 < len(ids) <= DELETED_MAX:
            raise CallError(Code.INVALID, f"ids: from 1 to {DELETED_MAX} memories at a time, not {len(ids)}")
        moment = datetime.now(UTC)

        def write(db: Database) -> DeletedReply:
            deleted = sum(_forget(db, id_, by, moment) for id_ in ids)
            return _stored(db, DeletedReply(deleted=deleted, missing=len(ids) - deleted), request_id, moment)

        return self._told(await self._store.write(write))

    async def keep_house(self) -> None:
        """Lets memories fade. At start and at least daily; more often does no harm. DatabaseError."""
        now = datetime.now(UTC)
        if await self._store.write(lambda db: stored.fade(db, now)):
            self._publisher.publish(KnowledgeChanged(what="memories"))

    def _checked(self, draft: rules.Draft, given: Sequence[str] = rules.Draft._fields) -> rules.Draft:
        """The draft on one line and without secrets. CallError with the given field that can't be as it is."""
        clean = draft._replace(observation=prepare.redactor(self._settings).text(_line(draft.observation)))
        if problem := rules.check(clean, given):
            field, told = problem
            raise CallError(Code.INVALID, f"{field}: {told}", {"field": field})
        return clean

    def _told(self, reply: R) -> R:
        self._publisher.publish(KnowledgeChanged(what="memories"))
        return reply


def _line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())


def _missing(id_: int) -> CallError:
    return CallError(Code.NOT_FOUND, f"there is no memory {id_}; `claudeopsctl memories list --all` shows them")


def _forget(db: Database, id_: int, by: str, moment: datetime) -> bool:
    """Deletes a memory, with its line in the audit log; False if there is none."""
    memory = stored.by_id(db, id_)
    if memory is None:
        return False
    db.change("memories.delete", id=memory.id)
    told = f"memory {memory.id}"
    audit.add(db, actor=by, action=Action.MEMORY_DELETED, subject=memory.observation, at=moment, detail=told)
    return True


def _reply(db: Database, id_: int, request_id: str, moment: datetime) -> MemoryReply:
    """The memory as it is now, stored as the answer to the request that made it so."""
    memory = stored.by_id(db, id_)
    assert memory is not None  # noqa: S101 - written a moment ago in the same transaction
    return _stored(db, MemoryReply(memory=memory), request_id, moment)


def _stored(db: Database, reply: R, request_id: str, moment: datetime) -> R:
    """The reply, kept for a request that comes again."""
    values = {"request_id": request_id, "reply": codec.store(reply), "created_at": timestamps.stamp(moment)}
    db.change("replies.insert", **values)
    return reply
