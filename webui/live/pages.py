"""GET /live: the live parts of a page, sent again whenever they change.

An event's id is `<epoch>:<number>`; a reader that comes again with it gets what has changed since.
"""

import time
from typing import Any

from aiohttp import web

from ipc.errors import CallError, Code
from webui.auth.rules import Access, may
from webui.live import rows, sse
from webui.live.feed import NEWER_MAX, Feed
from webui.live.rows import Changed, Wants
from webui.live.sections import COMMON, SECTIONS
from webui.live.streams import Stream
from webui.pages import event_rows, sessions, toasts
from webui.pages.toasts import Turned
from webui.parts import Parts, parts, signed_in

SHOWN_MAX = 200
# Pages whose streams go another way: see `webui.live.transcript` and `webui.live.chain`.
ELSEWHERE = frozenset({"session", "chain"})
# Pages that say which services they show, and are told what becomes of them.
SHOWING = frozenset({"services", "service"})
BEHIND_SECONDS = 2.0  # what was found may be so late in being told


def _ids(text: str) -> frozenset[int]:
    numbers = text.split(",")[:SHOWN_MAX]
    return frozenset(int(number) for number in numbers if _is_number(number))


def wanted(page: str, query: Any) -> Wants:
    """Which rows a page shows; see each of the functions below."""
    makers = {
        "sessions": _sessions, "approvals": _approvals, "events": _events, "services": _services, "service": _toasts
    }  # fmt: skip
    return makers[page](query) if page in makers else rows.nothing


def _sessions(query: Any) -> Wants:
    """The rows that are there, and above a number those that the list's filters let in."""
    shown, above = _ids(query.get("shown", "")), query.get("above", "")
    filters = sessions.read_filters(query)
    newest = int(above) if _is_number(above) else None

    def wants(row: Changed) -> bool:
        if row.kind != "session" or row.id in shown:
            return row.kind == "session"
        return newest is not None and row.id > newest and sessions.matches(row.value, filters)

    return wants


def _services(query: Any) -> Wants:
    """Those that the page shows, and what is said of them."""
    shown, said = _ids(query.get("shown", "")), _toasts(query)
    return lambda row: (row.kind == "service" and row.id in shown) or said(row)


def _toasts(query: Any) -> Wants:
    """What is said of those that the page shows."""
    shown = _ids(query.get("shown", ""))
    return lambda row: row.kind == "toast" and not shown.isdisjoint(row.value)


def _approvals(query: Any) -> Wants:
    """All of them, or one."""
    only = _ids(query.get("only", ""))
    return lambda row: row.kind == "approval" and (not only or row.id in only)


def _events(query: Any) -> Wants:
    """Those above a number that the list's filters let in."""
    above = query.get("above", "")
    newest = int(above) if _is_number(above) else None
    filters = event_rows.read_filters(query)
    return lambda row: (
        row.kind == "event" and newest is not None and row.id > newest and event_rows.matches(row.value, filters)
    )


def start_number(last_event_id: str | None, epoch: str) -> int:
    """The number that a reader has seen already; 0 if it has seen none of this epoch's."""
    theirs, number, _ = f"{last_event_id or ''}::".split(":", 2)
    return int(number) if theirs == epoch and _is_number(number) else 0


def start_moment(last_event_id: str | None) -> int:
    """Up to when a reader knows what happened to services, in ms; 0 where it is a new one. Whoever's epoch it is."""
    moment = f"{last_event_id or ''}::".split(":")[2]
    return int(moment) if _is_number(moment) else 0


