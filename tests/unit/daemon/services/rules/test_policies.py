"""What an incident starts and who is told: the service before its tags, its tags before the settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules import policies
from daemon.services.rules.policies import Done, Policy, by_tag, of, reminds, starts
from schema.definitions import Definition, Kind
from schema.settings import Settings

WEB = Definition(name="web", url="http://web/", tags=("Prod", "eu"))


def test_without_a_rule_nothing_is_started_and_people_are_told_now_and_then() -> None:
    assert of(WEB, [], Settings()) == Policy(remind=14400.0)


def test_a_rule_of_a_tag_goes_before_the_settings_and_the_service_before_both() -> None:
    rules = by_tag(
        "prod=tier:2+after:3+cooldown:2h, eu=tier:1+remind:30m+mute, *=notify:slack|NTFY+from:warning, x=tier:3"
    )
    held = of(WEB, rules, Settings(incident_tier=3, incident_after=9))
    assert held == Policy(2, 3, 7200.0, 1800.0, True, ("slack", "ntfy"), "warning", "CLAUDEOPS_SERVICE_RULES prod")
    own = Definition(
        name="web", url="http://web/", tags=("prod",), session_tier=0, session_after=1, session_cooldown=0.0,
        remind=60.0, notify=("Mailto",), notify_from="critical",
    )  # fmt: skip
    said = Policy(0, 1, 0.0, 60.0, False, ("mailto",), "critical", "session_tier of the service")
    assert of(own, rules, Settings()) == said


def test_no_tier_goes_above_the_highest_that_may_run() -> None:
    assert of(WEB, by_tag("prod=tier:3"), Settings(max_tier=2)).tier == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prod", "is not of the form"),
        ("prod=", "is not of the form"),
        ("prod=tier:4", "a tier is 1, 2 or 3"),
        ("prod=tier", "a tier is 1, 2 or 3"),
        ("prod=after:0", "1 to 1000"),
        ("prod=cooldown:2w", "90s, 30m, 2h, 1d"),
        ("prod=remind:40d", "at most 31d"),
        ("prod=notify:a b", "is no channel"),
        ("prod=from:info", "one of critical, warning"),
        ("prod=loud", "there are tier, after, cooldown"),
        ("prod=mute:yes", "and mute"),
    ],
)
def test_what_is_no_rule_is_named_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        by_tag(text)


@given(st.text(alphabet="prod=*,+:tierafcmunyl0123hdm|. ", max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        rules = by_tag(text)
    except ValueError:
        return
    held = of(WEB, rules, Settings())
    assert held.tier in policies.TIERS
    assert 0 <= held.cooldown <= policies.SPAN_MAX


TIMES = st.integers(0, 10**7)


@given(st.integers(0, 3), st.integers(1, 5), st.integers(0, 9), st.booleans(), st.booleans(), TIMES, TIMES)
def test_a_session_starts_once_not_beside_another_and_not_before_its_cooldown_is_over(
    tier: int, after: int, failures: int, queued: bool, working: bool, ended: int, passed: int
) -> None:
    policy = Policy(tier=tier, after=after, cooldown=3600.0)
    done = Done(queued, working, ended)
    begins = starts(policy, Kind.HTTP, failures, done, ended + passed)
    assert begins == (tier > 0 and not queued and not working and failures >= after and passed >= 3_600_000)


def test_what_tells_of_itself_needs_no_second_failure() -> None:
    assert starts(Policy(tier=1, after=5), Kind.HEARTBEAT, 1, Done(), 0)
    assert not starts(Policy(tier=1, after=5), Kind.TCP, 1, Done(), 0)


@given(st.floats(0, 10**5), st.booleans(), st.integers(0, 10**9))
def test_people_are_told_again_after_the_time_that_was_set_unless_it_is_mute(
    remind: float, mute: bool, passed: int
) -> None:
    due = reminds(Policy(remind=remind, mute=mute), 1000, 1000 + passed)
    assert due == (not mute and remind > 0 and passed >= remind * 1000)
