"""How many calls a session may make, and how often the very same one. Pure. Called by `daemon.limits.verdict`."""

from typing import NamedTuple

GOES_ON = 3  # denials of the same call after which a session is stopped, for it does not hear
# Never counted out: without it the CLI asks the model for its report again and again.
ALWAYS = frozenset({"StructuredOutput"})


class Bound(NamedTuple):
    """Why a call is denied, by which rule, and why its session is stopped for it, if it is."""

    reason: str
    rule: str
    stop: str | None = None


def bound(tool: str, shown: str, *, calls: int, alike: int, calls_max: int, repeat_max: int) -> Bound | None:
    """What a session's bounds say to its next call; None if it is within them.

    `calls`: how many it has made; `alike`: how many of them were this one; `shown`: the call in short.
    """
    if tool in ALWAYS:
        return None
    if alike >= repeat_max:
        reason = (
            f"This very call was made {alike} times already, which is the limit; it will not give another answer. "
            "Do something else, or report what you know."
        )
        stop = f"stopped for making the same call {alike + 1} times: {shown}" if alike >= repeat_max + GOES_ON else None
        return Bound(reason, "repeats", stop)
    if calls >= calls_max:
        reason = (
            f"This session has made {calls} tool calls, which is the limit (CLAUDEOPS_CALLS_MAX). "
            "Make no more; report what you know and what is left to do."
        )
        return Bound(reason, "calls-max")
    return None
