"""Server-sent events as bytes. Pure: whatever the text holds, the framing stays whole.

Line ends are LF alone: a browser that gets CR and LF in two pieces would see an event's end between them.
"""

import re

LINE_ENDS = re.compile(r"\r\n|\r|\n")
RETRY = b"retry: 1000\n\n"


def encode(event: str, data: str, id_: str = "") -> bytes:
    """One event. `event` and `id_` are ours and hold no line end: ValueError. A lone surrogate becomes "?"."""
    if LINE_ENDS.search(event) or LINE_ENDS.search(id_) or "\0" in id_:
        raise ValueError("an event's name and id are one line each")
    head = f"id: {id_}\nevent: {event}\n" if id_ else f"event: {event}\n"
    body = "".join(f"data: {line}\n" for line in LINE_ENDS.split(data))
    return f"{head}{body}\n".encode("utf-8", "replace")


CAUGHT_UP = encode("caught", "")  # all is sent that was there when the stream began
