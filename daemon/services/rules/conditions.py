"""Whether conditions hold for what a probe has found, and how they read with its values. Pure.

They are written in the notation of `daemon.services.rules.notation`; judged by `daemon.services.rules.verdict`.
"""

import fnmatch
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from daemon.services.rules.notation import (
    NUMBER,
    UNITS,
    AnyOf,
    Condition,
    Literal,
    Measure,
    Operand,
    Pattern,
    Place,
    seconds,
    written,
)
from schema.facts import Facts

SHOWN_MAX = 60
ENDS = ("CERTIFICATE_EXPIRATION", "DOMAIN_EXPIRATION")


class Missing:
    """Stands for a value that is not there; equal to nothing."""

    def __str__(self) -> str:
        return "missing"


MISSING = Missing()


class Judged(NamedTuple):
    """Whether a condition holds, and how it reads with its values: `[STATUS] (503) == 200`."""

    holds: bool
    shown: str


class Answer:
    """The facts of one probe, with the body read as JSON at most once. `unread`: why the body can't be."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._json: Any = self
        self.unread = facts.unread

    def value(self, place: Place) -> Any:
        """What a placeholder stands for; MISSING where the answer has no such thing."""
        if place.name == "BODY":
            return self._body(place.steps)
        if place.name == "HEADER":
            wanted = str(place.steps[0])
            return next((text for name, text in self._facts.headers.items() if name.lower() == wanted), MISSING)
        found = SIMPLE[place.name](self._facts)
        return MISSING if found is None else found

    def _body(self, steps: tuple[str | int, ...]) -> Any:
        if not steps:
            return self._facts.body.decode("utf-8", "replace").strip()
        found = self._as_json()
        for step in steps:
            known = step in found if isinstance(found, dict) else isinstance(found, list) and _index(step, found)
            if not known:
                return MISSING
            found = found[step]
        return found

    def _as_json(self) -> Any:
        """The body as JSON; MISSING where it is none, or lies too deep in itself to be read."""
        if self._json is self:
            try:
                self._json = msgspec.json.decode(self._facts.body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._json = MISSING
        return self._json

    def length(self, place: Place) -> Any:
        """How many characters, members or items."""
        found = self.value(place)
        if place.name == "BODY" and not place.steps and (read := self._as_json()) is not MISSING:
            found = read
        return len(found) if isinstance(found, str | list | dict) else MISSING


def _index(step: str | int, found: list[Any]) -> bool:
    return isinstance(step, int) and step < len(found)


SIMPLE: Mapping[str, Callable[[Facts], Any]] = {
    "STATUS": lambda facts: facts.status,
    "RESPONSE_TIME": lambda facts: facts.latency_ms,
    "CONNECTED": lambda facts: facts.connected,
    "IP": lambda facts: facts.ip,
    "DNS_RCODE": lambda facts: facts.dns_rcode,
    "CERTIFICATE_EXPIRATION": lambda facts: facts.certificate_s,
    "DOMAIN_EXPIRATION": lambda facts: facts.domain_s,
}


def judge(condition: Condition, answer: Answer) -> Judged:
    """Whether it holds for an answer."""
    if answer.unread and "BODY" in (_place_of(condition.left), _place_of(condition.right)):
        return Judged(False, f"{condition.text}: {answer.unread}")
    left, right = _resolve(condition.left, answer), _resolve(condition.right, answer)
    holds = _compare(_in_ms(left, condition.right), condition.operator, _in_ms(right, condition.left))
    if holds:
        return Judged(True, condition.text)
    shown = f"{_show(condition.left, left)} {condition.operator} {_show(condition.right, right)}"
    return Judged(False, shown)


def _place_of(operand: Operand) -> str:
    """The name of the placeholder in it, if there is one."""
    found = operand.place if isinstance(operand, Measure) else operand
    return found.name if isinstance(found, Place) else ""


def _in_ms(value: Any, other: Operand) -> Any:
    """A duration beside the response time, which is in ms; everything else counts in seconds."""
    if isinstance(value, Literal) and isinstance(other, Place) and other.name == "RESPONSE_TIME":
        found = seconds(value.text)
        return value if found is None else found * 1000
    return value


def _resolve(operand: Operand, answer: Answer) -> Any:
    if isinstance(operand, Place):
        return answer.value(operand)
    if isinstance(operand, Measure):
        there = answer.value(operand.place) is not MISSING
        return answer.length(operand.place) if operand.name == "len" else there
    return operand


def _compare(left: Any, operator: str, right: Any) -> bool:
    if left is MISSING or right is MISSING:
        return operator == "!="  # as in Gatus: what is not there is not equal to anything
    if operator in ("==", "!="):
        return _equal(left, right) is (operator == "==")
    first, second = _number(left), _number(right)
    if first is None or second is None:
        return False
    return {"<": first < second, "<=": first <= second, ">": first > second, ">=": first >= second}[operator]


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, AnyOf | Pattern):
        left, right = right, left
    if isinstance(right, Pattern):
        return fnmatch.fnmatchcase(_text(left), right.text)
    if isinstance(right, AnyOf):
        return any(_equal(left, one) for one in right.options)
    first, second = _number(left), _number(right)
    if first is not None and second is not None:
        return first == second
    return _text(left) == _text(right)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:  # JSON may have numbers of any length
            return math.inf if value > 0 else -math.inf
    text = value.text if isinstance(value, Literal) else value
    if not isinstance(text, str):
        return None
    if NUMBER.fullmatch(text):
        return float(text)
    return seconds(text) if isinstance(value, Literal) else None


def _text(value: Any) -> str:
    if isinstance(value, Literal):
        return value.text
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:  # what could just be read; it is longer than any text that a condition compares with
        return "…"


def _show(operand: Operand, value: Any) -> str:
    if isinstance(operand, Literal):
        return operand.text
    if isinstance(operand, AnyOf | Pattern):
        return written(operand)
    text = str(value) if value is MISSING else _text(value)
    if isinstance(operand, Place) and operand.name in ENDS and isinstance(value, int | float):
        text = lasting(value)
    elif isinstance(value, float):
        text = f"{value:.0f}" if value >= 10 else f"{value:g}"
    # One line, and no control character of a stranger's answer.
    text = "".join(letter if letter.isprintable() else " " for letter in text[: SHOWN_MAX + 1])
    text = text[:SHOWN_MAX] + "…" if len(text) > SHOWN_MAX else text
    return f"{written(operand)} ({text})"


def lasting(left: float) -> str:
    """Seconds in the largest unit that fits twice: `5d`, `36h`, `-2d` for what is over."""
    for unit in ("d", "h", "m"):
        if abs(left) >= 2 * UNITS[unit]:
            return f"{int(left / UNITS[unit])}{unit}"
    return f"{int(left)}s"
