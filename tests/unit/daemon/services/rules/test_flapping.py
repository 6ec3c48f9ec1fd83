"""Whether a service comes and goes, and from when on it does no more."""

from daemon.services.rules.flapping import calm, flaps, stays

HOUR = 3_600_000


def test_what_changes_often_enough_within_the_window_comes_and_goes() -> None:
    ends = [1, *range(HOUR, HOUR + 5)]
    assert not flaps(ends, HOUR + 4, window_ms=HOUR, changes=6)
    assert flaps(ends, HOUR, window_ms=HOUR, changes=2)
    assert not flaps([], HOUR, window_ms=HOUR, changes=0)


def test_what_has_not_changed_for_a_whole_window_is_steady_whether_it_works_or_not() -> None:
    assert not calm(5, HOUR + 4, window_ms=HOUR)
    assert calm(5, HOUR + 5, window_ms=HOUR)


def test_what_is_out_for_longer_than_it_takes_to_change_on_average_stays_out() -> None:
    assert not stays(5, HOUR // 6 + 4, window_ms=HOUR, changes=6)
    assert stays(5, HOUR // 6 + 5, window_ms=HOUR, changes=6)
