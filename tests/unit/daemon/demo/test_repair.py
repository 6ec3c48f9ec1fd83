"""The demo's tiers 2 and 3, played without a server."""

from dataclasses import replace

from daemon.demo.observe import check
from daemon.demo.repair import Repair
from daemon.demo.turns import ToolResult, play
from tests.unit.daemon.demo.played import COOLING, DOWN, OK, SERVICES, Played, World, calls, through

RESTART, REPLACE = "docker restart payments", "docker compose up -d payments"


def world(looks: list[str], **acts: tuple[str, bool]) -> World:
    """One where curl finds payments as told, and restart and replace return what is given."""
    made = World(payments=looks)
    made.others |= {{"restart": RESTART, "replace": REPLACE}[name]: answer for name, answer in acts.items()}
    return made


def handed_over(place: World, tier: int = 2) -> Played:
    """What the tier does with what tier 1 has seen."""
    seen = through(check(SERVICES), World()).conversation.results
    return through(Repair(SERVICES, tier).script, place, before=seen)


def test_what_was_handed_over_is_looked_at_anew_restarted_and_verified() -> None:
    played = handed_over(world([DOWN, OK], restart=("payments", False)))
    assert played.acts == [RESTART]
    assert played.statuses == {"payments": "healthy"}
    assert played.commands[-1].startswith("curl")
    assert "[COOLDOWN:restart:payments] success - is healthy" in played.words
    assert "ERROR connection to ledger:5432 lost" in played.words
    assert played.reported["memories"][0]["key"] == "payments:behavior"
    assert played.reported["escalation"] == {"needed": False}


def test_what_has_recovered_meanwhile_is_left_alone() -> None:
    played = handed_over(world([OK]))
    assert played.acts == []
    assert "Nothing is down any more" in played.words
    assert played.reported["escalation"] == {"needed": False}


def test_a_restart_that_is_refused_is_told_and_a_new_container_asked_for_alone() -> None:
    played = handed_over(world([DOWN, OK], restart=(COOLING, True), replace=("Started", False)))
    assert played.acts == [RESTART, REPLACE]
    assert COOLING in played.words
    assert [len(calls(turn)) for turn in played.turns if "tier2-replace" in str(turn.blocks)] == [1]
    assert "[COOLDOWN:redeployment:payments] success" in played.words
    assert "[COOLDOWN:restart" not in played.words
    assert played.reported["memories"][0]["key"] == "payments:remediation"


def test_what_a_person_denies_ends_in_the_report_that_one_is_needed() -> None:
    denied = ("ada denied this call: not before the backup", True)
    played = handed_over(world([DOWN], restart=(COOLING, True), replace=denied))
    assert "[EVENT:critical:payments] Needs a person" in played.words
    assert "not before the backup" in played.reported["summary"]
    assert COOLING in played.reported["summary"]
    assert played.statuses == {"payments": "down"}
    # Tier 3 may do by itself what the person has just denied.
    assert played.reported["escalation"] == {"needed": False}


def test_a_restart_that_ran_and_failed_is_no_reason_for_a_greater_one() -> None:
    played = handed_over(world([DOWN], restart=("Exit code 1\nError: no such container: payments", True)))
    assert played.acts == [RESTART]
    assert "Needs a person" in played.words
    assert "failed: Exit code 1" in played.words


def test_a_restart_that_does_not_help_is_told_as_a_failure() -> None:
    played = handed_over(world([DOWN, DOWN], restart=("payments", False)))
    assert played.acts == [RESTART]
    assert "[COOLDOWN:restart:payments] failure - answers HTTP 503" in played.words
    assert played.statuses == {"payments": "down"}
    assert played.reported["memories"] == []


def test_without_a_tier_before_it_looks_at_everything() -> None:
    played = through(Repair(SERVICES, 2).script, world([DOWN, OK], restart=("payments", False)))
    assert played.statuses == {"shop": "healthy", "search": "degraded", "payments": "healthy"}
    assert played.acts == [RESTART]


def test_a_session_that_waited_goes_on_where_it_stood_however_many_turns_were_counted() -> None:
    place = world([DOWN, OK], restart=(COOLING, True), replace=("Started", False))
    played = handed_over(place)
    known = [
        result for result in played.conversation.results if result.call.input.get("command") != played.commands[-1]
    ]
    asked = played.conversation.result_of("tier2-replace")
    assert isinstance(asked, ToolResult)
    first = played.conversation.result_of("tier2-look-payments")
    assert isinstance(first, ToolResult)
    script = Repair(SERVICES, 2).script
    waited = replace(played.conversation, results=[*known, first], turn=7)
    (verified,) = calls(play(script, waited))
    assert verified.id == "tier2-after-payments"


def test_tier_3_puts_a_new_container_in_its_place_and_hands_what_is_refused_to_people() -> None:
    played = handed_over(world([DOWN, OK], replace=("Started", False)), tier=3)
    assert played.acts == [REPLACE]
    assert played.statuses == {"payments": "healthy"}
    refused = handed_over(world([DOWN], replace=("redeployment of payments: 1 of 1 used in 24 h", True)), tier=3)
    assert refused.acts == [REPLACE]
    assert refused.reported["escalation"]["needed"] is True
    assert "1 of 1 used" in refused.reported["escalation"]["context"]
