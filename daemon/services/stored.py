"""The rows of services: read, inserted, replaced, set aside. Functions of a transaction, called by the catalogue."""

from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

import msgspec

from daemon import audit
from daemon.services import incidents, recorder, remedies
from daemon.services.rules import definitions
from daemon.services.rules.definitions import Problem
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.envelope import Reply
from ipc.messages.services import ServiceReply
from schema import monitored, timestamps
from schema.audit_actions import Action
from schema.database import Database, Row
from schema.definitions import Definition, Kind
from schema.states import SERVICE, ServiceStatus, follow

PAGE = 1000
WINDOWS_MAX = 500
BY_PERSON = "a person"
R = TypeVar("R", bound=Reply)


def page(after: int, db: Database) -> list[Row]:
    """Services after an id, whole."""
    return db.rows("definitions.page", after=after, limit=PAGE)


def existing(db: Database, id_: int) -> Row:
    """The row of a service. CallError `not_found`."""
    row = db.one("definitions.one", id=id_)
    if row is None:
        raise _gone(id_)
    return row


def shown(db: Database, id_: int) -> ServiceReply:
    """A service, how it stands, and its definition. CallError `not_found`."""
    row, stands = existing(db, id_), db.one("monitored.one", id=id_)
    if stands is None:
        raise _gone(id_)
    return ServiceReply(service=monitored.from_row(stands), definition=monitored.definition_of(row["definition"]))


def _gone(id_: int) -> CallError:
    return CallError(Code.NOT_FOUND, f"there is no service {id_}; `claudeopsctl services list` shows them")


def needs(db: Database) -> dict[str, tuple[str, ...]]:
    """What each service depends on, by name."""
    found: dict[str, list[str]] = {row["name"]: [] for row in db.rows("definitions.names")}
    for row in db.rows("definitions.relations"):
        found[row["name"]].append(row["needs"])
    return {name: tuple(others) for name, others in found.items()}


def owners(db: Database) -> list[str]:
    """The files that describe services."""
    found: set[str] = set()
    after = 0
    while rows := page(after, db):
        found |= {row["owner"] for row in rows if row["owner"]}
        after = rows[-1]["id"]
    return sorted(found)


def insert(db: Database, stored: Definition, *, by: str, moment: datetime, owner: str = "") -> int:
    """Stores a definition that is new; its id. Within a transaction."""
    id_ = int(db.value("definitions.add", token_hash=None, **_columns(stored, by, moment, owner)))
    status = ServiceStatus.PAUSED if stored.paused else ServiceStatus.UNKNOWN
    at = int(moment.timestamp() * 1000)
    db.change("results.begin", service_id=id_, status=status.value, at=at)
    db.change("results.change", service_id=id_, at=at, status=status.value)
    relate(db, id_, stored)
    return id_


def replace(db: Database, row: Row, stored: Definition, *, by: str, moment: datetime) -> None:
    """Stores a definition in the place of another. Within a transaction."""
    id_ = row["id"]
    db.change("definitions.change", id=id_, version=row["version"], **_columns(stored, by, moment, row["owner"]))
    relate(db, id_, stored)
    if stored.paused != bool(row["paused"]):
        _set_aside(db, id_, paused=stored.paused, by=by, moment=moment)


def remove(db: Database, row: Row) -> None:
    """Removes a service with all that was found of it. Within a transaction."""
    state = db.one("results.state", service_id=row["id"])
    if state is not None and state["incident_id"] is not None:
        remedies.call_off(db, state["incident_id"], "its service was removed")
    db.change("definitions.remove", id=row["id"])


def release(db: Database, owners: Collection[str], *, by: str, moment: datetime) -> list[int]:
    """Services of some owners are people's from now on; their ids. Within a transaction."""
    ids: list[int] = []
    after = 0
    while rows := page(after, db):
        for row in (row for row in rows if row["owner"] in owners):
            replace(db, {**row, "owner": ""}, monitored.definition_of(row["definition"]), by=by, moment=moment)
            detail = f"{row['owner']} is not watched any more"
            audit.add(db, actor=by, action=Action.SERVICE_CHANGED, subject=row["name"], at=moment, detail=detail)
            ids.append(row["id"])
        after = rows[-1]["id"]
    return ids


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


def relate(db: Database, id_: int, stored: Definition) -> None:
    """Its tags, and what it depends on. Within a transaction."""
    db.change("definitions.untag", service_id=id_)
    for tag in stored.tags:
        db.change("definitions.tag", service_id=id_, tag=tag)
    db.change("definitions.unneed", service_id=id_)
    for name in stored.needs:
        db.change("definitions.need", service_id=id_, name=name)


def _set_aside(db: Database, id_: int, *, paused: bool, by: str, moment: datetime) -> None:
    """Paused: nothing is known from now on, and an incident ends by the person's hand. Or resumed."""
    state = db.one("results.state", service_id=id_)
    if state is None:
        raise _gone(id_)
    wanted = ServiceStatus.PAUSED if paused else ServiceStatus.UNKNOWN
    follow(SERVICE, ServiceStatus(state["status"]), wanted)
    recorder.change(db, id_, int(moment.timestamp() * 1000), wanted)
    db.change("results.unknown_since", service_id=id_)
    if paused and state["incident_id"] is not None:
        incidents.set_aside(db, id_, state["incident_id"], by=by or BY_PERSON, at=timestamps.stamp(moment))


def answer(db: Database, reply: R, request_id: str, moment: datetime) -> R:
    """Keeps a reply with the change that it reports, for one who asks again. Within a transaction; the reply."""
    if request_id:
        text, now = codec.store(reply), timestamps.stamp(moment)
        db.change("replies.insert", request_id=request_id, reply=text, created_at=now)
    return reply


def refuse(problems: list[Problem]) -> None:
    """CallError `invalid` with each problem by its field, if there is any."""
    if problems:
        raise refusal(problems)


def refusal(problems: list[Problem]) -> CallError:
    """CallError `invalid` with each problem by its field, the first of each in `data`."""
    text = "; ".join(f"{problem.field}: {problem.message}" for problem in problems)
    return CallError(Code.INVALID, text, {"fields": {one.field: one.message for one in reversed(problems)}})
