"""Where a reader goes on, by its own last id or by the address."""

import pytest

from schema.sessions import Session
from schema.states import SessionStatus, Trigger
from webui.live.pages import start_number, wanted
from webui.live.transcript import start_offset


@pytest.mark.parametrize(
    ("last", "at", "offset"),
    [
        (None, None, 0),
        (None, "7", 7),
        ("9", "7", 9),
        ("x", "7", 7),
        ("-1", "٣", 0),
        ("9" * 30, "", 0),
    ],
)
def test_the_last_id_wins_over_the_address(last: str | None, at: str | None, offset: int) -> None:
    assert start_offset(last, at) == offset


@pytest.mark.parametrize(("last", "number"), [(None, 0), ("e:7", 7), ("other:7", 0), ("e:", 0), ("e:x", 0), ("7", 0)])
def test_a_number_of_another_epoch_counts_for_nothing(last: str | None, number: int) -> None:
    assert start_number(last, "e") == number


def session(id_: int, tier: int = 1) -> Session:
    return Session(
        id=id_,
        tier=tier,
        model="m",
        prompt_file="f",
        status=SessionStatus.RUNNING,
        trigger=Trigger.MANUAL,
        started_at="x",
    )


def test_a_list_wants_its_own_rows_and_new_ones_that_match() -> None:
    wants = wanted({"shown": "3,4,x", "above": "9", "tier": "2"})
    assert [id_ for id_ in range(12) if wants(session(id_))] == [3, 4]
    assert [id_ for id_ in range(12) if wants(session(id_, 2))] == [3, 4, 10, 11]
    older = wanted({"shown": "3"})
    assert [id_ for id_ in range(12) if older(session(id_))] == [3]
