"""Services in YAML: our own files, and those of Gatus and of Uptime Kuma's export. Every mistake has its line. Pure.

Called by `daemon.services.taking`. YAML is read for its nodes, which know their places; anchors are YAML's own.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec
import yaml

from daemon.services.rules import definitions, gatus, known_places, kuma
from daemon.services.rules.definitions import Problem
from daemon.services.rules.foreign import NoCounterpartError, Read, Said
from schema.definitions import Definition

SIZE_MAX = 4 * 1024 * 1024
# YAML's reader calls itself for what lies in something else, and would end the process.
DEPTH_MAX = 100
# What all aliases stand for, in letters: a few hundred bytes of them can stand for more than any memory holds.
MEANT_MAX = 16 * 1024 * 1024
NULL, MERGE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"
FIELDS = {field.name: field for field in msgspec.structs.fields(Definition)}
# A file that was cut to nothing must not remove all that it described.
EMPTY = "the file is empty; for no services write `services: []`"
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
TIMES = frozenset({"interval", "timeout", "retry_interval", "grace", "session_cooldown", "remind"})
_TIME = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_INSIDE = re.compile(r" - at `\$[^`]*`")


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
    """What a file says, everything that is wrong with it, and what of it is left out."""

    entries: list[Entry]
    mistakes: list[Mistake]
    left_out: list[Mistake]


Reader = Callable[[dict[str, Any]], Read]


def parse(text: str) -> Parsed:
    """Reads a file of any of the known shapes."""
    if len(text) > SIZE_MAX:
        return _wrong(Mistake(1, 1, f"a file has at most {SIZE_MAX // 1024 // 1024} MiB"))
    try:
        if too_deep := _too_deep(text):
            return _wrong(too_deep)
        return _loaded(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return _wrong(Mistake(line, column, f"this is no YAML: {error.problem or error}"))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return _wrong(Mistake(1, 1, f"this is no YAML: {error}"))


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
        if root is None or root.tag == NULL:
            return _wrong(Mistake(1, 1, EMPTY))
        if _meant(root, {}) > MEANT_MAX:
            told = f"with all that its aliases stand for, a file has at most {MEANT_MAX // 1024 // 1024} MiB"
            return _wrong(_at(root, told))
        twice = list(_twice(root))  # before anything is made of it, which puts what an anchor gives among the fields
        return _together([Parsed([], twice, []), _read(loader, root)])
    finally:
        loader.dispose()


def _meant(node: yaml.Node, known: dict[int, int]) -> int:
    """How much a node is with everything in it, as often as it is in it."""
    if (found := known.get(id(node))) is not None:
        return found
    known[id(node)] = 0  # one that lies in itself is refused later
    size = 1
    if isinstance(node, yaml.ScalarNode):
        size += len(node.value)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_meant(one, known) for one in node.value)
    elif isinstance(node, yaml.MappingNode):
        size += sum(_meant(key, known) + _meant(value, known) for key, value in node.value)
    known[id(node)] = size
    return size


def _twice(root: yaml.Node) -> Iterator[Mistake]:
    """What is given again, of which YAML's reader would take the last and say nothing."""
    waiting: list[yaml.Node] = [root]
    known: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in known:  # an alias
            continue
        known.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        if not isinstance(node, yaml.MappingNode):
            continue
        waiting += [value for _, value in node.value]
        seen: set[tuple[str, str]] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != MERGE):
            if (key.tag, key.value) in seen:
                yield _at(key, f"{key.value}: it is given twice; leave one of the two")
            seen.add((key.tag, key.value))


def _wrong(mistake: Mistake) -> Parsed:
    return Parsed([], [mistake], [])


def _read(loader: Any, root: yaml.Node) -> Parsed:
    if not isinstance(root, yaml.MappingNode):
        return _wrong(_at(root, "a file has a list under `services:`"))
    if mistake := _unnamed(root):
        return _wrong(mistake)
    keys = {key.value: value for key, value in root.value}
    if "services" in keys:
        return _entries(loader, keys["services"], _own)
    if "monitorList" in keys:
        around = kuma.around(loader.construct_object(root, deep=True))
        return _entries(loader, keys["monitorList"], partial(kuma.monitor, around=around))
    lists = {"endpoints": gatus.endpoint, "external-endpoints": gatus.external, "suites": gatus.suite}
    found = [_entries(loader, keys[name], read) for name, read in lists.items() if name in keys]
    if not found:
        return _wrong(_at(root, "a file has a list under `services:` (or Gatus' `endpoints:`)"))
    places = {key.value: _place(key) for key, _ in root.value}
    given = {name: loader.construct_object(keys[name], deep=True) for name in gatus.WHOLE if name in keys}
    left_out = [Mistake(*places[said.field], said.message) for said in gatus.whole(given).left_out]
    return _together([*found, Parsed([], [], left_out)])


