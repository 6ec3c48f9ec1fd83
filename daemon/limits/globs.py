"""Where in a word the shell puts names of files: `*`, `?` and `[…]`.

`expansion` calls this for the pieces of a word, and for what a variable holds.
"""

import re

from daemon.limits.words import Hole, Part

# (parts, from an expansion, within quotes)
Piece = tuple[tuple[Part, ...], bool, bool]
_BRACKETS = re.compile(r"\[[!^]?\]?(?:\[[:.=]\w*[:.=]\]|\\.|[^\]\\/\[])*\]")


def bracketed(pieces: list[Piece]) -> list[Piece]:
    """The same with each `[…]` made a hole: one character, or anything where it can't be told where it ends."""
    result: list[Piece] = []
    at = 0
    while at < len(pieces):
        if pieces[at] != (("[",), False, False):
            result.append(pieces[at])
            at += 1
            continue
        first = at + 2 + (pieces[at + 1 : at + 2] in [[(("!",), False, False)], [(("^",), False, False)]])
        closed = next((n for n in range(first, len(pieces)) if pieces[n] == (("]",), False, False)), None)
        within = pieces[at + 1 : closed] if closed else pieces[at + 1 :]
        came = any(piece[1] for piece in within)
        if closed is None and not came:
            return result + pieces[at:]
        plain = not came and not any(
            "/" in part or "[" in part for piece in within for part in piece[0] if isinstance(part, str)
        )
        result.append(((Hole.GLOB if plain else Hole.ANY,), False, False))
        at = closed + 1 if closed else at + 1
    return result


def _glob(text: str, at: int) -> tuple[Hole, int]:
    """What a `*`, a `?` or a `[` within a variable stands for, and where it ends."""
    if text[at] != "[":
        return Hole.GLOB, at + 1
    match = _BRACKETS.match(text, at)
    return (Hole.GLOB, match.end()) if match else (Hole.ANY, at + 1)


def globbed(token: str) -> list[Part]:
    """The parts of a variable's text that is not within quotes."""
    parts: list[Part] = []
    at = 0
    while at < len(token):
        part, at = _glob(token, at) if token[at] in "*?[" else (token[at], at + 1)
        parts.append(part)
    return parts
