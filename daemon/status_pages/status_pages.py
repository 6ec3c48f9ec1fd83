"""Status pages: added, changed, removed; each in one transaction with its audit line. Functions of the database.

Called by `daemon.status_pages.handlers`; the web process reads the pages by itself.
"""

from datetime import UTC, datetime

import msgspec

from daemon import audit
from daemon.status_pages import rules
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.status_pages import (
    AddStatusPage,
    ChangeStatusPage,
    RemoveStatusPage,
    StatusPageReply,
    StatusPagesReply,
)
from schema import status_pages, timestamps
from schema.audit_actions import Action
from schema.database import Database, Row
from schema.status_pages import PAGES_MAX, Page, StatusPage

PUBLISHED, HIDDEN = "published", "not published"


def listing(db: Database) -> StatusPagesReply:
    """All of them."""
    rows = db.rows("status_pages.all", limit=PAGES_MAX)
    return StatusPagesReply(pages=[_stored(db, row) for row in rows])


def add(db: Database, request: AddStatusPage, by: str, request_id: str) -> StatusPageReply:
    """A new one. Within a transaction. CallError `invalid`, `too_large`."""
    page, moment = request.page, datetime.now(UTC)
    ids = _refuse(db, page, 0)
    if len(db.rows("status_pages.all", limit=PAGES_MAX)) >= PAGES_MAX:
        raise CallError(Code.TOO_LARGE, f"there are {PAGES_MAX} status pages; remove one")
    id_ = int(db.value("status_pages.add", **_columns(page, by, moment)))
    _choose(db, id_, ids)
    state = PUBLISHED if page.published else HIDDEN
    audit.add(db, actor=by, action=Action.STATUS_PAGE_ADDED, subject=page.slug, at=moment, detail=state)
    return _answer(db, id_, request_id, moment)


def change(db: Database, request: ChangeStatusPage, by: str, request_id: str) -> StatusPageReply:
    """Another one in its place. Within a transaction. CallError `not_found`, `conflict`, `invalid`."""
    page, moment = request.page, datetime.now(UTC)
    row = _existing(db, request.id)
    before = _stored(db, row).page
    if row["version"] != request.version:
        who = row["updated_by"] or "somebody"
        raise CallError(
            Code.CONFLICT,
            f"{row['slug']} was changed by {who} meanwhile; look at it again",
            {"version": row["version"], "page": msgspec.to_builtins(before)},
        )
    ids = _refuse(db, page, request.id)
    db.change("status_pages.change", id=request.id, version=request.version, **_columns(page, by, moment))
    db.change("status_pages.unchoose", page_id=request.id)
    _choose(db, request.id, ids)
    changed = [name for name in Page.__struct_fields__ if getattr(before, name) != getattr(page, name)]
    detail = ", ".join(changed) or "nothing"
    if before.published is not page.published:
        detail += f"; {PUBLISHED if page.published else HIDDEN} from now on"
    audit.add(db, actor=by, action=Action.STATUS_PAGE_CHANGED, subject=page.slug, at=moment, detail=detail)
    return _answer(db, request.id, request_id, moment)


def remove(db: Database, request: RemoveStatusPage, by: str) -> None:
    """Takes one away. Within a transaction. CallError `not_found`."""
    row = _existing(db, request.id)
    db.change("status_pages.remove", id=request.id)
    audit.add(db, actor=by, action=Action.STATUS_PAGE_REMOVED, subject=row["slug"], at=datetime.now(UTC))


def _stored(db: Database, row: Row) -> StatusPage:
    return status_pages.from_row(row, db.rows("status_pages.chosen", page_id=row["id"]))


def _existing(db: Database, id_: int) -> Row:
    row = db.one("status_pages.one", id=id_)
    if row is None:
        raise CallError(Code.NOT_FOUND, f"there is no status page {id_}")
    return row


def _refuse(db: Database, page: Page, id_: int) -> list[int]:
    """The ids of the services that are named. CallError `invalid` with each problem by its field."""
    rows = {name: db.one("definitions.by_name", name=name) for name in page.services[: rules.NAMES_MAX]}
    found = rules.problems(page, [name for name, row in rows.items() if row is not None])
    taken = db.one("status_pages.by_slug", slug=page.slug)
    if taken is not None and taken["id"] != id_:
        found["slug"] = f"another status page has the address {page.slug!r} already"
    if found:
        text = "; ".join(f"{name}: {said}" for name, said in found.items())
        raise CallError(Code.INVALID, text, {"fields": found})
    return [row["id"] for row in rows.values() if row is not None]


def _columns(page: Page, by: str, moment: datetime) -> dict[str, object]:
    return {
        "slug": page.slug,
        "title": page.title.strip(),
        "description": page.description.strip(),
        "published": int(page.published),
        "latency": int(page.latency),
        "tags": msgspec.json.encode(page.tags).decode(),
        "groups": msgspec.json.encode(page.groups).decode(),
        "now": timestamps.stamp(moment),
        "by": by,
    }


def _choose(db: Database, id_: int, services: list[int]) -> None:
    for service in services:
        db.change("status_pages.choose", page_id=id_, service_id=service)


def _answer(db: Database, id_: int, request_id: str, moment: datetime) -> StatusPageReply:
    reply = StatusPageReply(page=_stored(db, _existing(db, id_)))
    if request_id:
        db.change(
            "replies.insert", request_id=request_id, reply=codec.store(reply), created_at=timestamps.stamp(moment)
        )
    return reply
