"""What a machine can't inject: a test that is left out says why, and CI leaves out nothing that is not listed."""

import ast
from pathlib import Path

import pytest

from tests.fixtures import machine

TESTS = Path(__file__).parents[1]
LEAVES_OUT = {"skip", "skipif", "importorskip", "xfail"}


def test_a_test_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="this machine has no flux: buy one"):
        machine.lacking("flux", "buy one")


def test_in_ci_it_fails_unless_it_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="this machine has no flux: buy one"):
        machine.lacking("flux", "buy one")
    monkeypatch.setitem(machine.LISTED, "flux", "there is none to buy")
    with pytest.raises(pytest.skip.Exception):
        machine.lacking("flux", "buy one")


def test_a_program_that_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    assert machine.need_program("sh", "dash").endswith("/sh")
    with pytest.raises(pytest.fail.Exception, match="apt-get install flux-tools"):
        machine.need_program("no-such-program", "flux-tools")


def test_nothing_else_leaves_a_test_out() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")}
    found = [
        f"{path.relative_to(TESTS)}:{node.lineno}"
        for path, text in texts.items() if path.name not in ("machine.py", Path(__file__).name)
        if any(name in text for name in LEAVES_OUT)  # to parse them all takes a second
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr in LEAVES_OUT
    ]  # fmt: skip
    assert found == [], "use tests.fixtures.machine"


def test_ci_says_that_it_is_ci_and_calls_what_the_readme_names() -> None:
    lines = (TESTS.parent / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [
        "set -euo pipefail", 'export CI="${CI:-1}"', "exec make test",
    ]  # fmt: skip
