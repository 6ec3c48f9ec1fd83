"""The durable queue of triggers: nothing is dropped because a tier is busy, and nothing starts twice.

A trigger is a row before anybody is answered; its session's row and the trigger's change are one transaction. For each
tier only the head of its queue is looked at: what holds a trigger back holds back all behind it too (see PRIORITY).
Runs as one task of the worker.
"""

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from daemon.services import timeline
from daemon.sessions.lifecycle import TIERS, Sessions
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.triggers import record, rules
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.triggers import TriggerReply, TriggersChanged
from ipc.server import Publisher
from schema import timestamps
from schema.database import ConstraintError, Database, DatabaseError
from schema.states import Trigger, TriggerStatus
from schema.triggers import QueuedTrigger, explained, from_row, in_line

RECHECK_SECONDS = 5.0
PROMPT_MAX = 1024 * 1024


class Asked(NamedTuple):
    """What somebody wants started. `tier` 0: a model is to choose; `key`: what makes it the same as one that waits."""

    kind: Trigger
    tier: int
    prompt: str = ""
    key: str = ""
    by: str = ""


class Queue:
    """The queue. `problem` is what holds the schedule's trigger back, for the overview."""

    def __init__(
        self,
        store: Store,
        settings: LiveSettings,
        sessions: Sessions,
        publisher: Publisher,
        budget: Callable[[int, Trigger], Any],
        preparing: Callable[[QueuedTrigger], str | None] = lambda trigger: None,
    ) -> None:
        """`budget` (a coroutine function) says why a tier's money is used up, or None; `preparing` why a trigger that
        could start is not ready yet."""
        self._store = store
        self._settings = settings
        self._sessions = sessions
        self._publisher = publisher
        self._budget = budget
        self._preparing = preparing
        self._changed = asyncio.Event()
        self._waiting = 0
        self.problem: str | None = None
        settings.on_change.append(self._changed.set)
        sessions.on_change.append(self._changed.set)

    async def add(self, asked: Asked, request_id: str = "") -> TriggerReply:
        """Puts a trigger into the queue, or into the one that waits with its key. CallError says what is wrong."""
        refuse_bad(asked, self._settings.current.max_tier)
        text = self._sessions.redact(asked.prompt)

        def add(db: Database) -> TriggerReply:
            trigger = insert(db, asked, text)
            record.added(db, trigger, asked.by)
            reply = TriggerReply(trigger=trigger, merged=trigger.merged > 0)
            if request_id:
                db.change(
                    "replies.insert",
                    request_id=request_id,
                    reply=codec.store(reply),
                    created_at=trigger.updated_at,
                )
            return reply

        reply = await self._store.write(add)
        self.look()
        return reply

    async def cancel(self, id_: int, by: str, request_id: str) -> TriggerReply:
        """Takes a waiting trigger out. CallError `not_found`, or `conflict` when it does not wait any more."""
        reason = f"cancelled by {by}" if by else "cancelled"

        def cancel(db: Database) -> TriggerReply:
            row = db.one("triggers.by_id", id=id_)
            if row is None:
                raise CallError(Code.NOT_FOUND, f"there is no trigger {id_}; `claudeopsctl triggers list` shows them")
            if row["kind"] == Trigger.APPROVAL:
                raise CallError(Code.CONFLICT, f"trigger {id_} resumes a session; stop session {row['session_id']}")
            if not db.change("triggers.cancel", id=id_, reason=reason, now=timestamps.now()):
                raise CallError(Code.CONFLICT, f"trigger {id_} does not wait any more: it is {row['status']}")
            trigger = from_row(db.one("triggers.by_id", id=id_) or {})
            record.cancelled(db, trigger, by)
            timeline.turned_down(db, id_, reason)
            reply = TriggerReply(trigger=trigger)
            stored = codec.store(reply)
            db.change("replies.insert", request_id=request_id, reply=stored, created_at=trigger.updated_at)
            return reply

        reply = await self._store.write(cancel)
        self.look()
        return reply

    def look(self) -> None:
        """Has the queue looked at again."""
        self._changed.set()

    def moved(self) -> None:
        """The same, where as many wait as before, but not as they did."""
        self._publisher.publish(TriggersChanged(waiting=self._waiting))
        self.look()

    async def run(self) -> None:
        """Starts what may start; until cancelled."""
        while True:
            self._changed.clear()
            try:
                problems = [await self._pump(tier) for tier in TIERS]
                self.problem = next((problem for problem in problems if problem), None)
                await self._count()
            except (DatabaseError, CallError) as error:
                self.problem = f"the queue can't be read or written: {error}"
                print(f"queue: {error}", file=sys.stderr, flush=True)
            try:
                async with asyncio.timeout(RECHECK_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _count(self) -> None:
        waiting = int(await self._store.read(lambda db: db.value("triggers.count_waiting")))
        if waiting != self._waiting:
            self._waiting = waiting
            self._publisher.publish(TriggersChanged(waiting=waiting))

    async def _pump(self, tier: int) -> str | None:
        """Starts a tier's next, if it may; why the schedule's trigger waits for something that needs attention."""
        while True:
            row = await self._store.read(lambda db: db.one("triggers.head", tier=tier))
            if row is None:
                return None
            trigger = from_row(row)
            wait = rules.holds_back(trigger.kind, trigger.attempts, await self._facts(trigger))
            if wait is None and (unready := self._preparing(trigger)):
                wait = rules.Wait(unready, soon=True)
            if wait is None:
                wait = await self._start(trigger)
            if wait is None:
                self._publisher.publish(TriggersChanged(waiting=self._waiting))
                continue
            if await self._store.write(partial(_put_off, trigger, wait)):
                self._publisher.publish(TriggersChanged(waiting=self._waiting))
            if not wait.forever:
                busy = not self._sessions.is_idle(tier)
                return None if busy or wait.soon else f"{wait.reason} ({trigger.kind.value} trigger {trigger.id} waits)"

    async def _facts(self, trigger: QueuedTrigger) -> rules.Facts:
        settings = self._settings.current
        tier = trigger.tier
        busy = await self._sessions.busy_with(tier)
        quiet = rules.quiet_hours(settings.quiet_hours) if settings.quiet_hours else None
        now = datetime.now().astimezone()
        held = quiet is not None and quiet.hold(now.replace(tzinfo=None))
        return rules.Facts(
            tier=tier,
            max_tier=settings.max_tier,
            busy_with=busy,
            quiet_until=f"{quiet.end:%H:%M} {now:%Z}" if quiet and held else None,
            refusal=self._sessions.refusal(tier),
            budget=await self._budget(tier, trigger.kind),
        )

    async def _start(self, trigger: QueuedTrigger) -> rules.Wait | None:
        """Starts a trigger's session; why not, if not."""
        try:
            await self._sessions.start_queued(trigger)
        except CallError as error:
            forever = error.code in (Code.INVALID, Code.NOT_FOUND, Code.CONFLICT)
            return rules.Wait(error.message, forever=forever)
        except (ConstraintError, OSError) as error:
            return rules.Wait(f"its session could not be started: {error}")
        return None


def insert(db: Database, asked: Asked, text: str) -> QueuedTrigger:
    """Within a transaction: the trigger as it waits from now on. `text` is the prompt without secrets."""
    row = db.one(
        "triggers.add",
        kind=asked.kind.value,
        tier=asked.tier or 1,
        priority=rules.PRIORITY[asked.kind],
        prompt=text,
        context=None,
        key=rules.key_of(asked.kind, asked.tier, asked.prompt, asked.key),
        requested_by=asked.by or None,
        now=timestamps.now(),
        parent_session_id=None,
    )
    if not asked.tier and row and not row["merged"]:
        db.change("triggers.leave_open", id=row["id"])
        row["choosing"] = 1
    return in_line([from_row(row or {})])[0]


def refuse_bad(asked: Asked, max_tier: int) -> None:
    """CallError where a trigger can't ever start."""
    if asked.kind not in (Trigger.MANUAL, Trigger.API, Trigger.ALERT, Trigger.SCHEDULED):
        raise CallError(Code.INVALID, f"kind: {asked.kind.value} is made by the daemon; choose manual, api or alert")
    if not 0 <= asked.tier <= 3:
        raise CallError(Code.INVALID, f"tier: there is no tier {asked.tier}; choose 1, 2 or 3, or 0 to have one chosen")
    if asked.tier > max_tier:
        raise CallError(Code.INVALID, f"tier: {asked.tier} is above CLAUDEOPS_MAX_TIER, which is {max_tier}")
    if len(asked.prompt) > PROMPT_MAX:
        raise CallError(Code.TOO_LARGE, f"prompt: {len(asked.prompt)} characters are more than {PROMPT_MAX}")
    if len(asked.key) > 200:
        raise CallError(Code.INVALID, "key: at most 200 characters")


async def page(store: Store, status: TriggerStatus | None, before: int, limit: int) -> list[QueuedTrigger]:
    """Triggers: those that wait in the order in which they will start, any other newest first."""
    limit = max(1, min(limit, 10_000))
    newest = before or 2**62

    def read(db: Database) -> list[QueuedTrigger]:
        if status is TriggerStatus.WAITING:
            return in_line(map(from_row, db.rows("triggers.waiting", limit=limit)))
        if status is not None:
            rows = db.rows("triggers.page_by_status", status=status.value, before=newest, limit=limit)
        else:
            rows = db.rows("triggers.page", before=newest, limit=limit)
        return explained(db, [from_row(row) for row in rows])

    return await store.read(read)


def _put_off(trigger: QueuedTrigger, wait: rules.Wait, db: Database) -> int:
    """Within a transaction: why a trigger does not start; 0 where that is known already."""
    if wait.forever:
        refused = db.change("triggers.refuse", id=trigger.id, reason=wait.reason, now=timestamps.now())
        if refused:
            timeline.turned_down(db, trigger.id, wait.reason)
        return refused
    changed = db.change("triggers.explain", id=trigger.id, reason=wait.reason)
    if changed:
        db.change("triggers.overtaken", id=trigger.id, tier=trigger.tier)
    return changed
