"""GET /sessions/{id}/stream: a session's transcript as it grows, and its head, facts and result.

The id of each event is the first byte of the log not yet sent; `Last-Event-ID`, or else `?at=`, says where to go on.
"""

import asyncio

import aiohttp_jinja2
from aiohttp import web

from schema.sessions import log_path
from webui.auth.rules import Access, may
from webui.forms import id_of
from webui.live import sse
from webui.live.beside import Beside, Marks
from webui.live.streams import Stream
from webui.live.tails import Tail
from webui.pages import formats
from webui.pages.session import read
from webui.pages.session_view import outcome, stop_url, view
from webui.parts import Parts, parts, signed_in

STATE: tuple[str, ...] = ("_session_head.html", "_session_facts.html")
DONE = (*STATE, "_session_result.html")


def start_offset(last_event_id: str | None, at: str | None) -> int:
    """Where the reader wants to go on; 0 for what is no offset. A reconnect's own id wins over the address."""
    for text in (last_event_id, at):
        if text and text.isascii() and text.isdigit() and len(text) < 19:
            return int(text)
    return 0


async def stream(request: web.Request) -> web.StreamResponse:
    """The stream. Ends with `done` after the session has; `reset` if the offset is not of this log."""
    here = parts(request)
    person = signed_in(request)
    watched = await read(here, id_of(request))
    path = log_path(watched.session, here.settings.results_dir)
    offset = start_offset(request.headers.get("Last-Event-ID"), request.query.get("at"))
    async with here.streams.open(request, person) as connection:
        # The log is followed meanwhile.
        with here.tails.following(watched, path, connection) as tail:
            async with here.feed.looking(connection, "session"):
                await _Watch(request, here, connection, tail, may(person.role, Access.OPERATOR)).run(offset)
    return connection.response


class _Watch:
    """One reader of one tail."""

    def __init__(self, request: web.Request, here: Parts, connection: Stream, tail: Tail, acts: bool) -> None:
        environment = aiohttp_jinja2.get_env(request.app)
        self._environment = environment
        self._here = here
        self._connection = connection
        self._tail = tail
        self._acts = acts
        self._beside = Beside(here, connection, "session", acts)
        self._marks = Marks(environment)

    async def run(self, offset: int) -> None:
        """Writes until the session or the connection ends."""
        connection, tail = self._connection, self._tail
        if offset > max(tail.edge, tail.size):
            await connection.write(sse.encode("reset", ""))
            return
        version = tail.version
        beside = await self._beside.begin(tail.watched)
        await connection.write(sse.encode("state", f"{self._state(STATE)}\n{beside}"))
        await self._here.streams.beat(connection)
        caught_up = False
        while not connection.over:
            # Cleared before looking: what comes meanwhile wakes it again.
            connection.wake.clear()
            if connection.beat_due:
                await self._here.streams.beat(connection)
            elif tail.version != version:
                version = tail.version
                await connection.write(sse.encode("state", self._state(STATE)))
            elif offset < tail.edge:
                offset, payload = tail.gather(offset)
                await connection.write(payload)
                await asyncio.sleep(0)  # a long log is many batches; others have their turn between them
            elif marks := self._marks.new(tail):
                await connection.write(marks)
            elif self._beside.stale:
                await self._beside.send(frozenset({tail.session.id}))
            elif tail.over:
                await connection.write(sse.encode("done", self._state(DONE)))
                return
            elif not caught_up:
                caught_up = True
                await connection.write(sse.CAUGHT_UP)
            else:
                await connection.wake.wait()

    def _state(self, templates: tuple[str, ...]) -> str:
        """Head, facts and at the end the result; made once for all readers of a role."""
        tail = self._tail
        known = tail.parts.get((templates, self._acts))
        if known is None or known[0] != tail.version:
            session = tail.session
            context = {
                "session": view(tail.watched, formats.now(), self._here.settings.session_max_budget_usd),
                "stop_url": stop_url(session, allowed=self._acts),
                "raw_url": f"/sessions/{session.id}/log",
                "result": outcome(session),
            }
            html = "\n".join(self._environment.get_template(name).render(context) for name in templates)
            known = tail.parts[(templates, self._acts)] = (tail.version, html)
        return known[1]
