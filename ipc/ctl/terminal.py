"""Text for people: tables, ages, sizes. Colours only on a terminal, and never with NO_COLOR."""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from schema import timestamps

COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "dim": "2"}
TONES = {
    "running": "blue", "completed": "green", "failed": "red", "timed_out": "red", "stopped": "dim",
    "interrupted": "yellow", "escalated": "yellow", "degraded": "yellow", "starting": "blue", "backoff": "yellow",
    "ok": "green", "warning": "yellow", "error": "red", "critical": "red", "awaiting_approval": "yellow",
    "waiting": "yellow", "started": "green", "cancelled": "dim", "refused": "red", "approved": "green",
    "denied": "red", "expired": "dim", "used": "green", "allow": "green", "deny": "red", "ask": "yellow",
    "blocked": "red", "healthy": "green", "down": "red", "unreachable": "red",
}  # fmt: skip


def paint(text: str, colour: str) -> str:
    """`text` in a colour, if this is a terminal that wants it."""
    wanted = sys.stdout.isatty() and "NO_COLOR" not in os.environ and colour in COLOURS
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if wanted else text


def toned(word: str) -> str:
    """A status in its colour."""
    return paint(word, TONES.get(word, ""))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need; the last one is not padded. A status in a cell is coloured after measuring."""
    lines = [list(head), *[[clean(cell) for cell in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = []
    for number, line in enumerate(lines):
        cells = [cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=False)] + [line[-1]]
        if number:
            cells = [
                cell.replace(cell.strip(), toned(cell.strip())) if cell.strip() in TONES else cell for cell in cells
            ]
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)


def duration(seconds: float | None) -> str:
    """`950 ms`, `12.4 s`, `3 m 07 s`, `2 h 05 m`, `4 d 3 h`."""
    return "–" if seconds is None else timestamps.lasting(seconds)


def size(count: int) -> str:
    """Bytes in KiB or MiB."""
    return f"{count / 1048576:.1f} MiB" if count >= 1048576 else f"{count / 1024:.0f} KiB"


def dollars(cost: float | None) -> str:
    """`$0.0042` below a cent, `$1.24` above."""
    if cost is None:
        return "–"
    return f"${cost:.4f}" if cost < 0.01 else f"${cost:,.2f}"


def clean(text: str) -> str:
    """`text` without what would command the terminal: control characters but tab and line end become `\\x1b` and so on.

    What sessions and people wrote is shown through this; JSON escapes by itself.
    """
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else sign.encode("unicode_escape").decode() for sign in text
    )


def one_line(text: str, most: int = 0) -> str:
    """`text` in one line that commands no terminal, cut with a mark where it is longer than `most` (0: never)."""
    line = clean(" ".join(text.split()))
    return line if not most or len(line) <= most else line[: most - 1] + "…"


def moment(stored: str | None) -> str:
    """A stored time, for columns that say UTC: `2026-01-31 08:05:00`."""
    return stored[:19].replace("T", " ") if stored else "–"


def number(value: int | None) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else str(value)


def fields(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values, one pair a line, the values under each other."""
    width = max(len(name) for name, _ in pairs) + 1
    return "\n".join(f"{name:<{width}} {clean(value)}" for name, value in pairs)


def show_json(value: Any) -> None:
    """One JSON document."""
    print(json.dumps(value, ensure_ascii=False), flush=True)
