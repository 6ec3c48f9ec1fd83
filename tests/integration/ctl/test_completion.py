"""Shell completion: what is committed is what the command prints, and a real bash completes with it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.integration.ctl.stage import ROOT, Stage

FILES = {"bash": "claudeopsctl.bash", "zsh": "_claudeopsctl", "fish": "claudeopsctl.fish"}
SCRIPT = ROOT / "packaging" / "completion" / "claudeopsctl.bash"


@pytest.mark.parametrize("shell", FILES)
def test_the_command_prints_what_is_committed(stage: Stage, shell: str) -> None:
    committed = (ROOT / "packaging" / "completion" / FILES[shell]).read_text()
    assert stage.ctl("completion", shell).stdout == committed, "run: make docs"


def test_as_json_it_is_the_same_script(stage: Stage) -> None:
    told = json.loads(stage.ctl("completion", "fish", "--json").stdout)
    assert told == {"shell": "fish", "script": stage.ctl("completion", "fish").stdout}


def complete(line: str) -> set[str]:
    """What bash offers after a line."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    code = f'. {SCRIPT}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _claudeopsctl; echo "${{COMPREPLY[@]}}"'
    told = subprocess.run(["bash", "-uc", code], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin"})
    assert told.stderr == ""
    return set(told.stdout.split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("claudeopsctl st", {"status", "status-pages", "stop"}),
        ("claudeopsctl sessions t", {"tail", "trigger"}),
        ("claudeopsctl sessions stop --w", {"--wait"}),
        ("claudeopsctl --json sessions tail -", {"--follow", "--help", "--json", "--pretty", "--raw", "--runtime-dir"}),
        ("claudeopsctl restart w", {"web", "worker"}),
        ("claudeopsctl config set session_t", {"session_timeout"}),
        ("claudeopsctl completion f", {"fish"}),
        ("claudeopsctl nothing", set()),
        ("claudeopsctl sessions list --status a", {"awaiting_approval"}),
        ("claudeopsctl triggers list --status re", {"refused"}),
        ("claudeopsctl approvals list --limit 5 --status e", {"expired"}),
        ("claudeopsctl events list --level ", {"info", "warning", "critical"}),
        ("claudeopsctl triggers add --kind a", {"api", "alert"}),
        ("claudeopsctl approvals d", {"deny"}),
        ("claudeopsctl cooldowns c", {"clear"}),
        ("claudeopsctl memories list --service health --c", {"--category"}),
        ("claudeopsctl m", {"maintenance", "mcp", "memories"}),
    ],
)
def test_bash_offers_the_words_that_fit(line: str, offered: set[str]) -> None:
    assert complete(line) == offered


def test_no_variable_of_the_script_is_one_that_zsh_keeps_for_itself() -> None:
    """In zsh `path` is tied to PATH, `words` is not: bashcompinit hides it."""
    text = Path(SCRIPT).read_text()
    assert not {"path", "status", "argv", "prompt"} & set(text.partition("local ")[2].split("\n")[0].split())


def test_the_two_groups_lists_are_kept_apart_in_fish(stage: Stage) -> None:
    lines = stage.ctl("completion", "fish").stdout.splitlines()
    (listing, *values) = [line for line in lines if "from sessions; and __fish_seen_subcommand_from list'" in line]
    assert "--tier" in listing
    (status,) = [line for line in values if "-l status -x" in line]
    assert "awaiting_approval" in status
    (listing,) = [line for line in lines if "from config; and __fish_seen_subcommand_from list'" in line]
    assert "--tier" not in listing
