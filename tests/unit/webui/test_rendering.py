"""Templates are compiled where the program is installed, and the web process only reads what is there."""

import stat
from pathlib import Path

import jinja2
import pytest

from webui import rendering

COUNT = len(list(rendering.TEMPLATES.glob("*.html")))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("compiled")
    assert rendering.compile_all(directory) == COUNT > 80
    return directory


def test_what_is_compiled_is_not_compiled_again(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = jinja2.Environment(autoescape=True, **rendering.options(compiled))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("compiled")

    monkeypatch.setattr(environment, "compile", refuse)
    for name in environment.list_templates(extensions=["html"]):
        assert environment.get_template(name).name == name
    assert len(list(compiled.iterdir())) == COUNT


def test_every_account_can_read_it(compiled: Path) -> None:
    assert {stat.S_IMODE(file.stat().st_mode) for file in compiled.iterdir()} == {0o644}


def test_a_template_that_was_changed_is_compiled_when_it_is_needed(compiled: Path) -> None:
    changed = {"error.html": "changed {{ 6 * 7 }}"}
    environment = jinja2.Environment(
        autoescape=True, **{**rendering.options(compiled), "loader": jinja2.DictLoader(changed)}
    )
    assert environment.get_template("error.html").render() == "changed 42"


def test_what_is_not_compiled_is_shown_all_the_same_and_left_alone(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "missing"):
        environment = jinja2.Environment(autoescape=True, **rendering.options(directory))
        assert environment.get_template("_banners.html").name == "_banners.html"
    assert list(tmp_path.iterdir()) == []


def test_compiling_again_leaves_nothing_of_a_template_that_is_gone(compiled: Path) -> None:
    (compiled / "__jinja2_gone.cache").write_bytes(b"old")
    rendering.compile_all(compiled)
    assert len(list(compiled.iterdir())) == COUNT
