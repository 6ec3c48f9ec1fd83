"""Replacing the supervisor's code in place: the same pid, lock, sockets and children, a fresh interpreter.

What must survive goes through one environment variable, which holds numbers and no secret.
"""

import json
import os
import signal
import sys
from typing import Any

from daemon.supervisor.places import Places

VARIABLE = "CLAUDEOPS_REEXEC"


def execute(places: Places, facts: dict[str, Any], channels: list[int], argv: list[str]) -> None:
    """Replaces this process. OSError if that can't be done; nothing has changed then."""
    descriptors = [*places[:4], *channels]
    handed = json.dumps({"places": list(places), **facts})
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    try:
        os.execve(sys.executable, [sys.executable, "-m", "daemon", *argv], {**os.environ, VARIABLE: handed})
    except OSError:
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise


def inherited() -> dict[str, Any] | None:
    """What the process before this one handed over, if this is a re-execution. Its descriptors are ours alone again."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return None
    facts: dict[str, Any] = json.loads(text)
    facts["places"] = Places(*facts["places"])
    for descriptor in facts["places"][:4]:
        os.set_inheritable(descriptor, False)
    return facts
