"""Calls that wait for a person, on a real database: held, deferred, decided once, expired, cancelled, in a batch."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon.approvals.approvals import cancel_of_session, deferred_in
from ipc.errors import CallError, Code
from ipc.messages.limits import ApprovalChanged, ApprovalsReply, ListApprovals, ListRules, RulesReply
from schema.limits import ApprovalRule
from schema.states import ApprovalStatus
from tests.integration.limits.desk import Desk, log_of

STOP = "docker stop web"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose calls are held for as long as a test may want."""
    made = Desk(tmp_path, CLAUDEOPS_APPROVAL_HOLD="30")
    yield made
    await made.close()


async def deferred(desk: Desk, command: str = STOP) -> tuple[int, str]:
    """(session, run) of a session whose call was deferred and whose run has ended."""
    id_, run = await desk.session()
    assert (await desk.ask(run, command)).decision == "defer"
    await desk.put_aside(id_)
    return id_, run


async def test_a_held_call_runs_once_somebody_approves(held: Desk) -> None:
    _, run = await held.session()
    asking = asyncio.create_task(held.ask(run, STOP))
    approval = await held.waiting()
    assert (approval.tool, approval.words, approval.status) == ("Bash", "to repair it", ApprovalStatus.WAITING)
    assert json.loads(approval.input)["command"] == STOP
    assert [found["text"] for found in json.loads(approval.found)] == [STOP]
    await held.decide(approval.id, True)
    told = await asyncio.wait_for(asking, 5)
    assert (told.decision, told.reason) == ("allow", "approved by ann")
    assert await held.audited() == [
        ("rules", "call.ask"),
        ("ann", "approval.approved"),
        ("rules", "call.allow"),
    ]
    changes = [event.status for event in held.heard.events if isinstance(event, ApprovalChanged)]
    assert changes[0] == ApprovalStatus.WAITING
    assert changes[-1] == ApprovalStatus.USED


async def test_a_held_call_that_is_denied_tells_the_model_why(held: Desk) -> None:
    _, run = await held.session()
    asking = asyncio.create_task(held.ask(run, STOP))
    await held.decide((await held.waiting()).id, False, reason="not during the sale")
    told = await asyncio.wait_for(asking, 5)
    assert told.decision == "deny"
    assert told.reason.startswith("Denied by ann: not during the sale.")


async def test_nobody_present_puts_the_session_aside_and_the_decision_resumes_exactly_that_call(desk: Desk) -> None:
    id_, run = await deferred(desk, "docker compose restart")
    found = await desk.store.read(lambda db: deferred_in(db, id_, run))
    assert found is not None
    assert found.status is ApprovalStatus.WAITING
    desk = await desk.again()
    try:
        await desk.decide(found.id, True)
        (trigger,) = await desk.rows("triggers")
        assert (trigger["kind"], trigger["session_id"], trigger["key"]) == ("approval", id_, f"approval:{id_}")
        later = await desk.resume(id_)
        assert (await desk.ask(later, "docker compose restart")).decision == "allow"
        # The answer was lost with the worker, and the hook asks again; a later run asks once more.
        assert (await desk.ask(later, "docker compose restart")).decision == "allow"
        await desk.put_aside(id_)
        last = await desk.resume(id_)
        assert (await desk.ask(last, "docker compose restart")).decision == "deny"
    finally:
        await desk.close()


async def test_an_approved_restart_counts_when_it_runs_and_not_before(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CLAUDEOPS_TIER2_DISALLOWED_TOOLS="Bash(nothing:*)")
    await desk.store.write(
        lambda db: db.change(
            "approvals.add_rule", decision="ask", tool="Bash", pattern="docker restart *", host=None, tier=None,
            reason=None, now="2026-01-01T00:00:00.000Z", by="ann", expires_at=None,
        )
    )  # fmt: skip
    id_, _ = await deferred(desk, "docker restart web")
    await desk.decide(1, True)
    assert await desk.rows("cooldown_actions") == []
    later = await desk.resume(id_)
    for _ in range(2):
        assert (await desk.ask(later, "docker restart web")).decision == "allow"
    assert [row["service"] for row in await desk.rows("cooldown_actions")] == ["web"]
    await desk.close()


