"""Where a reader goes on, by its own last id or by the address."""

import pytest

from schema.knowledge import Event
from schema.sessions import Session
from schema.states import SessionStatus, Trigger
from webui.live.chain import place
from webui.live.pages import start_number, wanted
from webui.live.rows import Changed, Html
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


def changed(kind: str, id_: int, value: object = None) -> Changed:
    return Changed(1, kind, id_, value, Html("", ""))


def test_a_list_wants_its_own_rows_and_new_ones_that_match() -> None:
    wants = wanted("sessions", {"shown": "3,4,x", "above": "9", "tier": "2"})
    assert [id_ for id_ in range(12) if wants(changed("session", id_, session(id_)))] == [3, 4]
    assert [id_ for id_ in range(12) if wants(changed("session", id_, session(id_, 2)))] == [3, 4, 10, 11]
    older = wanted("sessions", {"shown": "3"})
    assert [id_ for id_ in range(12) if older(changed("session", id_, session(id_)))] == [3]
    assert not wants(changed("approval", 3))


def test_the_page_of_one_approval_wants_that_one_and_the_list_all() -> None:
    assert [id_ for id_ in range(4) if wanted("approvals", {"only": "2"})(changed("approval", id_))] == [2]
    assert wanted("approvals", {})(changed("approval", 9))
    assert not wanted("approvals", {})(changed("session", 9, session(9)))


def test_events_are_wanted_above_a_number_and_by_their_filters() -> None:
    def event(id_: int, level: str = "info", service: str | None = "web") -> Changed:
        return changed("event", id_, Event(id=id_, level=level, service=service, message="m", created_at="x"))

    wants = wanted("events", {"above": "5", "level": "info", "service": "web"})
    assert wants(event(6))
    assert not wants(event(5))
    assert not wants(event(6, "warning"))
    assert not wants(event(6, service=None))
    assert not wanted("events", {"level": "info"})(event(6))


def test_a_page_without_rows_wants_none() -> None:
    assert not wanted("overview", {})(changed("approval", 1))


@pytest.mark.parametrize(
    ("last", "at", "found"),
    [
        (None, None, None),
        (None, "s3-7", (3, 7)),
        ("s4-0", "s3-7", (4, 0)),
        ("x", "s3-7", (3, 7)),
        (None, "3-7", None),
        (None, f"s{'9' * 30}-1", None),
    ],
)
def test_a_place_in_a_chain_is_a_session_and_an_offset(
    last: str | None, at: str | None, found: tuple[int, int] | None
) -> None:
    assert place(last, at) == found
