"""The table of commands: everything in it can be called, is described, and starts fast."""

import argparse
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ipc.ctl import commands, knowledge_commands, limit_commands, place, session_commands
from ipc.ctl.__main__ import EXITS, parser, read
from ipc.ctl.commands import COMMANDS, GROUPS
from ipc.ctl.completion import manual
from ipc.ctl.connection import ONCE
from ipc.ctl.errors import CtlError
from ipc.ctl.grammar import Command
from ipc.ctl.logs import unit_of
from ipc.messages.tables import REQUESTS
from schema.knowledge import Level
from schema.states import ApprovalStatus, SessionStatus, Trigger, TriggerStatus


@cache
def whole() -> argparse.ArgumentParser:
    """The parser of every command, made once: it takes longer than all that it reads here."""
    return parser()


def words_of(command: Command) -> list[str]:
    """The shortest command line of a command."""
    words = list(command.words)
    for argument in command.arguments:
        value = str((argument.options.get("choices") or ["1"])[0])
        if not argument.names[0].startswith("-"):
            words.append(value)
        elif argument.options.get("required"):
            words += [argument.names[0], value]
    return words


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_every_command_can_be_called(command: Command) -> None:
    arguments = whole().parse_args(words_of(command))
    module, _, name = arguments.function.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(f"ipc.ctl.{module}"), name)
    assert list(inspect.signature(function).parameters) == ["connection", "arguments"]
    assert arguments.json is False
    assert command.doc.endswith(".")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_json_and_the_runtime_directory_may_stand_anywhere(command: Command) -> None:
    words = words_of(command)
    for line in (["--json", "--runtime-dir", "/x", *words], [*words, "--json", "--runtime-dir", "/x"]):
        arguments = whole().parse_args(line)
        assert (arguments.json, arguments.runtime_dir) == (True, "/x")


def test_the_words_to_choose_from_are_those_of_the_states() -> None:
    assert set(session_commands.STATUSES) == set(SessionStatus)
    assert set(session_commands.TRIGGERS) == set(Trigger)
    assert set(session_commands.TRIGGER_STATUSES) == set(TriggerStatus)
    assert set(session_commands.KINDS) < set(Trigger)
    assert set(limit_commands.APPROVAL_STATUSES) == set(ApprovalStatus)
    assert set(knowledge_commands.LEVELS) == set(Level)


def test_every_group_is_described_and_every_description_is_of_a_group() -> None:
    assert set(GROUPS) == {command.words[0] for command in COMMANDS if len(command.words) > 1}


def test_no_two_commands_share_their_words() -> None:
    assert len({command.words for command in COMMANDS}) == len(COMMANDS)


def test_what_a_command_asks_for_is_a_request() -> None:
    """The subjects in the sources, and no others, are in the table of messages."""
    folder = Path(commands.__file__).parent
    asked = {
        subject
        for path in folder.glob("*.py")
        for subject in re.findall(r'"((?:[a-z]+)\.(?:[a-z_]+))"', path.read_text())
        if not subject.endswith((".sock", ".json", ".service", ".unsupported", ".db"))
    }
    assert asked <= set(REQUESTS)
    assert {"triggers.add", "approvals.decide", "commands.check", "events.list"} <= asked


def built(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many parsers are made to read a command line."""
    made: list[object] = []
    begin = argparse.ArgumentParser.__init__

    def count(self: argparse.ArgumentParser, *given: Any, **options: Any) -> None:
        made.append(self)
        begin(self, *given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "__init__", count)
        read(words)
    return len(made)


def test_a_command_pays_for_no_other_commands_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    assert built(["status"], monkeypatch) == 2
    assert built(["--json", "--runtime-dir", "sessions", "status"], monkeypatch) == 2
    sessions = sum(command.words[0] == "sessions" for command in COMMANDS)
    assert built(["sessions", "list"], monkeypatch) == 2 + sessions


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_a_part_of_the_table_reads_what_the_whole_reads(command: Command) -> None:
    words = words_of(command)
    assert vars(read(words)) == vars(whole().parse_args(words))


def test_a_group_that_is_a_command_too_takes_both() -> None:
    assert read(["cooldowns", "--json"]).function == "cooldowns:listing"
    told = read(["cooldowns", "clear", "web"])
    assert (told.function, told.service, told.json) == ("cooldowns:clear", "web", False)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--", "docker", "ps"], ["docker", "ps"]),
        (["--", "docker ps"], ["docker ps"]),
        (["docker ps"], ["docker ps"]),
        (["--", "kubectl", "exec", "web", "--", "rm", "-rf", "/"], ["kubectl", "exec", "web", "--", "rm", "-rf", "/"]),
        (["--", "--"], ["--"]),
        (["--", "echo", "--json", "--tier", "9"], ["echo", "--json", "--tier", "9"]),
        (["--"], []),
    ],
)
def test_what_stands_behind_the_dashes_is_kept_as_it_is(words: list[str], line: list[str]) -> None:
    told = read(["check-command", "--tier", "2", *words])
    assert (told.tier, told.line, told.json) == (2, line, False)
    told = read(["--json", "check-command", "--tier", "2", *words])
    assert (told.tier, told.line, told.json) == (2, line, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check-command", "--", "ls"], 64),
        (["check-command", "--tier", "4", "--", "ls"], 64),
        (["check-command", "--tier", "1", "ls", "-l"], 64),
        (["--json", "check-command", "--nothing"], 64),
        (["--run", "check-command", "check-command"], 64),
        (["sessions", "show", "seven"], 2),
        (["sessions", "show", "1", "--nothing"], 2),
        (["nothing"], 2),
        ([], 2),
        (["check-command", "--help"], 0),
    ],
)
def test_wrong_usage_has_the_commands_own_exit_code(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as told:
        read(words)
    assert told.value.code == code
    assert bool(capsys.readouterr().err) is (code != 0), "what is wrong is told, on standard error"


def test_what_is_asked_once_exists_and_stores_no_reply() -> None:
    assert set(REQUESTS) >= ONCE
    assert not any(REQUESTS[subject].changes for subject in ONCE)


def test_help_and_manual_page_say_the_exit_codes() -> None:
    text, page = whole().format_help(), manual()
    for code in ("0", "1", "2", "3", "4", "5", "64", "70", "130"):
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


def test_commands_that_messages_and_pages_name_are_there() -> None:
    """A sentence that says what to do next names a command that can be typed."""
    root = Path(__file__).parents[4]
    named: set[tuple[str, ...]] = set()
    for path in (path for top in ("daemon", "ipc", "schema", "webui") for path in (root / top).rglob("*")):
        if path.suffix in {".py", ".html"}:
            for text in re.findall(r"`claudeopsctl ([a-z][a-z -]*)", path.read_text(encoding="utf-8")):
                named.add(tuple(word for word in text.split() if word.isalpha() or "-" in word.strip("-")))
    assert len(named) >= 30
    known = {command.words for command in COMMANDS}
    verbs = {words[:1] for words in known}
    groups = {words[:1] for words in known if len(words) > 1}
    unknown = {
        words
        for words in named
        if words[:1] not in verbs or (words[:1] in groups and len(words) > 1 and words[:2] not in known | {words[:1]})
    }
    assert unknown == set()
