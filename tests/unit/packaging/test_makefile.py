"""The Makefile: a bare `make` lists everything, and what a fresh machine lacks is installed before it is used."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MADE = (".venv/bin/python", ".venv/.run", ".venv/.test", ".claudeops/cli/.installed", ".claudeops/.browser")
COMPILED = ["python -m compileall -q daemon ipc schema webui", "python -m webui.rendering"]
TOOLS = ("bash", "mkdir", "touch", "cp", "env", "sh")


def make(place: Path, *arguments: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    command = [shutil.which("make") or "make", "-C", str(place), "--no-print-directory", *arguments]
    return subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False, timeout=30)


def test_a_bare_make_lists_every_target() -> None:
    told = make(ROOT)
    assert (told.returncode, told.stderr) == (0, "")
    listed = dict(re.findall(r"^  make (\S+) +(\S.*)$", told.stdout, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert set(listed) == set(phony[1].split())
    assert set(listed) >= {"run", "test", "check", "bench", "css", "clean"}


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout on a machine with hardly a program. Its scripts only note what they are called with, in `called`."""
    place = tmp_path / "checkout"
    for name in ("Makefile", "requirements", "pyproject.toml", "packaging/claude-cli"):
        source, target = ROOT / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    for name in ("install", "run", "check", "test"):
        (place / "packaging" / f"{name}.sh").write_text(f'echo "{name} $*" >> called\n')
    for name in MADE:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
    python = place / ".venv/bin/python"
    python.write_text('#!/bin/sh\necho "python $*" >> called\n')
    python.chmod(0o755)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
    return place


def called(place: Path, *arguments: str) -> list[str]:
    """What `make` had the scripts do."""
    make(place, *arguments, path=str(place.parent / "bin"))
    return [line.strip() for line in (place / "called").read_text().splitlines()]


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("run", [*COMPILED, "install curl", "run"]),
        ("test", [*COMPILED, "install curl", "install openssl", "install systemd", "check", "test"]),
        ("unit", ["install systemd", "python -m pytest tests/unit"]),
        ("css", ["install nodejs npm"]),
    ],
)
def test_what_a_target_needs_is_installed_first(bare: Path, target: str, wanted: list[str]) -> None:
    assert called(bare, target) == wanted


@pytest.mark.parametrize(
    ("missing", "wanted"), [("cli/.installed", "nodejs npm"), (".browser", "chromium fonts-dejavu-core")]
)
def test_the_cli_and_the_browser_are_set_up_for_tests(bare: Path, missing: str, wanted: str) -> None:
    (bare / ".claudeops" / missing).unlink()
    assert f"install {wanted}" in called(bare, "setup-test")


def test_what_is_there_is_not_installed(bare: Path) -> None:
    for name in ("curl", "openssl", "systemd-analyze"):
        (bare.parent / "bin" / name).symlink_to("/bin/true")
    assert called(bare, "test") == [*COMPILED, "check", "test"]


def test_live_is_passed_on(bare: Path) -> None:
    assert called(bare, "run", "LIVE=1") == [*COMPILED, "install curl", "run 1"]


def test_the_lock_is_made_by_a_resolver_that_is_set_up_and_pinned(bare: Path) -> None:
    told = make(bare, "-n", "lock").stdout
    assert re.search(r"pip install .*uv==\d+\.\d+\.\d+\n", told)
    assert told.index("uv==") < told.index("uv pip compile")
