"""The house's own rules, kept by a test each: imports, sizes, names, a handler for each request."""

import ast
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections import Counter
from enum import Enum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipc import codec
from ipc.messages import tables
from ipc.messages.envelope import Event, Reply, Request
from tests.fixtures.examples import part

ROOT = Path(__file__).parents[2]
PACKAGES = ("daemon", "ipc", "schema", "webui")
LINES_MAX = 300
# Modules that are longer, with the reason. There should be none.
LONGER: dict[str, str] = {}
# What a module begins with: its docstring, which is not empty; programs have a line above it that says what runs them.
BEGINS = re.compile(r'(#.*\n)*r?"""\s*[^"\s]')

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=5), inner, max_size=2)),
    max_leaves=4,
)


def modules(*folders: str) -> list[Path]:
    """Python files below folders of the checkout, without what npm installs."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if "node_modules" not in path.parts)


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def parsed(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(text_of(path))


# Imports and names


def test_the_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert told.returncode == 0, told.stdout + told.stderr


def test_every_rules_module_is_under_the_contract() -> None:

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (pure,) = [contract for contract in contracts if contract["name"].startswith("rules decide from values")]
    found = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules(*PACKAGES)]
    assert {name for name in found if name.endswith(".rules")} <= set(pure["source_modules"])


def test_nothing_imports_tests_or_packaging() -> None:
    others = {"tests", "packaging", "benchmarks"}
    for path in modules(*PACKAGES):
        if not any(name in text_of(path) for name in others):
            continue  # to parse them all takes seconds
        for node in ast.walk(parsed(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & others, path


def test_the_four_names_belong_to_this_distribution_alone() -> None:
    owners = importlib.metadata.packages_distributions()
    assert {name: set(owners.get(name, [])) - {"claudeops"} for name in PACKAGES} == {name: set() for name in PACKAGES}
    for name in PACKAGES:
        assert Path(importlib.import_module(name).__file__ or "").parent == ROOT / name


def test_there_is_no_init_module_where_it_would_hide_another_package() -> None:
    assert [path for path in modules("packaging", "tests") if path.name == "__init__.py"] == []


def test_an_init_module_is_a_docstring_and_no_more() -> None:
    for path in modules(*PACKAGES):
        if path.name == "__init__.py":
            body = parsed(path).body
            assert len(body) == 1, path
            assert isinstance(body[0], ast.Expr), path


# Sizes and docstrings


def test_a_module_is_one_room_and_says_why_it_exists() -> None:
    problems = []
    for path in modules(*PACKAGES, "benchmarks", "packaging"):
        text, name = text_of(path), str(path.relative_to(ROOT))
        lines = text.count("\n")
        if not BEGINS.match(text):
            problems.append(f"{name} has no docstring")
        if name in LONGER and lines <= LINES_MAX:
            problems.append(f"{name} is short enough; take it off the list")
        if name not in LONGER and lines > LINES_MAX:
            problems.append(f"{name} has {lines} lines; move a wall")
    assert problems == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
    assert [path for path in modules(*PACKAGES) if path.stem in empty] == []


def test_whatever_is_suppressed_says_why() -> None:
    """After " - "; after "#" where mypy reads it, which takes nothing else behind the brackets."""
    silent = re.compile(r"#\s*(?:(?:noqa|pragma:)(?!.* - \S)|type:\s*ignore(?!\[[\w, -]+\]  # \S)).*")
    texts = {path: text_of(path) for path in modules(*PACKAGES, "benchmarks", "packaging")}
    assert [(path, found) for path, text in texts.items() for found in silent.findall(text)] == []


# Requests and handlers


def handled(path: Path) -> list[type[Request]]:
    """The request types in the table that a module's `handlers` returns."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    (function,) = [node for node in parsed(path).body if isinstance(node, ast.FunctionDef) and node.name == "handlers"]
    (table,) = [node.value for node in function.body if isinstance(node, ast.Return)]
    assert isinstance(table, ast.Dict), f"{path}: handlers() returns one dict, written out"
    return [getattr(module, key.id) for key in table.keys if isinstance(key, ast.Name)]


HANDLERS = sorted((ROOT / "daemon").glob("*/handlers.py"))


def test_every_request_has_exactly_one_handler() -> None:
    counted = Counter(request for path in HANDLERS for request in handled(path))
    assert counted == Counter(tables.REQUESTS.values())


