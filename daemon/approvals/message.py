"""What a session's log shows of the message that a call stands in: is it alone there, and what did the agent say?

The CLI writes a call to its output before it asks the hook, and the calls after it in the same message as they come.
Called, in a thread, while a call waits for a person.
"""

import os
from pathlib import Path
from typing import NamedTuple

from schema.logline import split
from schema.transcript.events import Text, ToolUse
from schema.transcript.parse import parse

TAIL = 2 * 1024 * 1024
WORDS_MAX = 2000


class Seen(NamedTuple):
    """`calls`: how many the message has so far; 0 if the log does not show the call. `words`: the agent's last."""

    calls: int
    words: str


def look(log: Path, tool_use_id: str) -> Seen:
    """What the log shows now. A log that can't be read shows nothing."""
    messages: dict[str, set[str]] = {}
    message, words, last = "", "", ""
    for line in _tail(log):
        found = split(line)
        for event in parse(found.text, found.stream, 0):
            if event.parent is not None:
                continue
            if isinstance(event, Text) and not message:
                last = event.text
            elif isinstance(event, ToolUse):
                messages.setdefault(event.message_id, set()).add(event.id)
                if event.id == tool_use_id:
                    message, words = event.message_id, last
    return Seen(len(messages.get(message, ())) if message else 0, words.strip()[-WORDS_MAX:])


def _tail(log: Path) -> list[bytes]:
    try:
        with log.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = max(0, size - TAIL)
            data = os.pread(file.fileno(), TAIL, start)
    except OSError:
        return []
    lines = data.split(b"\n")[:-1]
    return lines[1:] if start else lines
