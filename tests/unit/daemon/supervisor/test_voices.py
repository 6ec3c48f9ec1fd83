"""Whatever a child prints becomes records: a line each, a traceback one, and nothing is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.supervisor import log, rules
from daemon.supervisor.log import LOG
from daemon.supervisor.logfile import LogFile
from daemon.supervisor.voices import Voice, Voices
from tests.fixtures.examples import part

CHAINED = """\
import sys
def deep():
    raise ValueError("first\\nwith a second line")
print("worker: before", file=sys.stderr)
try:
    deep()
except ValueError as error:
    raise RuntimeError("second") from error
"""


WORDS = st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=40)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str, str]]:
    found: list[tuple[str, str, str, str]] = []
    monkeypatch.setattr(
        LOG, "write", lambda process, level, text, trace="": found.append((process, level, text, trace))
    )
    monkeypatch.setattr(LOG, "json", True)
    return found


def said(process: str, data: bytes, sizes: list[int]) -> None:
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    voice = Voice(process, ours)
    at = 0
    for size in [*sizes, len(data)]:
        os.write(theirs, data[at : at + size])
        at += size
        voice.read()
    os.close(theirs)
    while voice.read():
        pass
    os.close(ours)


def test_a_line_is_a_record_without_the_name_of_its_process(heard: list[Any]) -> None:
    said("worker", b"worker: database: initial\nqueue: can't start: x\n\nworker: half", [5, 30])
    assert heard == [
        ("worker", "info", "database: initial", ""),
        ("worker", "warning", "queue: can't start: x", ""),
        ("worker", "info", "half", ""),
    ]


def test_a_traceback_is_one_record_with_its_cause(heard: list[Any]) -> None:
    printed = subprocess.run([sys.executable, "-c", CHAINED], capture_output=True, check=False).stderr
    said("worker", printed + b"worker: after\n", [7] * 40)
    first, trace, after = heard
    assert (first[2], after[2]) == ("before", "after")
    assert trace[1:3] == ("error", "RuntimeError: second")
    assert "ValueError: first" in trace[3]
    assert "The above exception was the direct cause" in trace[3]


def test_a_stack_dump_is_one_record(heard: list[Any]) -> None:
    text = "import faulthandler, os; faulthandler.enable(); os.abort()"
    printed = subprocess.run([sys.executable, "-c", text], capture_output=True, check=False).stderr
    said("web", printed, [])
    assert heard[0][1:3] == ("error", "Fatal Python error: Aborted")
    assert "<string>" in heard[0][3]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=part(0.6))
@given(st.lists(WORDS), st.lists(st.integers(1, 9)))
def test_no_line_is_lost_however_it_comes(heard: list[Any], lines: list[str], sizes: list[int]) -> None:
    heard.clear()
    said("w", "".join(f"{line}\n" for line in lines).encode(), sizes[:20])
    told = "\n".join(f"{text}\n{trace}" for _, _, text, trace in heard)
    for line in lines:
        assert line.strip() in told


def test_without_json_and_file_children_write_where_the_supervisor_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LOG, "json", False)
    assert Voices().open("web") is None


@pytest.mark.parametrize(
    ("text", "level"),
    [("database: initial", "info"), ("can't write x: No space", "warning"), ("beat failed: OSError()", "error")],
)
def test_how_grave_a_line_is_follows_from_its_words(text: str, level: str) -> None:
    assert rules.level_of(text) == level


def test_a_record_is_a_json_object_on_one_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LOG, "json", True)
    monkeypatch.setattr(LOG, "redact", lambda text: text.replace("s3cret", "[REDACTED:X]"))
    log.log('a "quoted"\nline with s3cret\udcff')
    LOG.write("web", "error", "ValueError: x", "Traceback …\n  s3cret\n" + "y" * 100_000)
    first, second = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    assert first["message"] == 'a "quoted"\nline with [REDACTED:X]\udcff'
    assert set(first) == {"time", "level", "process", "message"}
    assert (second["process"], second["level"], second["traceback"][-3:]) == ("web", "error", "yyy")
    assert "s3cret" not in second["traceback"]


def files(path: Path) -> dict[str, bytes]:
    return {found.name: found.read_bytes() for found in sorted(path.parent.iterdir())}


def test_a_file_is_begun_anew_before_it_grows_too_large(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "daemon.log"
    file = LogFile(str(path), 100, 2, pytest.fail)
    for number in range(10):
        file.write(b"%039d\n" % number)
    assert {name: data.split() for name, data in files(path).items()} == {
        "daemon.log": [b"%039d" % 8, b"%039d" % 9],
        "daemon.log.1": [b"%039d" % 6, b"%039d" % 7],
        "daemon.log.2": [b"%039d" % 4, b"%039d" % 5],
    }
    path.rename(tmp_path / "moved")
    file.reopen()
    file.write(b"again\n")
    assert path.read_bytes() == b"again\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_place_that_cannot_be_written_costs_lines_which_are_counted(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "in the way").write_text("")
    file = LogFile(str(tmp_path / "in the way" / "daemon.log"), 100000, 2, told.append)
    for _ in range(5):
        file.write(b"lost\n")
    assert len(told) == 1
    assert "lines are lost there" in told[0]
    assert file.lost == 5
    (tmp_path / "in the way").unlink()
    file.reopen()
    file.write(b"kept\n")
    assert file.lost == 0
    assert (tmp_path / "in the way" / "daemon.log").read_bytes() == b"kept\n"


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_first_line_after_some_were_lost_says_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], form: str
) -> None:
    place = tmp_path / "in the way"
    place.write_text("")
    monkeypatch.setattr(LOG, "json", form == "json")
    monkeypatch.setattr(LOG, "file", file := LogFile(str(place / "daemon.log"), 100000, 2, LOG.complain))
    for _ in range(5):
        log.log("lost")
    place.unlink()
    file.reopen()
    log.log("kept" + "t" * 10_000)
    log.log("and on")
    first, second = (place / "daemon.log").read_text().splitlines()
    if form == "json":
        assert json.loads(first)["lines_lost"] == 5
        assert "lines_lost" not in json.loads(second)
    else:
        assert first.endswith("tt (5 lines before this one were lost)")
        assert second.endswith("and on")
    assert "lines before" not in capfd.readouterr().err


def test_where_no_older_file_is_kept_a_log_that_was_moved_away_costs_no_line(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    file = LogFile(str(path), 100, 0, pytest.fail)
    file.write(b"%099d\n" % 1)
    path.rename(tmp_path / "moved")
    file.write(b"%099d\n" % 2)
    file.write(b"%099d\n" % 3)
    assert path.read_bytes().split() == [b"%099d" % 3]
