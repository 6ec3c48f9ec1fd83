"""The demo's tier 1, played without a server."""

from daemon.demo.observe import REBUILDING, check
from tests.unit.daemon.demo.played import DOWN, OK, SERVICES, World, through


def test_what_is_down_is_looked_at_twice_and_handed_on_and_nothing_is_changed() -> None:
    played = through(check(SERVICES), World())
    assert played.statuses == {"shop": "healthy", "search": "degraded", "payments": "down"}
    assert len([command for command in played.commands if command.endswith("http://p")]) == 2
    assert played.acts == []
    assert "[EVENT:critical:payments] answers HTTP 503 in 2 ms: no ledger" in played.words
    assert played.reported["escalation"] == {
        "needed": True,
        "reason": "payments answers HTTP 503 in 2 ms: no ledger.",
        "context": "Looked at twice. docker ps: payments    Up 9 minutes (unhealthy).",
        "failed_checks": ["http payments"],
    }


def test_where_a_person_has_been_asked_already_nothing_is_handed_on() -> None:
    world = World()
    world.approvals = "ID  STATUS   CALL\n1   waiting  docker compose up -d payments\n"
    played = through(check(SERVICES), world)
    assert played.statuses["payments"] == "down"
    assert played.reported["escalation"] == {"needed": False}
    assert "a person has been asked about it already" in played.reported["summary"]


def test_a_person_who_was_asked_about_something_else_does_not_count() -> None:
    world = World()
    world.approvals = "ID  STATUS   CALL\n1   waiting  docker compose up -d shop\n"
    assert through(check(SERVICES), world).reported["escalation"]["needed"] is True


def test_with_nothing_down_nobody_is_asked_and_nothing_is_handed_on() -> None:
    played = through(check(SERVICES), World(payments=OK))
    assert played.statuses == {"shop": "healthy", "search": "degraded", "payments": "healthy"}
    assert "docker" not in str(played.commands)
    assert played.reported["escalation"] == {"needed": False}


def test_a_service_that_recovers_meanwhile_is_told_as_recovered() -> None:
    played = through(check(SERVICES), World(payments=[DOWN, OK]))
    assert played.statuses["payments"] == "healthy"
    assert "Was down at first and healthy when looked at again." in played.words
    assert played.reported["escalation"] == {"needed": False}


def test_why_search_is_slow_is_remembered_in_the_same_words_each_time() -> None:
    said = [through(check(SERVICES), World(payments=text)).reported["memories"] for text in (OK, DOWN)]
    assert said == [[REBUILDING.json()]] * 2
    assert through(check(SERVICES), World(search=OK)).reported["memories"] == []


def test_without_a_schema_the_words_are_the_end() -> None:
    played = through(check(SERVICES), World(), tools=frozenset())
    assert played.turns[-1].stop_reason == "end_turn"
    assert "What I found" in played.words


def test_the_tempo_decides_how_long_a_check_lasts() -> None:
    def lasts(tempo: float) -> float:
        return sum(turn.before_s + turn.pace_s for turn in through(check(SERVICES, tempo), World()).turns)

    assert lasts(0) == 0
    assert lasts(1) > 8
