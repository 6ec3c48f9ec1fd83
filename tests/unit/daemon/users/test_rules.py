"""How long a sign-in lasts; which failed ones become lines of the audit log: the first of each person."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from daemon.users.rules import ALL_MAX, SUBJECT_MAX, expiry, left

SINCE, BEFORE, AFTER = "2026-01-31T08:00:00.000Z", "2026-01-31T07:59:59.999Z", "2026-01-31T08:30:00.000Z"


def test_so_many_lines_on_one_subject_and_no_more_until_they_are_old() -> None:
    lines = [(AFTER, "ada")] * (SUBJECT_MAX - 1)
    assert left(lines, "ada", SINCE) == 1
    assert left([*lines, (AFTER, "ada")], "ada", SINCE) == 0
    assert left([*lines, (BEFORE, "ada")], "ada", SINCE) == 1


def test_who_fails_with_names_that_nobody_has_hides_no_attack_on_a_person() -> None:
    assert left([(AFTER, "nobody")] * SUBJECT_MAX, "ada", SINCE) == SUBJECT_MAX


def test_all_people_together_are_bounded_too() -> None:
    lines = [(AFTER, f"person {number}") for number in range(ALL_MAX)]
    assert left(lines, "ada", SINCE) == 0


@given(st.lists(st.sampled_from(["ada", "bo", "nobody"]), max_size=200))
def test_an_attack_of_any_order_leaves_no_more_lines_than_the_bound(subjects: list[str]) -> None:
    lines: list[tuple[str, str]] = []
    for subject in subjects:
        if left(lines[:ALL_MAX], subject, SINCE):
            lines.insert(0, (AFTER, subject))
    assert all([one for _, one in lines].count(subject) <= SUBJECT_MAX for subject in set(subjects))
    assert set(subjects) == {subject for _, subject in lines}


@given(st.lists(st.integers(0, 20 * 24), max_size=60), st.integers(1, 30), st.integers(1, 90))
def test_a_sign_in_ends_without_use_and_at_last_however_much_it_is_used(hours: list[int], days: int, most: int) -> None:
    now = begun = datetime(2026, 1, 31, 8, tzinfo=UTC)
    ends = expiry(begun, now, days, most)
    for gap in hours:
        now += timedelta(hours=gap)
        if now >= ends:
            break
        ends = expiry(begun, now, days, most)
        assert now < ends <= begun + timedelta(days=most)
    assert ends in (now + timedelta(days=days), begun + timedelta(days=most)) or now >= ends
