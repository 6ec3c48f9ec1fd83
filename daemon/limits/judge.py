"""Answers the hook: understands a call, has it judged and stored, and holds it while a person may decide about it.

Built by `daemon.parts`, called by `daemon.limits.handlers`. What it can't understand, or can't store, is not allowed:
every way out but a stored `allow` ends in a denial or in an error, which the hook takes as one.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from daemon.approvals import answers, message
from daemon.approvals.approvals import Approvals
from daemon.cooldowns.cooldowns import Cooldowns
from daemon.limits import verdict as verdicts
from daemon.limits.kinds import SHOWN_MAX, Decision, Found, Judgement, Kind
from daemon.limits.verdict import Asked, Verdict
from daemon.runs.redaction import Redactor
from daemon.sessions import command, prepare
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.errors import CallError, Code
from ipc.messages.limits import AskCall, CallJudged, CallReply, CheckCommand, JudgementReply
from ipc.server import Publisher
from schema import timestamps
from schema.database import Database
from schema.limits import FoundCommand
from schema.sessions import Session, from_row
from schema.settings import Settings
from schema.states import SessionStatus, Trigger

JUDGE_SECONDS = 10.0
# Time for the calls behind a call in its message to reach the log; they follow within some 20 ms of each other.
SETTLE_SECONDS = 1.0
MARGIN_SECONDS = 10.0  # before the hook gives up, an answer must have reached it
TOO_LONG = "this call takes too long to understand, so it was not run; make it simpler, or several"
StopSession = Callable[[int, str], Awaitable[None]]


class _Held(NamedTuple):
    """A call that waits for a person: until when (monotonic), and what is known of its place in the conversation."""

    until: float
    subagent: bool
    resumed: bool


class Judge:
    """The one place where a call is let through."""

    def __init__(
        self,
        store: Store,
        settings: LiveSettings,
        publisher: Publisher,
        approvals: Approvals,
        cooldowns: Cooldowns,
        stop_session: StopSession,
    ) -> None:
        """`stop_session` ends a session that makes the same call again and again; it is given the reason."""
        self._store = store
        self._settings = settings
        self._publisher = publisher
        self._approvals = approvals
        self._cooldowns = cooldowns
        self._stop_session = stop_session

    async def ask(self, request: AskCall, deadline: float) -> CallReply:
        """What becomes of a call. `deadline`: when the hook gives up, on the monotonic clock; 0 for never."""
        row = await self._store.read(lambda db: db.one("sessions.by_run", run_id=request.run_id))
        if row is None or row["status"] != SessionStatus.RUNNING:
            text = f"run {request.run_id} belongs to no session that runs, so nothing of it may run"
            raise CallError(Code.NOT_FOUND, text)
        settings = self._settings.current
        asked = await self._understand(from_row(row), request, settings)
        verdict, resumed = await self._store.write(lambda db: _ask(db, asked, settings))
        await self._tell(asked, verdict)
        if verdict.waits_for is None:
            return CallReply(decision=verdict.decision.value, reason=verdict.reason)
        held = _Held(self._hold_until(deadline), bool(request.agent), resumed)
        return await self._hold(asked, verdict.waits_for, held)

    async def _understand(self, session: Session, request: AskCall, settings: Settings) -> Asked:
        """The call with what it would do. CallError for what is no call."""
        try:
            given = msgspec.json.decode(request.input, type=dict[str, Any])
        except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
            raise CallError(Code.INVALID, f"the input of this call can't be read: {error}") from error
        dry_run = session.dry_run or settings.dry_run
        judgement = await _judgement(request.tool, given, settings, session.tier, dry_run=dry_run, cwd=request.cwd)
        redactor = prepare.redactor(self._settings)
        text = msgspec.json.encode(given).decode()
        subject = str(given.get("command", "")) if request.tool == "Bash" else f"{request.tool} {text}"
        return Asked(
            session=session,
            run_id=request.run_id,
            tool_use_id=request.tool_use_id,
            tool=request.tool,
            input=redactor.text(text),
            input_hash=hash_of(request.tool, given),
            subject=redactor.text(subject),
            words=await self._words(session, request, given, judgement, redactor),
            judgement=judgement._replace(reason=redactor.text(judgement.reason)),
            judged=verdicts.judged(judgement.found, tier=session.tier, dry_run=dry_run),
            found=redactor.text(msgspec.json.encode([told(item) for item in judgement.found]).decode()),
            now=datetime.now(UTC),
        )

    async def _words(
        self, session: Session, request: AskCall, given: dict[str, Any], judgement: Judgement, redactor: Redactor
    ) -> str | None:
        """The agent's stated reason, for the card of a call that may need a person."""
        if judgement.decision is Decision.DENY:
            return None
        described = given.get("description")
        if isinstance(described, str) and described.strip():
            return redactor.text(described.strip())
        if judgement.decision is Decision.ALLOW or not session.log_file:
            return None
        seen = await asyncio.to_thread(message.look, Path(session.log_file), request.tool_use_id)
        return seen.words or None

    def _hold_until(self, deadline: float) -> float:
        now = time.monotonic()
        until = now + max(SETTLE_SECONDS, self._settings.current.approval_hold)
        return min(until, deadline - MARGIN_SECONDS) if deadline else until

    async def _hold(self, asked: Asked, approval: int, held: _Held) -> CallReply:
        """Waits for a decision as long as may be, then defers the call, or tells it to come alone."""
        settings = self._settings.current
        async with self._approvals.watching(approval) as decided:
            left = held.until - time.monotonic()
            # Who was put aside once has waited for its decision already, and is the only call of its run.
            if not held.resumed and left > 0 and not await self._is_decided(approval):
                await _wait(decided, left)
        alone = held.resumed or await self._is_alone(asked)
        asked = asked._replace(now=datetime.now(UTC))
        verdict, deferred = await self._store.write(
            lambda db: answers.after_hold(db, asked, settings, alone=alone, subagent=held.subagent)
        )
        if not deferred:
            await self._approvals.announce_id(approval)
            await self._tell(asked, verdict._replace(waits_for=None))
        return CallReply(decision="defer" if deferred else verdict.decision.value, reason=verdict.reason)

    async def _is_decided(self, approval: int) -> bool:
        return (await self._approvals.show(approval)).decided_at is not None

    async def _is_alone(self, asked: Asked) -> bool:
        """Whether a call is the only one of its message; taken as such where the log does not show it."""
        if not asked.session.log_file:
            return True
        seen = await asyncio.to_thread(message.look, Path(asked.session.log_file), asked.tool_use_id)
        return seen.calls <= 1

    async def _tell(self, asked: Asked, verdict: Verdict) -> None:
        """Publishes a stored verdict, and stops the session that does not hear."""
        self._publisher.publish(CallJudged(session_id=asked.session.id, decision=verdict.decision.value))
        if verdict.counted:
            self._cooldowns.changed()
        if verdict.waits_for is not None:
            await self._approvals.announce_id(verdict.waits_for)
        if verdict.stop is not None:
            await self._stop_session(asked.session.id, verdict.stop)

    async def check(self, request: CheckCommand) -> JudgementReply:
        """What would become of a command at a tier. Nothing runs, counts or is stored. CallError for no tier."""
        if request.tier not in (1, 2, 3):
            raise CallError(Code.INVALID, f"there is no tier {request.tier}; choose 1, 2 or 3")
        settings, now = self._settings.current, datetime.now(UTC)
        given = {"command": request.command}
        judgement = await _judgement("Bash", given, settings, request.tier, dry_run=settings.dry_run)
        asked = Asked(
            session=_nobody(request.tier),
            run_id="",
            tool_use_id="",
            tool="Bash",
            input="",
            input_hash="",
            subject=request.command,
            words=None,
            judgement=judgement,
            judged=verdicts.judged(judgement.found, tier=request.tier, dry_run=settings.dry_run),
            found="",
            now=now,
        )
        verdict = Verdict(*judgement[:3])
        if judgement.decision is not Decision.DENY:
            verdict = await self._store.read(lambda db: verdicts.by_rules(db, asked, settings))
        return JudgementReply(
            decision=verdict.decision.value,
            reason=verdict.reason,
            rule=verdict.rule,
            found=[told(item) for item in judgement.found],
        )


