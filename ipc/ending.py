"""The signals that end the worker and the web process, heard until the very last; called by both.

Not heard by the loop, which gives a signal back to the system when it closes: one that comes while the process ends,
because the word to stop came before it, would turn a clean exit into a death by signal.
"""

import asyncio
import signal
from collections.abc import Callable

ENDS = (signal.SIGTERM, signal.SIGINT)


def on_signal(stop: Callable[[], object]) -> None:
    """Has `stop` called in the running loop when a signal says that this process is to end."""
    loop = asyncio.get_running_loop()

    def told(*_: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop)

    for number in ENDS:
        signal.signal(number, told)


def deaf() -> None:
    """From here on the process ends by itself, whatever else tells it to."""
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN)
