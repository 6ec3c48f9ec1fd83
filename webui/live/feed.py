"""What the live parts of overview, sessions and system page show now, kept while somebody looks.

Each part has a number that rises when its HTML changes. A reader only remembers the highest number that it was sent, so
one that was slow or away gets what differs, and nothing twice. After a gap in the worker's events all is read anew.
"""

import asyncio
import secrets
import sys
import traceback
from collections import OrderedDict
from typing import NamedTuple

import jinja2

from ipc.errors import CallError
from ipc.messages.envelope import Event
from ipc.messages.sessions import SessionChanged
from ipc.messages.system import Beat, StateChanged
from schema.database import Database
from schema.sessions import Session, from_row
from webui import shell
from webui.live.streams import Stream
from webui.pages import formats, overview, session_rows
from webui.parts import Parts

TOGETHER_SECONDS = 0.2  # changes that come so close together are rendered once
REFRESH_SECONDS = 5.0
ROWS_KEPT = 200
NEWER_MAX = 50
COMMON = ("_status.html",)
PARTIALS = {
    "overview": (
        *COMMON,
        "_attention.html",
        "_running.html",
        "_figures.html",
        "_recent.html",
        "_processes.html",
        "_health.html",
    ),
    "sessions": COMMON,
    "system": (*COMMON, "_processes.html", "_health.html"),
}


class Part(NamedTuple):
    """A part's HTML, and the number of its last change."""

    number: int
    html: str


class ChangedRow(NamedTuple):
    """A session that changed while somebody looked."""

    number: int
    session: Session
    html: str


class Feed:
    """The shared state of all page streams. `epoch` tells a reader that this is another process's numbering."""

    def __init__(self, environment: jinja2.Environment) -> None:
        self._environment = environment
        self._here: Parts | None = None
        self.epoch = secrets.token_hex(4)
        self.number = 0
        self.parts: dict[str, Part] = {}
        self.rows: OrderedDict[int, ChangedRow] = OrderedDict()
        self._watchers: set[Stream] = set()
        self._dirty: set[int] = set()
        self._stale = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    def bind(self, here: Parts) -> None:
        """Names the parts that it reads from; they are made after it."""
        self._here = here

    async def join(self, stream: Stream) -> None:
        """A stream looks from now on; returns once there is something to show."""
        self._watchers.add(stream)
        if self._task is None:
            self._ready.clear()
            self._task = asyncio.create_task(self._keep())
        await self._ready.wait()

    def leave(self, stream: Stream) -> None:
        """It looks no longer; nothing is rendered for nobody."""
        self._watchers.discard(stream)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None

    def hear(self, event: Event | None) -> None:
        """What the worker publishes."""
        if not self._watchers:
            return
        if isinstance(event, SessionChanged):
            self._dirty.add(event.id)
            self._stale.set()
        elif event is None or isinstance(event, StateChanged) or (isinstance(event, Beat) and not self._ready.is_set()):
            self._stale.set()

    async def _keep(self) -> None:
        while True:
            self._stale.clear()
            try:
                if await self._refresh():
                    for stream in self._watchers:
                        stream.wake.set()
            except CallError:
                self._note("_status.html", self._environment.get_template("_status.html").render(shell=self._status()))
            except Exception:  # noqa: BLE001 - the boundary: a fault of one part must not end all live pages
                traceback.print_exc(file=sys.stderr)
            self._ready.set()
            timer = asyncio.get_running_loop().call_later(REFRESH_SECONDS, self._stale.set)
            await self._stale.wait()
            timer.cancel()
            await asyncio.sleep(TOGETHER_SECONDS)

    def _status(self) -> shell.StatusShell:
        assert self._here is not None  # noqa: S101 - bound before the application serves
        return shell.status_shell(self._here)

    async def _refresh(self) -> bool:
        """Renders what may have changed; whether something has."""
        assert self._here is not None  # noqa: S101 - bound before the application serves
        here, before = self._here, self.number
        stored, daemon = await overview.look(here)
        dirty, self._dirty = self._dirty, set()
        await self._read_rows(here, dirty | {session.id for session in stored.running})
        context = {
            "shell": self._status(),
            **overview.figures(here, stored, daemon, formats.now())._asdict(),
        }
        for name in PARTIALS["overview"]:
            self._note(name, self._environment.get_template(name).render(context))
        return self.number != before

    async def read_again(self, ids: frozenset[int]) -> None:
        """Looks whether these sessions have changed, such as before somebody began to look."""
        assert self._here is not None  # noqa: S101 - bound before the application serves
        await self._read_rows(self._here, set(ids))

    async def newer(self, above: int | None) -> frozenset[int]:
        """Sessions that have begun since a list was made."""
        assert self._here is not None  # noqa: S101 - bound before the application serves
        if above is None:
            return frozenset()
        rows = await self._here.state.read(
            lambda database: database.rows("sessions.page_after", after=above, limit=NEWER_MAX)
        )
        return frozenset(row["id"] for row in rows)

    async def _read_rows(self, here: Parts, ids: set[int]) -> None:
        """The rows of sessions that changed."""

        def look(database: Database) -> list[Session]:
            found = (database.one("sessions.by_id", id=id_) for id_ in sorted(ids))
            return [from_row(row) for row in found if row is not None]

        # The module of a template with macros has them as attributes.
        macro = self._environment.get_template("_ui.html").module.session_tr  # type: ignore[attr-defined]
        for session in await here.state.read(look) if ids else []:
            known = self.rows.get(session.id)
            if known is None or known.session != session:
                self.number += 1
                html = str(macro(session_rows.row(session, formats.now())))
                self.rows[session.id] = ChangedRow(self.number, session, html)
                self.rows.move_to_end(session.id)
                if len(self.rows) > ROWS_KEPT:
                    self.rows.popitem(last=False)

    def _note(self, name: str, html: str) -> None:
        known = self.parts.get(name)
        if known is None or known.html != html:
            self.number += 1
            self.parts[name] = Part(self.number, html)
