"""How conditions are written: Gatus' notation, and `[HEADER].name` beside it. An error names its column. Pure.

`[STATUS] == 200`, `[BODY].data[0].id == any(1, 2)`, `len([BODY]) < 5`, `[BODY] == pat(*<h1>*)`. Called by
`daemon.services.rules.conditions`.
"""

import re
from functools import lru_cache
from typing import NamedTuple

OPERATORS = ("==", "!=", "<=", ">=", "<", ">")
PLACES = (
    "STATUS",
    "RESPONSE_TIME",
    "BODY",
    "HEADER",
    "CONNECTED",
    "IP",
    "DNS_RCODE",
    "CERTIFICATE_EXPIRATION",
    "DOMAIN_EXPIRATION",
)
WITH_PATH = ("BODY", "HEADER")
LENGTH_MAX = 500
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_DURATION = re.compile(r"[+-]?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)([a-zµ]+)", re.ASCII)
# A dot before an index is how Gatus writes it.
_PLACE = re.compile(r"\[([A-Za-z_]+)\]((?:\.[^\s.\[\]()]+|\.?\[\d+\])*)")
_STEP = re.compile(r"\.([^\s.\[\]()]+)|\.?\[(\d+)\]")
_JOINED = re.compile(r"(&&|\|\|)")
_JOINED_BEHIND = re.compile(r"\)\s*(&&|\|\|)")  # a pattern may have them in its text
_FUNCTION = re.compile(r"(len|has|any|pat)\(")


class ConditionError(ValueError):
    """A condition that can't be read. `column` counts from 1; the message says what was expected there."""

    def __init__(self, text: str, column: int, expected: str) -> None:
        super().__init__(f"{text!r}, column {column}: {expected}")
        self.text, self.column, self.expected = text, column, expected


class Place(NamedTuple):
    """A placeholder, such as [BODY].data[0].id: what it names, and the steps into it."""

    name: str
    steps: tuple[str | int, ...] = ()


class Literal(NamedTuple):
    """A word, a number or a duration, as it was written."""

    text: str


class Measure(NamedTuple):
    """`len` or `has` of a placeholder."""

    name: str
    place: Place


class Pattern(NamedTuple):
    """`pat`: a text with `*` and `?` for any letters."""

    text: str


class AnyOf(NamedTuple):
    """`any`: one of several is enough."""

    options: tuple[Literal | Pattern, ...]


Operand = Place | Literal | Measure | Pattern | AnyOf


class Condition(NamedTuple):
    """A condition that was read. `text` is what its author wrote."""

    text: str
    left: Operand
    operator: str
    right: Operand


@lru_cache(maxsize=4096)
def parse(text: str) -> Condition:
    """Reads one condition. ConditionError."""
    return _Reader(text).condition()


