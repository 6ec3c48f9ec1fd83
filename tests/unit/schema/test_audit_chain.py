"""Whatever is edited in a chained log is found; what was appended is not."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schema.audit_chain import FIELDS, START, line_hash, verify

Line = dict[str, Any]
TEXT = st.text(max_size=8)
FIELD = {
    "at": TEXT, "actor": TEXT, "action": TEXT, "session_id": st.none() | st.integers(0, 9), "subject": TEXT,
    "rule": st.none() | TEXT, "detail": TEXT,
}  # fmt: skip


def sealed(rows: list[Line]) -> list[Line]:
    """A log as it is written."""
    found, prev = [], START
    for number, row in enumerate(rows, 1):
        line = {"id": number, **row, "prev": prev}
        prev = line["hash"] = line_hash(prev, line)
        found.append(line)
    return found


LOGS = st.lists(st.fixed_dictionaries(FIELD), min_size=1, max_size=8).map(sealed)


@given(LOGS)
def test_a_log_as_it_was_written_passes_with_any_head_it_ever_had(log: list[Line]) -> None:
    for length in range(len(log) + 1):
        kept = log[length - 1]["hash"] if length else ""
        assert verify(log, kept) == (True, len(log), None, log[-1]["hash"], "")


@given(LOGS, st.data())
def test_a_line_that_was_changed_is_found(log: list[Line], data: st.DataObject) -> None:
    line = data.draw(st.sampled_from(log))
    field = data.draw(st.sampled_from(sorted(FIELD)))
    other = data.draw(FIELD[field].filter(lambda value: value != line[field]))
    number = line["id"]
    found = verify([{**one, field: other} if one is line else one for one in log])
    assert (found.ok, found.first_bad, found.lines) == (False, number, len(log))


@given(LOGS, st.data())
def test_a_line_that_was_changed_and_sealed_anew_is_found_by_the_next_or_the_head(
    log: list[Line], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(log) - 1))
    line = {**log[at], "subject": log[at]["subject"] + "!"}
    line["hash"] = line_hash(line["prev"], line)
    found = verify([*log[:at], line, *log[at + 1 :]], log[-1]["hash"])
    assert not found.ok
    assert found.first_bad == (log[at + 1]["id"] if at + 1 < len(log) else None)


@given(LOGS.filter(lambda log: len(log) > 1), st.data())
def test_lines_that_were_removed_before_the_end_are_found(log: list[Line], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(log) - 2))
    after = data.draw(st.integers(first + 1, len(log) - 1))
    found = verify(log[:first] + log[after:])
    assert (found.ok, found.first_bad) == (False, log[after]["id"])


@given(LOGS, st.data())
def test_a_line_that_was_inserted_is_found(log: list[Line], data: st.DataObject) -> None:
    """As good as it can be made: sealed onto what stands before it, with any id."""
    at = data.draw(st.integers(0, len(log) - 1))
    prev = log[at - 1]["hash"] if at else START
    line = {**data.draw(st.fixed_dictionaries(FIELD)), "id": data.draw(st.integers(0, 9)), "prev": prev}
    line["hash"] = line_hash(prev, line)
    assert not verify([*log[:at], line, *log[at:]]).ok or line["hash"] == log[at]["hash"]


@given(LOGS.filter(lambda log: len(log) > 1), st.data())
def test_lines_that_changed_places_are_found(log: list[Line], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(log) - 2))
    assert not verify([*log[:at], log[at + 1], log[at], *log[at + 2 :]]).ok


@given(LOGS)
def test_lines_that_were_removed_at_the_end_are_found_by_a_head_that_was_kept(log: list[Line]) -> None:
    kept = log[-1]["hash"]
    assert verify(log[:-1]).ok
    found = verify(log[:-1], kept)
    assert (found.ok, found.first_bad) == (False, None)
    assert "removed at the end" in found.reason


@given(LOGS)
def test_a_line_after_removed_ones_shows_by_its_number(log: list[Line]) -> None:
    """Ids are never used twice: what is written after the end was cut off leaves a gap."""
    prev = log[-1]["hash"]
    line = {**log[-1], "id": log[-1]["id"] + 2, "prev": prev}
    line["hash"] = line_hash(prev, line)
    assert verify([*log, line]).first_bad == line["id"]


def test_an_empty_log_is_as_it_was_written() -> None:
    assert verify([]) == (True, 0, None, START, "")


def test_fields_do_not_run_into_each_other() -> None:
    line: Line = dict.fromkeys(FIELDS, "")
    assert line_hash("", {**line, "actor": "ab"}) != line_hash("", {**line, "actor": "a", "action": "b"})
    assert line_hash("", {**line, "rule": None}) != line_hash("", {**line, "rule": "null"})
