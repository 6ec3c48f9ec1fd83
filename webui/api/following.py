"""A trigger followed from the queue to the end of its chain, as steps that a chat can tell.

Each step is read from the database and from the sessions' logs, so nothing is lost where this process missed an event:
what the worker publishes only says when to look again. Used by `webui.api.openai` and `webui.api.ollama`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from ipc.errors import CallError, Code
from ipc.messages.access import AccessChanged
from ipc.messages.envelope import Event
from schema.database import Database
from schema.logline import Line, LogReader, read_lines, split
from schema.sessions import Session, from_row, log_path
from schema.states import SessionStatus, TriggerStatus
from schema.transcript.events import Event as Said
from schema.transcript.parse import parse
from schema.triggers import QueuedTrigger
from webui.api.chats import Chat
from webui.auth.lasting import lasting
from webui.auth.rules import Access, may
from webui.auth.sign_ins import SignedIn
from webui.pages import chain, triggers
from webui.parts import Parts

T = TypeVar("T")
LOOK_SECONDS = 1.0
BEAT_SECONDS = 15.0
READ_BYTES = 64 * 1024
JUDGE_SECONDS = 5.0  # a token that expires is seen within
AWAY_SECONDS = 60.0  # for how long the database may be away


class Waiting(NamedTuple):
    """It waits in the queue; `held` says for what."""

    held: str


class Held(NamedTuple):
    """It waited too long and was taken out; `running` is what keeps its tier busy. The last step."""

    held: str
    running: Session | None


class Refused(NamedTuple):
    """Its trigger will never start. The last step."""

    reason: str


class Began(NamedTuple):
    """A session of its chain has begun."""

    session: Session


class Spoke(NamedTuple):
    """Events of that session's log."""

    events: list[Said]


class Ended(NamedTuple):
    """A session of its chain is over, or waits for a person."""

    session: Session


class Over(NamedTuple):
    """The chain is at its end, or waits for a person. The last step."""

    sessions: list[Session]


class Barred(NamedTuple):
    """Whoever asked may be told no more; `session` goes on without them, None if none was started. The last step."""

    session: int | None


class Beat(NamedTuple):
    """Nothing has happened for a while."""


Last = Held | Refused | Over | Barred
Step = Waiting | Began | Spoke | Ended | Beat | Last


