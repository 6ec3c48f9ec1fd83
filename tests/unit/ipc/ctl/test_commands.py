"""The table of commands: everything in it can be called, is described, and starts fast."""

import importlib
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipc.ctl import commands, place
from ipc.ctl.__main__ import EXITS, parser
from ipc.ctl.commands import COMMANDS, Command
from ipc.ctl.completion import manual
from ipc.ctl.connection import ONCE
from ipc.ctl.errors import CtlError
from ipc.ctl.logs import unit_of
from ipc.messages.tables import REQUESTS
from schema.states import SessionStatus, Trigger


def words_of(command: Command) -> list[str]:
    """The shortest command line of a command."""
    words = list(command.words)
    for argument in command.arguments:
        if not argument.names[0].startswith("-"):
            words.append(str((argument.options.get("choices") or ["1"])[0]))
    return words


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_every_command_can_be_called(command: Command) -> None:
    arguments = parser().parse_args(words_of(command))
    module, _, name = arguments.function.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(f"ipc.ctl.{module}"), name)
    assert list(inspect.signature(function).parameters) == ["connection", "arguments"]
    assert arguments.json is False
    assert command.doc.endswith(".")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_json_and_the_runtime_directory_may_stand_anywhere(command: Command) -> None:
    words = words_of(command)
    for line in (["--json", "--runtime-dir", "/x", *words], [*words, "--json", "--runtime-dir", "/x"]):
        arguments = parser().parse_args(line)
        assert (arguments.json, arguments.runtime_dir) == (True, "/x")


def test_the_words_to_choose_from_are_those_of_the_states() -> None:
    assert set(commands.STATUSES) == set(SessionStatus)
    assert set(commands.TRIGGERS) == set(Trigger)


def test_what_is_asked_once_exists_and_stores_no_reply() -> None:
    assert set(REQUESTS) >= ONCE
    assert not any(REQUESTS[subject].changes for subject in ONCE)


def test_help_and_manual_page_say_the_exit_codes() -> None:
    text, page = parser().format_help(), manual()
    for code in ("0", "1", "2", "3", "4", "5", "130"):
        assert code in EXITS.split("Exit status")[1]
    assert "Exit status" in text
    assert ".SH EXIT STATUS" in page
    assert all(" ".join(command.words).replace("-", "\\-") in page for command in COMMANDS)


def test_asking_for_the_status_imports_little() -> None:
    code = "import sys; import ipc.ctl.__main__, ipc.ctl.status; print(*sys.modules)"
    root = str(Path(__file__).parents[4])
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env={"PATH": "/usr/bin"}, capture_output=True, text=True, check=True
    )
    heavy = {"asyncio", "msgspec", "zmq.asyncio", "schema.settings", "rich", "subprocess", "logging", "socket", "apsw"}
    assert heavy & set(told.stdout.split()) == set()


@pytest.mark.parametrize(
    ("groups", "unit"),
    [
        ("0::/system.slice/claudeops.service\n", "claudeops.service"),
        ("0::/system.slice/system-claudeops.slice/claudeops@blue.service/daemon\n", "claudeops@blue.service"),
        ("12:pids:/\n1:name=systemd:/system.slice/claudeops.service\n0::/\n", "claudeops.service"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte.scope\n", None),
        ("0::/user.slice/user-0.slice/session-3.scope\n", None),
        ("0::/\n", None),
    ],
)
def test_the_unit_is_read_from_the_control_group(groups: str, unit: str | None) -> None:
    assert unit_of(groups) == unit


def test_the_daemons_place_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLAUDEOPS_RUNTIME_DIR", "RUNTIME_DIRECTORY", "CLAUDEOPS_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    first, second = tmp_path / "first", tmp_path / "second"
    monkeypatch.setattr(place, "PLACES", (str(first), str(second)))
    assert place.find_runtime(None) == first, "nothing is there: the first is what the message names"
    second.mkdir()
    assert place.find_runtime(None) == second
    first.mkdir()
    assert place.find_runtime(None) == first
    monkeypatch.setattr(place, "holder", lambda runtime: 1 if runtime == second else None)
    assert place.find_runtime(None) == second, "one that runs comes before one that has ended"
    monkeypatch.setenv("CLAUDEOPS_STATE_DIR", "/s")
    assert place.find_runtime(None) == Path("/s/run")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/r:/other")
    assert place.find_runtime(None) == Path("/r")
    monkeypatch.setenv("CLAUDEOPS_RUNTIME_DIR", "/c")
    assert place.find_runtime(None) == Path("/c")
    assert place.find_runtime("/given") == Path("/given")


def test_a_daemon_that_has_ended_and_one_that_never_was_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(CtlError, match="there is no daemon") as told:
        place.require_running(tmp_path)
    assert (told.value.exit_code, told.value.code) == (5, "not_running")
    (tmp_path / "lock").touch()
    with pytest.raises(CtlError, match="is not running; start it"):
        place.require_running(tmp_path)
