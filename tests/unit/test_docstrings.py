"""What a module says of others is so: those that it names are there, and those that it says call it import it."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("daemon", "ipc", "schema", "webui")
NAME = re.compile(rf"`((?:{'|'.join(PACKAGES)})(?:\.\w+)*|\.\w+)`")
# What follows up to the end of the clause, names and all.
CALLERS = re.compile(r"\b(?:called|built|used|asked|made|read) (?:by|through) ((?:[^.;:(`]|`[^`]*`)*)", re.IGNORECASE)
# Who reaches a module without importing it, and how.
ELSEWISE = {
    ("daemon.demo.engine", "daemon.demo.docker"): "over HTTP",
    ("daemon.services.announcing", "daemon.services.services"): "an attribute of the catalogue",
    ("daemon.services.catalogue", "daemon.services.handlers"): "an attribute of `Services`",
    ("daemon.services.trying", "daemon.services.handlers"): "an attribute of `Services`",
    ("webui.public", "webui.pages.public_status"): "an attribute of `Parts`",
}


def named(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {named(path): path for folder in PACKAGES for path in sorted((ROOT / folder).rglob("*.py"))}
KNOWN = {".".join(parts[:length]) for parts in (name.split(".") for name in MODULES) for length in range(1, 9)}


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def docstring(name: str) -> str:
    return " ".join((ast.get_docstring(parsed(name)) or "").split())


@cache
def imported(name: str) -> frozenset[str]:
    """The modules that one imports, at its top or in a function, and what it takes from them."""
    found = set()
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def is_there(name: str) -> bool:
    """Whether it is a package, a module, or what a module declares."""
    module, _, attribute = name.rpartition(".")
    declared = rf"^(?:(?:async )?def |class )?{attribute}\b"
    return name in KNOWN or (
        module in MODULES and re.search(declared, MODULES[module].read_text(encoding="utf-8"), re.MULTILINE) is not None
    )


def test_every_module_that_a_docstring_names_is_there() -> None:
    names = [(name, other) for name in MODULES for other in NAME.findall(docstring(name)) if other[0] != "."]
    assert [(name, other) for name, other in names if not is_there(other)] == []


def test_whoever_calls_a_module_by_its_docstring_imports_it() -> None:
    wrong = set()
    for name in MODULES:
        for other in (other for clause in CALLERS.findall(docstring(name)) for other in NAME.findall(clause)):
            caller = name.rpartition(".")[0] + other if other.startswith(".") else other
            within = [module for module in MODULES if f"{module}.".startswith(f"{caller}.")]
            if within and not any(f"{found}.".startswith(f"{name}.") for m in within for found in imported(m)):
                wrong.add((name, caller))
    assert wrong == set(ELSEWISE)  # one that imports it after all is taken off the list