async def live(request: web.Request) -> web.StreamResponse:
    """The stream. `page` names the page, the rest says which rows it shows."""
    here = parts(request)
    page = request.query.get("page", "")
    if page not in SECTIONS or page in ELSEWHERE:
        there = ", ".join(name for name in SECTIONS if name not in ELSEWHERE)
        raise CallError(Code.INVALID, f"{page!r} has no live parts; there are {there}.")
    wants = wanted(page, request.query)
    watches = page in SHOWING
    # The page's script begins each connection anew, which a browser's own Last-Event-ID does not outlive.
    last = request.headers.get("Last-Event-ID") or (request.query.get("last") if watches else None)
    number = start_number(last, here.feed.epoch)
    person = signed_in(request)
    async with here.streams.open(request, person) as connection, here.feed.looking(connection, page):
        shown = _ids(request.query.get("shown", "")) if watches else frozenset()
        if watches:
            here.feed.shows(connection, shown)
        reader = _Reader(here, connection, page, wants, may(person.role, Access.OPERATOR))
        if not number:
            number = await reader.begin(request.query)
        if moment := start_moment(last):
            await reader.catch_up(shown, moment)
        await reader.run(number)
    return connection.response


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


class _Reader:
    """One reader of one page."""

    def __init__(self, here: Parts, connection: Stream, page: str, wants: Wants, acts: bool) -> None:
        self._here = here
        self._feed: Feed = here.feed
        self._connection = connection
        self._page = page
        self._wants = wants
        self._acts = acts

    async def begin(self, query: Any) -> int:
        """Rows that may have changed between the page and its stream; the number that the reader then has seen."""
        feed = self._feed
        before = feed.number
        above = int(query["above"]) if _is_number(query.get("above", "")) else None
        html: list[str] = []
        if self._page == "sessions":
            live = _ids(query.get("live", "")) | await feed.newer(above)
            await feed.read_again(live)
            html = [row.html.of(acts=self._acts) for row in feed.rows.of("session", live) if self._wants(row)]
        elif self._page == "events" and above is not None:
            filters = event_rows.read_filters(query)
            found = await event_rows.after(self._here, above, NEWER_MAX)
            html = [feed.rows.event_html(event).for_viewers for event in found if event_rows.matches(event, filters)]
        elif self._page == "approvals":
            await feed.approvals_again(_ids(query.get("live", "")))
            html = [row.html.of(acts=self._acts) for row in feed.rows.after(0, self._wants)]
        elif self._page not in SHOWING:  # what changed of these meanwhile, the page's own renewal brings
            return 0
        html[:0] = [feed.parts[name].html.of(acts=self._acts) for name in COMMON if name in feed.parts]
        await self._write(html, before)
        return before

    async def catch_up(self, shown: frozenset[int], moment: int) -> None:
        """What happened to the services of the page while its reader was away, from the database: whoever was away."""
        found = [one for one in (await self._feed.services(shown)).values() if one and toasts.moment(one) > moment]
        rows_ = self._feed.rows
        html = [rows_.service_html(one) for one in found] if self._page == "services" else []
        html += rows_.toasts_html([Turned(one, None) for one in found])
        if html:
            await self._write([one.of(acts=self._acts) for one in html], self._feed.number)

    async def _write(self, html: list[str], number: int) -> None:
        id_ = f"{self._feed.epoch}:{number}"
        if self._page in SHOWING:
            id_ += f":{round((time.time() - BEHIND_SECONDS) * 1000)}"
        await self._connection.write(sse.encode("state", "\n".join(html), id_))

    async def run(self, number: int) -> None:
        """Writes what changes until the connection ends."""
        feed, connection = self._feed, self._connection
        seen, number = number, feed.number
        await self._send(seen, always=True)
        await self._here.streams.beat(connection)
        while not connection.over:
            connection.wake.clear()
            if connection.beat_due:
                await self._here.streams.beat(connection)
            elif feed.number != number:
                seen, number = number, feed.number
                await self._send(seen)
            else:
                await connection.wake.wait()

    async def _send(self, seen: int, *, always: bool = False) -> None:
        """Everything of the page that changed after a number."""
        feed = self._feed
        now = feed.number
        html = feed.changed(self._page, seen, acts=self._acts)
        html += [row.html.of(acts=self._acts) for row in feed.rows.after(seen, self._wants)]
        if html or always:
            await self._write(html, now)
