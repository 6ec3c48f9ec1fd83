"""Text for people: nothing in it commands the terminal, and columns stand under each other."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipc.ctl import pretty
from ipc.ctl.terminal import clean, dollars, duration, size, table

WILD = st.one_of(st.text(max_size=50), st.text(alphabet="\x00\x07\x1b\x7f\x9b\u202e\r\n\t[ab", max_size=20))


@given(WILD)
def test_cleaned_text_has_no_control_characters(text: str) -> None:
    assert all(sign.isprintable() or sign in "\n\t" for sign in clean(text))
    assert clean(clean(text)) == clean(text)


@given(st.lists(st.lists(WILD, min_size=2, max_size=2), max_size=4))
def test_a_table_is_printable_whatever_is_in_it(rows: list[list[str]]) -> None:
    assert "\x1b" not in table(("A", "B"), rows)


def test_columns_stand_under_each_other() -> None:
    text = table(("ID", "STATUS", "PROMPT"), [("7", "completed", "look"), ("1234", "failed", "")])
    assert text == "ID    STATUS     PROMPT\n7     completed  look\n1234  failed"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.95, "950 ms"), (12.44, "12.4 s"), (187, "3 m 07 s"), (7500, "2 h 05 m"), (356400, "4 d 3 h")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_money_and_sizes() -> None:
    assert [dollars(cost) for cost in (None, 0.0, 0.0042, 1.239)] == ["–", "$0.0000", "$0.0042", "$1.24"]
    assert [size(count) for count in (0, 4096, 2_000_000)] == ["0 KiB", "4 KiB", "1.9 MiB"]


@given(st.binary(max_size=80))
def test_any_line_of_a_log_can_be_shown(line: bytes) -> None:
    for wild in (line, b"2026-01-31T08:05:00Z\t" + line, b'2026-01-31T08:05:00Z\t{"type":"system",' + line):
        wild = wild.replace(b"\n", b"")
        shown = pretty.as_text(wild)
        assert all(sign.isprintable() for part in shown.splitlines() for sign in part)
        fields = json.loads(pretty.as_json(wild))
        assert fields.keys() == {"at", "stream", "text"}


def test_events_are_shown_a_line_each() -> None:
    said = {"type": "assistant", "message": {"content": [
        {"type": "text", "text": "two\nlines"}, {"type": "tool_use", "name": "Bash", "input": {"command": "curl x"}},
    ]}}  # fmt: skip
    line = b"2026-01-31T08:05:00.5Z\t" + json.dumps(said).encode()
    assert pretty.as_text(line) == "08:05:00 two lines\n08:05:00 → Bash curl x\n"