def _ask(db: Database, asked: Asked, settings: Settings) -> tuple[Verdict, bool]:
    """(verdict, whether the call was asked about in an earlier run). Within a transaction."""
    known = db.one("calls.by_call", session_id=asked.session.id, tool_use_id=asked.tool_use_id)
    if known is None:
        return verdicts.first_time(db, asked, settings), False
    return answers.again(db, asked, settings, known), known["run_id"] != asked.run_id


async def _judgement(
    tool: str, given: dict[str, Any], settings: Settings, tier: int, *, dry_run: bool, cwd: str = ""
) -> Judgement:
    """What a call does, and what the policy says. In a thread: a hostile command may take long to understand."""

    def judge() -> Judgement:
        # The parser and its tables take some MiB, which an idle worker spares.
        from daemon.limits.calls import judge_call

        return judge_call(
            tool,
            given,
            tier=tier,
            dry_run=dry_run,
            disallowed=command.tool_lists(settings, tier)[1],
            mcp_reading=command.items(settings.mcp_reading),
            state_dir=settings.state_dir,
            cwd=cwd,
        )

    try:
        async with asyncio.timeout(JUDGE_SECONDS):
            return await asyncio.to_thread(judge)
    except TimeoutError:
        found = Found(Kind.UNKNOWN, f"{tool} {given.get('command', '')}"[:SHOWN_MAX], reason=TOO_LONG)
        return Judgement(Decision.DENY, TOO_LONG, "unknown", (found,))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return  # nobody is present


def hash_of(tool: str, given: dict[str, Any]) -> str:
    """What makes a call the same as another: its tool and input, without the words that Bash calls are described by."""
    same = {key: value for key, value in given.items() if tool != "Bash" or key != "description"}
    return hashlib.sha256(msgspec.json.encode([tool, same], order="sorted")).hexdigest()


def told(found: Found) -> FoundCommand:
    """What was found, as it is stored and sent."""
    return FoundCommand(
        kind=found.kind.value,
        text=found.text,
        target=found.target,
        host=found.host,
        through=found.through,
        reason=found.reason,
    )


def _nobody(tier: int) -> Session:
    """Stands for the session of a command that nobody runs."""
    return Session(
        id=0,
        tier=tier,
        model="",
        prompt_file="",
        status=SessionStatus.RUNNING,
        trigger=Trigger.MANUAL,
        started_at=timestamps.now(),
    )
