"""What a running session said or did last, in one line, from the end of its log. For the overview.

The log is the truth; a few KiB of its end are read, in a thread, since a disk may be slow.
"""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from schema.logline import split
from schema.sessions import Session, log_path
from schema.states import SessionStatus
from schema.transcript import events
from schema.transcript.parse import parse
from webui.pages import tool_calls
from webui.pages.ansi import plain

TAIL = 64 * 1024
CHARS = 200


async def of_running(sessions: Iterable[Session], results_dir: str) -> dict[int, str]:
    """The last line of each session that runs and has said anything."""
    running = [session for session in sessions if session.status is SessionStatus.RUNNING]
    if not running:
        return {}

    def read_all() -> dict[int, str]:
        found = {}
        for session in running:
            path = log_path(session, results_dir)
            if path is not None and (line := read(path)):
                found[session.id] = line
        return found

    return await asyncio.to_thread(read_all)


def read(path: Path) -> str:
    """The last line of a log that says something; empty if there is none, or it can't be read."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - TAIL))
            data = file.read(TAIL)
    except OSError:
        return ""  # it has no log yet, or somebody has tidied: the page has no last line then
    # What stands before the first line end may be half a line, and so may what stands behind the last.
    lines = data.split(b"\n")[1 if size > TAIL else 0 : -1]
    return next((words for line in reversed(lines) if (words := said(line))), "")


def said(line: bytes) -> str:
    """What a line of the log says, if it is the agent's words or a call."""
    found = split(line)
    for event in reversed(parse(found.text, found.stream, 0)):
        if isinstance(event, events.ToolUse):
            call = tool_calls.words(event.name, event.input)
            return _one_line(f"{call.verb} {call.target}")
        if isinstance(event, events.Text):
            return _one_line(event.text)
    return ""


def _one_line(text: str) -> str:
    words = " ".join(plain(text[: CHARS * 5]).split())
    return words if len(words) <= CHARS else words[:CHARS] + " …"
