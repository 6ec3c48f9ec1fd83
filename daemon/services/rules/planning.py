"""What a file of services would change: what is new, what is another and in which fields, what is gone. Pure.

Called by `daemon.services.taking`, which carries a plan out, or only tells it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from daemon.services.rules import variables
from daemon.services.rules.files import Entry, Mistake
from daemon.services.rules.kept import NOBODY, NOTHING, Kept, carried_over, split
from schema.definitions import Definition

IN_ANY_ORDER = frozenset({"tags", "needs"})


class Known(NamedTuple):
    """A service that is there already: as it is stored, and what is kept of it beside."""

    id: int
    definition: Definition
    kept: Kept
    owner: str


class Difference(NamedTuple):
    """A field that would be another, passwords masked. `secret`: what the mask stands for is another."""

    field: str
    old: Any
    new: Any
    secret: bool = False


class New(NamedTuple):
    """A service that is not there yet."""

    definition: Definition
    kept: Kept


class Changed(NamedTuple):
    """A service that is another in the file."""

    known: Known
    definition: Definition
    kept: Kept
    differences: list[Difference]


class Plan(NamedTuple):
    """All that a file changes. `unchanged`: how many of its services are as they were."""

    added: list[New]
    changed: list[Changed]
    removed: list[Known]
    unchanged: int


def filled(entries: Iterable[Entry], known: Mapping[str, Known]) -> tuple[list[Entry], list[Mistake]]:
    """Entries of an export, which has no passwords, with those that are kept; a mistake for each that is not."""
    found: list[Entry] = []
    mistakes: list[Mistake] = []
    for entry in entries:
        there = known.get(entry.definition.name.casefold())
        before, kept = (there.definition, there.kept) if there else (NOBODY, NOTHING)
        definition, problems = carried_over(entry.definition, before, kept)
        found.append(Entry(definition, entry.places))
        mistakes += [_at(entry, problem.field, f"{problem.field}: {problem.message}") for problem in problems]
    return found, mistakes


def refused(
    entries: Iterable[Entry], known: Mapping[str, Known], environ: Mapping[str, str], owners: Collection[str]
) -> Iterator[Mistake]:
    """Variables that are not there, and services of others than some owners, which another file describes."""
    for entry in entries:
        name = entry.definition.name
        there = known.get(name.casefold())
        if there is not None and there.owner not in owners:
            yield _at(entry, "", f"name: {name} is described by {there.owner}")
        try:
            variables.filled(entry.definition, environ)
        except variables.UnknownVariableError as error:
            yield _at(entry, "url", str(error))


def _at(entry: Entry, field: str, message: str) -> Mistake:
    return Mistake(*entry.places.get(field, entry.places[""]), message)


def plan(entries: Iterable[Entry], known: Mapping[str, Known], *, owner: str, prune: bool) -> Plan:
    """Entries without mistakes beside what is there, by name in small letters. `prune`: what is not in it goes."""
    added: list[New] = []
    changed: list[Changed] = []
    names: set[str] = set()
    for entry in entries:
        wanted, kept = split(entry.definition)
        names.add(wanted.name.casefold())
        there = known.get(wanted.name.casefold())
        if there is None:
            added.append(New(wanted, kept))
            continue
        if owner and there.definition.paused:
            # A file does not resume what a person has paused.
            wanted = msgspec.structs.replace(wanted, paused=True)
        if differences := [*_differences(there, wanted, kept, owner)]:
            changed.append(Changed(there, wanted, kept, differences))
    removed = [one for name, one in known.items() if prune and name not in names and one.owner == owner]
    return Plan(added, changed, removed, len(names) - len(added) - len(changed))


def _differences(known: Known, wanted: Definition, kept: Kept, owner: str) -> Iterator[Difference]:
    # What is stored may be from before something was known as a password.
    shown, _ = split(known.definition)
    for field in Definition.__struct_fields__:
        old, new = _value(known.definition, field), _value(wanted, field)
        secret = getattr(known.kept, field, None) != getattr(kept, field, None)
        if old != new or secret:
            yield Difference(field, _value(shown, field), new, secret)
    if known.owner != owner:
        yield Difference("owner", known.owner, owner)


def _value(definition: Definition, field: str) -> Any:
    value = msgspec.to_builtins(getattr(definition, field))
    return sorted(value) if field in IN_ANY_ORDER else value
