"""What goes with a transcript on its stream: the bell, cards of calls that wait, and verdicts on calls already shown.

Used by the streams of a session (`webui.live.transcript`) and of a chain (`webui.live.chain`).
"""

import jinja2

from webui.live import sse
from webui.live.rows import Changed
from webui.live.streams import Stream
from webui.live.tails import Tail
from webui.pages.verdicts import Verdict
from webui.pages.watched import Watched
from webui.parts import Parts


class Beside:
    """The parts of every page, and the approval cards of some sessions, for one reader."""

    def __init__(self, here: Parts, connection: Stream, page: str, acts: bool) -> None:
        self._feed = here.feed
        self._connection = connection
        self._page = page
        self._acts = acts
        self._seen = 0

    @property
    def stale(self) -> bool:
        """Whether something has changed since the last time."""
        return self._feed.number != self._seen

    async def begin(self, watched: Watched) -> str:
        """All there is, as HTML: a call may have been decided between the page and its stream."""
        ids = frozenset(approval.id for approval in watched.approvals)
        if ids:
            await self._feed.approvals_again(ids)
        return self._changed(frozenset({watched.session.id}))

    async def send(self, sessions: frozenset[int]) -> None:
        """Writes what has changed."""
        if html := self._changed(sessions):
            await self._connection.write(sse.encode("state", html))

    def _changed(self, sessions: frozenset[int]) -> str:
        feed, seen = self._feed, self._seen
        self._seen = feed.number

        def wants(row: Changed) -> bool:
            return row.kind == "approval" and row.value[0].session_id in sessions

        html = feed.changed(self._page, seen, acts=self._acts)
        return "\n".join([*html, *(row.html.of(acts=self._acts) for row in feed.rows.after(seen, wants))])


class Marks:
    """Verdicts for one reader; a call's row comes before it is judged."""

    def __init__(self, environment: jinja2.Environment) -> None:
        self._environment = environment
        self._sent: dict[str, Verdict] = {}

    def new(self, tail: Tail) -> bytes:
        """The verdicts that this reader has not got; empty if there are none."""
        known = {f"{tail.prefix}{tool_id}": verdict for tool_id, verdict in tail.watched.verdicts.items()}
        fresh = {tool_id: verdict for tool_id, verdict in known.items() if self._sent.get(tool_id) != verdict}
        if not fresh:
            return b""
        self._sent |= fresh
        entry = self._environment.get_template("_entry.html")
        macro = entry.module.mark  # type: ignore[attr-defined]  # a template's macros are its module's attributes
        return sse.encode("marks", "".join(str(macro(tool_id, verdict)) for tool_id, verdict in fresh.items()))
