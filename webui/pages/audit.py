"""The audit log: verdicts on sessions' calls, decisions of people, what was changed. GET /audit and /audit.json."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from schema.audit_actions import WITH_ADDRESS, Action
from schema.database import Database
from schema.limits import AuditEntry
from schema.states import Role
from webui import shell
from webui.negotiation import is_json, json_response
from webui.pages import formats
from webui.pages.ansi import plain
from webui.pages.approval_view import one_line
from webui.pages.formats import At
from webui.pages.found import visible_text
from webui.pages.keyed import FAR, PAGE, Choice, address, number, words
from webui.pages.session_rows import Look
from webui.parts import parts, signed_in

LOOKS = {
    "allow": Look("ok", "check", "allow"),
    "approved": Look("ok", "check", "approved"),
    "deny": Look("warn", "ban", "deny"),
    "denied": Look("warn", "ban", "denied"),
    "ask": Look("plan", "hand", "ask"),
}
OTHER = Look("neutral", "circle-user-round", "")
# What can be chosen; any other, of an older log, can stand in the address.
ACTIONS = [Choice(action.value, action.value) for action in Action]


LONG_CHARS = 400
HEAD_CHARS = 160
FOR_ADMINS = "from where, only admins are shown"


class AuditRow(NamedTuple):
    """One entry. `head`: the beginning of a subject that is long, which is folded; else empty."""

    id: int
    at: At
    exact: str
    actor: str
    action: str
    tone: str
    icon: str
    session_id: int | None
    subject: str
    head: str
    rule: str
    detail: str


class Filters(NamedTuple):
    """What the list is narrowed to; empty text and None are any."""

    action: str = ""
    session: int | None = None


class AuditPage(NamedTuple):
    """The page's context."""

    shell: shell.Shell
    stream: str
    rows: list[AuditRow]
    filters: Filters
    actions: list[Choice]
    older_href: str | None
    newest_href: str | None
    empty: str | None


def shown_to(role: Role, entry: AuditEntry) -> AuditEntry:
    """The entry as somebody may see it: where people were when they signed in is for admins. The API asks, too."""
    if role is Role.ADMIN or entry.action not in WITH_ADDRESS or not entry.detail:
        return entry
    return msgspec.structs.replace(entry, detail=FOR_ADMINS)


def row(entry: AuditEntry, now: datetime) -> AuditRow:
    """An entry as the list shows it."""
    look = LOOKS.get(entry.action.rsplit(".", 1)[-1], OTHER)
    return AuditRow(
        id=entry.id,
        at=formats.ago(entry.at, now),
        exact=entry.at.replace("T", " ")[:19],
        actor=plain(entry.actor),
        action=visible_text(entry.action),
        tone=look.tone,
        icon=look.icon,
        session_id=entry.session_id,
        subject=visible_text(entry.subject),
        head=one_line(entry.subject, HEAD_CHARS) if len(entry.subject) > LONG_CHARS else "",
        rule=visible_text(entry.rule or ""),
        detail=plain(entry.detail),
    )


def find(database: Database, filters: Filters, before: int) -> list[AuditEntry]:
    """A page below an id, and one more where there are older ones."""
    values: dict[str, Any] = {"before": before, "limit": PAGE + 1}
    if filters.session is not None:
        action = filters.action or None
        rows = database.rows("pages.audit_of_session", session_id=filters.session, action=action, **values)
    elif filters.action:
        rows = database.rows("pages.audit_of_action", action=filters.action, **values)
    else:
        rows = database.rows("pages.audit", **values)
    return [msgspec.convert(row, AuditEntry) for row in rows]


async def show(request: web.Request) -> web.StreamResponse:
    """GET /audit."""
    filters = Filters(words(request.query, "action"), number(request.query, "session"))
    before = number(request.query, "before")
    entries = await parts(request).state.read(lambda database: find(database, filters, before or FAR))
    found = [shown_to(signed_in(request).role, entry) for entry in entries]
    given = filters._asdict()
    older = address("/audit", given, before=found[PAGE - 1].id) if len(found) > PAGE else None
    if is_json(request):
        return json_response({"entries": found[:PAGE], "next": older})
    now = formats.now()
    known = any(choice.value == filters.action for choice in ACTIONS)
    context = AuditPage(
        shell=shell.build(request, "Audit log", "audit"),
        stream="/live?page=frame",
        rows=[row(entry, now) for entry in found[:PAGE]],
        filters=filters,
        actions=ACTIONS if known or not filters.action else [*ACTIONS, Choice(filters.action, filters.action)],
        older_href=older,
        newest_href=address("/audit", given) if before else None,
        empty=None if found else "filtered" if any(filters) else "nothing",
    )
    return shell.page(request, "audit.html", context)
