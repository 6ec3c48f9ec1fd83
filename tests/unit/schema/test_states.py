"""Life cycles: what is listed may follow, and nothing else."""

from itertools import product

import pytest

from schema.states import MEANING, SESSION, SessionStatus, TransitionError, follow

PAIRS = list(product(SessionStatus, SessionStatus))
LISTED = {
    *(
        ("running", end)
        for end in ("completed", "failed", "timed_out", "stopped", "interrupted", "escalated", "awaiting_approval")
    ),
    ("completed", "escalated"),
    *(("awaiting_approval", after) for after in ("running", "stopped", "interrupted", "failed")),
}


@pytest.mark.parametrize(("current", "wanted"), PAIRS)
def test_a_listed_pair_follows_and_any_other_raises(current: SessionStatus, wanted: SessionStatus) -> None:
    if (current.value, wanted.value) in LISTED:
        assert follow(SESSION, current, wanted) is wanted
    else:
        with pytest.raises(TransitionError, match=f"{current.value} can't become {wanted.value}"):
            follow(SESSION, current, wanted)


def test_every_status_has_its_row_and_its_meaning() -> None:
    assert set(SESSION) == set(MEANING) == set(SessionStatus)


def test_every_status_can_be_reached_from_running() -> None:
    reached, edge = {SessionStatus.RUNNING}, {SessionStatus.RUNNING}
    while edge:
        edge = {after for status in edge for after in SESSION[status]} - reached
        reached |= edge
    assert reached == set(SessionStatus)
