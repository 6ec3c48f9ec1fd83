"""Terminal output as safe HTML: colours become `ansi-*` spans, every other control sequence goes. Pure.

Used by transcript rows. The result is Markup: all text in it is escaped here.
"""

import re

from markupsafe import Markup, escape

COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
STYLES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("inverse",), 29: ("strike",)}
# CSI, OSC and the like (ended by BEL or ST, at most one line), then any other two-byte escape.
SEQUENCE = re.compile(
    r"\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?"
)
OVERWRITTEN = re.compile(r"[^\n\r]*\r(?=[^\n\r])")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """The words alone: no sequence, no control character but newline and tab."""
    if text.isascii() and text.isprintable():
        return text
    return _settle(SEQUENCE.sub("", text))


def _settle(text: str) -> str:
    """A carriage return takes back its line, as on a terminal; what else is not printable becomes U+FFFD."""
    if "\r" in text:
        text = OVERWRITTEN.sub("", text.replace("\r\n", "\n")).replace("\r", "")
    return CONTROL.sub("\ufffd", text)


def html(text: str) -> Markup:
    """The text with its colours."""
    if "\x1b" not in text:
        return escape(plain(text))
    if "\r" in text:
        text = OVERWRITTEN.sub("", text.replace("\r\n", "\n")).replace("\r", "")
    parts: list[str] = []
    state: dict[str, str] = {}
    at = 0
    for match in SEQUENCE.finditer(text):
        _append(parts, text[at : match.start()], state)
        if match[1] is not None:
            _apply(match[1], state)
        at = match.end()
    _append(parts, text[at:], state)
    return Markup("".join(parts))  # noqa: S704 - every part is escaped in _append


def _append(parts: list[str], text: str, state: dict[str, str]) -> None:
    if not text:
        return
    inner = str(escape(_settle(text)))
    parts.append(f'<span class="{" ".join(state.values())}">{inner}</span>' if state else inner)


def _apply(codes: str, state: dict[str, str]) -> None:
    numbers = [int(code[:4]) if code else 0 for code in codes.replace(":", ";").split(";")]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            state.clear()
        elif code in STYLES:
            state[STYLES[code]] = f"ansi-{STYLES[code]}"
        elif code in ENDS:
            for name in ENDS[code]:
                state.pop(name, None)
        elif code in (38, 48):
            _extended("fg" if code == 38 else "bg", numbers, state)
        else:
            _colour(code, state)


def _colour(code: int, state: dict[str, str]) -> None:
    """The sixteen colours of both planes, and their ends."""
    for plane, base, prefix in (("fg", 30, "ansi-"), ("bg", 40, "ansi-on-")):
        if base <= code <= base + 7:
            state[plane] = prefix + COLOURS[code - base]
        elif base + 60 <= code <= base + 67:
            state[plane] = f"{prefix}bright-{COLOURS[code - base - 60]}"
        elif code == base + 9:
            state.pop(plane, None)


def _extended(plane: str, numbers: list[int], state: dict[str, str]) -> None:
    """256 colours and true colour, mapped to the nearest of eight that keeps its contrast in both themes."""
    kind = numbers.pop(0) if numbers else 0
    if kind == 5 and numbers:
        index = numbers.pop(0)
        red, green, blue = _cube(index) if index > 15 else (0, 0, 0)
        name = COLOURS[index % 8] if index <= 15 else _nearest(red, green, blue)
    elif kind == 2 and len(numbers) >= 3:
        name = _nearest(*(numbers.pop(0) for _ in range(3)))
    else:
        return
    state[plane] = ("ansi-" if plane == "fg" else "ansi-on-") + name


def _cube(index: int) -> tuple[int, int, int]:
    if index >= 232:
        grey = 8 + 10 * (index - 232)
        return grey, grey, grey
    index -= 16
    return index // 36 * 51, index // 6 % 6 * 51, index % 6 * 51


def _nearest(red: int, green: int, blue: int) -> str:
    high = max(red, green, blue)
    if high < 60:
        return "black"
    return COLOURS[sum(bit for value, bit in ((red, 1), (green, 2), (blue, 4)) if value * 3 >= high * 2)]
