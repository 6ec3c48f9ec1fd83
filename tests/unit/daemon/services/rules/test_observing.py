"""What a session's report of a service means for it."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules.observing import OUTCOMES, ends, is_news, is_own_word, name_of, verdict, waits
from daemon.services.rules.status import Outcome
from schema.definitions import Definition
from schema.facts import Cause

WEB = Definition(name="shop", url="observed:web", interval=600.0)


def test_it_is_known_by_the_name_in_its_url_or_by_its_own() -> None:
    assert name_of(WEB) == "web"
    assert name_of(Definition(name="shop", url="observed:")) == "shop"


def test_what_a_session_reports_is_what_it_is() -> None:
    assert verdict("healthy", "all is well") == (Outcome.HEALTHY, None, "", ())
    assert verdict("unreachable", "").outcome is Outcome.DOWN
    assert verdict("down", "no answer") == (Outcome.DOWN, Cause.FAILED, "no answer", ())
    assert verdict("degraded", "").detail == "a session reports that it is degraded"
    assert verdict("no idea", "").outcome is Outcome.NOTHING


def test_who_repairs_it_does_not_judge_that_it_works() -> None:
    assert is_own_word("healthy", 7, 7)
    assert not is_own_word("down", 7, 7)
    assert not is_own_word("healthy", 6, 7)
    assert not is_own_word("healthy", None, 7)
    assert not is_own_word("healthy", None, None)


@given(st.sampled_from([*OUTCOMES, "no idea"]), st.booleans())
def test_of_all_reports_only_that_something_is_unreachable_waits_while_this_host_is_cut_off(
    status: str, cut_off: bool
) -> None:
    assert waits(status, cut_off) == (cut_off and status == "unreachable")


@given(st.integers(0, 10**9), st.one_of(st.none(), st.integers(0, 10**9)), st.integers(0, 10**9))
def test_a_report_is_taken_once_and_while_it_holds(reported: int, heard: int | None, now: int) -> None:
    assert is_news(WEB, reported, heard, now) == (reported > (heard or 0) and now < ends(WEB, reported))
    assert not is_news(WEB, reported, reported, now)
