"""Replacing the supervisor's code in place: the same pid, lock, sockets and children, a fresh interpreter.

What must survive goes through one environment variable, which holds numbers and names and no secret. Another version
reads it, so fields are only ever added, and may be missing.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from daemon.supervisor.children import Child
from daemon.supervisor.places import NONE, Places
from daemon.supervisor.voices import VOICES

VARIABLE = "CLAUDEOPS_REEXEC"
CHECK_FLAG = "--check"
CHECK_SECONDS = 10.0


def check(argv: Sequence[str]) -> str | None:
    """Has the code and the settings that lie there now looked at by a process of their own; None, or what is wrong.

    Blocks for as long as an interpreter needs to start: beats that come meanwhile wait in their channels.
    """
    try:
        pid = os.fork()
    except OSError as error:
        return f"no process can be made to look at it: {error.strerror}"
    if pid == 0:
        try:
            signal.set_wakeup_fd(-1)
            os.execve(sys.executable, [sys.executable, "-m", "daemon", *argv, CHECK_FLAG], dict(os.environ))
        finally:
            os._exit(70)
    end = time.monotonic() + CHECK_SECONDS
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            code = os.waitstatus_to_exitcode(status)
            return None if code == 0 else f"what is installed now can't start (exit code {code})"
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return f"what is installed now does not start within {CHECK_SECONDS:g} s"
        time.sleep(0.01)


def facts_of(children: Iterable[Child]) -> dict[str, Any]:
    """What a fresh interpreter needs to know of the children."""
    return {
        child.name: {
            "pid": child.pid,
            "channel": None if child.channel is None else child.channel.fileno(),
            "restarts": child.restarts,
            "ready": child.ready_at is not None,
            "last_exit": child.last_exit,
        }
        for child in children
    }


def execute(places: Places, facts: dict[str, Any], argv: Sequence[str]) -> None:
    """Replaces this process. OSError if that can't be done; nothing has changed then. Signals are blocked meanwhile."""
    channels = [child["channel"] for child in facts["children"].values() if child["channel"] is not None]
    voices = VOICES.facts()
    descriptors = [
        places.lock,
        places.state,
        places.rpc,
        places.pub,
        places.http,
        *channels,
        *(descriptor for _, descriptor in voices),
    ]
    handed = json.dumps({"places": places._asdict(), "voices": voices, **facts})
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    try:
        os.execve(sys.executable, [sys.executable, "-m", "daemon", *argv], {**os.environ, VARIABLE: handed})
    finally:  # only if it was refused
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)


def inherited() -> dict[str, Any] | None:
    """What the process before this one handed over, if this is a re-execution. Its descriptors are ours alone again."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return None
    facts: dict[str, Any] = json.loads(text)
    known = facts["places"]
    facts["places"] = places = Places(**{name: known[name] for name in Places._fields if name in known})
    for descriptor in (places.lock, places.state, places.rpc, places.pub, places.http):
        if descriptor != NONE:
            os.set_inheritable(descriptor, False)
    return facts


def adopt(children: Iterable[Child], facts: dict[str, Any], now: float) -> None:
    """The children of before are children still, and heard as they were."""
    VOICES.adopt(facts.get("voices", []))
    for child in children:
        known = facts["children"].get(child.name)
        if known is None:
            continue
        child.restarts = known["restarts"]
        child.last_exit = known.get("last_exit")
        if known["pid"] is not None:
            child.adopt(known["pid"], known["channel"], now, known["ready"])
