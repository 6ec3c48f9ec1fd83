"""Takes services from a file: what is new, what is another, what is gone; all of it or nothing.

`take` is a function of a transaction, called by `daemon.services.catalogue`; what it does is planned by
`daemon.services.rules.planning`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from daemon import audit
from daemon.services import naming, stored
from daemon.services.credentials import Changes, Credentials
from daemon.services.naming import Author
from daemon.services.rules import files, planning
from daemon.services.rules.files import Entry, Mistake
from daemon.services.rules.kept import NOTHING
from daemon.services.rules.planning import Known, Plan
from ipc.messages.services import ChangedField, FileMistake, ImportedReply, ImportServices
from schema import monitored
from schema.audit_actions import Action
from schema.database import Database, Row


class Taken(NamedTuple):
    """What came of a file, the ids of what is another now, and what of these is not for the database."""

    reply: ImportedReply
    ids: list[int]
    secret: Changes


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
    known = {name: _known(row, credentials) for name, row in rows.items()}
    needs = {one.definition.name: one.definition.needs for one in known.values()}
    entries, masked = planning.filled(parsed.entries, known)
    mistakes = [*parsed.mistakes, *masked, *files.checked(entries, needs)]
    mistakes += planning.refused(entries, known, environ, {"", owner, *gone})
    if mistakes:
        return Taken(ImportedReply(errors=_places(mistakes, request), dry_run=request.dry_run), [], {})
    planned = planning.plan(entries, known, owner=owner, prune=bool(owner) or request.prune)
    reply = _told(planned, _places(parsed.left_out, request), request)
    if request.dry_run:
        return Taken(reply, [], {})
    secret, others = carry_out(db, planned, rows, Author(by, moment), owner)
    _relate(db, entries)
    if secret:
        detail = f"{len(reply.added)} added, {len(reply.changed)} changed, {len(reply.removed)} removed"
        subject = request.file or "an import"
        audit.add(db, actor=by, action=Action.SERVICES_IMPORTED, subject=subject, at=moment, detail=detail)
    return Taken(reply, list(dict.fromkeys([*secret, *others])), secret)


def _rows(db: Database) -> dict[str, Row]:
    """Every service by its name, in small letters."""
    found: dict[str, Row] = {}
    after = 0
    while rows := stored.page(after, db):
        found |= {row["name"].casefold(): row for row in rows}
        after = rows[-1]["id"]
    return found


def _known(row: Row, credentials: Credentials) -> Known:
    return Known(row["id"], monitored.definition_of(row["definition"]), credentials.of(row["id"]), row["owner"])


def _places(mistakes: list[Mistake], request: ImportServices) -> list[FileMistake]:
    return [FileMistake(request.file, one.line, one.column, one.message) for one in sorted(mistakes)]


def _told(plan: Plan, left_out: list[FileMistake], request: ImportServices) -> ImportedReply:
    return ImportedReply(
        added=[one.definition.name for one in plan.added],
        changed=[one.definition.name for one in plan.changed],
        removed=[one.definition.name for one in plan.removed],
        unchanged=plan.unchanged,
        dry_run=request.dry_run,
        left_out=left_out,
        differences=[
            ChangedField(one.definition.name, *difference) for one in plan.changed for difference in one.differences
        ],
    )


def carry_out(
    db: Database, plan: Plan, rows: Mapping[str, Row], author: Author, owner: str
) -> tuple[Changes, list[int]]:
    """Stores what is planned, all but what depends on what.

    By the id of each, what is kept of it beside; and the ids of others, which depend on one that is called otherwise.
    """
    by, moment = author
    secret: Changes = {}
    others: list[int] = []
    for new in plan.added:
        secret[stored.insert(db, new.definition, by=by, moment=moment, owner=owner)] = new.kept
    for changed in plan.changed:
        row = rows[changed.known.definition.name.casefold()]
        stored.replace(db, {**row, "owner": owner}, changed.definition, by=by, moment=moment)
        secret[changed.known.id] = changed.kept
    for gone in plan.removed:
        others += naming.remove(db, rows[gone.definition.name.casefold()], author)
        secret[gone.id] = NOTHING
    for known, wanted, *_ in plan.changed:
        # Last: a file that has the new name everywhere has nothing more to change.
        others += naming.rename(db, known.id, known.definition.name, wanted.name, author)
    return secret, others


def _relate(db: Database, entries: list[Entry]) -> None:
    """What others depend on first has to be there, so relations are made once all are."""
    for definition in (entry.definition for entry in entries if entry.definition.needs):
        row = db.one("definitions.by_name", name=definition.name)
        if row is not None:
            stored.relate(db, row["id"], definition)
