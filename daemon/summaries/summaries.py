"""Writes the summary of each session that is over: after its end is stored, in the background, one at a time.

Built by `daemon.parts`, which runs `run`; whoever ends a session calls `note_end`. Whatever goes wrong here, the
session stays as it is: its summary is then how its answer begins.
"""

import asyncio
import sys

from daemon.sessions import prepare
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.summaries import rules
from daemon.summaries.messages_api import AnswerError, ask
from ipc.errors import CallError
from ipc.messages.sessions import SessionChanged
from ipc.server import Publisher
from schema.database import DatabaseError
from schema.sessions import from_row

WAITING_MAX = 200
MISSED_MAX = 50
MISSED_WITHIN = 500  # sessions back from the newest


class Summaries:
    """The queue of sessions that want a summary."""

    def __init__(self, store: Store, settings: LiveSettings, publisher: Publisher) -> None:
        self._store = store
        self._settings = settings
        self._publisher = publisher
        self._waiting: asyncio.Queue[int] = asyncio.Queue(WAITING_MAX)
        self._told: str | None = None

    def note_end(self, session_id: int) -> None:
        """A session is over and stored. Returns at once; one too many is taken up at the next start."""
        if not self._waiting.full():
            self._waiting.put_nowait(session_id)

    async def run(self) -> None:
        """First what an earlier worker left undone, then whatever ends."""
        await self._take_up()
        while True:
            await self._summarise(await self._waiting.get())

    async def _take_up(self) -> None:
        try:
            newest = await self._store.read(lambda db: db.value("sessions.newest_id")) or 0
            rows = await self._store.read(
                lambda db: db.rows("summaries.missing", above=newest - MISSED_WITHIN, limit=MISSED_MAX)
            )
        except (DatabaseError, CallError) as error:
            self._tell(f"can't look for sessions without a summary: {error}")
            return
        for row in rows:
            self.note_end(row["id"])

    async def _summarise(self, session_id: int) -> None:
        try:
            row = await self._store.read(lambda db: db.one("sessions.by_id", id=session_id))
            if row is None or row["summary"] is not None or not row["response"]:
                return
            session = from_row(row)
            summary = rules.structured(session.structured) or await self._of_answer(session_id, session.response or "")
            clean = prepare.redactor(self._settings).text(summary)
            if await self._store.write(lambda db: db.change("summaries.set", id=session_id, summary=clean)):
                self._publisher.publish(SessionChanged(id=session_id, status=session.status))
        except (DatabaseError, CallError) as error:
            self._tell(f"can't store the summary of session {session_id}: {error}")

    async def _of_answer(self, session_id: int, answer: str) -> str:
        settings = self._settings.current
        keyed = bool(settings.anthropic_api_key or settings.anthropic_auth_token)
        if rules.asks_model(answer, keyed=keyed, demo=settings.demo):
            try:
                return await ask(settings, rules.body(settings.summary_model, answer))
            except AnswerError as error:
                self._tell(f"session {session_id} keeps the start of its answer as its summary: {error}")
        return rules.first_paragraph(answer)

    def _tell(self, problem: str) -> None:
        """Once, until it is another problem: a gateway that is down would fill the log."""
        reason = problem.rpartition(": ")[2]
        if reason != self._told:
            self._told = reason
            told = prepare.redactor(self._settings).text(problem)
            print(f"summaries: {told}", file=sys.stderr, flush=True)
