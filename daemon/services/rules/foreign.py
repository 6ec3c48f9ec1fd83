"""What other monitors say of a check: each field is taken, refused or left out, and none without a word. Pure.

What changes the meaning of a check and has no counterpart here is refused by its name, so that nobody thinks that it is
watched so; what only changes how it is shown or alerted is told as left out. The tables of fields are in
`daemon.services.rules.gatus` and `daemon.services.rules.kuma`; both are read by `daemon.services.rules.files`.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, NamedTuple


class Means(Enum):
    """What becomes of a field."""

    TAKEN = auto()
    REFUSED = auto()
    LEFT_OUT = auto()
    # The monitor's own bookkeeping, or said by another field already.
    NOTHING = auto()


class Field(NamedTuple):
    """One field. `why` goes on after its name; `usual`: what says nothing; `of`: the types that know it."""

    means: Means
    why: str = ""
    usual: tuple[Any, ...] = ()
    of: frozenset[str] = frozenset()  # empty: all


TAKEN, NOTHING = Field(Means.TAKEN), Field(Means.NOTHING)
EMPTY: tuple[Any, ...] = (None, "", False, 0, [], {})
UNKNOWN = Field(Means.REFUSED, "this field is not known here; take it out of the file if it does not matter")
_WILD = re.compile(r"([*?[])")
_VARIABLE = re.compile(r"\$(?=[$A-Z{])")


def refused(why: str, *usual: Any, of: frozenset[str] = frozenset()) -> Field:
    """A field that can't be carried over, unless it says what is usual."""
    return Field(Means.REFUSED, why, usual, of)


def left_out(why: str, *usual: Any, of: frozenset[str] = frozenset()) -> Field:
    """A field that changes only how a check is shown or alerted."""
    return Field(Means.LEFT_OUT, why, usual, of)


class Said(NamedTuple):
    """Something about a field: where it stands, and in words."""

    field: str
    message: str


class Read(NamedTuple):
    """What came of one check: services as our files write them, and what is refused or left out."""

    services: list[dict[str, Any]]
    refused: list[Said]
    left_out: list[Said]


class NoCounterpartError(ValueError):
    """A check that can't be carried over. `field` says where that stands."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def sorted_out(given: Mapping[str, Any], fields: Mapping[str, Field], kind: str = "", below: str = "") -> Read:
    """What is refused and left out of a check of a type. `below`: the field that holds these fields."""
    found = Read([], [], [])
    for name, value in given.items():
        field = fields.get(name, UNKNOWN)
        if value in EMPTY or value in field.usual or (field.of and kind not in field.of):
            continue
        said = Said(below or name, f"{below}.{name}: {field.why}" if below else f"{name}: {field.why}")
        if field.means is Means.REFUSED:
            found.refused.append(said)
        elif field.means is Means.LEFT_OUT:
            found.left_out.append(said)
    return found


def plain(text: str) -> str:
    """A text in which a dollar sign is one, and no variable of ours."""
    return _VARIABLE.sub("$$", text)


def pattern(text: str) -> str:
    """A condition's pattern for what has a text somewhere in it, letter by letter."""
    letters = _WILD.sub(r"[\1]", text)
    return f"pat(*{letters}*)"


def without_empty(service: Mapping[str, Any]) -> dict[str, Any]:
    """Without the fields that say nothing."""
    return {name: value for name, value in service.items() if value not in ("", [], {}, None)}
