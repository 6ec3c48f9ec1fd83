"""Where a session's log lies: in the results directory, and nowhere else."""

from pathlib import Path

import pytest

from schema.sessions import Session, log_path
from schema.states import SessionStatus, Trigger


def session(log_file: str | None) -> Session:
    return Session(
        id=1,
        tier=1,
        model="m",
        prompt_file="",
        status=SessionStatus.RUNNING,
        trigger=Trigger.MANUAL,
        started_at="x",
        log_file=log_file,
    )


@pytest.mark.parametrize(
    ("log_file", "found"),
    [
        (None, None),
        ("run-1.log", "run-1.log"),
        ("{results}/run-1.log", "run-1.log"),
        ("/etc/passwd", "passwd"),
        ("../state/claudeops.db", "claudeops.db"),
        ("/old/place/run-1.log", "run-1.log"),
    ],
)
def test_only_the_results_directory_is_read(tmp_path: Path, log_file: str | None, found: str | None) -> None:
    named = log_file.format(results=tmp_path) if log_file else None
    path = log_path(session(named), str(tmp_path))
    assert path == (tmp_path / found if found else None)


def test_a_link_out_of_the_results_directory_is_not_followed(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (tmp_path / "secret").write_text("x")
    (results / "run.log").symlink_to(tmp_path / "secret")
    path = log_path(session("run.log"), str(results))
    assert path is not None
    assert path.parent == results
    assert not path.exists()
