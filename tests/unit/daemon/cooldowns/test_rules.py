"""How often a service may be restarted or redeployed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.cooldowns import rules
from daemon.cooldowns.rules import Action, Counted, Limit
from daemon.limits.kinds import Found, Kind
from schema.settings import Settings

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
TWO_IN_FOUR_HOURS = Limit(2, 14400)


def ago(**how_long: float) -> datetime:
    return NOW - timedelta(**how_long)


def test_two_restarts_in_four_hours_and_one_redeployment_in_a_day_are_the_defaults() -> None:
    assert rules.limit_of(Settings(), Action.RESTART) == TWO_IN_FOUR_HOURS
    assert rules.limit_of(Settings(), Action.REDEPLOYMENT) == Limit(1, 86400)


@pytest.mark.parametrize(
    ("actions", "used", "next_at"),
    [
        ([], 0, None),
        ([ago(hours=1)], 1, None),
        ([ago(hours=1), ago(hours=3)], 2, NOW + timedelta(hours=1)),
        ([ago(hours=1), ago(hours=2), ago(hours=3)], 3, NOW + timedelta(hours=2)),
        ([ago(hours=1), ago(hours=4)], 1, None),
        ([ago(hours=1), ago(hours=3, minutes=59, seconds=59)], 2, NOW + timedelta(seconds=1)),
    ],
)
def test_what_is_used_and_when_one_more_is_allowed(
    actions: list[datetime], used: int, next_at: datetime | None
) -> None:
    found = rules.use(TWO_IN_FOUR_HOURS, actions, NOW)
    assert (found.used, found.next_at, found.blocked) == (used, next_at, next_at is not None)


@given(
    ages=st.lists(st.integers(0, 20000), max_size=8),
    most=st.integers(1, 4),
    window=st.integers(1, 15000),
)
def test_one_more_is_allowed_at_the_time_that_is_told_and_not_a_second_before(
    ages: list[int], most: int, window: int
) -> None:
    limit = Limit(most, window)
    actions = [ago(seconds=age) for age in ages]
    found = rules.use(limit, actions, NOW)
    assert found.blocked == (found.next_at is not None)
    if found.next_at is not None:
        assert found.next_at > NOW
        assert not rules.use(limit, actions, found.next_at).blocked
        assert rules.use(limit, actions, found.next_at - timedelta(seconds=1)).blocked


def test_a_limit_of_none_blocks_for_ever() -> None:
    found = rules.use(Limit(0, 60), [], NOW)
    assert (found.blocked, found.next_at) == (True, None)
    assert rules.refusal(Counted(Action.RESTART, "web"), found, NOW) == "restart of web: none is allowed"


def test_the_sentence_names_what_is_used_and_when_the_next_is_possible() -> None:
    one = Counted(Action.RESTART, "web")
    used = rules.use(TWO_IN_FOUR_HOURS, [ago(hours=1), ago(hours=1, minutes=55)], NOW)
    assert rules.refusal(one, used, NOW) == "restart of web: 2 of 2 used in 4 h, next at 14:05 UTC"
    day = rules.use(Limit(1, 86400), [ago(hours=1, seconds=-30)], NOW)
    sentence = rules.refusal(Counted(Action.REDEPLOYMENT, "web"), day, NOW)
    assert sentence == "redeployment of web: 1 of 1 used in 24 h, next at 01 Feb 11:01 UTC"


def test_what_a_call_uses_in_words() -> None:
    used = rules.use(TWO_IN_FOUR_HOURS, [ago(hours=1)], NOW)
    assert rules.usage(Counted(Action.RESTART, "web"), used) == "restart of web: 2 of 2 in 4 h"


@pytest.mark.parametrize(("seconds", "text"), [(14400, "4 h"), (5400, "90 min"), (45, "45 s"), (86400, "24 h")])
def test_a_span_in_words(seconds: int, text: str) -> None:
    assert rules.span(seconds) == text


def test_what_of_a_call_is_counted() -> None:
    found = [
        Found(Kind.READ, "docker ps", "web"),
        Found(Kind.RESTART, "docker restart web", "web"),
        Found(Kind.RESTART, "systemctl restart db.service", "db.service", host="far"),
        Found(Kind.REDEPLOYMENT, "docker compose up -d"),
        Found(Kind.CHANGE, "docker stop web", "web"),
    ]
    assert rules.counted(found) == [Counted(Action.RESTART, "web"), Counted(Action.RESTART, "db")]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (Found(Kind.RESTART, "docker restart web", "web"), None),
        (Found(Kind.RESTART, "docker restart web", "web", through=("sudo", "ssh far")), None),
        (Found(Kind.RESTART, "docker compose restart"), "its target is not known"),
        (Found(Kind.READ, "docker ps", through=("xargs",)), None),
        (Found(Kind.RESTART, "docker restart web", "web", through=("xargs",)), "it can't be told how often it is done"),
        (
            Found(Kind.RESTART, "docker restart web", "web", through=("find -exec",)),
            "it can't be told how often it is done",
        ),
    ],
)
def test_what_can_not_be_counted(found: Found, why: str | None) -> None:
    told = rules.uncountable([Found(Kind.READ, "true"), found])
    assert told == (None if why is None else (found, why))


def test_one_call_that_does_the_same_twice_is_seen() -> None:
    web, db = Counted(Action.RESTART, "web"), Counted(Action.RESTART, "db")
    assert rules.twice([web, db, Counted(Action.REDEPLOYMENT, "web")]) is None
    assert rules.twice([web, db, web]) == web


def test_a_list_shows_when_the_oldest_stops_counting_or_when_one_more_is_allowed() -> None:
    assert rules.resets_at(TWO_IN_FOUR_HOURS, [], NOW) is None
    assert rules.resets_at(TWO_IN_FOUR_HOURS, [ago(hours=1)], NOW) == NOW + timedelta(hours=3)
    three = [ago(hours=1), ago(hours=2), ago(hours=3)]
    assert rules.resets_at(TWO_IN_FOUR_HOURS, three, NOW) == NOW + timedelta(hours=2)
