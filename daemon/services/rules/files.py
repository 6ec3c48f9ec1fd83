"""Services in YAML: our own files, and those of Gatus and of Uptime Kuma's export. Every mistake has its line. Pure.

Called by `daemon.services.taking`. YAML is read for its nodes, which know their places; anchors are YAML's own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import yaml

from daemon.services.rules import definitions, foreign
from schema.definitions import Definition

SIZE_MAX = 4 * 1024 * 1024
# YAML's reader calls itself for what lies in something else, and would end the process.
DEPTH_MAX = 100
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
TIMES = frozenset({"interval", "timeout", "retry_interval", "grace", "session_cooldown", "remind"})
_TIME = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_PLACE = re.compile(r" - at `\$\.?([a-z_]*)(?:\[[^`]*)?`")


class Mistake(NamedTuple):
    """Something that can't be so, and where; lines and columns count from 1."""

    line: int
    column: int
    message: str


class Entry(NamedTuple):
    """One service of a file, and where it and each of its fields stand."""

    definition: Definition
    places: Mapping[str, tuple[int, int]]


class Parsed(NamedTuple):
    """What a file says, and everything that is wrong with it."""

    entries: list[Entry]
    mistakes: list[Mistake]


def parse(text: str) -> Parsed:
    """Reads a file of any of the known shapes."""
    if len(text) > SIZE_MAX:
        return Parsed([], [Mistake(1, 1, f"a file has at most {SIZE_MAX // 1024 // 1024} MiB")])
    try:
        if too_deep := _too_deep(text):
            return Parsed([], [too_deep])
        return _loaded(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Parsed([], [Mistake(line, column, f"this is no YAML: {error.problem or error}")])
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return Parsed([], [Mistake(1, 1, f"this is no YAML: {error}")])


def _too_deep(text: str) -> Mistake | None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            return _at(event, f"lists lie in one another more than {DEPTH_MAX} deep")
    return None


def _loaded(text: str) -> Parsed:
    loader = yaml.CSafeLoader(text)
    try:
        root = loader.get_single_node()
        return Parsed([], []) if root is None else _read(loader, root)
    finally:
        loader.dispose()


def _read(loader: Any, root: yaml.Node) -> Parsed:
    if not isinstance(root, yaml.MappingNode):
        return Parsed([], [_at(root, "a file has a list under `services:`")])
    if mistake := _unnamed(root):
        return Parsed([], [mistake])
    keys = {key.value: value for key, value in root.value}
    for name, change in (("services", _own), ("endpoints", foreign.gatus), ("monitorList", foreign.uptime_kuma)):
        if name in keys:
            return _entries(loader, keys[name], change)
    return Parsed([], [_at(root, "a file has a list under `services:` (or Gatus' `endpoints:`)")])


def _own(given: dict[str, Any]) -> dict[str, Any]:
    return given


def _entries(loader: Any, listed: yaml.Node, change: Any) -> Parsed:
    if isinstance(listed, yaml.MappingNode):  # Uptime Kuma numbers its monitors
        nodes = [value for _, value in listed.value]
    elif isinstance(listed, yaml.SequenceNode):
        nodes = listed.value
    else:
        return Parsed([], [_at(listed, "this is no list")])
    entries: list[Entry] = []
    mistakes: list[Mistake] = []
    for node in nodes:
        found = _entry(loader, node, change)
        if isinstance(found, Entry):
            entries.append(found)
        else:
            mistakes.append(found)
    return Parsed(entries, mistakes)


def _entry(loader: Any, node: yaml.Node, change: Any) -> Entry | Mistake:
    if not isinstance(node, yaml.MappingNode):
        return _at(node, "a service has fields: name, url, …")
    if mistake := _unnamed(node):
        return mistake
    own = {key.value: (value.start_mark.line + 1, value.start_mark.column + 1) for key, value in node.value}
    places = {"": (node.start_mark.line + 1, node.start_mark.column + 1), **own}
    try:
        given = change(loader.construct_object(node, deep=True))
        definition = msgspec.convert(_timed(given), Definition)
    except msgspec.ValidationError as error:
        match = _PLACE.search(str(error))
        field = match[1] if match else ""
        line, column = places.get(field, places[""])
        return Mistake(line, column, f"{field + ': ' if field else ''}{_PLACE.sub('', str(error))}")
    except foreign.UnknownKindError as error:
        return Mistake(*places[""], str(error))
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        return Mistake(*places[""], f"a field is not of its type: {error}")
    return Entry(definition, places)


def _unnamed(node: yaml.MappingNode) -> Mistake | None:
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            return _at(key, "the name of a field is a word; put a template such as {{ x }} in quotes, or fill it in")
    return None


def _timed(given: Mapping[str, Any]) -> dict[str, Any]:
    """Times as people write them, in seconds."""
    return {
        name: seconds(value) if name in TIMES and isinstance(value, str) else value for name, value in given.items()
    }


def seconds(text: str) -> float | str:
    """Seconds of `30s`, `1h30m`; what is no time is left as it is, for the field to refuse."""
    if not _TIME.fullmatch(text):
        return text
    return sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))


def checked(entries: Iterable[Entry], known: Mapping[str, Iterable[str]]) -> Iterator[Mistake]:
    """What is wrong with services that could be read, beside those that are `known` already and not in the file."""
    listed = list(entries)
    after = {**known, **{entry.definition.name: entry.definition.needs for entry in listed}}
    seen: set[str] = set()
    for entry in listed:
        name = entry.definition.name
        if name.casefold() in seen:
            yield Mistake(*entry.places.get("name", entry.places[""]), f"name: {name!r} is there twice")
        seen.add(name.casefold())
        for problem in definitions.problems(entry.definition, after, name):
            yield Mistake(*entry.places.get(problem.field, entry.places[""]), f"{problem.field}: {problem.message}")


def written(listed: Iterable[Definition]) -> str:
    """Services as a file that reads back the same."""
    found = [_fields(definition) for definition in listed]
    text: str = yaml.safe_dump({"services": found}, sort_keys=False, allow_unicode=True, width=120)
    return text


def _fields(definition: Definition) -> dict[str, Any]:
    given: dict[str, Any] = msgspec.to_builtins(definition)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


def _at(node: yaml.Node | yaml.Event, message: str) -> Mistake:
    return Mistake(node.start_mark.line + 1, node.start_mark.column + 1, message)