class _Reader:
    """Goes through the text of one condition once."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        if len(text) > LENGTH_MAX:
            raise ConditionError(text[:40] + "…", LENGTH_MAX, f"a condition has at most {LENGTH_MAX} characters")

    def condition(self) -> Condition:
        left = self._operand(until_operator=True)
        self._blank()
        operator = next((one for one in OPERATORS if self._text.startswith(one, self._at)), None)
        if operator is None:
            raise self._error(f"one of {' '.join(OPERATORS)}")
        self._at += len(operator)
        following = self._text[self._at : self._at + 1]
        # `==<h1>` compares with a text; no text begins with what makes another operator of this one.
        if following == "=" or (following in ("<", ">", "!") and operator not in ("==", "!=")):
            raise self._error(f"a value: the operators are {' '.join(OPERATORS)}")
        column = self._at
        right = self._operand(until_operator=False)
        self._blank()
        if self._at < len(self._text):
            raise self._error("nothing more: write another condition for another comparison")
        if not any(isinstance(part, Place | Measure) for part in (left, right)):
            raise ConditionError(self._text, 1, f"one of {', '.join(f'[{name}]' for name in PLACES)} on one side")
        self._fits(left, operator, 1)
        self._fits(right, operator, column + 1)
        return Condition(self._text.strip(), left, operator, right)

    def _fits(self, operand: Operand, operator: str, column: int) -> None:
        if isinstance(operand, AnyOf | Pattern) and operator not in ("==", "!="):
            name = "any" if isinstance(operand, AnyOf) else "pat"
            raise ConditionError(self._text, column, f"{name}() goes with == and != only")
        if isinstance(operand, Literal) and operator not in ("==", "!=") and not is_amount(operand.text):
            raise ConditionError(self._text, column, f"a number or a duration, such as 500 or 1m30s, beside {operator}")

    def _error(self, expected: str) -> ConditionError:
        return ConditionError(self._text, self._at + 1, expected)

    def _blank(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _operand(self, *, until_operator: bool) -> Operand:
        self._blank()
        if self._at >= len(self._text):
            raise self._error("a value")
        if self._text[self._at] == "[":
            return self._place()
        if match := _FUNCTION.match(self._text, self._at):
            return self._function(match, last=not until_operator)
        return self._literal(OPERATORS if until_operator else ())

    def _place(self) -> Place:
        match = _PLACE.match(self._text, self._at)
        if match is None or match[1].upper() not in PLACES:
            raise self._error(f"one of {', '.join(f'[{name}]' for name in PLACES)}")
        name, path = match[1].upper(), match[2]
        steps = tuple(step or int(index) for step, index in _STEP.findall(path))
        if name == "HEADER" and not steps:
            raise self._error("a header's name, such as [HEADER].content-type")
        if steps and name not in WITH_PATH:
            raise self._error(f"[{name}] has nothing below it")
        self._at = match.end()
        # A header's name is one step, dots and all.
        return Place(name, (path[1:].lower(),) if name == "HEADER" else steps)

    def _function(self, match: "re.Match[str]", *, last: bool) -> Measure | Pattern | AnyOf:
        name, self._at = match[1], match.end()
        if name == "pat":
            # At the end of a condition it goes to the last `)`, so that its text may have some, as in Gatus.
            to_the_end = last and self._text.rstrip().endswith(")")
            return Pattern(self._one(self._until(")", last=to_the_end), match.end(), _JOINED_BEHIND))
        found: Measure | AnyOf
        if name in ("len", "has"):
            self._blank()
            if self._at >= len(self._text) or self._text[self._at] != "[":
                raise self._error(f"{name}() takes a placeholder, such as {name}([BODY].items)")
            found = Measure(name, self._place())
        else:
            found = AnyOf(self._options())
        self._blank()
        if not self._text.startswith(")", self._at):
            raise self._error("a closing )")
        self._at += 1
        return found

    def _options(self) -> tuple[Literal | Pattern, ...]:
        found: list[Literal | Pattern] = []
        while True:
            self._blank()
            if match := _FUNCTION.match(self._text, self._at):
                if match[1] != "pat":
                    raise self._error("any() takes values and pat()")
                self._at = match.end()
                found.append(Pattern(self._until(")")))
            else:
                found.append(self._literal((",", ")")))
            self._blank()
            if not self._text.startswith(",", self._at):
                return tuple(found)
            self._at += 1

    def _one(self, text: str, start: int, joint: "re.Pattern[str]" = _JOINED) -> str:
        """The same text, unless it is two conditions, of which the second would be no more than letters."""
        if joined := joint.search(text):
            told = f"nothing more: write another condition in the place of {joined[1]}, or put a text into quotes"
            raise ConditionError(self._text, start + joined.start(1) + 1, told)
        return text

    def _until(self, end: str, *, last: bool = False) -> str:
        stop = self._text.rfind(end, self._at) if last else self._text.find(end, self._at)
        if stop < 0:
            raise self._error(f"a closing {end}")
        found, self._at = self._text[self._at : stop], stop + 1
        return found

    def _literal(self, ends: tuple[str, ...]) -> Literal:
        start = self._at
        if self._text[start : start + 1] in ('"', "'"):
            self._at += 1
            return Literal(self._until(self._text[start]))
        stops = [place for end in ends if (place := self._text.find(end, start)) >= 0]
        self._at = min(stops, default=len(self._text))
        found = self._text[start : self._at].strip()
        if not found:
            self._at = start
            raise self._error("a value")
        return Literal(self._one(found, start))


def is_amount(text: str) -> bool:
    """Whether it can be more or less than another."""
    return bool(NUMBER.fullmatch(text)) or seconds(text) is not None


def seconds(text: str) -> float | None:
    """A duration as Go and Gatus write it, such as `1m30s`, and with days. None for what is none."""
    if not _DURATION.fullmatch(text):
        return None
    found = sum(float(count) * UNITS[unit] for count, unit in _PART.findall(text))
    return -found if text.startswith("-") else found


def written(operand: Operand) -> str:
    """An operand as its author would write it."""
    if isinstance(operand, Literal):
        return operand.text
    if isinstance(operand, Pattern):
        return f"pat({operand.text})"
    if isinstance(operand, AnyOf):
        return f"any({', '.join(map(written, operand.options))})"
    if isinstance(operand, Measure):
        return f"{operand.name}({written(operand.place)})"
    below = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in operand.steps)
    return f"[{operand.name}]{below}"
