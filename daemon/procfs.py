"""Who a pid is, read from /proc: a pid alone is never proof, because the kernel gives it to someone else later.

A process is known by its pid and its start time (field 22 of /proc/<pid>/stat, clock ticks since boot). The supervisor,
the shims and the worker's adoption use it before they signal a pid that was stored. Standard library alone.
"""

import contextlib
import os
import signal
from typing import NamedTuple

DEAD = frozenset("ZXx")


class Process(NamedTuple):
    """One line of the process table. `start_time` in clock ticks since boot; `state` as ps shows it (R, S, T, Z, …)."""

    pid: int
    parent: int
    start_time: int
    state: str


def read(pid: int) -> Process | None:
    """The process `pid`, zombies included, or None when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            text = stat.read().decode("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name stands in brackets and may itself hold brackets and spaces.
    fields = text[text.rindex(")") + 2 :].split()
    return Process(pid, int(fields[1]), int(fields[19]), fields[0])


def start_time(pid: int) -> int | None:
    """Start time of the living process `pid` in clock ticks since boot; None when it is gone or a zombie."""
    found = read(pid)
    return None if found is None or found.state in DEAD else found.start_time


def alive(pid: int, since: int) -> bool:
    """Whether `pid` is still the process that started at `since`."""
    return start_time(pid) == since


def descendants(pid: int) -> list[int]:
    """Pids of all living processes under `pid`, parents before their children; `pid` itself is not among them."""
    children: dict[int, list[Process]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := read(int(name))) is not None:
            children.setdefault(found.parent, []).append(found)
    tree: list[Process] = list(children.get(pid, ()))
    for process in tree:  # grows while it is walked
        tree.extend(children.get(process.pid, ()))
    return [process.pid for process in tree if process.state not in DEAD]


def signal_process(pid: int, start_time: int, signum: int) -> bool:
    """Sends `signum` to the process known by `pid` and `start_time`; False when it is gone or another has its pid.

    PermissionError when the process belongs to another user.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # The descriptor holds the process of this moment; only then is its start time worth reading.
        if not alive(pid, start_time):
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signum)
            return True
        return False
    finally:
        os.close(descriptor)


def resident_bytes(pid: int) -> int:
    """Resident memory of `pid` in bytes; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError):
        return 0


def kills_for_memory() -> int:
    """How many processes the kernel has killed for lack of memory since it booted; 0 where it does not tell."""
    with open("/proc/vmstat", "rb") as vmstat:
        for line in vmstat:
            if line.startswith(b"oom_kill "):
                return int(line.split()[1])
    return 0
