"""Becomes a command under the system call filter of claudeops.service: python under_unit_filter.py COMMAND ...

What systemd does at a start, without systemd: the groups come from systemd-analyze, the filter is made by libseccomp,
which systemd brings along. Used by tests/integration/packaging.
"""

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

UNIT = Path(__file__).parents[2] / "packaging" / "systemd" / "claudeops.service"
ALLOW, EPERM = 0x7FFF0000, 0x00050001
NO_NEW_PRIVILEGES = 38


def calls(group: str, known: dict[str, set[str]]) -> set[str]:
    """The system calls of a group, with those of the groups in it."""
    if group in known:
        return known[group]
    known[group] = set()
    told = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True)
    words = [line.split("#")[0].strip() for line in told.stdout.splitlines()[1:]]
    for word in filter(None, words):
        known[group] |= calls(word, known) if word.startswith("@") else {word}
    return known[group]


def allowed() -> set[str]:
    """What the unit lets through: each line adds, or with ~ takes away."""
    known: dict[str, set[str]] = {}
    found = set(calls("@default", known))
    for line in re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE):
        for group in line.removeprefix("~").split():
            found = found - calls(group, known) if line.startswith("~") else found | calls(group, known)
    return found


def load(names: set[str]) -> None:
    """Puts the filter in force, for this process and what it becomes."""
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(EPERM)))
    for name in names:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # others are not of this machine
            seccomp.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), number, 0)
    if ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or seccomp.seccomp_load(context):
        sys.exit("the filter can't be loaded")


if __name__ == "__main__":
    load(allowed())
    os.execvp(sys.argv[1], sys.argv[1:])
