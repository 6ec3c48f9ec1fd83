"""Tags given to several services at once, and taken from them."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules.tags import tagged

TAGS = st.lists(st.sampled_from(("prod", "Prod", "eu", "EU", "night")), max_size=5)


@given(before=TAGS, add=TAGS, remove=TAGS)
def test_what_is_given_is_there_once_what_is_taken_is_not_and_the_rest_stays(
    before: list[str], add: list[str], remove: list[str]
) -> None:
    found = tagged(before, add, remove)
    folded = [tag.casefold() for tag in found]
    gone = {tag.casefold() for tag in remove}
    assert len(folded) == len(set(folded))
    assert set(folded) == {tag.casefold() for tag in (*before, *add)} - gone
    # As it was written first.
    assert all(tag in (*before, *add) for tag in found)
    assert tagged(found, add, remove) == found
