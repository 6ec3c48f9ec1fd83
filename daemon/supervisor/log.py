"""The supervisor's lines on standard error. Never called from a signal handler."""

import os
import time


def log(text: str, level: str = "info") -> None:
    """One line: UTC time, level, sentence. A standard error that is gone is no reason to end."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"
    line = f"{stamp} {level} supervisor: {text}\n".encode(errors="replace")
    try:
        os.write(2, line)
    except OSError:
        return
