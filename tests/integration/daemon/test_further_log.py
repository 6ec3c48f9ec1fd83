"""Where the log of a session goes on that waited for a person, when the database was put back elsewhere meanwhile."""

from pathlib import Path

import pytest

from daemon.sessions import prepare
from schema.sessions import Session
from schema.settings import Settings
from schema.states import SessionStatus, Trigger

NAME = "run-20260131-080000.log"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The results directory of now."""
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


def found(results: Path, log: Path) -> tuple[Path, int]:
    session = Session(
        id=1,
        tier=2,
        model="m",
        prompt_file="p",
        status=SessionStatus.AWAITING_APPROVAL,
        trigger=Trigger.MANUAL,
        started_at="t",
        log_file=str(log),
        log_offset=10,
    )
    return prepare.further_log(Settings(results_dir=str(results)), session)


def test_it_goes_on_where_it_is(results: Path, tmp_path: Path) -> None:
    log = tmp_path / NAME
    log.write_bytes(b"x" * 30)
    assert found(results, log) == (log, 10)
    assert list(results.iterdir()) == []


def test_one_that_was_brought_along_is_found_by_its_name(results: Path, tmp_path: Path) -> None:
    (results / NAME).write_bytes(b"x" * 30)
    assert found(results, tmp_path / "elsewhere" / NAME) == (results / NAME, 10)


def test_one_that_was_not_begins_anew(results: Path, tmp_path: Path) -> None:
    assert found(results, tmp_path / "elsewhere" / NAME) == (results / NAME, 0)
    assert (results / NAME).read_bytes() == b""


def test_one_that_was_copied_before_it_was_read_to_its_offset_is_read_from_its_end(
    results: Path, tmp_path: Path
) -> None:
    (results / NAME).write_bytes(b"x" * 4)
    assert found(results, tmp_path / "elsewhere" / NAME) == (results / NAME, 4)
