"""Events, memories, cooldowns, rules, the audit log and chains as their lists show them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ipc.errors import CallError
from ipc.messages.repositories import McpServer, Repository
from schema.knowledge import Event, Memory
from schema.limits import ApprovalRule, AuditEntry, Cooldown
from schema.sessions import Session
from schema.states import SessionStatus, Trigger, TriggerStatus
from tests.unit.webui.pages.test_trigger_rows import trigger
from webui.pages import (
    audit,
    chain_view,
    cooldowns,
    event_rows,
    formats,
    keyed,
    mcp,
    memory_rows,
    repositories,
    standing_rules,
)

NOW = datetime(2026, 3, 14, 2, 6, 30, tzinfo=UTC)
THEN = "2026-03-14T02:02:30.000Z"


@pytest.mark.parametrize(
    ("seconds", "words"), [(872, "in 14:32"), (59, "in 0:59"), (0, "now"), (-5, "now"), (18720, "in 5 h 12 m")]
)
def test_the_time_left_is_told_to_the_second_below_an_hour(seconds: int, words: str) -> None:
    at = datetime.fromtimestamp(NOW.timestamp() + seconds, UTC).isoformat()
    assert formats.expires(at, NOW) == f"expires {words}"


@pytest.mark.parametrize(
    ("seconds", "words"), [(14400, "4 h"), (86400, "1 d"), (5400, "90 min"), (90, "1 m 30 s"), (45, "45 s")]
)
def test_a_length_that_somebody_set_is_told_as_they_would(seconds: int, words: str) -> None:
    assert formats.span(seconds) == words


def test_an_event_of_an_unknown_level_is_shown_by_its_word() -> None:
    row = event_rows.row(Event(id=1, level="odd", message="m\x00", created_at=THEN), NOW)
    assert (row.word, row.tone, row.message, row.for_you) == ("odd", "neutral", "m\ufffd", False)


def test_event_filters_are_those_of_the_address() -> None:
    filters = event_rows.read_filters({"level": "warning", "service": " web ", "session": "7"})
    assert filters == ("warning", "web", 7)
    with pytest.raises(CallError):
        event_rows.read_filters({"level": "loud"})
    with pytest.raises(CallError):
        event_rows.read_filters({"session": "x"})


def test_an_address_has_only_what_is_given() -> None:
    assert keyed.address("/events", {"level": "", "session": None}) == "/events"
    assert keyed.address("/events", {"level": "info"}, before=7) == "/events?level=info&before=7"


def memory(id_: int, service: str | None, **changes: Any) -> Memory:
    values: dict[str, Any] = {
        "id": id_, "service": service, "category": "timing", "observation": f"o{id_}", "confidence": 0.5,
        "active": True, "created_at": THEN, "updated_at": THEN,
    }  # fmt: skip
    return Memory(**values | changes)


def test_memories_stand_by_service_the_most_certain_first() -> None:
    known = [memory(1, "b"), memory(2, None), memory(3, "b", confidence=0.9), memory(4, "b", active=False)]
    groups = memory_rows.groups(known, NOW)
    assert [(group.service, [row.id for row in group.rows]) for group in groups] == [
        ("All services", [2]),
        ("b", [3, 1, 4]),
    ]


@pytest.mark.parametrize(("shown", "actives"), [("", (True,)), ("all", (True, False)), ("inactive", (False,))])
def test_what_is_active_is_shown_unless_more_is_asked_for(shown: str, actives: tuple[bool, ...]) -> None:
    assert memory_rows.read_filters({"shown": shown}).actives == actives


def test_memories_as_markdown_stay_one_line_each() -> None:
    assert memory_rows.item(memory(1, None, observation="a\n# b")) == "- **timing**: a # b (50%)"
    assert memory_rows.item(memory(2, "web", active=False)) == "- **timing**: o2 (50%, inactive)"
    assert memory_rows.heading(memory(1, None)) == "## All services"
    assert memory_rows.heading(memory(1, "we\n# b")) == "## we # b"


def test_blocked_services_come_first_with_the_time_of_the_next_one() -> None:
    found = [
        Cooldown(service="a", action="restart", used=1, limit=2, window_s=14400, blocked=False, healthy_checks=1),
        Cooldown(
            service="b", action="restart", used=2, limit=2, window_s=14400, blocked=True,
            resets_at="2026-03-14T02:56:30.000Z",
        ),
        Cooldown(service="a", action="redeployment", used=0, limit=1, window_s=86400, blocked=False),
    ]  # fmt: skip
    services = cooldowns.services(found, NOW, 2)
    assert [(one.service, one.blocked, len(one.uses)) for one in services] == [("b", True, 1), ("a", False, 2)]
    assert services[0].uses[0].next is not None
    assert services[0].uses[0].next.text == "in 50 min"
    assert services[1].healthy == 1


def rule(**changes: Any) -> ApprovalRule:
    values: dict[str, Any] = {"id": 1, "decision": "allow", "pattern": "x", "created_at": THEN, "created_by": "ada"}
    return ApprovalRule(**values | changes)


def test_a_rule_says_where_it_holds_and_why_it_is_over() -> None:
    assert standing_rules.row(rule(host="*", tier=2), NOW).scope == "on any host, at tier 2"
    assert standing_rules.row(rule(), NOW).scope == "on this host, at any tier"
    assert standing_rules.row(rule(expires_at=THEN), NOW).over == "expired"
    assert standing_rules.row(rule(revoked_at=THEN, revoked_by="bob"), NOW).over == "revoked by bob"
    assert standing_rules.row(rule(expires_at="2026-03-14T03:06:31.000Z"), NOW).until == "in 1 h"


def entry_of(subject: str) -> AuditEntry:
    return AuditEntry(id=1, at=THEN, actor="rules", action="call.allow", subject=subject)


def test_an_audit_entry_of_any_action_is_shown() -> None:
    entry = AuditEntry(id=1, at=THEN, actor="ada\x1b", action="setting.changed", subject="a\u202eb")
    row = audit.row(entry, NOW)
    assert (row.tone, row.exact) == ("neutral", "2026-03-14 02:02:30")
    assert "\u202e" not in row.subject
    assert (row.head, audit.row(entry_of("x" * 999), NOW).head[-1]) == ("", "…")
    assert audit.row(AuditEntry(id=1, at=THEN, actor="rules", action="call.deny", subject="x"), NOW).tone == "warn"


def test_a_server_that_is_left_out_is_shown_so_whatever_its_status() -> None:
    row = mcp.row(McpServer(name="x", source="shop", command="c", status="connected", refused="no command"))
    assert (row.word, row.refused) == ("left out", "no command")
    assert mcp.row(McpServer(name="x", source="shop", command="c")).word == "not seen yet"


def test_a_repository_shows_only_what_it_has() -> None:
    row = repositories.row(Repository(name="my shop", path="/r", runbook=True, panels=("a b.html",)))
    assert [(part.label, part.names) for part in row.parts] == [
        ("Runbook", [("CLAUDE-OPS.md", "")]),
        ("Panels", [("a b.html", "/panels/my%20shop/a%20b.html")]),
    ]


def session(id_: int, status: SessionStatus, **changes: Any) -> Session:
    values: dict[str, Any] = {
        "id": id_, "tier": 1, "model": "m", "prompt_file": "p", "status": status, "trigger": Trigger.MANUAL,
        "started_at": THEN, "duration_ms": 60000,
    }  # fmt: skip
    return Session(**values | changes)


def test_a_chain_is_as_its_last_tier_is_and_costs_what_all_of_them_cost() -> None:
    first = session(1, SessionStatus.ESCALATED, cost_usd=0.5)
    second = session(2, SessionStatus.RUNNING, estimated_usd=0.25, parent_session_id=1, chain_id=1)
    head = chain_view.head([first, second], None, NOW)
    assert (head.word, head.cost, head.tiers, head.live) == ("running", "≈ $0.75", 2, True)


def test_a_chain_whose_next_tier_waits_goes_on() -> None:
    first = session(1, SessionStatus.ESCALATED, cost_usd=0.5)
    head = chain_view.head([first], trigger(tier=2, reason="tier 2 is busy"), NOW)
    assert (head.live, head.next_words, head.cost) == (True, "Tier 2 comes next: tier 2 is busy", "$0.50")
    refused = trigger(tier=3, status=TriggerStatus.REFUSED, reason="dry run")
    over = chain_view.head([first], refused, NOW)
    assert (over.live, over.next_words) == (False, "Tier 3 was refused: dry run")


def test_what_is_not_known_of_a_chains_cost_is_a_dash() -> None:
    assert chain_view.head([session(1, SessionStatus.FAILED)], None, NOW).cost == "–"
