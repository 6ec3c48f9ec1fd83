"""What the live parts of the pages show now, kept while somebody looks.

Each part has a number that rises when its HTML changes. A reader only remembers the highest number that it was sent, so
one that was slow or away gets what differs, and nothing twice. After a gap in the worker's events all is read anew.
"""

import asyncio
import contextlib
import secrets
import sys
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

import jinja2

from ipc.errors import CallError
from ipc.messages.envelope import Event
from ipc.messages.incidents import MaintenanceChanged
from ipc.messages.knowledge import EventSaid, KnowledgeChanged
from ipc.messages.limits import ApprovalChanged
from ipc.messages.services import ServiceChanged, ServicesProbed
from ipc.messages.sessions import SessionChanged
from ipc.messages.system import Beat, StateChanged
from ipc.messages.triggers import TriggersChanged
from schema import monitored
from schema.database import Database
from schema.monitored import Monitored
from schema.sessions import Session, from_row
from schema.states import ServiceStatus
from webui import needs, shell
from webui.live.rows import Html, Rows
from webui.live.sections import COMMON, SECTIONS
from webui.live.streams import Stream
from webui.pages import approvals, event_rows, formats
from webui.pages.toasts import Turned
from webui.parts import Parts

TOGETHER_SECONDS = 0.2  # changes that come so close together are rendered once
REFRESH_SECONDS = 5.0
NEWER_MAX = 50
HEARD = (
    SessionChanged, StateChanged, TriggersChanged, ApprovalChanged, EventSaid, KnowledgeChanged, MaintenanceChanged
)  # fmt: skip


class Part(NamedTuple):
    """A part's HTML, and the number of its last change."""

    number: int
    html: Html


def _matters(event: ServiceChanged) -> bool:
    """Whether it is more than one more finding of the same."""
    return event.kind != "found" or event.status is not event.before


