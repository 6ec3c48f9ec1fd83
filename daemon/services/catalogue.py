"""The services that are probed: added, changed, paused, removed; each change in one transaction with its audit line.

Built by `daemon.services.services`; asked through `daemon.services.handlers`. It tells the monitor what to probe.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from daemon import audit
from daemon.services import incidents, recorder
from daemon.services.credentials import Credentials, carried_over, joined, split
from daemon.services.rules import definitions, variables
from daemon.services.rules.definitions import Problem
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.envelope import Reply
from ipc.messages.services import AddService, ChangedReply, ChangeService, PauseServices, RemoveServices, ServiceReply
from schema import monitored, timestamps
from schema.database import Database, Row
from schema.definitions import Definition, Kind
from schema.states import SERVICE, ServiceStatus, follow

AT_ONCE_MAX = 5000
PAGE = 1000
BY_PERSON = "a person"
R = TypeVar("R", bound=Reply)


class Known(NamedTuple):
    """A service as it is stored, and as it is probed."""

    id: int
    version: int
    paused: bool
    stored: Definition
    filled: Definition
    problem: str = ""


class Catalogue:
    """All definitions. `told` hears of each service that is new, another, or (None) gone."""

    def __init__(
        self,
        store: Store,
        credentials: Credentials,
        environ: Callable[[], Mapping[str, str]],
        told: Callable[[int, Known | None], None],
    ) -> None:
        self._store, self._credentials, self._environ, self._told = store, credentials, environ, told

    async def all(self) -> list[Known]:
        """Every service, in the order in which they were added."""
        found: list[Known] = []
        after = 0
        while rows := await self._store.read(partial(_page, after)):
            found += [self.known(row) for row in rows]
            after = rows[-1]["id"]
        return found

    def known(self, row: Row) -> Known:
        """A row as it is probed. One whose variables are not there is told so, and not probed."""
        stored = monitored.definition_of(row["definition"])
        problem, filled = "", joined(stored, self._credentials.of(row["id"]))
        try:
            filled = variables.filled(filled, self._environ())
        except variables.UnknownVariableError as error:
            problem = str(error)
        return Known(row["id"], row["version"], bool(row["paused"]), stored, filled, problem)

    async def add(self, request: AddService, by: str, request_id: str) -> ServiceReply:
        """A new one. CallError `invalid` names every field that can't be so."""
        definition, moment = request.definition, datetime.now(UTC)

        def write(db: Database) -> ServiceReply:
            refuse(self._problems(db, definition))
            stored, kept = split(definition)
            id_ = insert(db, stored, by=by, moment=moment)
            self._credentials.keep(id_, kept)
            audit.add(db, actor=by, action="service.added", subject=stored.name, at=moment, detail=stored.url)
            return _answer(db, self._reply(db, id_), request_id, moment)

        reply = await self._store.write(write)
        await self._tell([reply.service.id])
        return reply

    async def change(self, request: ChangeService, by: str, request_id: str) -> ServiceReply:
        """Another definition. CallError `not_found`, `conflict` if it has changed meanwhile, `invalid`."""
        moment = datetime.now(UTC)

        def write(db: Database) -> ServiceReply:
            row = existing(db, request.id)
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
            refuse([*again, *self._problems(db, definition, before.name)])
            stored, now_kept = split(definition)
            replace(db, row, stored, by=by, moment=moment)
            self._credentials.keep(request.id, now_kept)
            detail = ", ".join(_changed(before, stored)) or "nothing"
            audit.add(db, actor=by, action="service.changed", subject=stored.name, at=moment, detail=detail)
            return _answer(db, self._reply(db, request.id), request_id, moment)

        reply = await self._store.write(write)
        await self._tell([request.id])
        return reply

    async def pause(self, request: PauseServices, by: str, request_id: str) -> ChangedReply:
        """Pauses or resumes; each by itself, so that one that is gone keeps nothing from the others."""
        action = "service.paused" if request.paused else "service.resumed"

        def one(db: Database, row: Row, moment: datetime) -> None:
            if bool(row["paused"]) == request.paused:
                return
            stored = monitored.definition_of(row["definition"])
            replace(db, row, msgspec.structs.replace(stored, paused=request.paused), by=by, moment=moment)
            audit.add(db, actor=by, action=action, subject=row["name"], at=moment)

        return await self._each(request.ids, one, request_id)

    async def remove(self, request: RemoveServices, by: str, request_id: str) -> ChangedReply:
        """Removes services with all that was found of them."""

        def one(db: Database, row: Row, moment: datetime) -> None:
            _refuse_owned(row)
            db.change("definitions.remove", id=row["id"])
            self._credentials.forget(row["id"])
            audit.add(db, actor=by, action="service.removed", subject=row["name"], at=moment, detail=row["url"])

        return await self._each(request.ids, one, request_id)

    async def _each(
        self, ids: list[int], one: Callable[[Database, Row, datetime], None], request_id: str
    ) -> ChangedReply:
        if len(ids) > AT_ONCE_MAX:
            raise CallError(Code.TOO_LARGE, f"at most {AT_ONCE_MAX} services at once")
        moment = datetime.now(UTC)

        def write(db: Database) -> ChangedReply:
            done: list[int] = []
            failed: dict[int, str] = {}
            for id_ in dict.fromkeys(ids):
                try:
                    one(db, existing(db, id_), moment)
                    done.append(id_)
                except CallError as error:
                    failed[id_] = error.message
            return _answer(db, ChangedReply(done=done, failed=failed), request_id, moment)

        reply = await self._store.write(write)
        await self._tell(reply.done)
        return reply

    async def _tell(self, ids: Iterable[int]) -> None:
        def read(db: Database) -> list[tuple[int, Row | None]]:
            return [(id_, db.one("definitions.one", id=id_)) for id_ in ids]

        for id_, row in await self._store.read(read):
            self._told(id_, None if row is None else self.known(row))

    def _problems(self, db: Database, definition: Definition, before: str = "") -> list[Problem]:
        found = definitions.problems(definition, needs(db), before)
        try:
            variables.filled(definition, self._environ())
        except variables.UnknownVariableError as error:
            found.append(Problem("url", str(error)))
        return found

    def _reply(self, db: Database, id_: int) -> ServiceReply:
        row, shown = existing(db, id_), db.one("monitored.one", id=id_)
        assert shown is not None  # noqa: S101 - every service stands somehow
        return ServiceReply(service=monitored.from_row(shown), definition=monitored.definition_of(row["definition"]))


