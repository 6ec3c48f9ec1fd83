"""What the end of a run means, stored in one transaction: the final state, the trigger of the next tier, what people
are told, what becomes of calls that waited. Called by `daemon.sessions.lifecycle`.

Whatever is killed meanwhile, the next worker comes here again with the same exit record, and only a session that is
still running can end: so a chain goes on once, and never twice.
"""

import asyncio
import sys
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from daemon.approvals import approvals
from daemon.approvals.approvals import Approvals
from daemon.escalation import handoff
from daemon.escalation import rules as escalation
from daemon.events import journal
from daemon.notifications import outbox
from daemon.runs.record import ExitRecord
from daemon.runs.states import EndReason
from daemon.services import timeline
from daemon.sessions import rules
from daemon.sessions.progress import Reading
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.triggers import record
from daemon.triggers.rules import PRIORITY
from ipc.errors import CallError, Code
from ipc.messages.sessions import SessionChanged
from ipc.server import Publisher
from schema import timestamps
from schema.database import Database, DatabaseError
from schema.knowledge import Event, Level
from schema.limits import Approval
from schema.notifications import Kind
from schema.sessions import Session, from_row
from schema.states import SESSION, ApprovalStatus, SessionStatus, Trigger, follow

RETRY_SECONDS = 1.0
NOTHING = escalation.Next(None, "", "", "")


class Ended(NamedTuple):
    """What was stored: the session as it is now, the event that people are told, the approvals that came to an end."""

    session: Session
    event: Event | None = None
    cancelled: Sequence[Approval] = ()


