"""The calls that wait for people: who is told, who decides, when they expire, and the standing rules.

A decision, its line in the audit log, the rule that it may make and the trigger that resumes its session are one
transaction, so that it counts once whoever is killed meanwhile. Called by `daemon.approvals.handlers`, by
`daemon.limits.judge` for calls that are held, and by the lifecycle of sessions when one ends.
"""

import asyncio
import contextlib
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from daemon import audit
from daemon.approvals import rules
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.limits import (
    ApprovalChanged,
    ApprovalReply,
    ApprovalsReply,
    Decide,
    ListApprovals,
    RuleReply,
    RulesReply,
)
from ipc.server import Publisher
from schema import actors, timestamps
from schema.audit_actions import Action
from schema.database import Database, DatabaseError, Row
from schema.limits import Approval, ApprovalRule
from schema.states import APPROVAL, ApprovalStatus, follow

NEWEST = 2**62
LIMIT_MAX = 500
LOOK_SECONDS = 30.0
RETRY_SECONDS = 1.0
NOBODY = "nobody decided in time"
ENDED = "its session ended"
GIVEN_UP = "the hook that asked ended without an answer, so the CLI did not run the call"


class Approvals:
    """The approvals. `run` expires them."""

    def __init__(self, store: Store, settings: LiveSettings, publisher: Publisher) -> None:
        self._store = store
        self._settings = settings
        self._publisher = publisher
        self._held: dict[int, set[asyncio.Event]] = defaultdict(set)
        self._asked = asyncio.Event()

    @contextlib.asynccontextmanager
    async def watching(self, id_: int) -> AsyncIterator[asyncio.Event]:
        """An event that is set once an approval is decided, by whomever."""
        event = asyncio.Event()
        self._held[id_].add(event)
        try:
            yield event
        finally:
            self._held[id_].discard(event)
            if not self._held[id_]:
                del self._held[id_]

    async def announce(self, rows: Iterable[Approval]) -> None:
        """Tells pages and calls that are held of approvals that have changed."""
        changed = list(rows)
        if not changed:
            return
        waiting = int(await self._store.read(lambda db: db.value("approvals.count_waiting")))
        for approval in changed:
            self._publisher.publish(
                ApprovalChanged(id=approval.id, status=approval.status, session_id=approval.session_id, waiting=waiting)
            )
            if approval.status is ApprovalStatus.WAITING:
                self._asked.set()
                continue
            for event in self._held.get(approval.id, ()):
                event.set()

    async def announce_id(self, id_: int) -> None:
        """The same for one approval, as it is now."""
        await self.announce([await self.show(id_)])

    async def show(self, id_: int) -> Approval:
        """One approval. CallError `not_found`."""
        row = await self._store.read(lambda db: db.one("approvals.by_id", id=id_))
        if row is None:
            raise CallError(Code.NOT_FOUND, f"there is no approval {id_}; `claudeopsctl approvals list` shows them")
        return read(row)

    async def page(self, request: ListApprovals) -> ApprovalsReply:
        """A page: those that wait by their expiry, others newest first."""
        limit = max(1, min(request.limit, LIMIT_MAX))
        before = request.before or NEWEST
        status = request.status

        def rows(db: Database) -> list[Row]:
            if status is ApprovalStatus.WAITING:
                return db.rows("approvals.waiting", limit=limit)
            if status is not None:
                return db.rows("approvals.page_by_status", status=status.value, before=before, limit=limit)
            return db.rows("approvals.page", before=before, limit=limit)

        return ApprovalsReply(approvals=[read(row) for row in await self._store.read(rows)])

    async def decide(self, request: Decide, by: str, request_id: str) -> ApprovalReply:
        """Approves or denies, once. CallError `conflict` with who was first, or `invalid` for a rule that is none."""
        now = datetime.now(UTC)
        if request.remember is not None:
            refuse_bad(request.remember, now)
        reply = await self._store.write(lambda db: decide(db, request, by, request_id, now))
        await self.announce([reply.approval])
        return reply

    async def add_rule(self, rule: ApprovalRule, by: str, request_id: str) -> RuleReply:
        """Makes a standing rule. CallError says what is wrong with it."""
        now = datetime.now(UTC)
        refuse_bad(rule, now)

        def add(db: Database) -> RuleReply:
            reply = RuleReply(rule=add_rule(db, rule, by, now))
            _keep(db, request_id, codec.store(reply), now)
            return reply

        return await self._store.write(add)

    async def revoke_rule(self, id_: int, by: str, request_id: str) -> RuleReply:
        """Ends a standing rule. CallError `not_found`, or `conflict` when it is over."""
        now = datetime.now(UTC)

        def revoke(db: Database) -> RuleReply:
            row = db.one("approvals.revoke_rule", id=id_, now=timestamps.stamp(now), by=by)
            if row is None:
                known = db.one("approvals.rule", id=id_)
                if known is None:
                    raise CallError(Code.NOT_FOUND, f"there is no rule {id_}; `claudeopsctl approvals rules` shows all")
                raise CallError(Code.CONFLICT, f"rule {id_} was revoked already, by {known['revoked_by']}")
            rule = msgspec.convert(row, ApprovalRule)
            audit.add(db, actor=by, action=Action.RULE_REVOKED, subject=f"{rule.tool}: {rule.pattern}", at=now)
            reply = RuleReply(rule=rule)
            _keep(db, request_id, codec.store(reply), now)
            return reply

        return await self._store.write(revoke)

    async def rules(self, *, every: bool) -> RulesReply:
        """Standing rules, newest first; with `every`, those that are over too."""
        values = {"every": int(every), "now": timestamps.now(), "before": NEWEST, "limit": LIMIT_MAX}
        rows = await self._store.read(lambda db: db.rows("approvals.rules", **values))
        return RulesReply(rules=[msgspec.convert(row, ApprovalRule) for row in rows])

    async def run(self) -> None:
        """Expires what waited too long; until cancelled."""
        while True:
            self._asked.clear()
            wait = RETRY_SECONDS
            try:
                expired = await self._store.write(lambda db: expire(db, datetime.now(UTC)))
                await self.announce(expired)
                due = await self._store.read(lambda db: db.value("approvals.next_expiry"))
                wait = LOOK_SECONDS if due is None else _until(due)
            except (DatabaseError, CallError) as error:
                print(f"approvals: can't expire what waits: {error}", file=sys.stderr, flush=True)
            # The wall clock may be set meanwhile, so no wait is long.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait, LOOK_SECONDS)):
                    await self._asked.wait()