def _page(after: int, db: Database) -> list[Row]:
    return db.rows("definitions.page", after=after, limit=PAGE)


def existing(db: Database, id_: int) -> Row:
    """The row of a service. CallError `not_found`."""
    row = db.one("definitions.one", id=id_)
    if row is None:
        raise CallError(Code.NOT_FOUND, f"there is no service {id_}; `claudeopsctl services list` shows them")
    return row


def needs(db: Database) -> dict[str, tuple[str, ...]]:
    """What each service depends on, by name."""
    found: dict[str, tuple[str, ...]] = {}
    after = 0
    while rows := _page(after, db):
        found |= {row["name"]: monitored.definition_of(row["definition"]).needs for row in rows}
        after = rows[-1]["id"]
    return found


def refuse(problems: list[Problem]) -> None:
    """CallError `invalid` with each problem by its field, if there is any."""
    if problems:
        text = "; ".join(f"{problem.field}: {problem.message}" for problem in problems)
        fields: dict[str, str] = {}
        for problem in problems:
            fields.setdefault(problem.field, problem.message)
        raise CallError(Code.INVALID, text, {"fields": fields})


def insert(db: Database, stored: Definition, *, by: str, moment: datetime, owner: str = "") -> int:
    """Stores a definition that is new; its id. Within a transaction."""
    id_ = int(db.value("definitions.add", token_hash=None, **_columns(stored, by, moment, owner)))
    status = ServiceStatus.PAUSED if stored.paused else ServiceStatus.UNKNOWN
    at = int(moment.timestamp() * 1000)
    db.change("results.begin", service_id=id_, status=status.value, at=at)
    db.change("results.change", service_id=id_, at=at, status=status.value)
    _relate(db, id_, stored)
    return id_


def replace(db: Database, row: Row, stored: Definition, *, by: str, moment: datetime) -> None:
    """Stores a definition in the place of another. Within a transaction."""
    id_ = row["id"]
    db.change("definitions.change", id=id_, version=row["version"], **_columns(stored, by, moment, row["owner"]))
    _relate(db, id_, stored)
    if stored.paused != bool(row["paused"]):
        _set_aside(db, id_, paused=stored.paused, by=by, moment=moment)


def _columns(stored: Definition, by: str, moment: datetime, owner: str) -> dict[str, object]:
    return {
        "name": stored.name,
        "url": stored.url,
        "kind": (definitions.kind_of(stored.url) or Kind.HTTP).value,
        "definition": msgspec.json.encode(stored).decode(),
        "group_name": stored.group,
        "paused": int(stored.paused),
        "owner": owner,
        "now": timestamps.stamp(moment),
        "by": by,
    }


def _relate(db: Database, id_: int, stored: Definition) -> None:
    db.change("definitions.untag", service_id=id_)
    for tag in stored.tags:
        db.change("definitions.tag", service_id=id_, tag=tag)
    db.change("definitions.unneed", service_id=id_)
    for name in stored.needs:
        db.change("definitions.need", service_id=id_, name=name)


def _set_aside(db: Database, id_: int, *, paused: bool, by: str, moment: datetime) -> None:
    """Paused: nothing is known from now on, and an incident ends by the person's hand. Or resumed."""
    state = db.one("results.state", service_id=id_)
    assert state is not None  # noqa: S101 - every service stands somehow
    wanted = ServiceStatus.PAUSED if paused else ServiceStatus.UNKNOWN
    follow(SERVICE, ServiceStatus(state["status"]), wanted)
    recorder.change(db, id_, int(moment.timestamp() * 1000), wanted)
    db.change("results.unknown_since", service_id=id_)
    if paused and state["incident_id"] is not None:
        incidents.set_aside(db, id_, state["incident_id"], by=by or BY_PERSON, at=timestamps.stamp(moment))


def _refuse_owned(row: Row) -> None:
    if row["owner"]:
        raise CallError(
            Code.CONFLICT, f"{row['name']} is described by {row['owner']}; change it there, it is read again by itself"
        )


def _changed(before: Definition, after: Definition) -> list[str]:
    return [name for name in Definition.__struct_fields__ if getattr(before, name) != getattr(after, name)]


def _answer(db: Database, reply: R, request_id: str, moment: datetime) -> R:
    if request_id:
        stored = codec.store(reply)
        db.change("replies.insert", request_id=request_id, reply=stored, created_at=timestamps.stamp(moment))
    return reply