async def test_an_approval_does_not_lift_a_cooldown_that_was_used_up_meanwhile(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    rule = ApprovalRule(decision="ask", pattern="docker restart web", tier=2)
    await desk.approvals.add_rule(rule, "ann", "")
    id_, _ = await deferred(desk, "docker restart web")
    _, other = await desk.session(tier=3)
    for number in range(2):
        assert (await desk.ask(other, "docker restart web", f"c{number}")).decision == "allow"
    await desk.decide(1, True)
    told = await desk.ask(await desk.resume(id_), "docker restart web")
    assert told.decision == "deny"
    assert "2 of 2 used" in told.reason
    assert (await desk.approvals.show(1)).status is ApprovalStatus.CANCELLED
    await desk.close()


async def test_an_approval_does_not_lift_a_dry_run_that_was_switched_on_meanwhile(desk: Desk) -> None:
    id_, _ = await deferred(desk)
    await desk.decide(1, True)
    await desk.settings.set("dry_run", "true")
    assert (await desk.ask(await desk.resume(id_), STOP)).decision == "deny"
    assert (await desk.approvals.show(1)).status is ApprovalStatus.CANCELLED


async def test_only_the_very_call_that_was_approved_runs(desk: Desk) -> None:
    id_, _ = await deferred(desk)
    await desk.decide(1, True)
    later = await desk.resume(id_)
    assert (await desk.ask(later, "docker stop db")).decision == "deny"
    assert (await desk.ask(later, {"command": STOP, "run_in_background": True})).decision == "deny"
    assert (await desk.ask(later, {"command": STOP, "description": "in other words"})).decision == "allow"


async def test_two_people_decide_at_once_and_one_is_told_who_was_first(desk: Desk) -> None:
    await deferred(desk)
    results = await asyncio.gather(
        desk.decide(1, False, "ann", reason="no"), desk.decide(1, True, "bob"), return_exceptions=True
    )
    (refused,) = [result for result in results if isinstance(result, CallError)]
    assert refused.code is Code.CONFLICT
    assert refused.message == "already denied by ann 0 s ago"
    assert (await desk.approvals.show(1)).decided_by == "ann"
    assert [action for _, action in await desk.audited() if action.startswith("approval.")] == ["approval.denied"]
    assert len(await desk.rows("triggers")) == 1


async def test_a_decision_that_is_sent_twice_counts_once(desk: Desk) -> None:
    await deferred(desk)
    rule = ApprovalRule(decision="allow", pattern=STOP)
    first = await desk.decide(1, True, request_id="decide-1", remember=rule)
    after = await desk.again()
    try:
        assert await after.decide(1, True, request_id="decide-1", remember=rule) == first
        assert len(await after.rows("approval_rules")) == 1
        assert len(await after.rows("triggers")) == 1
    finally:
        await after.close()
    desk.store, desk.context = after.store, after.context


async def test_the_worker_is_killed_while_a_call_is_held_and_the_next_one_holds_it(held: Desk) -> None:
    _, run = await held.session()
    asking = asyncio.create_task(held.ask(run, STOP))
    approval = await held.waiting()
    asking.cancel()
    after = await held.again()
    again = asyncio.create_task(after.ask(run, STOP))
    await asyncio.sleep(0.1)
    assert not again.done()
    await after.decide(approval.id, True)
    assert (await asyncio.wait_for(again, 5)).decision == "allow"
    assert len(await after.rows("approvals")) == 1
    await after.close()
    held.store, held.context = after.store, after.context


async def test_a_decision_of_the_moment_before_is_seen(held: Desk) -> None:
    """Decided between the row and the waiting: the call does not wait the whole hold for it."""
    _, run = await held.session()
    asking = asyncio.create_task(held.ask(run, STOP))
    approval = await held.waiting()
    asking.cancel()
    await held.decide(approval.id, False)
    assert (await asyncio.wait_for(held.ask(run, STOP), 5)).decision == "deny"


async def test_what_nobody_decides_expires_and_counts_as_denied(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    id_, _ = await deferred(desk)
    expiring = asyncio.create_task(desk.approvals.run())
    await desk.store.write(
        lambda db: db._connection.execute("UPDATE approvals SET expires_at = '2026-01-01T00:00:00.000Z'").fetchall()
    )
    with pytest.raises(CallError) as late:
        await desk.decide(1, True)
    assert late.value.code is Code.CONFLICT
    desk.approvals._asked.set()
    for _ in range(100):
        if (await desk.approvals.show(1)).status is ApprovalStatus.EXPIRED:
            break
        await asyncio.sleep(0.02)
    expiring.cancel()
    assert len(await desk.rows("triggers")) == 1
    told = await desk.ask(await desk.resume(id_), STOP)
    assert (told.decision, "in time" in told.reason) == ("deny", True)
    assert ("rules", "approval.expired") in await desk.audited()
    with pytest.raises(CallError, match="expired"):
        await desk.decide(1, True)
    await desk.close()


async def test_a_call_of_a_batch_is_told_to_come_alone(desk: Desk, tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", ("msg_1", [("text", "Both."), ("call", "toolu_1"), ("call", "toolu_2")]))
    _, run = await desk.session(log=log)
    told = await desk.ask(run, STOP)
    assert told.decision == "deny"
    assert "has to come alone" in told.reason
    assert (await desk.approvals.show(1)).status is ApprovalStatus.CANCELLED
    log_of(log, ("msg_1", [("call", "toolu_1"), ("call", "toolu_2")]), ("msg_2", [("call", "toolu_3")]))
    assert (await desk.ask(run, STOP, "toolu_3")).decision == "defer"


async def test_a_call_behind_it_that_comes_while_it_is_held_makes_a_batch(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CLAUDEOPS_APPROVAL_HOLD="1.5")
    log = log_of(tmp_path / "log", ("msg_1", [("call", "toolu_1")]))
    _, run = await desk.session(log=log)
    asking = asyncio.create_task(desk.ask(run, STOP))
    await desk.waiting()
    log_of(log, ("msg_1", [("call", "toolu_1"), ("call", "toolu_2")]))
    assert (await asking).decision == "deny"
    await desk.close()


async def test_a_call_of_a_subagent_can_be_approved_while_it_is_held_and_never_deferred(held: Desk) -> None:
    _, run = await held.session()
    asking = asyncio.create_task(held.ask(run, STOP, "one", agent="a1"))
    await held.decide((await held.waiting()).id, True)
    assert (await asyncio.wait_for(asking, 5)).decision == "allow"
    await held.settings.set("approval_hold", "0.1")
    told = await held.ask(run, STOP, "two", agent="a1")
    assert (told.decision, "subagent" in told.reason) == ("deny", True)


async def test_nothing_else_of_a_run_that_is_put_aside_runs(desk: Desk) -> None:
    _, run = await desk.session()
    assert (await desk.ask(run, STOP, "one")).decision == "defer"
    assert (await desk.ask(run, "docker ps", "two")).decision == "deny"
    assert (await desk.ask(run, {"summary": "x"}, "report", tool="StructuredOutput")).decision == "allow"


async def test_asked_again_without_a_decision_it_is_deferred_again_at_once(held: Desk) -> None:
    await held.settings.set("approval_hold", "0")
    id_, _ = await deferred(held)
    await held.settings.set("approval_hold", "30")
    later = await held.resume(id_)
    assert (await asyncio.wait_for(held.ask(later, STOP), 5)).decision == "defer"
    found = await held.store.read(lambda db: deferred_in(db, id_, later))
    assert found is not None


async def test_what_a_session_waited_for_is_cancelled_with_it(desk: Desk) -> None:
    id_, _ = await deferred(desk)
    cancelled = await desk.store.write(lambda db: cancel_of_session(db, id_, "its session was stopped"))
    await desk.approvals.announce(cancelled)
    assert [approval.status for approval in cancelled] == [ApprovalStatus.CANCELLED]
    last = desk.heard.events[-1]
    assert isinstance(last, ApprovalChanged)
    assert (last.status, last.waiting) == (ApprovalStatus.CANCELLED, 0)
    with pytest.raises(CallError) as late:
        await desk.decide(1, True)
    assert "its session was stopped" in late.value.message
    assert await desk.store.write(lambda db: cancel_of_session(db, id_)) == []


async def test_a_rule_that_is_none_leaves_the_call_undecided(desk: Desk) -> None:
    await deferred(desk)
    with pytest.raises(CallError) as wrong:
        await desk.decide(1, True, remember=ApprovalRule(decision="allow", pattern="*"))
    assert wrong.value.code is Code.INVALID
    assert (await desk.approvals.show(1)).status is ApprovalStatus.WAITING


async def test_a_remembered_decision_is_not_asked_again(desk: Desk) -> None:
    id_, _ = await deferred(desk)
    await desk.decide(1, True, remember=ApprovalRule(decision="allow", pattern=STOP, tier=2))
    later = await desk.resume(id_)
    assert (await desk.ask(later, STOP)).decision == "allow"
    assert (await desk.ask(later, STOP, "another")).decision == "allow"
    assert len(await desk.rows("approvals")) == 1
    rules = await desk.call(ListRules())
    assert isinstance(rules, RulesReply)
    assert [(rule.pattern, rule.created_by) for rule in rules.rules] == [(STOP, "ann")]


async def test_the_card_has_the_agents_words_where_the_call_has_none(desk: Desk, tmp_path: Path) -> None:
    said = "The queue is stuck, so I write its settings anew."
    log = log_of(tmp_path / "log", ("msg_1", [("text", said), ("call", "toolu_1")]))
    _, run = await desk.session(log=log)
    told = await desk.ask(run, {"file_path": "/app/queue.conf", "content": "x"}, tool="Write")
    assert told.decision == "defer"
    assert (await desk.approvals.show(1)).words == said


async def test_lists_of_approvals(desk: Desk) -> None:
    _, run = await desk.session()
    for number in range(3):
        await desk.ask(run, f"docker stop web{number}", f"c{number}", agent="a1")
    later, other = await desk.session(tier=3)
    await desk.ask(other, "apt-get install x", "d1")

    async def ids(request: ListApprovals) -> list[int]:
        reply = await desk.call(request)
        assert isinstance(reply, ApprovalsReply)
        return [approval.id for approval in reply.approvals]

    assert await ids(ListApprovals()) == [4, 3, 2, 1]
    assert await ids(ListApprovals(before=3, limit=1)) == [2]
    assert await ids(ListApprovals(status=ApprovalStatus.WAITING)) == [4]
    assert await ids(ListApprovals(status=ApprovalStatus.CANCELLED)) == [3, 2, 1]
    assert (await desk.approvals.show(4)).session_id == later
