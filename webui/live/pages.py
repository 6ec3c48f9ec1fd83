"""GET /events: the live parts of overview, sessions and system page, sent again whenever they change.

An event's id is `<epoch>:<number>`; a reader that comes again with it gets what has changed since.
"""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from ipc.errors import CallError, Code
from schema.sessions import Session
from webui.live import sse
from webui.live.feed import PARTIALS, Feed
from webui.live.streams import Stream
from webui.pages import sessions
from webui.parts import Parts, parts, signed_in

SHOWN_MAX = 200
Wants = Callable[[Session], bool]


def _ids(text: str) -> frozenset[int]:
    numbers = text.split(",")[:SHOWN_MAX]
    return frozenset(int(number) for number in numbers if _is_number(number))


def wanted(query: Any) -> Wants:
    """Which sessions a list shows: the rows that are there, and above a number those that its filters let in."""
    shown, above = _ids(query.get("shown", "")), query.get("above", "")
    filters = sessions.read_filters(query)
    newest = int(above) if _is_number(above) else None

    def wants(session: Session) -> bool:
        if session.id in shown:
            return True
        return newest is not None and session.id > newest and sessions.matches(session, filters)

    return wants


def start_number(last_event_id: str | None, epoch: str) -> int:
    """The number that a reader has seen already; 0 if it has seen none of this epoch's."""
    theirs, _, number = (last_event_id or "").partition(":")
    return int(number) if theirs == epoch and _is_number(number) else 0


async def events(request: web.Request) -> web.StreamResponse:
    """The stream. `page` names the page, the rest says which rows it shows."""
    here = parts(request)
    page = request.query.get("page", "")
    if page not in PARTIALS:
        raise CallError(Code.INVALID, f"{page!r} has no live parts; there are {', '.join(PARTIALS)}.")
    wants = wanted(request.query) if page == "sessions" else None
    number = start_number(request.headers.get("Last-Event-ID"), here.feed.epoch)
    async with here.streams.open(request, signed_in(request)) as connection:
        await here.feed.join(connection)
        try:
            if wants is not None and not number:
                number = await _begin(here, connection, wants, request.query)
            await _run(here, connection, page, wants, number)
        finally:
            here.feed.leave(connection)
    return connection.response


async def _begin(here: Parts, connection: Stream, wants: Wants, query: Any) -> int:
    """Rows that ran when the list was made and may have ended since, and sessions that have begun since."""
    feed = here.feed
    before = feed.number
    above = query.get("above", "")
    live = _ids(query.get("live", "")) | await feed.newer(int(above) if _is_number(above) else None)
    await feed.read_again(live)
    html = [row.html for id_, row in feed.rows.items() if id_ in live and wants(row.session)]
    if "_status.html" in feed.parts:
        html.insert(0, feed.parts["_status.html"].html)
    await connection.write(sse.encode("state", "\n".join(html), f"{feed.epoch}:{before}"))
    return before


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


async def _run(here: Parts, connection: Stream, page: str, wants: Wants | None, number: int) -> None:
    feed = here.feed
    seen, number = number, feed.number
    await _send(feed, connection, page, wants, seen, always=True)
    await here.streams.beat(connection)
    while not connection.over:
        connection.wake.clear()
        if connection.beat_due:
            await here.streams.beat(connection)
        elif feed.number != number:
            seen, number = number, feed.number
            await _send(feed, connection, page, wants, seen)
        else:
            await connection.wake.wait()


async def _send(
    feed: Feed, connection: Stream, page: str, wants: Wants | None, seen: int, *, always: bool = False
) -> None:
    """Everything of a page that changed after a number."""
    now = feed.number
    html = [feed.parts[name].html for name in PARTIALS[page] if name in feed.parts and feed.parts[name].number > seen]
    if wants is not None:
        html += [row.html for row in feed.rows.values() if row.number > seen and wants(row.session)]
    if html or always:
        await connection.write(sse.encode("state", "\n".join(html), f"{feed.epoch}:{now}"))
