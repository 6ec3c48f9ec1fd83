"""What a session's log shows of the message that a call stands in."""

from pathlib import Path

import pytest

from daemon.approvals.message import TAIL, Seen, look
from tests.integration.limits.desk import log_of


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return log_of(
        tmp_path / "log",
        ("msg_1", [("text", "I look."), ("call", "a")]),
        ("msg_2", [("text", "I act twice."), ("call", "b"), ("call", "c")]),
        ("msg_3", [("call", "d")]),
    )


@pytest.mark.parametrize(
    ("call", "seen"),
    [
        ("a", Seen(1, "I look.")),
        ("b", Seen(2, "I act twice.")),
        ("c", Seen(2, "I act twice.")),
        ("d", Seen(1, "I act twice.")),
        ("e", Seen(0, "")),
    ],
)
def test_how_many_calls_its_message_has_and_what_was_said_before(log: Path, call: str, seen: Seen) -> None:
    assert look(log, call) == seen


def test_a_line_that_is_not_finished_is_not_read(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-5])
    assert look(log, "d").calls == 0


def test_a_log_that_is_not_there_shows_nothing(tmp_path: Path) -> None:
    assert look(tmp_path / "none", "a") == Seen(0, "")


def test_of_a_long_log_the_end_is_read(tmp_path: Path) -> None:
    before = b"2026-01-31T08:05:00.000Z\t" + b"x" * 1000 + b"\n"
    found = log_of(tmp_path / "end", ("msg_1", [("text", "Here."), ("call", "a")]))
    (tmp_path / "log").write_bytes(before * (2 * TAIL // len(before)) + found.read_bytes())
    assert look(tmp_path / "log", "a") == Seen(1, "Here.")


def test_garbage_between_the_lines_is_passed_over(log: Path) -> None:
    log.write_bytes(b"\xff\xfe\n[stderr] oh\n\n{\n" + log.read_bytes())
    assert look(log, "b").calls == 2
