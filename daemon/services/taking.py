"""Takes services from a file: what is new, what is another, what is gone; all of it or nothing.

`take` is a function of a transaction, called by `daemon.services.catalogue`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from daemon import audit
from daemon.services import naming, stored
from daemon.services.credentials import Credentials, split
from daemon.services.naming import Author
from daemon.services.rules import files, variables
from daemon.services.rules.definitions import MASK
from daemon.services.rules.files import Entry, Mistake
from ipc.messages.services import FileMistake, ImportedReply, ImportServices
from schema import monitored
from schema.audit_actions import Action
from schema.database import Database, Row
from schema.definitions import Definition


class Taken(NamedTuple):
    """What came of a file, and the ids of what is another now."""

    reply: ImportedReply
    ids: list[int]


def take(
    db: Database,
    request: ImportServices,
    credentials: Credentials,
    environ: Mapping[str, str],
    *,
    by: str,
    moment: datetime,
    owner: str,
    gone: Collection[str] = (),
) -> Taken:
    """Within a transaction. With a mistake anywhere, nothing is changed, and every mistake is told.

    `gone`: owners that are no more, so that others may have what was theirs.
    """
    parsed = files.parse(request.text)
    rows = _rows(db)
    known = {row["name"]: monitored.definition_of(row["definition"]).needs for row in rows.values()}
    mistakes = [*parsed.mistakes, *files.checked(parsed.entries, known)]
    mistakes += [mistake for entry in parsed.entries for mistake in _further(entry, rows, environ, {"", owner, *gone})]
    if mistakes:
        told = [FileMistake(request.file, one.line, one.column, one.message) for one in sorted(mistakes)]
        return Taken(ImportedReply(errors=told, dry_run=request.dry_run), [])
    return _apply(db, request, parsed.entries, rows, credentials, by=by, moment=moment, owner=owner)


def _rows(db: Database) -> dict[str, Row]:
    """Every service by its name, in small letters."""
    found: dict[str, Row] = {}
    after = 0
    while rows := stored.page(after, db):
        found |= {row["name"].casefold(): row for row in rows}
        after = rows[-1]["id"]
    return found


def _further(entry: Entry, rows: dict[str, Row], environ: Mapping[str, str], owners: Collection[str]) -> list[Mistake]:
    """Variables that are not there, and services that another file describes."""
    definition, found = entry.definition, []
    row = rows.get(definition.name.casefold())
    if row is not None and row["owner"] not in owners:
        found.append(Mistake(*entry.places[""], f"name: {definition.name} is described by {row['owner']}"))
    try:
        variables.filled(definition, environ)
    except variables.UnknownVariableError as error:
        found.append(Mistake(*entry.places.get("url", entry.places[""]), str(error)))
    return found


def _apply(
    db: Database,
    request: ImportServices,
    entries: list[Entry],
    rows: dict[str, Row],
    credentials: Credentials,
    *,
    by: str,
    moment: datetime,
    owner: str,
) -> Taken:
    added: list[str] = []
    changed: list[str] = []
    ids: list[int] = []
    # What others depend on first has to be there, so relations are made once all are.
    for entry in entries:
        wanted, kept = split(entry.definition)
        row = rows.get(wanted.name.casefold())
        if row is not None and owner and row["paused"]:
            # A file does not resume what a person has paused.
            wanted = msgspec.structs.replace(wanted, paused=True)
        if row is None:
            added.append(wanted.name)
            if not request.dry_run:
                id_ = stored.insert(db, wanted, by=by, moment=moment, owner=owner)
                credentials.keep(id_, kept)
                ids.append(id_)
        elif (
            not _same(monitored.definition_of(row["definition"]), wanted)
            or row["owner"] != owner
            or (kept != credentials.of(row["id"]) and not _masked(entry.definition))
        ):
            changed.append(wanted.name)
            if not request.dry_run:
                stored.replace(db, {**row, "owner": owner}, wanted, by=by, moment=moment)
                if not _masked(entry.definition):
                    credentials.keep(row["id"], kept)
                ids.append(row["id"])
    removed = _gone(entries, rows, owner) if owner or request.prune else []
    if not request.dry_run:
        author = Author(by, moment)
        for row in removed:
            ids += [row["id"], *naming.remove(db, row, author)]
            credentials.forget(row["id"])
        for entry in entries:
            row = rows.get(entry.definition.name.casefold())
            if row is not None:  # a name that is written otherwise
                ids += naming.rename(db, row["id"], row["name"], entry.definition.name, author)
        for entry in entries:
            row = db.one("definitions.by_name", name=entry.definition.name)
            if row is not None and entry.definition.needs:
                stored.relate(db, row["id"], entry.definition)
        if ids:
            detail = f"{len(added)} added, {len(changed)} changed, {len(removed)} removed"
            subject = request.file or "an import"
            audit.add(db, actor=by, action=Action.SERVICES_IMPORTED, subject=subject, at=moment, detail=detail)
    reply = ImportedReply(
        added=added,
        changed=changed,
        removed=[row["name"] for row in removed],
        unchanged=len(entries) - len(added) - len(changed),
        dry_run=request.dry_run,
    )
    return Taken(reply, list(dict.fromkeys(ids)))


def _same(before: Definition, after: Definition) -> bool:
    # Sets in lists: their order says nothing.
    return _sorted(before) == _sorted(after)


def _sorted(definition: Definition) -> Definition:
    tags, needs = tuple(sorted(definition.tags)), tuple(sorted(definition.needs))
    return msgspec.structs.replace(definition, tags=tags, needs=needs)


def _masked(definition: Definition) -> bool:
    """Whether it comes from an export, which has no passwords: those that are kept stay."""
    return MASK in definition.url or MASK in definition.proxy or MASK in definition.headers.values()


def _gone(entries: list[Entry], rows: dict[str, Row], owner: str) -> list[Row]:
    """Those of the same owner that the file does not have."""
    names = {entry.definition.name.casefold() for entry in entries}
    return [row for name, row in rows.items() if name not in names and row["owner"] == owner]
