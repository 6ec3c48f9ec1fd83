"""The list of sessions, newest first: filters and page in the address. GET /sessions and /sessions.json."""

from typing import Any, NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from ipc.errors import CallError, Code
from schema.database import Database, Row
from schema.sessions import Session, from_row
from schema.states import SessionStatus, Trigger
from webui import shell
from webui.auth.rules import Access, may
from webui.negotiation import is_json, json_response
from webui.pages import formats, session_rows
from webui.pages.session_rows import LOOKS, OPEN, SessionRow
from webui.parts import parts, signed_in

PAGE = 50
FAR = 1 << 62
# A search with no index of its own looks through so many sessions at a time; the next page goes on from there.
SEARCHED = 20_000
WORDS_MAX = 200


class Filters(NamedTuple):
    """What the list is narrowed to; empty text is any."""

    status: str = ""
    tier: str = ""
    trigger: str = ""
    q: str = ""


class Choice(NamedTuple):
    """One value of a filter."""

    value: str
    label: str


class Choices(NamedTuple):
    """The values of each filter."""

    status: list[Choice]
    tier: list[Choice]
    trigger: list[Choice]


CHOICES = Choices(
    [Choice(status.value, LOOKS[status].word) for status in SessionStatus],
    [Choice(str(tier), f"Tier {tier}") for tier in (1, 2, 3)],
    [Choice(trigger.value, trigger.value) for trigger in Trigger],
)


class SessionsPage(NamedTuple):
    """The page's context."""

    shell: shell.Shell
    stream: str
    rows: list[SessionRow]
    filters: dict[str, str]
    choices: Choices
    next_href: str | None
    prev_href: str | None
    empty: str | None
    can_trigger: bool


class Found(NamedTuple):
    """A page of sessions, newest first; `older` and `newer` are the ids that the neighbours start from."""

    sessions: list[Session]
    older: int | None
    newer: int | None
    newest: int


def read_filters(query: Any) -> Filters:
    """The filters of an address. CallError names a value that is none."""
    found = Filters(*(query.get(name, "").strip() for name in Filters._fields))
    for name, choices in zip(Choices._fields, CHOICES, strict=True):
        value = getattr(found, name)
        if value and value not in [choice.value for choice in choices]:
            raise CallError(Code.INVALID, f"{value!r} is no {name}; clear the filter.")
    return found._replace(q=found.q[:WORDS_MAX])


def _number(query: Any, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise CallError(Code.INVALID, f"{name}={text!r} is no session's number.")
    return int(text)


def matches(session: Session, filters: Filters) -> bool:
    """Whether a session belongs in a filtered list; as the queries judge it."""
    return (
        (not filters.status or session.status.value == filters.status)
        and (not filters.tier or str(session.tier) == filters.tier)
        and (not filters.trigger or session.trigger.value == filters.trigger)
        and filters.q.lower() in (session.prompt_text or session.prompt_file).lower()
    )


def find(database: Database, filters: Filters, before: int | None, after: int | None) -> Found:
    """A page below an id, or the page above one."""
    newest = database.value("sessions.newest_id") or 0
    limit = PAGE + 1
    if after is not None:
        rows, more, edge = _upwards(database, filters, after, limit)
        rows = rows[:PAGE][::-1]
        newer = rows[0]["id"] if rows and more else edge
        return Found([from_row(row) for row in rows], rows[-1]["id"] if rows else after + 1, newer, newest)
    rows, edge = _downwards(database, filters, before or FAR, limit, newest)
    older = rows[PAGE - 1]["id"] if len(rows) > PAGE else edge
    rows = rows[:PAGE]
    newer = None if before is None else (rows[0]["id"] if rows else before - 1)
    return Found([from_row(row) for row in rows], older, newer, newest)


def _single(filters: Filters) -> tuple[str, dict[str, Any]] | None:
    """The query with an index that serves these filters, if one does."""
    given = {name: value for name, value in filters._asdict().items() if value}
    if not given:
        return "", {}
    if len(given) == 1 and "q" not in given:
        name, value = next(iter(given.items()))
        return f"_by_{name}", {name: int(value) if name == "tier" else value}
    return None


def _values(filters: Filters) -> dict[str, Any]:
    return {
        "status": filters.status or None,
        "tier": int(filters.tier) if filters.tier else None,
        "trigger": filters.trigger or None,
        "words": filters.q,
    }


def _downwards(
    database: Database, filters: Filters, before: int, limit: int, newest: int
) -> tuple[list[Row], int | None]:
    """Rows below an id, and where to go on searching if not all was searched."""
    single = _single(filters)
    if single is not None:
        return database.rows(f"sessions.page{single[0]}", before=before, limit=limit, **single[1]), None
    floor = max(1, min(before, newest + 1) - SEARCHED)
    rows = database.rows("sessions.search", before=before, floor=floor, limit=limit, **_values(filters))
    return rows, floor if floor > 1 else None


def _upwards(database: Database, filters: Filters, after: int, limit: int) -> tuple[list[Row], bool, int | None]:
    """Rows above an id, oldest first; whether there are more; where to go on searching."""
    single = _single(filters)
    if single is not None:
        rows = database.rows(f"sessions.page{single[0]}_after", after=after, limit=limit, **single[1])
        return rows, len(rows) == limit, None
    ceiling = after + SEARCHED
    rows = database.rows("sessions.search_after", after=after, ceiling=ceiling, limit=limit, **_values(filters))
    newest = database.value("sessions.newest_id") or 0
    return rows, len(rows) == limit, ceiling if ceiling < newest else None


def address(filters: Filters, **page: int) -> str:
    """The address of a list."""
    given = {name: value for name, value in filters._asdict().items() if value}
    query = urlencode({**given, **page})
    return f"/sessions?{query}" if query else "/sessions"


async def show(request: web.Request) -> web.StreamResponse:
    """GET /sessions."""
    filters = read_filters(request.query)
    before, after = _number(request.query, "before"), _number(request.query, "after")
    found = await parts(request).state.read(lambda database: find(database, filters, before, after))
    next_href = address(filters, before=found.older) if found.older else None
    prev_href = address(filters, after=found.newer) if found.newer is not None else None
    if is_json(request):
        return json_response({"sessions": found.sessions, "next": next_href, "previous": prev_href})
    now = formats.now()
    first = before is None and after is None
    context = SessionsPage(
        shell=shell.build(request, "Sessions", "sessions"),
        stream=_stream(found, filters, first=first),
        rows=[session_rows.row(session, now) for session in found.sessions],
        filters=filters._asdict(),
        choices=CHOICES,
        next_href=next_href,
        prev_href=prev_href,
        empty=None if found.sessions else "filtered" if any(filters) else "nothing",
        can_trigger=may(signed_in(request).role, Access.OPERATOR),
    )
    return shell.page(request, "sessions.html", context)


def _stream(found: Found, filters: Filters, *, first: bool) -> str:
    """The stream of the rows that are shown, and on the first page of those that come."""
    shown = ",".join(str(session.id) for session in found.sessions)
    live = ",".join(str(session.id) for session in found.sessions if session.status in OPEN)
    given = {name: value for name, value in filters._asdict().items() if value}
    newer = {"above": found.newest} if first else {}
    return f"/live?{urlencode({'page': 'sessions', 'shown': shown, 'live': live, **newer, **given})}"
