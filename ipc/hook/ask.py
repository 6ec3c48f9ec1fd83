"""Asks the worker one question over its socket, again and again under one id, until it answers or time is up.

The socket is the supervisor's: while the worker is dead or being replaced, a question waits there, or is asked anew of
the next worker. Under the same id it is answered once, whoever answers.
"""

import json
import os
import time
from typing import Any

from ipc.hook.zmtp import BrokenError, Dealer

PROTOCOL = 1
RETRY_SECONDS = 0.1
# Trouble that passes: the same question is asked again until time is up.
PASSING = frozenset({"unavailable", "overloaded", "deadline"})


class SilentError(Exception):
    """No answer in time; the message says what was the matter."""


def ask(runtime_dir: str, subject: str, body: dict[str, Any], *, until: float) -> dict[str, Any]:
    """The reply's body. `until` is on the monotonic clock. SilentError when time is up; ValueError for no reply."""
    id_ = os.urandom(16).hex()
    why = "the daemon may be down; `claudeopsctl status` tells"
    while (left := until - time.monotonic()) > 0:
        try:
            with Dealer(os.path.join(runtime_dir, "rpc.sock"), until=until) as dealer:
                envelope = [PROTOCOL, "req", subject, id_, time.monotonic(), until, "", body]
                dealer.send(json.dumps(envelope, separators=(",", ":")).encode("ascii"))
                found = _read(dealer.receive(), id_)
        except BrokenError as broken:
            why = f"the last thing heard was: {broken}"
        else:
            if isinstance(found, dict):
                return found
            why = f"the last thing heard was: {found}"
        time.sleep(min(RETRY_SECONDS, max(0.0, left)))
    raise SilentError(why)


def _read(frame: bytes, id_: str) -> dict[str, Any] | str:
    """The body of a reply, or the sentence of trouble that passes. Other errors come as a `deny`."""
    reply = json.loads(frame)
    kind, about, body = reply[1], reply[3], reply[7]
    if about != id_ or not isinstance(body, dict):
        raise ValueError("the answer is to another question")
    if kind == "rep":
        return body
    message = str(body.get("message"))
    return message if body.get("code") in PASSING else {"decision": "deny", "reason": message}