def test_the_worker_takes_the_table_of_every_noun() -> None:
    tree = parsed(ROOT / "daemon" / "parts.py")
    imported = {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
        for alias in node.names if alias.name == "handlers"
    }  # fmt: skip
    assert imported == {f"daemon.{path.parent.name}" for path in HANDLERS}
    called = [
        node for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "handlers"
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id == "self")
    ]  # fmt: skip
    assert len(called) == len(HANDLERS)


def subclasses(kind: type) -> set[type]:
    found: set[type] = set(kind.__subclasses__())
    return found.union(*(subclasses(direct) for direct in found))


def test_every_message_that_is_declared_is_in_the_tables() -> None:
    for path in (ROOT / "ipc" / "messages").glob("*.py"):
        importlib.import_module(f"ipc.messages.{path.stem}")
    assert {kind for kind in subclasses(Request) if kind.__module__.startswith("ipc.")} == set(tables.REQUESTS.values())
    assert {kind for kind in subclasses(Event) if kind.__module__.startswith("ipc.")} == set(tables.EVENTS.values())


# Messages that travel


@cache
def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    simple = {
        int: st.integers(-(2**53), 2**53),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        str: st.text(max_size=20),
        bytes: st.binary(max_size=20),
        type(None): st.none(),
    }
    if kind in simple:
        return simple[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return st.one_of(*(values(part) for part in inner))
    if origin is list:
        return st.lists(values(inner[0]), max_size=3)
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text(max_size=5), JSON if inner[1] is Any else values(inner[1]), max_size=3)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    assert isinstance(kind, type)
    assert issubclass(kind, msgspec.Struct), f"{kind} is no type that a message may have"
    hints = get_type_hints(kind)
    return st.builds(kind, **{field: values(hints[field]) for field in kind.__struct_fields__})


@settings(
    max_examples=part(0.1), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None
)
@pytest.mark.parametrize("subject", tables.REQUESTS)
@given(data=st.data())
def test_a_request_and_its_reply_arrive_as_they_were_sent(subject: str, data: st.DataObject) -> None:
    kind = tables.REQUESTS[subject]
    request, reply = data.draw(values(kind)), data.draw(values(kind.reply))
    for json in (False, True):
        arrives(subject, request, reply, json=json)


def arrives(subject: str, request: Request, reply: Any, *, json: bool) -> None:
    kind = tables.REQUESTS[subject]
    frame = codec.request("id-1", request, sent=1.5, deadline=2.5, trace="00-a-b-01", json=json)
    assert codec.is_json(frame) == json
    envelope = codec.open_envelope(frame)
    assert (envelope.type, envelope.id, envelope.sent, envelope.deadline) == (subject, "id-1", 1.5, 2.5)
    assert codec.read_request(envelope, json=json) == request

    assert isinstance(reply, Reply)
    answered = codec.open_envelope(codec.reply(envelope, reply, sent=3.5, json=json))
    assert (answered.id, answered.trace) == ("id-1", "00-a-b-01")
    assert codec.read_reply(answered, kind.reply, json=json) == reply
    assert codec.read_stored(codec.store(reply), kind.reply) == reply


@settings(max_examples=part(0.2), deadline=None)
@pytest.mark.parametrize("subject", tables.EVENTS)
@given(data=st.data())
def test_an_event_arrives_as_it_was_published(subject: str, data: st.DataObject) -> None:
    event = data.draw(values(tables.EVENTS[subject]))
    frame = codec.publication("epoch", 7, event)
    assert frame.startswith(subject.encode() + b"\0")
    assert codec.read_publication(frame) == ("epoch", 7, event)


def needed(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The fields that a message can't be without, each with some value."""
    values: dict[Any, Any] = {str: "x", int: 1, bool: True, bytes: b"x", dict[str, str]: {}, list[int]: [1]}
    return {
        field.name: needed(field.type) if isinstance(field.type, type(msgspec.Struct)) else values.get(field.type)
        for field in msgspec.structs.fields(kind)
        if field.required
    }


@pytest.mark.parametrize("subject", tables.REQUESTS)
def test_a_message_of_a_later_version_is_understood(subject: str) -> None:
    """Fields that are not known are passed over, and those with defaults may be missing."""
    kind = tables.REQUESTS[subject]
    body = needed(kind) | {"added_later": [1]}
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(body), type=kind)
