"""Windows of a log: whole lines, backwards without gap or overlap."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.examples import part
from webui.pages import log_files


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
