"""The hook's question on a real database: what is allowed, counted, repeated, refused, and written down."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon.sessions import said
from daemon.sessions.markers import SaidCheck, Spoken
from ipc.errors import CallError, Code
from ipc.messages.limits import (
    AddRule,
    AskCall,
    AuditReply,
    CallJudged,
    CheckCommand,
    ClearCooldown,
    CooldownsReply,
    JudgementReply,
    ListAudit,
    ListCooldowns,
    RevokeRule,
)
from schema import timestamps
from schema.database import Database
from schema.limits import ApprovalRule
from schema.sessions import from_row
from tests.integration.limits.desk import SECRET, Desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.close()


async def test_what_reads_is_allowed_and_written_down(desk: Desk) -> None:
    id_, run = await desk.session(tier=1)
    assert (await desk.ask(run, "docker ps")).decision == "allow"
    (call,) = await desk.rows("calls")
    assert (call["session_id"], call["decision"], call["tool"]) == (id_, "allow", "Bash")
    assert json.loads(call["input"])["command"] == "docker ps"
    (line,) = await desk.rows("audit")
    assert (line["actor"], line["action"], line["subject"]) == ("rules", "call.allow", "docker ps")
    assert desk.heard.events == [CallJudged(session_id=id_, decision="allow")]


async def test_what_changes_is_denied_to_tier_1_with_a_reason(desk: Desk) -> None:
    _, run = await desk.session(tier=1)
    told = await desk.ask(run, "docker restart web")
    assert told.decision == "deny"
    assert "docker restart web" in told.reason
    assert await desk.rows("cooldown_actions") == []


async def test_the_third_restart_in_four_hours_is_denied_however_it_is_written(desk: Desk) -> None:
    _, run = await desk.session(tier=2)
    first = await desk.ask(run, "docker restart web", "one")
    assert (first.decision, first.reason.endswith("(restart of web: 1 of 2 in 4 h)")) == ("allow", True)
    assert (await desk.ask(run, "bash -c 'systemctl restart web'", "two")).decision == "allow"
    for number, command in enumerate(
        ["docker restart web", "ssh far docker restart web", "sudo systemctl restart web"]
    ):
        told = await desk.ask(run, command, f"more-{number}")
        assert told.decision == "deny"
        assert told.reason.startswith("restart of web: 2 of 2 used in 4 h, next at ")
    assert (await desk.ask(run, "docker restart db", "other")).decision == "allow"
    assert [row["service"] for row in await desk.rows("cooldown_actions")] == ["web", "web", "db"]


async def test_the_same_call_asked_again_gets_the_same_answer_and_counts_once(desk: Desk) -> None:
    _, run = await desk.session()
    first = await desk.ask(run, "docker restart web")
    again = await desk.ask(run, "docker restart web")
    assert first == again
    after = await desk.again()
    try:
        assert await after.ask(run, "docker restart web") == first
        assert len(await after.rows("cooldown_actions")) == 1
        assert len(await after.rows("calls")) == 1
        assert await after.audited() == [("rules", "call.allow")]
    finally:
        await after.close()
    desk.store, desk.context = after.store, after.context


async def test_another_call_under_the_same_id_is_denied(desk: Desk) -> None:
    _, run = await desk.session()
    assert (await desk.ask(run, "docker ps")).decision == "allow"
    assert (await desk.ask(run, "docker restart web")).decision == "deny"
    assert await desk.rows("cooldown_actions") == []


async def test_a_call_that_ran_in_an_earlier_run_is_not_run_again(desk: Desk) -> None:
    id_, run = await desk.session()
    assert (await desk.ask(run, "docker restart web", "act")).decision == "allow"
    assert (await desk.ask(run, "docker ps", "look")).decision == "allow"
    await desk.put_aside(id_)
    later = await desk.resume(id_)
    assert (await desk.ask(later, "docker restart web", "act")).decision == "deny"
    assert (await desk.ask(later, "docker ps", "look")).decision == "allow"


async def test_two_restarts_at_once_of_which_one_is_left_are_one(desk: Desk) -> None:
    runs = [await desk.session(tier=tier) for tier in (2, 3)]
    assert (await desk.ask(runs[0][1], "docker restart web", "first")).decision == "allow"
    both = await asyncio.gather(*(desk.ask(run, "docker restart web", "second") for _, run in runs))
    assert sorted(told.decision for told in both) == ["allow", "deny"]


async def test_one_call_restarts_a_service_once(desk: Desk) -> None:
    _, run = await desk.session()
    told = await desk.ask(run, "docker restart web && sleep 1 && docker restart web")
    assert told.decision == "deny"
    assert "restart web once" in told.reason


@pytest.mark.parametrize("command", ["docker compose restart", "yes web | xargs docker restart web"])
async def test_what_can_not_be_counted_needs_a_person(desk: Desk, command: str) -> None:
    _, run = await desk.session()
    told = await desk.ask(run, command)
    assert told.decision == "defer"
    approval = await desk.waiting()
    assert approval.session_id == 1


async def test_a_window_that_has_passed_does_not_count(desk: Desk) -> None:
    _, run = await desk.session()
    old = timestamps.stamp(datetime.now(UTC) - timedelta(hours=4, seconds=1))
    values = {"service": "web", "action": "restart", "now": old, "tier": 2, "session_id": None, "tool_use_id": None}
    await desk.store.write(lambda db: [db.change("cooldowns.count", **values) for _ in range(5)])
    assert (await desk.ask(run, "docker restart web")).decision == "allow"


async def test_what_follows_a_clearing_counts_however_the_clock_stands(desk: Desk) -> None:
    _, run = await desk.session()
    await desk.ask(run, "docker restart web", "before")
    await desk.call(ClearCooldown(service="web", by="ann"))
    # As after a clock that was set back, or within one millisecond.
    later = timestamps.stamp(datetime.now(UTC) + timedelta(hours=1))
    await desk.store.write(lambda db: db.script(f"UPDATE service_health_streak SET cleared_at = '{later}'"))
    decisions = [(await desk.ask(run, "docker restart web", f"r{number}")).decision for number in range(3)]
    assert decisions == ["allow", "allow", "deny"]


async def test_cleared_counters_begin_anew(desk: Desk) -> None:
    _, run = await desk.session()
    for number in range(2):
        await desk.ask(run, "docker restart web", f"r{number}")
    assert (await desk.ask(run, "docker restart web", "denied")).decision == "deny"
    listed = await desk.call(ListCooldowns())
    assert isinstance(listed, CooldownsReply)
    (cooldown,) = listed.cooldowns
    assert (cooldown.service, cooldown.used, cooldown.limit, cooldown.blocked) == ("web", 2, 2, True)
    assert cooldown.resets_at is not None
    assert len(listed.actions) == 2
    cleared = await desk.call(ClearCooldown(service="web", by="ann"), id_="clear-1")
    assert isinstance(cleared, CooldownsReply)
    assert cleared.cooldowns == []
    assert (await desk.ask(run, "docker restart web", "again")).decision == "allow"
    # Sent a second time, it clears nothing more.
    assert await desk.call(ClearCooldown(service="web", by="ann"), id_="clear-1") == cleared
    assert len((await desk.call(ListCooldowns())).cooldowns) == 1  # type: ignore[attr-defined]
    assert ("ann", "cooldown.reset") in await desk.audited()
    with pytest.raises(CallError) as refused:
        await desk.call(ClearCooldown(service="never", by="ann"))
    assert refused.value.code is Code.NOT_FOUND


async def test_a_container_of_compose_counts_as_its_service_however_it_is_named(desk: Desk) -> None:
    _, run = await desk.session()
    first = await desk.ask(run, "docker compose restart web", "one")
    assert first.reason.endswith("(restart of web: 1 of 2 in 4 h)")
    second = await desk.ask(run, "docker restart shop-web-1", "two")
    assert (second.decision, second.reason.endswith("(restart of web: 2 of 2 in 4 h)")) == ("allow", True)
    for number, command in enumerate(
        ["docker restart shop_web_1", "docker compose restart web", "podman restart x-web-2"]
    ):
        told = await desk.ask(run, command, f"more-{number}")
        assert (told.decision, told.reason.split(",")[0]) == ("deny", "restart of web: 2 of 2 used in 4 h")
    # Whose service it is can't be told, so it counts for each that it may be of.
    assert (await desk.ask(run, "docker restart my-shop-db-1", "db-1")).decision == "allow"
    assert (await desk.ask(run, "docker compose restart shop-db", "db-2")).decision == "allow"
    assert (await desk.ask(run, "docker compose restart db", "db-3")).decision == "allow"
    told = await desk.ask(run, "docker restart my-shop-db-1", "db-4")
    assert (told.decision, told.reason.split(":")[0]) == ("deny", "restart of shop-db")
    assert (await desk.ask(run, "docker compose restart db", "db-5")).decision == "deny"
    # A person may name it as it is named on the host.
    await desk.call(ClearCooldown(service="shop-web-1", by="ann"), id_="clear")
    assert (await desk.ask(run, "docker restart shop-web-1", "again")).decision == "allow"


async def healthy(desk: Desk, service: str) -> None:
    """A session finds a service healthy."""
    id_, _ = await desk.session(tier=1)

    def store(db: Database) -> None:
        session = from_row(db.one("sessions.by_id", id=id_) or {})
        said.store(db, session, [Spoken(timestamps.now(), SaidCheck(service, "healthy", None))], healthy_checks=2)

    await desk.store.write(store)
    await desk.put_aside(id_)


@pytest.mark.parametrize("seen_as", ["web", "shop-web-1"])
async def test_two_healthy_checks_let_the_next_restart_run(desk: Desk, seen_as: str) -> None:
    _, run = await desk.session()
    for number in range(2):
        assert (await desk.ask(run, "docker restart shop-web-1", f"r{number}")).decision == "allow"
    for decision in ("deny", "deny", "allow"):
        assert (await desk.ask(run, f"docker restart  shop-web-1 # {decision}", uuid.uuid4().hex)).decision == decision
        await healthy(desk, seen_as)


async def test_the_file_for_prompts_follows(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cooldown.json").write_text('{"services": {"old": {}}, "last_daily_digest": "2026-01-01T08:00:00Z"}')
    task = asyncio.create_task(desk.cooldowns.run())
    _, run = await desk.session()
    await desk.ask(run, "docker restart web")
    for _ in range(100):
        found = json.loads((tmp_path / "cooldown.json").read_text())
        if "web" in found["services"]:
            break
        await asyncio.sleep(0.02)
    task.cancel()
    (restart,) = found["services"]["web"]["restarts"]
    assert restart["success"] is True
    assert timestamps.parse(restart["timestamp"])
    assert found["services"]["web"]["redeployments"] == []
    assert found["services"]["web"]["consecutive_healthy"] == 0
    assert set(found["services"]) == {"web"}
    assert found["last_daily_digest"] == "2026-01-01T08:00:00Z"
    assert timestamps.parse(found["last_run"])


async def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    _, run = await desk.session(tier=3, dry_run=True)
    assert (await desk.ask(run, "docker restart web", "one")).decision == "deny"
    assert (await desk.ask(run, "docker ps", "two")).decision == "allow"


async def test_the_same_call_again_and_again_is_denied_and_then_the_session_is_stopped(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CLAUDEOPS_REPEAT_MAX="2")
    id_, run = await desk.session()
    decisions = []
    for number in range(6):
        given = {"command": "docker ps", "description": f"look {number}"}
        decisions.append((await desk.ask(run, given, f"c{number}")).decision)
    assert decisions == ["allow", "allow", "deny", "deny", "deny", "deny"]
    assert desk.stopped == [(id_, "stopped for making the same call 6 times: docker ps")]
    await desk.close()


async def test_a_session_has_so_many_calls_and_its_report(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CLAUDEOPS_CALLS_MAX="3")
    _, run = await desk.session()
    told = [await desk.ask(run, f"ls /{number}", f"c{number}") for number in range(4)]
    assert [one.decision for one in told] == ["allow", "allow", "allow", "deny"]
    assert "CLAUDEOPS_CALLS_MAX" in told[-1].reason
    assert (await desk.ask(run, {"summary": "x"}, "report", tool="StructuredOutput")).decision == "allow"
    await desk.close()


async def test_secrets_reach_neither_the_database_nor_the_model(desk: Desk, tmp_path: Path) -> None:
    _, run = await desk.session(tier=2)
    told = await desk.ask(run, f"docker stop web --label {SECRET}")
    assert SECRET not in told.reason
    await desk.close()
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("claudeops.db*"))
    desk.store = (after := Desk(tmp_path)).store
    desk.context = after.context


async def test_only_the_hook_of_a_run_may_ask_about_it(desk: Desk) -> None:
    _, run = await desk.session()
    for pid in (99, 0):
        with pytest.raises(CallError) as refused:
            await desk.call(AskCall(run_id=run, tool_use_id="t", tool="Bash", input="{}"), pid=pid)
        assert refused.value.code is Code.FORBIDDEN


async def test_a_run_whose_session_is_over_may_do_nothing(desk: Desk) -> None:
    id_, run = await desk.session()
    await desk.put_aside(id_)
    with pytest.raises(CallError, match="no session that runs"):
        await desk.ask(run, "docker ps")


@pytest.mark.parametrize("given", ["[1]", "{", '"text"'])
async def test_an_input_that_is_none_is_never_allowed(desk: Desk, given: str) -> None:
    _, run = await desk.session(tier=1)
    with pytest.raises(CallError) as refused:
        await desk.call(AskCall(run_id=run, tool_use_id="t", tool="Bash", input=given), pid=1)
    assert refused.value.code is Code.INVALID


async def test_a_shell_call_without_a_command_is_denied(desk: Desk) -> None:
    _, run = await desk.session(tier=1)
    assert (await desk.ask(run, {})).decision == "deny"


async def test_a_standing_rule_lets_through_asks_and_denies_until_it_is_revoked(desk: Desk) -> None:
    _, run = await desk.session()
    allow = ApprovalRule(decision="allow", pattern="docker stop web", reason="it is broken")
    made = await desk.call(AddRule(rule=allow, by="ann"), id_="add-1")
    assert await desk.call(AddRule(rule=allow, by="ann"), id_="add-1") == made
    told = await desk.ask(run, "docker stop web", "one")
    assert (told.decision, told.reason) == (
        "allow",
        "standing rule 1 of ann (allow docker stop web): it is broken",
    )
    await desk.call(AddRule(rule=ApprovalRule(decision="deny", pattern="docker restart *"), by="ann"))
    assert (await desk.ask(run, "docker restart web", "two")).decision == "deny"
    await desk.call(RevokeRule(id=1, by="bob"))
    assert (await desk.ask(run, "docker stop web", "three")).decision == "defer"
    with pytest.raises(CallError) as second:
        await desk.call(RevokeRule(id=1, by="ann"))
    assert (second.value.code, "by bob" in second.value.message) == (Code.CONFLICT, True)
    assert [action for _, action in await desk.audited() if action.startswith("rule.")] == [
        "rule.added",
        "rule.added",
        "rule.revoked",
    ]


async def test_a_standing_rule_does_not_lift_a_cooldown(desk: Desk) -> None:
    _, run = await desk.session()
    await desk.call(AddRule(rule=ApprovalRule(decision="allow", pattern="docker restart *"), by="ann"))
    decisions = [(await desk.ask(run, "docker restart web", f"c{number}")).decision for number in range(3)]
    assert decisions == ["allow", "allow", "deny"]


async def test_checking_a_command_gives_the_hooks_verdict_and_counts_nothing(desk: Desk) -> None:
    async def check(command: str, tier: int) -> tuple[str, str]:
        reply = await desk.call(CheckCommand(tier=tier, command=command))
        assert isinstance(reply, JudgementReply)
        return reply.decision, reply.reason

    for _ in range(3):
        assert (await check("docker restart web", 2))[0] == "allow"
    assert await desk.rows("cooldown_actions") == await desk.rows("calls") == await desk.rows("audit") == []
    assert (await check("docker restart web", 1))[0] == "deny"
    assert (await check("docker stop web", 2))[0] == "ask"
    assert (await check("docker compose restart", 2))[0] == "ask"
    _, run = await desk.session()
    for number in range(2):
        await desk.ask(run, "docker restart web", f"c{number}")
    decision, reason = await check("docker restart web", 2)
    assert decision == "deny"
    assert "2 of 2 used" in reason
    with pytest.raises(CallError, match="no tier 4"):
        await check("true", 4)


async def test_the_audit_log_is_paged_and_filtered(desk: Desk) -> None:
    id_, run = await desk.session()
    other, other_run = await desk.session(tier=1)
    for number in range(3):
        await desk.ask(run, f"ls /{number}", f"c{number}")
    await desk.ask(other_run, "docker stop web")

    async def subjects(request: ListAudit) -> list[str]:
        reply = await desk.call(request)
        assert isinstance(reply, AuditReply)
        return [entry.subject for entry in reply.entries]

    assert await subjects(ListAudit()) == ["docker stop web", "ls /2", "ls /1", "ls /0"]
    assert await subjects(ListAudit(limit=1, before=3)) == ["ls /1"]
    assert await subjects(ListAudit(action="call.deny")) == ["docker stop web"]
    assert await subjects(ListAudit(session_id=id_)) == ["ls /2", "ls /1", "ls /0"]
    assert await subjects(ListAudit(session_id=other, action="call.allow")) == []