def _until(due: str) -> float:
    return max(0.05, (timestamps.parse(due) - datetime.now(UTC)).total_seconds() + 0.01)


def read(row: Row) -> Approval:
    """A row of the table as a value."""
    return msgspec.convert(row, Approval)


def refuse_bad(rule: ApprovalRule, now: datetime) -> None:
    """CallError for a rule that can't be made."""
    problem = rules.problem(rule, now)
    if problem is not None:
        raise CallError(Code.INVALID, problem)


def decide(db: Database, request: Decide, by: str, request_id: str, now: datetime) -> ApprovalReply:
    """A person's decision with all that follows from it. Within a transaction; CallError leaves everything."""
    status = ApprovalStatus.APPROVED if request.approve else ApprovalStatus.DENIED
    follow(APPROVAL, ApprovalStatus.WAITING, status)
    at = timestamps.stamp(now)
    row = db.one(
        "approvals.decide", id=request.id, status=status.value, now=at, by=by, answer=request.reason.strip() or None
    )
    if row is None:
        known = db.one("approvals.by_id", id=request.id)
        if known is None:
            raise CallError(Code.NOT_FOUND, f"there is no approval {request.id}")
        raise CallError(Code.CONFLICT, rules.too_late(read(known), now), {"status": known["status"]})
    approval = read(row)
    _note(db, approval, by, now)
    if request.remember is not None:
        add_rule(db, request.remember, by, now)
    db.change("triggers.resume", session_id=approval.session_id, by=by, now=at)
    reply = ApprovalReply(approval=approval)
    _keep(db, request_id, codec.store(reply), now)
    return reply


