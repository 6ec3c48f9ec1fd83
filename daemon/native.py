"""Calls of the kernel that Python has no name for.

For the supervisor, the shims and what they start: loaded before any fork, standard library alone.
"""

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"prctl {option}")


def die_with_parent(signum: int) -> None:
    """Has the kernel send `signum` to this process when the thread that forked it ends. Survives exec."""
    _prctl(PR_SET_PDEATHSIG, signum)


def become_subreaper() -> None:
    """Has orphans below this process become its children, so that it can find and reap each of them."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