class Feed:
    """The shared state of all page streams. `epoch` tells a reader that this is another process's numbering."""

    def __init__(self, environment: jinja2.Environment) -> None:
        self._environment = environment
        self._here: Parts | None = None
        self.epoch = secrets.token_hex(4)
        self.number = 0
        self.parts: dict[str, Part] = {}
        self.rows = Rows(environment)
        self._watchers: dict[Stream, str] = {}
        self._shown: dict[Stream, frozenset[int]] = {}  # services that each reader's page shows
        self._probed: set[int] = set()  # those of them that changed
        self._turned: dict[int, ServiceStatus] = {}  # and which status they had before
        self._ready: dict[str, asyncio.Event] = {}
        self._dirty: set[int] = set()
        self._waiting: set[int] = set()  # approvals that waited when last looked
        self._newest_event: int | None = None
        self._stale = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._knew_worker = False
        self._told: Counter[str] = Counter()  # how often what sessions know was said to have changed

    def bind(self, here: Parts) -> None:
        """Names the parts that it reads from; they are made after it."""
        self._here = here

    @property
    def here(self) -> Parts:
        """What it reads from."""
        assert self._here is not None  # noqa: S101 - bound before the application serves
        return self._here

    @contextlib.asynccontextmanager
    async def looking(self, stream: Stream, page: str) -> AsyncIterator[None]:
        """A stream looks at a page as long as this lasts; it begins once there is something to show."""
        self._watchers[stream] = page
        try:
            await self._ready_to_show(page)
            yield
        finally:
            self._leave(stream)

    async def _ready_to_show(self, page: str) -> None:
        ready = self._ready.get(page)
        if ready is None:
            # What is known of a page that nobody looked at may be old.
            ready = self._ready[page] = asyncio.Event()
            self._stale.set()
        if self._task is None:
            self._task = asyncio.create_task(self._keep())
        await ready.wait()

    def shows(self, stream: Stream, services: frozenset[int]) -> None:
        """A page shows these services from now on. Rows that were made for a page before may be old."""
        self._shown[stream] = services
        self._probed |= services & self.rows.ids("service")
        self._stale.set()

    def _leave(self, stream: Stream) -> None:
        """It looks no longer; nothing is rendered for nobody."""
        page = self._watchers.pop(stream, "")
        self._shown.pop(stream, None)
        if page not in self._watchers.values():
            self._ready.pop(page, None)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None
            self._newest_event = None

    def hear(self, event: Event | None) -> None:
        """What the worker publishes."""
        if event is None or isinstance(event, KnowledgeChanged):
            self._told.update(("memories", "services") if event is None else (event.what,))
        if isinstance(event, MaintenanceChanged) or (isinstance(event, ServiceChanged) and _matters(event)):
            self._told["services"] += 1
            self._stale.set()
        if not self._watchers:
            return
        if isinstance(event, SessionChanged):
            self._dirty.add(event.id)
        if isinstance(event, ServiceChanged):
            self._hear_services((event.id,))
            if event.id in self._probed and event.kind == "found" and event.status is not event.before:
                self._turned.setdefault(event.id, event.before)
        if isinstance(event, ServicesProbed):
            self._hear_services(event.ids)
        if isinstance(event, ApprovalChanged):
            self._waiting.add(event.id)
        if event is None or isinstance(event, HEARD) or (isinstance(event, Beat) and self._waits()):
            self._stale.set()

    def mark(self, what: str) -> str:
        """Differs as soon as that kind of knowledge may have changed. For pages that hold more than a stream sends."""
        return f"{self.epoch}:{self._told[what]}"

    def _hear_services(self, ids: Iterable[int]) -> None:
        # Thousands may be probed: only what is looked at is read again.
        looked_at = {id_ for id_ in ids if any(id_ in shown for shown in self._shown.values())}
        if looked_at:
            self._probed |= looked_at
            self._stale.set()

    def _waits(self) -> bool:
        """Whether a page waits for its first parts, or what it shows was made before the worker was heard at all."""
        return self._unmade() or not self._knew_worker

    def _unmade(self) -> bool:
        return any(not ready.is_set() for ready in self._ready.values())

    async def _keep(self) -> None:
        while True:
            self._stale.clear()
            pages = set(self._watchers.values())
            try:
                if await self._refresh():
                    for stream in self._watchers:
                        stream.wake.set()
            except CallError:
                self._common(needs.NOTHING)
            except Exception:  # noqa: BLE001 - the boundary: a fault of one part must not end all live pages
                traceback.print_exc(file=sys.stderr)
            for page in pages:
                if page in self._ready:
                    self._ready[page].set()
            timer = asyncio.get_running_loop().call_later(REFRESH_SECONDS, self._stale.set)
            await self._stale.wait()
            timer.cancel()
            if not self._unmade():
                await asyncio.sleep(TOGETHER_SECONDS)

    async def _refresh(self) -> bool:
        """Renders what may have changed; whether something has."""
        here, before = self.here, self.number
        self._knew_worker = here.worker.known
        self._common(await here.state.read(needs.read))
        for page in set(self._watchers.values()):
            section = SECTIONS[page]
            context = await section.look(here)
            for name in section.partials:
                self._note(name, context)
        dirty, self._dirty = self._dirty, set()
        await self._read_sessions(dirty, running=True)
        await self._read_services()
        await self._read_approvals()
        await self._read_events()
        return self.number != before

    def _common(self, wanted: needs.Needs) -> None:
        """The daemon's word and the bell."""
        for name in COMMON:
            self._note(name, {"shell": shell.status_shell(self.here, wanted)})

    def _note(self, name: str, context: dict[str, object]) -> None:
        template = self._environment.get_template(name)
        for_viewers, for_operators = (template.render({**context, "may_act": acts}) for acts in (False, True))
        known = self.parts.get(name)
        html = Html(for_viewers, for_operators)
        if known is None or known.html != html:
            self.number += 1
            self.parts[name] = Part(self.number, html)

    def changed(self, page: str, seen: int, *, acts: bool) -> list[str]:
        """The parts of a page, and of every page, that changed after a number."""
        names = (*COMMON, *SECTIONS[page].partials)
        found = [self.parts[name] for name in names if name in self.parts]
        return [part.html.of(acts=acts) for part in found if part.number > seen]

    async def read_again(self, ids: frozenset[int]) -> None:
        """Looks whether these sessions have changed, such as before somebody began to look."""
        await self._read_sessions(set(ids), running=False)

    async def approvals_again(self, ids: frozenset[int]) -> None:
        """The same for approvals."""
        self._waiting |= ids
        await self._read_approvals()

    async def newer(self, above: int | None) -> frozenset[int]:
        """Sessions that have begun since a list was made."""
        if above is None:
            return frozenset()
        rows = await self.here.state.read(
            lambda database: database.rows("sessions.page_after", after=above, limit=NEWER_MAX)
        )
        return frozenset(row["id"] for row in rows)

    async def _read_sessions(self, ids: set[int], *, running: bool) -> None:
        """The rows of sessions that changed."""

        def look(database: Database) -> list[Session]:
            wanted = ids | {row["id"] for row in database.rows("sessions.running")} if running else ids
            found = (database.one("sessions.by_id", id=id_) for id_ in sorted(wanted))
            return [from_row(row) for row in found if row is not None]

        for session in await self.here.state.read(look) if ids or running else []:
            self.number += self.rows.session(session, self.number + 1)

    async def _read_services(self) -> None:
        """The rows of services that changed; those that are gone are."""
        ids, self._probed = self._probed, set()
        before, self._turned = self._turned, {}
        turned: list[Turned] = []
        for id_, service in (await self.services(ids)).items():
            self.number += self.rows.service(id_, service, self.number + 1)
            if service is not None and id_ in before:
                turned.append(Turned(service, before[id_]))
        self.number += self.rows.turned(turned, self.number + 1)

    async def services(self, ids: Iterable[int]) -> dict[int, Monitored | None]:
        """Services as they are now; None for what is gone."""
        wanted = sorted(ids)
        if not wanted:
            return {}
        rows = await self.here.state.read(
            lambda database: {id_: database.one("monitored.one", id=id_) for id_ in wanted}
        )
        return {id_: None if row is None else monitored.from_row(row) for id_, row in rows.items()}

    async def _read_approvals(self) -> None:
        """The cards of calls that wait, and of those that waited when last looked."""
        found = await approvals.look(self.here, self._waiting)
        self._waiting = {approval.id for approval in found.approvals if approvals.waits(approval)}
        now = formats.now()
        for approval in found.approvals:
            card = found.card(approval, now)
            self.number += self.rows.approval((approval, card.uses, card.alike), card, self.number + 1)

    async def _read_events(self) -> None:
        """Events that were said since the last look."""
        if self._newest_event is None:
            newest = await self.here.state.read(lambda database: database.value("pages.newest_event"))
            self._newest_event = int(newest or 0)
            return
        found = await event_rows.after(self.here, self._newest_event, NEWER_MAX)
        if len(found) == NEWER_MAX:
            self._stale.set()
        for event in found:
            self._newest_event = event.id
            self.number += self.rows.event(event, self.number + 1)