class Following:
    """Follows one chat, as long as `person` may."""

    def __init__(self, here: Parts, chat: Chat, person: SignedIn) -> None:
        self._here = here
        self._chat = chat
        self._person = person
        self._again = asyncio.Event()
        self._quiet_since = self._judged_at = self._now()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def steps(self, wait: float) -> AsyncIterator[Step]:
        """All steps. `wait`: how long it may wait in the queue. CallError if the database stays away."""
        with self._here.worker.hearing(self._hear):
            async for step in self._all(wait):
                if self._now() - self._judged_at >= JUDGE_SECONDS and not await self._may():
                    yield Barred(self._chat.trigger.session_id if self._chat.started else None)
                    return
                yield step

    async def _all(self, wait: float) -> AsyncIterator[Step]:
        while True:
            async for step in self._in_queue(self._now() + wait):
                yield step
                if isinstance(step, Held | Refused):
                    return
            async for step in self._in_chain(self._chat.trigger.session_id or 0):
                yield step
                if isinstance(step, Over):
                    return
            # Nothing of its session ran, and the trigger waits again.

    def _hear(self, event: Event | None) -> None:
        if event is None or isinstance(event, AccessChanged):
            self._judged_at = -JUDGE_SECONDS
        self._again.set()

    async def _may(self) -> bool:
        """Whether the sign-in or token that asked still counts, for as much as a chat needs."""
        self._judged_at = self._now()
        try:
            found = await lasting(self._person, self._here.sign_ins, self._here.tokens)
        except CallError:
            self._judged_at = -JUDGE_SECONDS
            return True  # while the database is away nobody can be judged; they are with the next step
        return found is not None and may(found.role, Access.OPERATOR)

    async def _look(self) -> bool:
        """Waits until there may be something new; whether a beat is due, or who asks is to be judged."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._again.wait()
        except TimeoutError:
            pass  # an event may have been missed
        self._again.clear()
        if self._judged_at < 0:
            return True
        if self._now() - self._quiet_since < BEAT_SECONDS:
            return False
        self._quiet_since = self._now()
        return True

    async def _in_queue(self, end: float) -> AsyncIterator[Step]:
        """Until the trigger has its session."""
        told = ""
        while True:
            trigger = await self._trigger()
            self._chat.trigger = trigger
            if trigger.status is TriggerStatus.STARTED and trigger.session_id:
                self._chat.started = True
                return
            if trigger.status in (TriggerStatus.CANCELLED, TriggerStatus.REFUSED):
                self._chat.started = True
                yield Refused(trigger.reason or trigger.status.value)
                return
            self._chat.started = False
            held = trigger.reason or ""
            if self._now() > end and await self._chat.withdraw():
                self._chat.started = True
                yield Held(held, await self._busy(trigger.tier))
                return
            if held and held != told:
                told = held
                yield Waiting(held)
            if await self._look():
                yield Beat()

    async def _in_chain(self, root: int) -> AsyncIterator[Step]:
        """From the first session to the last; ends without `Over` where the trigger waits again."""
        done: set[int] = set()
        while True:
            found = await self._chain(root)
            following = next((session for session in found.sessions if session.id not in done), None)
            if following is not None:
                yield Began(following)
                async for step in self._session(following.id):
                    yield step
                done.add(following.id)
                continue
            last = found.sessions[-1]
            if last.status is SessionStatus.INTERRUPTED and last.id == root:
                trigger = await self._trigger()
                if trigger.status is TriggerStatus.WAITING:
                    return
            if found.over or last.status is SessionStatus.AWAITING_APPROVAL:
                yield Over(found.sessions)
                return
            if await self._look():
                yield Beat()

    async def _session(self, id_: int) -> AsyncIterator[Step]:
        """What its log says, until it is over and the log is read to its end."""
        offset = 0
        while True:
            # The row first: what was written before a session ended is in the log then.
            session = await self._read_session(id_)
            over = session.status is not SessionStatus.RUNNING
            path = log_path(session, self._here.settings.results_dir)
            lines, offset = _lines(path, offset, over=over)
            if events := [event for line in lines for event in _events(line)]:
                self._quiet_since = self._now()
                yield Spoke(events)
            if lines:
                await asyncio.sleep(0)
            elif over:
                yield Ended(session)
                return
            elif await self._look():
                yield Beat()

    async def _trigger(self) -> QueuedTrigger:
        found = await self._read(lambda database: triggers.look_at(database, self._chat.trigger.id))
        return found or self._chat.trigger

    async def _busy(self, tier: int) -> Session | None:
        row = await self._read(lambda database: database.one("sessions.running_of_tier", tier=tier))
        return from_row(row) if row else None

    async def _chain(self, root: int) -> chain.Chain:
        found = await self._read(lambda database: chain.read(database, root))
        if found is None:
            raise CallError(Code.NOT_FOUND, f"Session {root} is gone.")
        return found

    async def _read_session(self, id_: int) -> Session:
        row = await self._read(lambda database: database.one("sessions.by_id", id=id_))
        if row is None:
            raise CallError(Code.NOT_FOUND, f"Session {id_} is gone.")
        return from_row(row)

    async def _read(self, query: Callable[[Database], T]) -> T:
        """Reads; while the database is away it is tried again, for a while."""
        away_since: float | None = None
        while True:
            try:
                return await self._here.state.read(query)
            except CallError:
                away_since = away_since or self._now()
                if self._now() - away_since > AWAY_SECONDS:
                    raise
                await asyncio.sleep(LOOK_SECONDS)


def _lines(path: Path | None, offset: int, *, over: bool) -> tuple[list[Line], int]:
    """The next lines of a log, and where they end. The last may lack its end once nobody writes any more."""
    if path is None or not path.exists():
        return [], offset
    lines, end = read_lines(path, offset, READ_BYTES)
    if not lines and over:
        with LogReader(path, offset) as reader:
            rest = reader.rest()
            return ([rest] if rest else []), reader.offset
    return lines, end


def _events(line: Line) -> list[Said]:
    found = split(line.data)
    return list(parse(found.text, found.stream, line.cut))