def _own(given: dict[str, Any]) -> Read:
    return Read([given], [], [])


def _entries(loader: Any, listed: yaml.Node, read: Reader) -> Parsed:
    if isinstance(listed, yaml.MappingNode):  # Uptime Kuma numbers its monitors
        nodes = [value for _, value in listed.value]
    elif isinstance(listed, yaml.SequenceNode):
        nodes = listed.value
    else:
        return _wrong(_at(listed, "this is no list"))
    return _together([_entry(loader, node, read) for node in nodes])


def _together(parts: list[Parsed]) -> Parsed:
    return Parsed(
        [entry for part in parts for entry in part.entries],
        [mistake for part in parts for mistake in part.mistakes],
        [mistake for part in parts for mistake in part.left_out],
    )


def _entry(loader: Any, node: yaml.Node, read: Reader) -> Parsed:
    if not isinstance(node, yaml.MappingNode):
        return _wrong(_at(node, "a service has fields: name, url, …"))
    if mistake := _unnamed(node):
        return _wrong(mistake)
    places = {"": _place(node), **{key.value: _place(value) for key, value in node.value}}
    name = ""
    try:
        given = loader.construct_object(node, deep=True)
        name = str(given.get("name", ""))
        found = read(given)
        wanted = [_timed(service) for service in found.services]
        if faults := [fault for service in wanted for fault in _faults(service)]:
            strange = {key.value: _place(key) for key, _ in node.value if key.value not in FIELDS}
            where = {**places, **strange}  # what is no field is itself what is wrong
            return Parsed([], [_told(fault, where) for fault in faults], [])
        services = [msgspec.convert(service, Definition) for service in wanted]
    except NoCounterpartError as error:
        return _wrong(Mistake(*places.get(error.field, places[""]), f"{name}: {error}"))
    except (TypeError, ValueError, AttributeError, ArithmeticError, msgspec.ValidationError) as error:
        return _wrong(Mistake(*places[""], f"a field is not of its type: {error}"))

    def told(said: list[Said]) -> list[Mistake]:
        return [Mistake(*places.get(one.field, places[""]), f"{name}: {one.message}") for one in said]

    return Parsed([Entry(service, places) for service in services], told(found.refused), told(found.left_out))


def _told(fault: Problem, places: Mapping[str, tuple[int, int]]) -> Mistake:
    return Mistake(*places.get(fault.field, places[""]), f"{fault.field}: {fault.message}")


def _faults(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Every field that is none, is not of its type, or is missing."""
    for name, value in given.items():
        if name not in FIELDS:
            near = difflib.get_close_matches(str(name), FIELDS, n=1)
            yield Problem(str(name), "there is no such field" + (f"; did you mean `{near[0]}`?" if near else ""))
            continue
        try:
            msgspec.convert(value, FIELDS[name].type)
        except msgspec.ValidationError as error:
            yield Problem(name, _INSIDE.sub("", str(error)))
    for name, field in FIELDS.items():
        if field.required and name not in given:
            yield Problem(name, "it is missing")


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
            yield _told(problem, entry.places)
        for field, message in known_places.never_known(entry.definition):
            yield Mistake(*entry.places.get(field, entry.places[""]), f"{field}: {message}")


def written(listed: Iterable[Definition]) -> str:
    """Services as a file that reads back the same."""
    found = [_fields(definition) for definition in listed]
    text: str = yaml.safe_dump({"services": found}, sort_keys=False, allow_unicode=True, width=120)
    return text


def _fields(definition: Definition) -> dict[str, Any]:
    given: dict[str, Any] = msgspec.to_builtins(definition)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


def _at(node: yaml.Node | yaml.Event, message: str) -> Mistake:
    return Mistake(*_place(node), message)


def _place(node: yaml.Node | yaml.Event) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
