"""The services that are probed: added, changed, paused, removed; each change in one transaction with its audit line.

Built by `daemon.services.services`; asked through `daemon.services.handlers`. It tells the monitor what to probe.
"""

import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from daemon import audit
from daemon.services import credentials, naming, stored
from daemon.services.announcing import Announcing
from daemon.services.credentials import Changes, Credentials
from daemon.services.naming import Author
from daemon.services.rules import definitions, variables
from daemon.services.rules.definitions import Problem
from daemon.services.rules.kept import NOBODY, NOTHING, carried_over, joined, split
from daemon.services.rules.tags import tagged
from daemon.store import Store
from ipc.errors import CallError, Code
from ipc.messages.services import (
    AddService,
    ChangedReply,
    ChangeService,
    ImportedReply,
    ImportServices,
    PauseServices,
    RemoveServices,
    RenewPush,
    ServiceReply,
    TagServices,
)
from schema import monitored
from schema.access import digest
from schema.audit_actions import Action
from schema.database import Database, Row
from schema.definitions import Definition, Kind

AT_ONCE_MAX = 5000
T = TypeVar("T")


class Known(NamedTuple):
    """A service as it is stored, and as it is probed."""

    id: int
    version: int
    paused: bool
    stored: Definition
    filled: Definition
    problem: str = ""


