"""Generated files: the same every time, complete, and noticed when they are stale."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ipc.ctl.commands import COMMANDS
from ipc.messages.tables import EVENTS, REQUESTS
from schema.configuration import DECLARATIONS, load, read_env_file
from schema.states import SESSION

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "packaging" / "generate.py"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_generated_file_is_up_to_date(generate: ModuleType) -> None:
    assert generate.stale(ROOT, generate.generated()) == [], "run: make docs"


def test_another_interpreter_gives_the_same_bytes(generate: ModuleType, tmp_path: Path) -> None:
    code = "import runpy, json, sys; module = runpy.run_path(sys.argv[1]); print(json.dumps(module['generated']()))"
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C", "PYTHONHASHSEED": "7", "HOME": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", code, str(SCRIPT)], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert json.loads(told.stdout) == generate.generated()


def test_a_missing_and_a_changed_file_are_stale(generate: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "same").write_text("a")
    (tmp_path / "changed").write_text("b")
    assert generate.stale(tmp_path, {"same": "a", "changed": "a", "missing": "a"}) == ["changed", "missing"]


def test_a_check_writes_nothing_and_names_what_is_stale(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    assert generate.main(["--check"]) == 1
    assert "docs/settings.md is stale; run: make docs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    assert generate.main(["--wrong"]) == 2


def test_every_setting_is_in_the_reference_and_in_the_environment_file(generate: ModuleType) -> None:
    reference, file = generate.settings_page(), generate.environment_file()
    for declaration in DECLARATIONS.values():
        assert f"### `{declaration.env}`\n\n{declaration.meta.doc}\n" in reference
        assert declaration.env == "CLAUDEOPS_ENV_FILE" or f"\n#{declaration.env}=" in file


def test_the_environment_file_sets_nothing_as_it_is(generate: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "env").write_text(generate.environment_file())
    assert read_env_file(str(tmp_path / "env")) == {}


def test_the_environment_file_with_every_line_taken_in_gives_the_defaults(generate: ModuleType, tmp_path: Path) -> None:
    text = re.sub(r"^#(\w+=)", r"\1", generate.environment_file(), flags=re.MULTILINE)
    (tmp_path / "env").write_text(text)
    found = read_env_file(str(tmp_path / "env"))
    assert {d.env for d in DECLARATIONS.values()} - {"CLAUDEOPS_ENV_FILE"} <= set(found)
    assert load(found) == load({})


def test_every_message_and_every_value_in_it_is_in_the_reference(generate: ModuleType) -> None:
    text = generate.messages_page()
    for subject, message in {**REQUESTS, **EVENTS}.items():
        assert f"### `{subject}`\n\n{sys.modules['reference_pages'].doc_text(message)}" in text
    links = set(re.findall(r"\]\(#(\w+)\)", text))
    assert links == {heading.lower() for heading in re.findall(r"^### (\w+)$", text, re.MULTILINE)}


def test_every_message_says_what_it_is_for() -> None:
    for message in (*REQUESTS.values(), *EVENTS.values()):
        assert (message.__doc__ or "").strip().splitlines()[0].endswith((".", "?")), message


def test_the_diagram_of_a_session_has_an_arrow_for_each_pair(generate: ModuleType) -> None:
    text = generate.states_page().partition("## Triggers")[0]
    arrows = set(re.findall(r"^    (\w+) --> (\w+)$", text, re.MULTILINE))
    assert arrows == {(before.value, after.value) for before, listed in SESSION.items() for after in listed}


def test_completion_and_manual_know_every_command(generate: ModuleType) -> None:
    files = generate.generated()
    for command in COMMANDS:
        assert command.words[-1] in files["packaging/completion/claudeopsctl.bash"]
        assert command.doc in files["packaging/man/claudeopsctl.1"]


def test_bash_reads_the_completion() -> None:
    file = ROOT / "packaging" / "completion" / "claudeopsctl.bash"
    typed = f"source {file}; COMP_WORDS=(claudeopsctl sessions t); COMP_CWORD=2; _claudeopsctl; echo ${{COMPREPLY[*]}}"
    told = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["tail", "trigger"]
