from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema.logline import LONGEST_LINE, Line, LogLine, LogReader, read_lines, split


@pytest.mark.parametrize("stamp", ["2026-01-31T08:05:00Z", "2026-01-31T08:05:00.1Z", "2026-01-31T08:05:00.123456789Z"])
def test_a_line_is_taken_apart_by_stream(stamp: str) -> None:
    at = stamp.encode() + b"\t"
    assert split(at + b'{"type":"result"}') == LogLine(stamp, "stdout", b'{"type":"result"}')
    assert split(at + b"[stderr] oh\tno") == LogLine(stamp, "stderr", b"oh\tno")
    assert split(at + b"[run] timed out") == LogLine(stamp, "run", b"timed out")
    assert split(at) == LogLine(stamp, "stdout", b"")


@pytest.mark.parametrize("line", [b"", b"plain", b"a\tb", b"\t", b"2026-01-31T08:05:00Z", b"\xff\xfe\t\x00", b"x" * 24])
def test_a_line_of_an_old_log_is_all_text(line: bytes) -> None:
    assert split(line) == LogLine(None, "stdout", line)


@given(st.binary(max_size=60))
def test_no_line_is_too_strange_to_be_taken_apart(line: bytes) -> None:
    found = split(line)
    assert found.text in line


def test_only_complete_lines_are_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo\nthr")
    assert read_lines(log, 0) == ([Line(0, b"one"), Line(4, b"two")], 8)
    assert read_lines(log, 8) == ([], 8)
    with log.open("ab") as file:
        file.write(b"ee\n")
    assert read_lines(log, 8) == ([Line(8, b"three")], 14)
    assert read_lines(log, 14) == ([], 14)


def test_a_line_longer_than_the_limit_is_read_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"a\n" + b"x" * 300_000 + b"\nb\n")
    with LogReader(log) as reader:
        lines = []
        while found := reader.read(65536):
            lines += found
    assert lines == [Line(0, b"a"), Line(2, b"x" * 300_000), Line(300_003, b"b")]


def test_a_very_long_line_is_cut_and_says_by_how_much(tmp_path: Path) -> None:
    log = tmp_path / "log"
    length = 10 * 1024 * 1024
    log.write_bytes(b"y" * length + b"\nnext\n")
    lines, after = read_lines(log, 0)
    assert lines == [Line(0, b"y" * LONGEST_LINE, length - LONGEST_LINE)]
    assert read_lines(log, after) == ([Line(length + 1, b"next")], length + 6)


def test_a_long_line_that_grows_is_not_scanned_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"z" * 3_000_000)
    with LogReader(log) as reader:
        assert reader.read() == []
        assert reader._scanned == 3_000_000
        with log.open("ab") as file:
            file.write(b"z\n")
        assert reader.read() == [Line(0, b"z" * 3_000_001)]


def test_the_rest_of_a_dead_log_can_be_had(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\ntorn")
    with LogReader(log) as reader:
        assert reader.read() == [Line(0, b"one")]
        assert reader.rest() == Line(4, b"torn")
        assert reader.rest() is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    parts=st.lists(st.sampled_from([b"\n", b"x", b"\x00\xff", b"abc" * 30, b"\r"]), max_size=60),
    limit=st.integers(1, 100),
    grow=st.integers(1, 50),
)
def test_any_limit_and_any_growth_give_the_same_lines(
    tmp_path: Path, parts: list[bytes], limit: int, grow: int
) -> None:
    data = b"".join(parts)
    log = tmp_path / "log"
    log.write_bytes(b"")
    lines: list[Line] = []
    with LogReader(log) as reader, log.open("ab", buffering=0) as file:
        for start in range(0, len(data) + grow, grow):
            file.write(data[start : start + grow])
            while found := reader.read(limit):
                lines += found
    assert b"".join(line.data + b"\n" for line in lines) == data[: data.rfind(b"\n") + 1]
    assert all(data[line.offset : line.offset + len(line.data)] == line.data for line in lines)
