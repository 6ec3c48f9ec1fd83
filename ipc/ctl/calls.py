"""Tool calls as people read them: the call whole, the call in a line, and what the rules saw in it.

What stands in them came from a model, or from whoever wrote to one: nothing in it may command the terminal, nor look
like a line of ours.
"""

import json
from collections.abc import Sequence
from typing import Any

from ipc.ctl.connection import Body
from ipc.ctl.terminal import clean, one_line, table

MARGIN = "    | "


def call_line(call: Body, most: int = 0) -> str:
    """The command, or the tool with its input, in one line."""
    given = _input(call)
    if call["tool"] == "Bash" and isinstance(given, dict) and isinstance(given.get("command"), str):
        return one_line(given["command"], most)
    return one_line(f"{call['tool']} {call['input']}", most)


def call_whole(call: Body) -> str:
    """Everything that the call was given, uncut, behind a margin."""
    given = _input(call)
    if not isinstance(given, dict):
        return _behind_margin(call["input"])
    parts = []
    for name, value in given.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        parts.append(f"  {one_line(name)}\n{_behind_margin(text)}")
    return "\n".join(parts) or _behind_margin("{}")


def found_table(found: Sequence[Body]) -> str:
    """What a call was understood to do, a line each."""
    rows = [
        (
            item["kind"],
            item.get("target") or "–",
            item.get("host") or "–",
            ", ".join(item.get("through") or ()) or "–",
            one_line(item.get("reason") or "–"),
            one_line(item["text"]),
        )
        for item in found
    ]
    return table(("DOES", "TO", "HOST", "THROUGH", "BECAUSE", "COMMAND"), rows)


def found_of(call: Body) -> list[Body]:
    """The list in a row's `found`, which is JSON text."""
    return [dict(item) for item in json.loads(call["found"] or "[]")]


def _input(call: Body) -> Any:
    try:
        return json.loads(call["input"])
    except ValueError:
        return None  # shown as it is


def _behind_margin(text: str) -> str:
    return "\n".join(MARGIN + line for line in clean(text).split("\n"))
