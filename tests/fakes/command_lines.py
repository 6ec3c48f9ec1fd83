"""Writes COUNT numbered lines of WIDTH bytes (newline included) to stdout, in blocks of 64 KiB, as fast as it can.

`command_lines.py COUNT [WIDTH] [SECRET]`: lines look like events of a session; with SECRET, each 1000th holds it.
"""

import os
import sys

count = int(sys.argv[1])
width = int(sys.argv[2]) if len(sys.argv) > 2 else 120
secret = sys.argv[3] if len(sys.argv) > 3 else ""
FILLER = (
    '{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"GET /health 200 OK"}]}}' * 40
)


def line(number: int) -> bytes:
    text = f"{number:09d} {secret if secret and number % 1000 == 0 else ''}{FILLER}"
    return text[: width - 1].encode() + b"\n"


blocks = []
size = 0
for number in range(count):
    blocks.append(line(number))
    size += width
    if size >= 65536:
        data = b"".join(blocks)
        while data:
            data = data[os.write(1, data) :]
        blocks, size = [], 0
data = b"".join(blocks)
while data:
    data = data[os.write(1, data) :]
