"""Words of a command line, as far as they are known before the shell runs it.

`expansion` makes them, every program's table reads them. A word is literal text with holes where the shell will put
something; what may come through a hole decides whether the word can still turn a reader into a writer.
"""

import re
from dataclasses import dataclass
from enum import Enum


class NotUnderstood(Exception):  # noqa: N818 - an answer, not a fault
    """The command can't be judged; the text says what in it."""


class Hole(Enum):
    """What stands in a word where its text isn't known."""

    NUMBER = "number"  # digits
    GLOB = "glob"  # part of one file name, without slash
    BELOW = "below"  # a path below what stands before it, without ".."
    ANY = "any"


Part = str | Hole
_COUNTABLE = re.compile(r"0|[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Word:
    """`parts`: text and holes. `splits`: may become several words or none, any of which may be an option.
    `shown`: as it was written."""

    parts: tuple[Part, ...]
    splits: bool = False
    shown: str = ""

    @property
    def text(self) -> str | None:
        """The whole text, if it is known."""
        if self.splits:
            return None
        if not self.parts:
            return ""
        first = self.parts[0]
        return first if len(self.parts) == 1 and isinstance(first, str) else None

    @property
    def prefix(self) -> str:
        """The known text at the start; nothing when the word may fall apart."""
        first = self.parts[0] if self.parts and not self.splits else ""
        return first if isinstance(first, str) else ""

    @property
    def may_be_option(self) -> bool:
        """Whether a program may take it for an option. A lone dash is none."""
        if self.splits:
            return True
        if self.text is not None:
            return self.text.startswith("-") and self.text != "-"
        if not self.prefix:
            return self.parts[0] is not Hole.NUMBER
        return self.prefix.startswith("-")

    @property
    def is_open(self) -> bool:
        """Whether anything at all may come through one of its holes."""
        return self.splits or Hole.ANY in self.parts

    def cut(self, count: int) -> "Word":
        """The word without its first characters, which must be known text."""
        first = self.parts[0]
        if not isinstance(first, str) or len(first) < count:
            raise NotUnderstood(f"the beginning of {self.show()}")
        return Word(tuple(part for part in (first[count:], *self.parts[1:]) if part != ""), self.splits, self.shown)

    def show(self) -> str:
        """The word quoted anew; one that isn't known as it was written."""
        return quote(self.text) if self.text is not None else self.shown or "…"


def has_numbers(word: Word) -> bool:
    """Whether a word can only be digits."""
    return all(part is Hole.NUMBER or (isinstance(part, str) and part.isdecimal()) for part in word.parts)


def is_number(word: Word) -> bool:
    """Whether a word can only be a number that a shell can count with: 08 is none to it."""
    if len(word.parts) != 1 or word.splits:
        return False
    (part,) = word.parts
    return part is Hole.NUMBER or (isinstance(part, str) and _COUNTABLE.fullmatch(part) is not None)


def literal(text: str) -> Word:
    """A word that is known."""
    return Word((text,), False, "")


ANY = Word((Hole.ANY,))
MANY = Word((Hole.ANY,), splits=True, shown="…")

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def quote(text: str) -> str:
    """`text` as one shell word."""
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "'\\''") + "'"


def joined(parts: list[Part]) -> tuple[Part, ...]:
    """Parts with neighbouring texts made one."""
    result: list[Part] = []
    for part in parts:
        if isinstance(part, str) and result and isinstance(result[-1], str):
            result[-1] += part
        elif part != "":
            result.append(part)
    return tuple(result)


def show(words: tuple[Word, ...] | list[Word]) -> str:
    """A command line, quoted anew."""
    return " ".join(word.show() for word in words)


_ESCAPES = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ANSI = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))", re.DOTALL
)


def ansi_c(body: str) -> str:
    r"""What `$'body'` stands for. Raises NotUnderstood for what bash and we might read differently (\c, bytes)."""

    def decode(match: re.Match[str]) -> str:
        byte, short, long, octal, control, other = match.groups()
        if control or other == "x" or other == "c":
            raise NotUnderstood("control escape in $'…'")
        digits = byte or short or long
        if digits or octal:
            code = int(digits, 16) if digits else int(octal, 8)
            if code == 0 or code > 0x7E:
                raise NotUnderstood("byte escape in $'…'")
            return chr(code)
        return _ESCAPES.get(other, other if other in "\\'\"?" else "\\" + other)

    return _ANSI.sub(decode, body)
