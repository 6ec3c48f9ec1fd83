"""What goes where, when, and in which words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.notifications import rules
from daemon.notifications.rules import Channel, Pace, Share
from schema.notifications import Kind

NOW = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
LEVELS = st.sampled_from(rules.LEVELS)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_pause_lies_between_ten_seconds_and_a_quarter_of_an_hour(attempts: int, jitter: float) -> None:
    assert 10.0 <= rules.pause(attempts, Pace(), jitter) <= 900.0


@given(st.integers(1, 100), st.floats(0, 1), st.floats(0, 1))
def test_a_pause_never_gets_shorter_and_jitter_only_spreads_it(attempts: int, jitter: float, other: float) -> None:
    assert rules.pause(attempts, Pace(), jitter) <= rules.pause(attempts + 1, Pace(), jitter)
    first, second = rules.pause(attempts, Pace(), jitter), rules.pause(attempts, Pace(), other)
    assert first <= second * 1.25 + 1e-9


def test_the_first_pauses_double() -> None:
    found = [rules.pause(attempts, Pace(), 0.0) for attempts in range(1, 9)]
    assert found == [10, 20, 40, 80, 160, 320, 640, 900]


def test_what_fails_for_a_day_is_given_up() -> None:
    assert rules.wait(NOW, NOW, Pace()) == 0
    assert rules.wait(NOW + timedelta(seconds=900), NOW, Pace()) == 900
    assert rules.wait(NOW + timedelta(seconds=901), NOW, Pace()) == 0, "the clock was set back"
    assert not rules.over(NOW, NOW + timedelta(hours=23, minutes=59), Pace())
    assert rules.over(NOW, NOW + timedelta(hours=24), Pace())


@given(st.integers(0, 500), st.lists(st.floats(0, 1000), max_size=40), st.integers(1, 20))
def test_no_more_messages_a_minute_than_the_rate(waiting: int, sent: list[float], rate: int) -> None:
    now, moments = 1000.0, sorted(sent)
    recent = [moment for moment in moments if now - moment < 60]
    share = rules.share(waiting, moments, now, rate)
    if share.wait:
        assert len(recent) >= rate
        assert share == Share(0, wait=share.wait)
        assert len([moment for moment in recent if now + share.wait + 0.001 - moment < 60]) < rate or share.wait == 0.05
    else:
        assert share.singles + (share.gather > 0) <= max(0, rate - len(recent))
        assert share.gather or share.singles == waiting or share.singles + 1 == rate - len(recent)
        assert not waiting or share.singles or share.gather


@given(st.integers(0, 20), st.integers(1, 20), st.data())
def test_what_a_minute_has_room_for_is_told_by_name_and_all_of_it_within_that_minute(
    used: int, rate: int, data: st.DataObject
) -> None:
    free = rate - min(used, rate - 1)
    waiting = data.draw(st.integers(1, free * rules.GATHERED_LINES))
    moments = [1000.0] * (rate - free)
    while waiting:
        share = rules.share(waiting, moments, 1001.0, rate)
        assert not share.wait
        assert share.gather <= rules.GATHERED_LINES
        waiting -= share.gather or share.singles
        moments += [1000.5] * (1 if share.gather else share.singles)
    assert len(moments) <= rate


def test_more_than_that_is_told_in_as_few_messages_as_can_be() -> None:
    assert rules.share(300, [], 0.0, 10) == Share(0, gather=30)
    assert rules.share(301, [], 0.0, 10) == Share(0, gather=rules.GATHER_MAX)


@given(st.integers(0, 100_000), st.lists(st.floats(0, 60), max_size=5))
def test_without_a_rate_everything_goes_one_by_one(waiting: int, sent: list[float]) -> None:
    assert rules.share(waiting, sent, 60.0, 0) == Share(waiting)


def test_channels_have_a_name_that_tells_nothing_and_are_each_there_once() -> None:
    text = "slack://AAA/BBB/CCC, mailto://ops:pw@example.org?to=a@b.org,c@d.org slack://AAA/BBB/CCC"
    found, problems = rules.channels(text)
    assert [channel.kind for channel in found] == ["slack", "mailto"]
    assert found[1].url == "mailto://ops:pw@example.org?to=a@b.org,c@d.org"
    assert all(len(channel.name) == len(channel.kind) + 5 for channel in found)
    assert "pw" not in repr(found)
    assert problems == []
    assert rules.channels("nonsense, json://x/y")[1] == [
        "CLAUDEOPS_APPRISE_URLS: part 1 is no apprise URL, such as ntfys://ntfy.sh/topic"
    ]
    assert rules.channels("  ") == ([], [])


@given(st.lists(st.integers(0, 10**9), max_size=300, unique=True))
def test_no_two_channels_have_the_same_name(numbers: list[int]) -> None:
    found, _ = rules.channels(",".join(f"json://host/{number}" for number in numbers))
    assert len({channel.name for channel in found}) == len(found) == len(numbers)


MAIL, CHAT = Channel("mailto-1a2b", "mailto://x"), Channel("slack-3f2a", "slack://y")


@pytest.mark.parametrize(
    ("text", "channel", "kind", "level", "told"),
    [
        ("", CHAT, Kind.EVENT, "warning", True),
        ("", CHAT, Kind.EVENT, "info", False),
        ("", CHAT, Kind.DIGEST, "info", True),
        ("slack=critical", CHAT, Kind.EVENT, "warning", False),
        ("slack=critical", MAIL, Kind.EVENT, "warning", True),
        ("slack-3f2a=info, slack=critical", CHAT, Kind.EVENT, "info", True),
        ("mailto=digest+budget", MAIL, Kind.EVENT, "critical", False),
        ("mailto=digest+budget", MAIL, Kind.BUDGET, "warning", True),
        ("mailto=digest+budget", MAIL, Kind.BUDGET, "info", False),
        ("slack=event", CHAT, Kind.DIGEST, "info", False),
        ("mailto=none", MAIL, Kind.ATTENTION, "critical", False),
        ("mailto=none", MAIL, Kind.TEST, "info", True),
    ],
)
def test_rules_say_which_channel_is_told_what(text: str, channel: Channel, kind: Kind, level: str, told: bool) -> None:
    assert rules.wants(channel, kind, level, rules.channel_rules(text), "warning", ()) is told


def test_what_is_for_one_channel_goes_to_no_other() -> None:
    assert rules.wants(CHAT, Kind.TEST, "info", {}, "warning", "slack-3f2a")
    assert not rules.wants(MAIL, Kind.TEST, "info", {}, "warning", "slack-3f2a")


@pytest.mark.parametrize("text", ["slack", "slack=", "=info", "slack=loud", "slack=info+critical", "slack=event+"])
def test_what_is_no_rule_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match=r"of the form|neither a level|more than one level"):
        rules.channel_rules(text)


def test_quiet_hours_are_local_and_pass_midnight() -> None:
    zone = timezone(timedelta(hours=2))
    assert rules.quiet("22:00-06:30", datetime(2026, 1, 31, 23, 0, tzinfo=zone))
    assert rules.quiet("22:00-06:30", datetime(2026, 1, 31, 6, 29, tzinfo=zone))
    assert not rules.quiet("22:00-06:30", datetime(2026, 1, 31, 6, 30, tzinfo=zone))
    assert not rules.quiet("", datetime(2026, 1, 31, 23, 0, tzinfo=zone))
    assert rules.urgent(Kind.EVENT, "critical")
    assert rules.urgent(Kind.TEST, "info")
    assert not rules.urgent(Kind.APPROVAL, "warning")


def test_the_digest_is_due_from_its_time_to_the_end_of_the_day() -> None:
    assert rules.digest_day("08:00", NOW.replace(hour=7, minute=59)) is None
    assert rules.digest_day("08:00", NOW) == "2026-01-31"
    assert rules.digest_day("8:00", NOW.replace(hour=23, minute=59)) == "2026-01-31"
    assert rules.digest_day("", NOW) is None


@given(st.lists(st.tuples(st.integers(1, 10**6), LEVELS, st.text(max_size=120)), min_size=2, max_size=200))
def test_many_in_one_message_say_how_many_and_the_worst_comes_first(items: list[tuple[int, str, str]]) -> None:
    found = rules.gathered(items, "")
    worst = max(rules.LEVELS.index(level) for _, level, _ in items)
    assert found.level == rules.LEVELS[worst]
    assert found.title == f"[{found.level}] {len(items)} notifications"
    assert found.body.startswith(f"[{found.level}] ")
    assert found.body.endswith(f"notifications {items[0][0]} to {items[-1][0]}")


def test_a_message_has_its_number_and_its_link_only_where_the_address_is_known() -> None:
    link = rules.address("https://ops.example.org/", "/approvals/7")
    assert link == "https://ops.example.org/approvals/7"
    assert rules.address("", "/approvals/7") == ""
    found = rules.words(3, "info", "t", "b", link)
    assert found.body == f"b\n\n{link}\n\nClaude Ops, notification 3"
    assert rules.head("a\nb") == "a"
    assert len(rules.head("x" * 500)) == 120
    assert rules.head("") == ""