def expire(db: Database, now: datetime) -> list[Approval]:
    """Ends what waited too long, and has the sessions go on with that. Within a transaction."""
    follow(APPROVAL, ApprovalStatus.WAITING, ApprovalStatus.EXPIRED)
    at = timestamps.stamp(now)
    expired = [read(row) for row in db.rows("approvals.expire", now=at, answer=NOBODY)]
    for approval in expired:
        _note(db, approval, actors.RULES, now)
        db.change("triggers.resume", session_id=approval.session_id, by=None, now=at)
    return expired


def cancel_of_session(db: Database, session_id: int, reason: str = ENDED) -> list[Approval]:
    """Ends what a session asked for, because it will not go on. Within a transaction; hand the rows to `announce`."""
    return _cancel(db, "approvals.cancel_of_session", reason, session_id=session_id)


def cancel_given_up(db: Database, session_id: int, tool_use_ids: Sequence[str]) -> list[Approval]:
    """Ends the questions about calls that the CLI has refused by then, so that no yes comes too late. As above."""
    if not tool_use_ids or not db.value("approvals.any_open", session_id=session_id):
        return []
    query, values = "approvals.cancel_given_up", {"session_id": session_id}
    return [one for id_ in tool_use_ids for one in _cancel(db, query, GIVEN_UP, **values, tool_use_id=id_)]


def _cancel(db: Database, query: str, reason: str, **which: object) -> list[Approval]:
    now = datetime.now(UTC)
    cancelled = [read(row) for row in db.rows(query, now=timestamps.stamp(now), answer=reason, **which)]
    for approval in cancelled:
        _note(db, approval, actors.RULES, now)
    return cancelled


def deferred_in(db: Database, session_id: int, run_id: str) -> Approval | None:
    """The call for which a run of a session was ended, whatever has become of it since; None if there is none."""
    row = db.one("approvals.deferred_in", session_id=session_id, run_id=run_id)
    return None if row is None else read(row)


def add_rule(db: Database, rule: ApprovalRule, by: str, now: datetime) -> ApprovalRule:
    """Makes a standing rule. Within a transaction."""
    row = db.one(
        "approvals.add_rule",
        decision=rule.decision,
        tool=rule.tool.strip(),
        pattern=rule.pattern.strip(),
        host=rule.host or None,
        tier=rule.tier,
        reason=rule.reason or None,
        now=timestamps.stamp(now),
        by=by,
        expires_at=rule.expires_at and timestamps.stamp(timestamps.parse(rule.expires_at)),
    )
    made = msgspec.convert(row, ApprovalRule)
    detail = f"until {made.expires_at}" if made.expires_at else "until it is revoked"
    subject = f"{made.decision} {made.tool}: {made.pattern}"
    audit.add(
        db, actor=by, action=Action.RULE_ADDED, subject=subject, at=now, rule=f"standing-{made.id}", detail=detail
    )
    return made


def _note(db: Database, approval: Approval, actor: str, now: datetime) -> None:
    audit.add(
        db,
        actor=actor,
        action=Action(f"approval.{approval.status.value}"),
        subject=subject_of(approval),
        at=now,
        session_id=approval.session_id,
        rule=approval.rule,
        detail=approval.answer or "",
    )


def subject_of(approval: Approval) -> str:
    """The command of an approval, or its tool and input."""
    given = msgspec.json.decode(approval.input)
    command = given.get("command") if approval.tool == rules.BASH and isinstance(given, dict) else None
    return str(command) if command else f"{approval.tool} {approval.input}"


def _keep(db: Database, request_id: str, reply: bytes, now: datetime) -> None:
    if request_id:
        db.change("replies.insert", request_id=request_id, reply=reply, created_at=timestamps.stamp(now))
