"""What a session needs on disk before it starts: the names of logs."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from daemon.sessions import prepare
from ipc.errors import CallError, Code
from schema.settings import Settings

MOMENT = datetime(2026, 1, 31, 8, 5, 9)
NAME = re.compile(r"run-\d{8}-\d{6}(-\d+)?\.log")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings()._replace(results_dir=str(tmp_path))


def test_sessions_of_one_second_have_logs_of_their_own(settings: Settings) -> None:
    logs = [prepare.create_log(settings, MOMENT) for _ in range(3)]
    assert [log.name for log in logs] == [
        "run-20260131-080509.log",
        "run-20260131-080509-2.log",
        "run-20260131-080509-3.log",
    ]
    assert all(NAME.fullmatch(log.name) for log in logs)
    assert all(log.read_bytes() == b"" and log.stat().st_mode & 0o007 == 0 for log in logs)


def test_a_log_that_lies_there_is_left_as_it_is(settings: Settings, tmp_path: Path) -> None:
    """Of a session before the clock was set back, say."""
    (tmp_path / "run-20260131-080509.log").write_text("an older session")
    (tmp_path / "run-20260131-080509-2.log").symlink_to(tmp_path / "nowhere")
    assert prepare.create_log(settings, MOMENT).name == "run-20260131-080509-3.log"
    assert (tmp_path / "run-20260131-080509.log").read_text() == "an older session"
    assert not (tmp_path / "nowhere").exists()


def test_too_many_of_one_name_are_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "LOG_NAMES_MAX", 3)
    for _ in range(2):
        prepare.create_log(settings, MOMENT)
    with pytest.raises(CallError, match="look at") as told:
        prepare.create_log(settings, MOMENT)
    assert told.value.code is Code.CONFLICT
