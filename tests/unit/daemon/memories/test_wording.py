"""Which observations say the same in other words, and which only look alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.memories.wording import FILLERS, gist, same

SAID = "The first request after a deploy of web takes 8 s."
SOME = ("web", "db", "slow", "not", "after", "before", "at", "8", "80", "the", "is", "restarts", "restart", "-5", "5")
WORDS = st.lists(st.sampled_from(SOME), max_size=9)


def alike(one: str, other: str) -> bool:
    return same(gist(one), gist(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SAID, "first request after deploy of WEB  takes 8 s"),
        ("web is slow after a deploy", "After deploys, web is slow!"),
        ("a restart helps", "Restarts help."),
        ("payments is slow at night", "At night payments is slow"),
        ("it needs its database before it starts", "needs the database before it starts"),
        ("the “pool” (of payments) is full", "pool of payments is full"),
        ("The", "the"),
    ],
)
def test_case_space_punctuation_articles_an_s_and_where_a_clause_stands_do_not_count(one: str, other: str) -> None:
    assert alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SAID, SAID.replace("8", "80")),
        (SAID, SAID.replace("after", "before")),
        (SAID, SAID.replace("web", "db")),
        ("a restart helps", "a restart does not help"),
        ("a restart helps", "no restart helps"),
        ("web depends on db", "db depends on web"),
        ("web starts before db", "db starts before web"),
        ("web is blocked", "web is blocking"),
        ("the backup is enabled", "the backup is disabled"),
        ("the offset is 5 s", "the offset is -5 s"),
        ("it takes .5 s", "it takes 5 s"),
        ("latency > 5 s", "latency < 5 s"),
        ("web-1 is slow", "web-2 is slow"),
        ("slow at night", "slow on Mondays"),
        ("slow at night, quick at noon", "quick at night, slow at noon"),
        ("if web fails, db is up", "if db is up, web fails"),
        ("it is slow", "it was slow"),
        ("restart web, then db", "restart db, then web"),
        ("The", "A"),
        ("", "slow"),
    ],
)
def test_what_contradicts_or_is_about_something_else_is_not_the_same(one: str, other: str) -> None:
    assert not alike(one, other)
    assert not alike(other, one)


@given(WORDS, WORDS)
def test_it_holds_both_ways_and_what_is_the_same_has_the_same_words(one: list[str], other: list[str]) -> None:
    first, second = " ".join(one), " ".join(other)
    assert alike(first, first)
    assert alike(first, second) == alike(second, first)
    if alike(first, second):
        kept = [[word.removesuffix("s") for word in words if word not in FILLERS] for words in (one, other)]
        assert sorted(kept[0]) == sorted(kept[1])


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert alike(one, one)
    assert alike(one, other) == alike(other, one)