class Ending:
    """Ends sessions."""

    def __init__(self, store: Store, settings: LiveSettings, publisher: Publisher, waiting: Approvals) -> None:
        self._waiting = waiting
        self._store = store
        self._settings = settings
        self._publisher = publisher

    async def end(
        self, session: Session, outcome: rules.Outcome, ended_at: str | None = None, duration_ms: int | None = None
    ) -> Session:
        """Stores the end; tries until the disk takes it. The session as it is then."""
        while True:
            try:
                # One that waits for a person goes on with its file.
                waits = outcome.status is SessionStatus.AWAITING_APPROVAL
                written = None if waits else await self.take_handoff(session.id)
                store = partial(self._store_end, session, outcome, written, ended_at, duration_ms)
                ended = await self._store.write(store)
                break
            except (DatabaseError, CallError) as error:
                print(f"session {session.id}: can't store its end yet: {error}", file=sys.stderr, flush=True)
                await asyncio.sleep(RETRY_SECONDS)
        self.clear_handoff(session.id)
        self._publisher.publish(SessionChanged(id=session.id, status=ended.session.status))
        if ended.event:
            self._publisher.publish(journal.said(ended.event))
        await self._waiting.announce(ended.cancelled)
        return ended.session

    async def stop_waiting(self, session: Session, by: str) -> None:
        """Ends a session that waits for a person. CallError `conflict` where it goes on already."""
        status = follow(SESSION, session.status, SessionStatus.STOPPED)

        def stop(db: Database) -> list[Approval]:
            now, reason = timestamps.now(), f"stopped by {by}" if by else "stopped"
            if not db.change("sessions.stop_waiting", id=session.id, status=status.value, ended_at=now, reason=reason):
                raise CallError(Code.CONFLICT, f"session {session.id} goes on at this moment; try again")
            db.change("triggers.cancel_resumption", session_id=session.id, reason=reason, now=now)
            record.stopped(db, session, by)
            timeline.ended(db, from_row(db.one("sessions.by_id", id=session.id) or {}))
            return approvals.cancel_of_session(db, session.id)

        await self.take_handoff(session.id)
        cancelled = await self._store.write(stop)
        self.clear_handoff(session.id)
        await self._waiting.announce(cancelled)
        self._publisher.publish(SessionChanged(id=session.id, status=status))

    async def take_handoff(self, id_: int) -> bytes | None:
        """What a session that is about to be over wrote into handoff.json, which is free for others then."""
        row = await self._store.read(lambda db: db.one("sessions.by_id", id=id_))
        if row is None or row["handoff_at"] is None:
            return None
        try:
            return await asyncio.to_thread(handoff.take, self._settings.current.state_dir, id_, row["handoff_at"])
        except OSError as error:
            print(f"session {id_}: can't read its handoff.json: {error}", file=sys.stderr, flush=True)
            return None

    def clear_handoff(self, id_: int) -> None:
        """Removes what was taken, once it is stored that the session is over."""
        try:
            handoff.clear(self._settings.current.state_dir, id_)
        except OSError as error:
            print(f"session {id_}: can't remove what it handed over: {error}", file=sys.stderr, flush=True)

    def _store_end(
        self,
        session: Session,
        outcome: rules.Outcome,
        written: bytes | None,
        ended_at: str | None,
        duration_ms: int | None,
        db: Database,
    ) -> Ended:
        """Within a transaction."""
        now = timestamps.now()
        row = from_row(db.one("sessions.by_id", id=session.id) or {})
        if row.status is not SessionStatus.RUNNING or row.run_id != session.run_id:
            return Ended(row)  # ended already, before the worker was killed
        following = self._following(row, written) if outcome.status is SessionStatus.COMPLETED else NOTHING
        deferred = approvals.deferred_in(db, row.id, row.run_id or "")
        status, reason = rules.final(outcome, next_tier=following.tier, asked=deferred is not None)
        waits = follow(SESSION, row.status, status) is SessionStatus.AWAITING_APPROVAL
        db.change(
            "sessions.finish",
            id=row.id,
            status=status.value,
            ended_at=None if waits else ended_at or now,
            exit_code=outcome.exit_code,
            reason=reason,
            duration_ms=duration_ms,
        )
        cancelled = [] if waits else approvals.cancel_of_session(db, row.id)
        if waits and deferred is not None and deferred.status is not ApprovalStatus.WAITING:
            # Somebody has decided while the command was still ending: it goes on at once.
            db.change("triggers.resume", session_id=row.id, by=deferred.decided_by, now=now)
        if following.tier is not None:
            self._hand_over(db, row, following, now)
        event = _say(db, row, following)
        ended = from_row(db.one("sessions.by_id", id=row.id) or {})
        outbox.note_end(db, ended)
        timeline.ended(db, ended)
        return Ended(ended, event, cancelled)

    def _following(self, session: Session, written: bytes | None) -> escalation.Next:
        settings = self._settings.current
        try:
            if session.structured:
                wanted = escalation.from_output(msgspec.json.decode(session.structured, type=dict), session.tier)
            else:
                wanted = escalation.from_handoff(written) if written is not None else None
        except escalation.HandoffError as error:
            return escalation.blocked(error)
        return escalation.decide(
            wanted,
            session=session.id,
            tier=session.tier,
            max_tier=settings.max_tier,
            dry_run=settings.dry_run or session.dry_run,
        )

    def _hand_over(self, db: Database, session: Session, following: escalation.Next, now: str) -> None:
        db.one(
            "triggers.add",
            kind=Trigger.ESCALATION.value,
            tier=following.tier,
            priority=PRIORITY[Trigger.ESCALATION],
            prompt="",
            context=following.context,
            key=f"escalation:{session.id}",
            requested_by=session.requested_by,
            now=now,
            parent_session_id=session.id,
        )


def _say(db: Database, session: Session, following: escalation.Next) -> Event | None:
    """The event of what follows, where there is something to say."""
    if not following.message:
        return None
    kind = Kind.ATTENTION if following.level == Level.CRITICAL.value else Kind.EVENT
    return journal.add(db, Level(following.level), following.message, session_id=session.id, kind=kind)


def judge(
    record: ExitRecord, reading: Reading, *, timeout_s: float, short_of_memory: bool, money: rules.Money
) -> rules.Outcome:
    """What became of a session, from its run's exit record and from what its log said."""
    lost = record.reason is EndReason.INTERRUPTED and record.by is None
    reason = "lost" if lost else record.reason.value
    return rules.outcome(
        rules.Ending(reason, record.exit_code, record.signal, record.by or "", record.error or ""),
        reading.said,
        timeout_s=timeout_s,
        last_stderr=reading.last_stderr,
        short_of_memory=short_of_memory,
        money=money,
    )
