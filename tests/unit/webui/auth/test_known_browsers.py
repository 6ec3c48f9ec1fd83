"""A browser in which somebody signed in before: known to that person, with that password, and to nobody else."""

from hypothesis import given
from hypothesis import strategies as st

from webui.auth.known_browsers import COUNTED_AS, VALUE_MAX, counted_as, value

HASH = "$argon2id$v=19$m=32768,t=3,p=1$c2FsdA$aGFzaA"


def test_it_counts_apart_and_the_same_each_time() -> None:
    one, other = value(1, HASH, "one"), value(1, HASH, "other")
    assert counted_as(one, 1, HASH).startswith(COUNTED_AS)
    assert counted_as(one, 1, HASH) == counted_as(one, 1, HASH) != counted_as(other, 1, HASH)
    assert "one" not in counted_as(one, 1, HASH).removeprefix(COUNTED_AS)


def test_it_is_unknown_to_another_person_with_another_password_and_to_nobody() -> None:
    shown = value(1, HASH, "nonce")
    assert counted_as(shown, 2, HASH) == ""
    assert counted_as(shown, 1, HASH + "x") == ""
    assert counted_as(shown, 1, None) == ""
    assert counted_as(shown, None, None) == ""
    assert counted_as("other" + shown, 1, HASH) == ""


@given(st.one_of(st.text(max_size=VALUE_MAX + 50), st.text(st.characters(codec="ascii"))))
def test_what_was_made_up_is_unknown(shown: str) -> None:
    assert counted_as(shown, 1, HASH) == ""


def test_it_says_nothing_of_the_password() -> None:
    assert HASH not in value(1, HASH, "nonce")
