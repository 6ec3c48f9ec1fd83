"""What the state of a run directory means. Pure: the facts are gathered by `adopt`."""

from enum import StrEnum


class Verdict(StrEnum):
    LIVE = "live"  # its shim keeps it: adopt it
    ENDED = "ended"  # its exit record says how
    LOST = "lost"  # neither: its shim was killed, or never told what to run
    UNCLEAR = "unclear"  # its shim is just starting: look again


def judge(*, ended: bool, lock_held: bool, shim_known: bool, shim_alive: bool, waited_long: bool) -> Verdict:
    """The verdict on a run.

    `ended`: there is an exit record. `lock_held`: someone holds the lock, as the shim does while it lives.
    `shim_known`: shim.json exists; `shim_alive`: the process it names, by pid and start time, lives.
    `waited_long`: the shim had its time to start.
    """
    if ended:
        return Verdict.ENDED
    if not lock_held:
        return Verdict.LOST
    if shim_known:
        # A lock that is held while its shim is gone is no shim's: never signal a pid that someone else has now.
        return Verdict.LIVE if shim_alive else Verdict.LOST
    return Verdict.LOST if waited_long else Verdict.UNCLEAR


def enough_space(free_bytes: int, floor_bytes: int) -> bool:
    """Whether there is room to start a run; a floor of 0 or less asks for none."""
    return floor_bytes <= 0 or free_bytes >= floor_bytes
