"""What a process has in its memory: its environment as it really is, whatever its title was written over.

Used by tests that look for a secret. Root may look at every process, others at those that they have started.
"""

import contextlib
import os
import re
from pathlib import Path

WRITABLE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw")
PIECE = 1 << 22


def in_memory(pid: int, text: bytes) -> bool:
    """Whether the writable memory of a process has these bytes. OSError when the process is gone."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        for found in filter(None, map(WRITABLE.match, maps)):
            at, end = int(found[1], 16), int(found[2], 16)
            while at < end:
                # The next piece begins a little earlier, for what lies across the border.
                with contextlib.suppress(OSError):  # pages that nobody may read, such as guards
                    if text in os.pread(memory, min(PIECE, end - at) + len(text), at):
                        return True
                at += PIECE
        return False
    finally:
        os.close(memory)
