"""Windows of a log: whole lines, backwards without gap or overlap, only from the results directory."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.sessions import Session
from schema.states import SessionStatus, Trigger
from tests.fixtures.examples import part
from webui.pages import log_files


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
    path = log_files.path_of(session(named), str(tmp_path))
    assert path == (tmp_path / found if found else None)


def test_a_link_out_of_the_results_directory_is_not_followed(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (tmp_path / "secret").write_text("x")
    (results / "run.log").symlink_to(tmp_path / "secret")
    path = log_files.path_of(session("run.log"), str(results))
    assert path is not None
    assert path.parent == results
    assert not path.exists()


@settings(max_examples=part(0.4), deadline=None)
@given(st.lists(st.integers(0, 300), min_size=0, max_size=120), st.integers(3, 30), st.booleans())
def test_going_back_window_by_window_gives_every_line_once(lengths: list[int], window: int, whole: bool) -> None:
    import tempfile

    lines = [f"{number}".encode() + b"x" * length for number, length in enumerate(lengths)]
    data = b"".join(line + b"\n" for line in lines)
    if not whole:
        data = data[:-1]
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_files, "WINDOW_LINES", window)
        patch.setattr(log_files, "BLOCK", 97)
        path = Path(directory) / "log"
        path.write_bytes(data)
        found: list[bytes] = []
        before: int | None = None
        while True:
            part = log_files.read_window(path, before, over=True)
            assert len(part.lines) <= window
            found = [line.data for line in part.lines] + found
            assert part.before == data[: part.start].count(b"\n")
            if part.start == 0:
                break
            assert before is None or part.start < before
            before = part.start
        assert found == lines


def test_a_line_that_is_not_finished_is_left_to_the_stream(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo")
    window = log_files.read_window(path)
    assert ([line.data for line in window.lines], window.end) == ([b"one"], 4)
    window = log_files.read_window(path, over=True)
    assert ([line.data for line in window.lines], window.end) == ([b"one", b"two"], 7)


def test_a_window_from_an_offset_begins_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\nthree\n")
    window = log_files.read_window(path, from_offset=5)
    assert [line.data for line in window.lines] == [b"two", b"three"]
