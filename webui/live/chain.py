"""GET /chains/{id}/stream: one stream across the tiers of a chain. It follows the session that runs, then the next.

The id of each event is `s<session>-<offset>`: the session, and the first byte of its log not yet sent.
"""

import asyncio
import re

import aiohttp_jinja2
from aiohttp import web

from schema.sessions import log_path
from webui.auth.rules import Access, may
from webui.forms import id_of
from webui.live import sse
from webui.live.beside import Beside, Marks
from webui.live.streams import Stream
from webui.live.tails import Tail
from webui.pages import chain, chain_view, formats, session
from webui.pages.chain import Chain
from webui.pages.watched import Watched
from webui.parts import Parts, parts, signed_in

PLACE = re.compile(r"s(\d{1,18})-(\d{1,18})")
LOOK_SECONDS = 1.0  # how often a chain between two tiers is looked at


def place(last_event_id: str | None, at: str | None) -> tuple[int, int] | None:
    """The session and the offset at which the reader goes on; None where it names none."""
    for text in (last_event_id, at):
        if text and (found := PLACE.fullmatch(text)):
            return int(found[1]), int(found[2])
    return None


async def stream(request: web.Request) -> web.StreamResponse:
    """The stream. Ends with `done` when no further tier comes; `reset` if the place is none of this chain."""
    here, person = parts(request), signed_in(request)
    found = await chain.find(here, id_of(request))
    asked = place(request.headers.get("Last-Event-ID"), request.query.get("at"))
    async with here.streams.open(request, person) as connection, here.feed.looking(connection, "chain"):
        walk = _Walk(request, here, connection, found, may(person.role, Access.OPERATOR))
        try:
            await walk.run(asked or (found.sessions[-1].id, 0))
        finally:
            walk.leave()
    return connection.response


class _Walk:
    """One reader, who goes from session to session."""

    def __init__(self, request: web.Request, here: Parts, connection: Stream, found: Chain, acts: bool) -> None:
        environment = aiohttp_jinja2.get_env(request.app)
        self._environment = environment
        self._here = here
        self._connection = connection
        self._chain = found
        self._beside = Beside(here, connection, "chain", acts)
        self._marks = Marks(environment)
        self._tail: Tail | None = None
        self._offset = 0
        self._told = ""

    async def run(self, at: tuple[int, int]) -> None:
        """Writes until the chain or the connection ends."""
        connection = self._connection
        if at[0] not in [one.id for one in self._chain.sessions]:
            await connection.write(sse.encode("reset", ""))
            return
        tail = await self._join(*at)
        if self._offset > max(tail.edge, tail.size):
            await connection.write(sse.encode("reset", ""))
            return
        await self._tell(await self._beside.begin(tail.watched))
        await self._here.streams.beat(connection)
        version, caught_up = tail.version, False
        while not connection.over:
            connection.wake.clear()
            if connection.beat_due:
                await self._here.streams.beat(connection)
            elif tail.version != version:
                version = tail.version
                await self._look()
                await self._tell()
            elif self._offset < tail.edge:
                self._offset, payload = tail.gather(self._offset)
                await connection.write(payload)
                await asyncio.sleep(0)
            elif marks := self._marks.new(tail):
                await connection.write(marks)
            elif self._beside.stale:
                await self._beside.send(frozenset(one.id for one in self._chain.sessions))
            elif tail.over:
                following = await self._next(tail)
                if following is None:
                    return
                tail, version = following, following.version
            elif not caught_up:
                caught_up = True
                await connection.write(sse.CAUGHT_UP)
            else:
                await connection.wake.wait()

    async def _join(self, session_id: int, offset: int) -> Tail:
        """Follows a session from now on."""
        self.leave()
        found: Watched = await session.read(self._here, session_id)
        path = log_path(found.session, self._here.settings.results_dir)
        self._tail = self._here.tails.join(found, path, self._connection, chain.prefix(session_id))
        self._offset = offset
        return self._tail

    def leave(self) -> None:
        """Follows none any longer."""
        if self._tail is not None:
            self._here.tails.leave(self._tail, self._connection)
            self._tail = None

    async def _look(self) -> None:
        self._chain = await chain.find(self._here, self._chain.sessions[0].id)

    async def _next(self, tail: Tail) -> Tail | None:
        """The tail of the next tier, or the same while it is to come; None after the chain's end, which is told."""
        await self._look()
        later = [one for one in self._chain.sessions if one.id > tail.session.id]
        await self._tell()
        if later:
            joined = await self._join(later[0].id, 0)
            await self._tell(await self._beside.begin(joined.watched))
            return joined
        if self._chain.over:
            await self._connection.write(sse.encode("done", self._state()))
            return None
        timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._connection.wake.set)
        await self._connection.wake.wait()
        timer.cancel()
        return tail

    async def _tell(self, beside: str = "") -> None:
        """The chain's head and its tiers', if they have changed, and what goes with them."""
        state = self._state()
        html = beside if state == self._told else f"{state}\n{beside}"
        self._told = state
        if html.strip():
            await self._connection.write(sse.encode("state", html))

    def _state(self) -> str:
        now = formats.now()
        sessions = self._chain.sessions
        context = {
            "chain": chain_view.head(sessions, self._chain.following, now),
            "tiers": [chain_view.tier(one, now) for one in sessions],
        }
        names = ("_chain_head.html", "_chain_tiers.html")
        return "\n".join(self._environment.get_template(name).render(context) for name in names)