class Catalogue:
    """All definitions. `told` hears of each service that is new, another, or (None) gone; `renamed`, before that, where
    names are others, or gone."""

    def __init__(
        self,
        store: Store,
        kept: Credentials,
        environ: Callable[[], Mapping[str, str]],
        told: Callable[[int, Known | None], Awaitable[None]],
        renamed: Callable[[], Awaitable[None]],
    ) -> None:
        self._store, self._credentials, self._environ = store, kept, environ
        self._renamed = renamed
        self.announcing = Announcing(store, self.known, told)

    async def all(self) -> list[Known]:
        """Every service, in the order in which they were added."""
        found: list[Known] = []
        after = 0
        while rows := await self._store.read(partial(stored.page, after)):
            found += [self.known(row) for row in rows]
            after = rows[-1]["id"]
        return found

    async def tidy(self) -> None:
        """At the start: passwords of services that are gone are dropped."""
        await credentials.tidy(self._store, self._credentials)

    def known(self, row: Row) -> Known:
        """A row as it is probed. One whose variables are not there is told so, and not probed."""
        definition = monitored.definition_of(row["definition"])
        problem, filled = "", joined(definition, self._credentials.of(row["id"]))
        try:
            filled = variables.filled(filled, self._environ())
        except variables.UnknownVariableError as error:
            problem = str(error)
        return Known(row["id"], row["version"], bool(row["paused"]), definition, filled, problem)

    async def add(self, request: AddService, by: str, request_id: str) -> ServiceReply:
        """A new one. CallError `invalid` names every field that can't be so."""
        definition, moment = request.definition, datetime.now(UTC)

        def write(db: Database, secret: Changes) -> ServiceReply:
            _, again = carried_over(definition, NOBODY, NOTHING)
            stored.refuse([*again, *self._problems(db, definition)])
            wanted, kept = split(definition)
            id_ = stored.insert(db, wanted, by=by, moment=moment)
            secret[id_] = kept
            audit.add(db, actor=by, action=Action.SERVICE_ADDED, subject=wanted.name, at=moment, detail=wanted.url)
            push = _new_push(db, id_) if definitions.kind_of(wanted.url) is Kind.HEARTBEAT else ""
            # What is kept of the answer, for one who asks again, has no address in it: that is told once.
            stored.answer(db, self._reply(db, id_), request_id, moment)
            return self._reply(db, id_, push)

        reply = await self._write(write)
        await self._tell([reply.service.id])
        return reply

    async def change(self, request: ChangeService, by: str, request_id: str) -> ServiceReply:
        """Another definition. CallError `not_found`, `conflict` if it has changed meanwhile, `invalid`."""
        moment, others = datetime.now(UTC), set[int]()

        def write(db: Database, secret: Changes) -> ServiceReply:
            row = stored.existing(db, request.id)
            before = monitored.definition_of(row["definition"])
            if row["version"] != request.version:
                raise CallError(
                    Code.CONFLICT,
                    f"{row['name']} was changed by {row['updated_by'] or 'somebody'} meanwhile; look at it again",
                    {"version": row["version"], "definition": msgspec.to_builtins(before)},
                )
            _refuse_owned(row)
            kept = self._credentials.of(request.id)
            definition, again = carried_over(request.definition, before, kept)
            stored.refuse([*again, *self._problems(db, definition, before.name)])
            wanted, secret[request.id] = split(definition)
            stored.replace(db, row, wanted, by=by, moment=moment)
            others.update(naming.rename(db, request.id, before.name, wanted.name, Author(by, moment)))
            detail = ", ".join(_changed(before, wanted)) or "nothing"
            audit.add(db, actor=by, action=Action.SERVICE_CHANGED, subject=wanted.name, at=moment, detail=detail)
            return stored.answer(db, self._reply(db, request.id), request_id, moment)

        reply = await self._write(write)
        await self._renamed()
        await self._tell([request.id, *others])
        return reply

    async def pause(self, request: PauseServices, by: str, request_id: str) -> ChangedReply:
        """Pauses or resumes; each by itself, so that one that is gone keeps nothing from the others."""
        action = Action.SERVICE_PAUSED if request.paused else Action.SERVICE_RESUMED

        def one(db: Database, row: Row, moment: datetime, _: Changes) -> None:
            if bool(row["paused"]) == request.paused:
                return
            wanted = msgspec.structs.replace(monitored.definition_of(row["definition"]), paused=request.paused)
            stored.replace(db, row, wanted, by=by, moment=moment)
            audit.add(db, actor=by, action=action, subject=row["name"], at=moment)

        return await self._each(request.ids, one, request_id)

    async def tag(self, request: TagServices, by: str, request_id: str) -> ChangedReply:
        """Gives tags and takes them; each service by itself. CallError `invalid` without any."""
        if not (request.add or request.remove):
            raise CallError(Code.INVALID, "name a tag", {"fields": {"tag": "name a tag"}})

        def one(db: Database, row: Row, moment: datetime, _: Changes) -> None:
            before = monitored.definition_of(row["definition"])
            wanted = msgspec.structs.replace(before, tags=tagged(before.tags, request.add, request.remove))
            if wanted.tags == before.tags:
                return
            _refuse_owned(row)
            stored.refuse([one for one in definitions.problems(wanted, {}, before.name) if one.field == "tags"])
            stored.replace(db, row, wanted, by=by, moment=moment)
            detail = f"tags: {', '.join(wanted.tags) or 'none'}"
            audit.add(db, actor=by, action=Action.SERVICE_CHANGED, subject=row["name"], at=moment, detail=detail)

        return await self._each(request.ids, one, request_id)

    async def remove(self, request: RemoveServices, by: str, request_id: str) -> ChangedReply:
        """Removes services with all that was found of them; nothing depends on them any more."""
        others = set[int]()

        def one(db: Database, row: Row, moment: datetime, secret: Changes) -> None:
            _refuse_owned(row)
            others.update(naming.remove(db, row, Author(by, moment)))
            secret[row["id"]] = NOTHING
            audit.add(db, actor=by, action=Action.SERVICE_REMOVED, subject=row["name"], at=moment, detail=row["url"])

        reply = await self._each(request.ids, one, request_id)
        await self._renamed()
        await self._tell([*others.difference(reply.done)])
        return reply

    async def take(
        self, request: ImportServices, by: str, request_id: str, owner: str = "", gone: Collection[str] = ()
    ) -> ImportedReply:
        """Takes a file in. Those of an `owner` that are not in it are removed; of people's, where that is asked for.

        What owners that are `gone` had is taken over, with its history.
        """
        from daemon.services import taking  # not above: it brings the reader of YAML with it

        moment = datetime.now(UTC)

        def write(db: Database, secret: Changes) -> tuple[ImportedReply, list[int]]:
            found = taking.take(
                db, request, self._credentials, self._environ(), by=by, moment=moment, owner=owner, gone=gone
            )
            secret.update(found.secret)
            return stored.answer(db, found.reply, request_id, moment), found.ids

        reply, ids = await self._write(write)
        await self._renamed()
        await self._tell(ids)
        return reply

    async def release(self, owners: Collection[str], by: str) -> None:
        """Services that a file described are people's from now on."""
        moment = datetime.now(UTC)
        await self._tell(await self._store.write(lambda db: stored.release(db, owners, by=by, moment=moment)))

    async def renew(self, request: RenewPush, by: str) -> ServiceReply:
        """A fresh address for a heartbeat. CallError `not_found`, or `invalid` for what is none."""
        moment = datetime.now(UTC)

        def write(db: Database) -> ServiceReply:
            row = stored.existing(db, request.id)
            if row["kind"] != Kind.HEARTBEAT:
                raise CallError(Code.INVALID, f"{row['name']} is probed; only a heartbeat has an address to be told at")
            push = _new_push(db, request.id)
            audit.add(db, actor=by, action=Action.SERVICE_PUSH_RENEWED, subject=row["name"], at=moment)
            return self._reply(db, request.id, push)

        return await self._store.write(write)

    async def _each(
        self, ids: list[int], one: Callable[[Database, Row, datetime, Changes], None], request_id: str
    ) -> ChangedReply:
        if len(ids) > AT_ONCE_MAX:
            raise CallError(Code.TOO_LARGE, f"at most {AT_ONCE_MAX} services at once")
        moment = datetime.now(UTC)

        def write(db: Database, secret: Changes) -> ChangedReply:
            done: list[int] = []
            failed: dict[str, str] = {}
            gone: list[int] = []
            for id_ in dict.fromkeys(ids):
                try:
                    one(db, stored.existing(db, id_), moment, secret)
                    done.append(id_)
                except CallError as error:
                    failed[str(id_)] = error.message
                    if error.code is Code.NOT_FOUND:
                        gone.append(id_)
            return stored.answer(db, ChangedReply(done=done, failed=failed, gone=gone), request_id, moment)

        reply = await self._write(write)
        await self._tell(reply.done)
        return reply

    async def _write(self, work: Callable[[Database, Changes], T]) -> T:
        return await credentials.write(self._store, self._credentials, work)

    async def _tell(self, ids: list[int]) -> None:
        await self.announcing.of(ids)

    def _problems(self, db: Database, definition: Definition, before: str = "") -> list[Problem]:
        found = definitions.problems(definition, stored.needs(db), before)
        try:
            variables.filled(definition, self._environ())
        except variables.UnknownVariableError as error:
            found.append(Problem("url", str(error)))
        return found

    def _reply(self, db: Database, id_: int, push: str = "") -> ServiceReply:
        return msgspec.structs.replace(stored.shown(db, id_), push_path=push)


def _new_push(db: Database, id_: int) -> str:
    """A fresh address of a heartbeat; its end is kept as a hash alone."""
    token = secrets.token_urlsafe(24)
    db.change("definitions.set_token", id=id_, token_hash=digest(token))
    return f"/heartbeat/{token}"


def _refuse_owned(row: Row) -> None:
    if row["owner"]:
        raise CallError(
            Code.CONFLICT, f"{row['name']} is described by {row['owner']}; change it there, it is read again by itself"
        )


def _changed(before: Definition, after: Definition) -> list[str]:
    return [name for name in Definition.__struct_fields__ if getattr(before, name) != getattr(after, name)]
