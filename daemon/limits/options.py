"""Reading a program's options by a table of those that are understood.

Programs' tables hold them as text: `-a --all -n= --tail= --color?=`: a flag, one with a value, one whose value may
only be attached. An option that isn't in the table is not understood.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from daemon.limits.words import NotUnderstood, Word


class Options(NamedTuple):
    """`values`: options that take one, attached or as the next word; `attached`: only attached."""

    flags: frozenset[str]
    values: frozenset[str]
    attached: frozenset[str]


class Given(NamedTuple):
    """What was on a command line: (option, value or None) in order, then the operands."""

    options: list[tuple[str, Word | None]]
    operands: list[Word]

    def has(self, *names: str) -> bool:
        return any(name in names for name, _ in self.options)

    def values(self, *names: str) -> list[Word]:
        return [value for name, value in self.options if name in names and value is not None]


def options(text: str) -> Options:
    """The table that a text describes."""
    items = text.split()
    return Options(
        frozenset(item for item in items if not item.endswith("=")),
        frozenset(item[:-1] for item in items if item.endswith("=") and not item.endswith("?=")),
        frozenset(item[:-2] for item in items if item.endswith("?=")),
    )


def read(words: Sequence[Word], table: Options, *, first: bool = False, single_dash: bool = False) -> Given:
    """Options and operands. Raises NotUnderstood for an option that isn't in the table, or a word that may be one.

    `first`: stop at the first operand, which with all that follows is returned as operands.
    `single_dash`: long options have one dash and are never bundled (`-json`).
    """
    given = Given([], [])
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.may_be_option:
            given.operands.append(word)
            if first:
                return Given(given.options, given.operands + rest)
            continue
        if word.splits or not word.prefix:
            raise NotUnderstood(f"{word.show()} may become an option")
        if word.text == "--":
            return Given(given.options, given.operands + rest)
        if word.prefix.startswith("--") or single_dash:
            _long(word, table, rest, given)
        else:
            _short(word, table, rest, given)
    return given


def _long(word: Word, table: Options, rest: list[Word], given: Given) -> None:
    name, equals, _ = word.prefix.partition("=")
    if not equals and word.text is None:
        raise NotUnderstood(f"the option {word.show()}")
    if equals:
        if name not in table.values | table.attached and not (name in table.flags and _is_boolean(word)):
            raise NotUnderstood(f"the option {name}")
        given.options.append((name, word.cut(len(name) + 1)))
    elif name in table.values:
        given.options.append((name, _next(name, rest)))
    elif name in table.flags | table.attached:
        given.options.append((name, None))
    else:
        raise NotUnderstood(f"the option {name}")


def _is_boolean(word: Word) -> bool:
    return bool(word.text and re.search("=(true|false)$", word.text))


def _short(word: Word, table: Options, rest: list[Word], given: Given) -> None:
    """A bundle: flags, and perhaps one option that takes what is left, or the next word."""
    bundle = word.prefix
    if bundle in table.flags:  # such as find's -name or java's -version
        given.options.append((bundle, None))
        return
    if bundle in table.values and word.text is not None:
        given.options.append((bundle, _next(bundle, rest)))
        return
    for at in range(1, len(bundle)):
        name = "-" + bundle[at]
        left = word.cut(at + 1)
        if name in table.values or name in table.attached:
            empty = not left.parts or left.text == ""
            value = (_next(name, rest) if name in table.values else None) if empty else left
            given.options.append((name, value))
            return
        if name not in table.flags:
            raise NotUnderstood(f"the option {name}")
        given.options.append((name, None))
    if word.text is None:
        raise NotUnderstood(f"the option {word.show()}")


def _next(name: str, rest: list[Word]) -> Word:
    if not rest:
        raise NotUnderstood(f"the option {name} without its value")
    value = rest.pop(0)
    if value.splits:
        raise NotUnderstood(f"{value.show()} after {name} may become several words")
    return value
