"""Lists in pages: nothing twice, nothing left out, however little fits into an answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipc.ctl.errors import REFUSED, CtlError
from ipc.ctl.paging import each, pages


class Worker:
    """Has rows with some ids, and answers at most `fits` of them at a time."""

    def __init__(self, ids: set[int], fits: int) -> None:
        self.ids = sorted(ids, reverse=True)
        self.fits = fits
        self.bodies: list[dict[str, Any]] = []

    def ask(self, subject: str, body: dict[str, Any]) -> dict[str, Any]:
        self.bodies.append(body)
        if "above" in body:
            found = [{"id": id_} for id_ in self.ids[::-1] if id_ > body["above"]][: body["limit"]]
        else:
            found = [{"id": id_} for id_ in self.ids if id_ < (body["before"] or 2**62)][: body["limit"]]
        if len(found) > self.fits:
            raise CtlError(REFUSED, "too_large", "ask for less")
        return {"rows": found}


@given(st.sets(st.integers(1, 400)), st.integers(1, 250), st.integers(0, 300), st.integers(0, 400), st.integers(0, 400))
def test_every_row_comes_once_and_in_order(ids: set[int], fits: int, limit: int, before: int, above: int) -> None:
    worker = Worker(ids, fits)
    found = pages(worker.ask, "x.list", "rows", {}, limit=limit, before=before, above=above)
    wanted = [id_ for id_ in worker.ids if above < id_ < (before or 2**62)][:limit]
    assert [row["id"] for row in found] == wanted


@given(st.sets(st.integers(1, 400)), st.integers(1, 250))
def test_all_rows_come_by_their_ids_a_page_at_a_time(ids: set[int], fits: int) -> None:
    worker = Worker(ids, fits)
    found = each(worker.ask, "x.list", "rows", {"service": "", "all": False})
    assert [row["id"] for row in found] == sorted(ids)
    assert all(body.keys() == {"all", "above", "limit"} for body in worker.bodies)


def test_a_filter_that_is_not_given_is_not_sent() -> None:
    worker = Worker({1}, 10)
    pages(worker.ask, "x.list", "rows", {"level": None, "service": "", "session_id": 7}, limit=5)
    assert worker.bodies == [{"session_id": 7, "before": 0, "limit": 5}]


def test_a_row_that_fits_into_no_answer_is_told() -> None:
    with pytest.raises(CtlError, match="ask for less"):
        pages(Worker({1, 2}, 0).ask, "x.list", "rows", {}, limit=2)
    with pytest.raises(CtlError, match="ask for less"):
        list(each(Worker({1, 2}, 0).ask, "x.list", "rows", {}))
