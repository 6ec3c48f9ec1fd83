"""The documents keep up with the program: every link, command, target, setting and path that they name is there."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from daemon import __main__ as entry
from daemon import worker
from daemon.supervisor import loop
from ipc.ctl.commands import COMMANDS
from schema.configuration import BY_ENV
from schema.states import MEANING

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
# Variables of others, which are no settings.
OTHERS = {"BROWSER_CRED_", "CLAUDE_CODE_MAX_RETRIES", "RUNTIME_DIRECTORY", "CLAUDEOPS_REPOS", "CLAUDEOPS_KEY_FILE",
          "CLAUDEOPS_TIER", "CLAUDEOPS_PROBE_"}  # fmt: skip
FOLDERS = ("schema", "ipc", "daemon", "webui", "tests", "packaging", "docs")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code(name: str) -> Iterator[str]:
    """What a page sets as code: indented lines, fenced lines, and words between backticks."""
    found = text(name)
    yield from re.findall(r"^    (\S.*)$", found, re.MULTILINE)
    yield from (line for block in re.findall(r"```\w*\n(.*?)```", found, re.DOTALL) for line in block.splitlines())
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", found, flags=re.DOTALL))


def test_there_are_pages() -> None:
    wanted = {"architecture", "operations", "settings", "messages", "states"}
    assert {f"docs/{page}.md" for page in wanted} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", text(name)):
        if not target.startswith("http"):
            assert ((ROOT / name).parent / target).exists(), target


@pytest.mark.parametrize("name", NAMES)
def test_every_target_of_make_is_one(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    for line in code(name):
        for words in re.findall(r"\bmake((?: [a-z-]+)+)", line):
            assert set(words.split()) <= targets, line


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_claudeopsctl_is_one(name: str) -> None:
    known = {command.words for command in COMMANDS}
    for line in code(name):
        for rest in re.findall(r"claudeopsctl(?: --runtime-dir \S+)?((?: [a-z-]+)+)", line):
            words = tuple(word for word in rest.split() if not word.startswith("-"))
            assert not words or {words[:1], words[:2]} & known, line


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_a_setting(name: str) -> None:
    pattern = r"\b(?:CLAUDEOPS|ANTHROPIC|CLAUDE_CODE|BROWSER|GITHUB|GITEA)_[A-Z0-9_]+"
    for variable in set(re.findall(pattern, text(name))) - OTHERS:
        known = BY_ENV.get(variable) or BY_ENV.get(variable.removesuffix("_FILE"))
        assert known is not None, variable
        assert variable in BY_ENV or known.meta.secret, variable


@pytest.mark.parametrize("name", NAMES)
def test_every_path_of_the_checkout_is_there(name: str) -> None:
    for word in code(name):
        match = re.fullmatch(rf"((?:{'|'.join(FOLDERS)})/[\w./-]*)", word)
        if match and "memories" not in word and "NNNN" not in word:
            assert (ROOT / match[1]).exists(), word


@pytest.mark.parametrize("name", NAMES)
def test_pages_speak_of_the_project_alone(name: str) -> None:
    found = text(name)
    assert not re.search(r"/work/|\bissue #?\d+|\bTODO\b|\bFIXME\b|\bco-?author", found, re.IGNORECASE)


def test_every_exit_code_is_explained() -> None:
    rows = set(re.findall(r"^\| (\d+) \|", text("docs/operations.md"), re.MULTILINE))
    codes = {loop.EXIT_CLEAN, loop.EXIT_INTERNAL, loop.EXIT_CONFIGURATION, entry.EXIT_LOCK_HELD}
    codes |= {worker.EXIT_CONFIGURATION, worker.EXIT_INTERNAL}
    assert rows == {str(code) for code in codes}


def test_every_signal_that_does_something_is_explained() -> None:
    handled = set(re.findall(r"signal\.SIG(TERM|INT|QUIT|HUP|USR2)\b", text("daemon/supervisor/loop.py")))
    table = text("docs/operations.md").partition("| signal | effect |")[2].partition("| exit code |")[0]
    assert handled <= set(re.findall(r"[A-Z0-9]{3,}", table))


def test_every_status_of_a_session_is_explained() -> None:
    for status, meaning in MEANING.items():
        assert f"| `{status.value}` | {meaning} |" in text("docs/states.md")


def test_the_readme_has_the_two_commands_and_the_warning_about_names() -> None:
    readme = text("README.md")
    assert "\n    make run\n" in readme
    assert "\n    make test\n" in readme
    for word in ("daemon", "ipc", "schema", "webui", "python-daemon"):
        assert f"`{word}`" in readme


def test_what_a_newcomer_installs_is_what_the_unit_wants() -> None:
    guide, unit = text("docs/operations.md"), text("packaging/systemd/claudeops.service")
    for file in (ROOT / "packaging" / "systemd").iterdir():
        assert file.name in guide, file.name
    for place in ("/opt/claudeops", "/etc/claudeops/claudeops.env"):
        assert place in guide
        assert place in unit


@pytest.mark.parametrize(
    ("page", "numbers"),
    [("docs/faults.md", range(1, 31)), ("docs/comparison.md", range(1, 43)), ("docs/scenarios.md", range(1, 38))],
)
def test_every_fault_has_tests_that_exist(page: str, numbers: Iterable[int]) -> None:
    rows = [line for line in text(page).splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row.split("|")[1]) for row in rows] == list(numbers)
    named = {name for row in rows for name in re.findall(r"`(test_\w+)`", row.split("|")[4])}
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert all("`test_" in row.split("|")[4] for row in rows)
    assert named <= there, sorted(named - there)
