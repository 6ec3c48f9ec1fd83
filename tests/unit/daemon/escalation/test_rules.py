"""What follows a session: the next tier, nothing, or a person."""

from typing import Any

import msgspec
import pytest

from daemon.escalation.rules import (
    CONTEXT_MAX,
    HandoffError,
    Next,
    Wanted,
    blocked,
    decide,
    from_handoff,
    from_output,
)

OUTPUT: dict[str, Any] = {
    "summary": "web is down.",
    "events": [],
    "escalation": {"needed": True, "reason": "web answers 502", "context": "seen twice", "failed_checks": ["http web"]},
    "services_checked": [
        {"name": "db", "status": "healthy"},
        {"name": "web", "status": "down", "detail": "HTTP 502"},
    ],
}
HANDOFF: dict[str, Any] = {
    "schema_version": 1,
    "recommended_tier": 3,
    "services_affected": ["web"],
    "check_results": [
        {"service": "web", "check_type": "http", "status": "down", "error": "HTTP 502", "response_time_ms": 12.5}
    ],
    "investigation_findings": "the unit fails",
    "remediation_attempted": ["restart"],
    "cooldown_state": {"web": {"restarts": 1}},
}


def wanted(tier: int = 2, services: tuple[str, ...] = ("web",)) -> Wanted:
    return Wanted(tier, services, "web answers 502", "context")


def following(asked: Wanted | None, tier: int = 1, max_tier: int = 3, *, dry_run: bool = False) -> Next:
    return decide(asked, session=12, tier=tier, max_tier=max_tier, dry_run=dry_run)


def test_an_output_that_needs_more_asks_for_the_next_tier_with_all_that_one_must_know() -> None:
    asked = from_output(OUTPUT, 1)
    assert asked is not None
    assert (asked.tier, asked.services, asked.reason) == (2, ("web",), "web answers 502")
    for text in ("web answers 502", "http web", "web: down – HTTP 502", "seen twice", "web is down."):
        assert text in asked.context
    assert "db" not in asked.context


@pytest.mark.parametrize(
    "structured",
    [
        {},
        {"escalation": None},
        {"escalation": "yes"},
        {"escalation": {"needed": False, "reason": "fine"}},
        {"escalation": {"needed": "true"}},
    ],
)
def test_an_output_that_does_not_ask_gets_nothing(structured: dict[str, Any]) -> None:
    assert from_output(structured, 1) is None


def test_odd_shapes_beside_an_escalation_do_no_harm() -> None:
    for checked in ([None, 3, {"status": "down"}], 5, True, "web", {"web": "down"}):
        for failed in (None, ["http"], 5, "http", {"a": 1}):
            asked = from_output(
                {"escalation": {"needed": True, "failed_checks": failed}, "services_checked": checked}, 2
            )
            assert asked is not None
            assert asked.tier == 3


def test_a_handoff_may_skip_a_tier_and_all_of_it_is_passed_on() -> None:
    asked = from_handoff(msgspec.json.encode(HANDOFF))
    assert (asked.tier, asked.services) == (3, ("web",))
    for text in ("web (http): down, 12.5 ms – HTTP 502", "the unit fails", '["restart"]', '{"web":{"restarts":1}}'):
        assert text in asked.context
    assert following(asked).tier == 3


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"recommended_tier": 1}, "recommended_tier"),
        ({"recommended_tier": 4}, "recommended_tier"),
        ({"services_affected": []}, "services_affected"),
        ({"check_results": [{"service": "web", "check_type": "magic", "status": "down"}]}, "check_type"),
    ],
)
def test_a_handoff_that_can_not_be_used_names_the_field(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(HandoffError, match=told):
        from_handoff(msgspec.json.encode({**HANDOFF, **changed}))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff", b"null", b'{"reason": "\xff"}', b'{"a": ' + b"[" * 9999 + b"]" * 9999 + b"}"]
)
def test_a_handoff_that_is_no_json_object_is_an_error_and_a_person_is_told(data: bytes) -> None:
    with pytest.raises(HandoffError) as raised:
        from_handoff(data)
    told = blocked(raised.value)
    assert (told.tier, told.level) == (None, "critical")
    assert told.message.startswith("Escalation blocked: ")


def test_the_next_tier_gets_the_context_and_nobody_else_is_told() -> None:
    found = following(wanted())
    assert (found.tier, found.message) == (2, "")
    assert found.context.startswith("Session 12 of tier 1 handed over to you, tier 2.")


def test_nothing_wanted_nothing_follows() -> None:
    assert following(None) == Next(None, "", "", "")


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_a_dry_run_hands_nothing_over_at_any_tier_and_says_what_it_would_have_done(tier: int) -> None:
    found = following(wanted(tier + 1, ("web", "db")), tier, dry_run=True)
    assert (found.tier, found.level) == (None, "info")
    if tier < 3:
        assert found.message == f"Escalation suppressed (dry run): would have escalated to tier {tier + 1} for: web, db"


def test_the_highest_tier_that_needs_more_needs_a_person() -> None:
    found = following(wanted(4), 3)
    assert (found.tier, found.level) == (None, "critical")
    assert found.message == "Needs human attention: web: web answers 502"


def test_the_highest_tier_that_may_run_is_kept_to() -> None:
    assert following(wanted(3), 1, 2).tier == 2
    stopped = following(wanted(3), 2, 2)
    assert (stopped.tier, stopped.level) == (None, "critical")
    assert "CLAUDEOPS_MAX_TIER is 2" in stopped.message


def test_nobody_is_handed_down_to() -> None:
    assert following(wanted(2), 2).tier == 3


def test_a_context_has_a_bound() -> None:
    found = following(wanted()._replace(context="x" * 200_000))
    assert len(found.context) == CONTEXT_MAX
