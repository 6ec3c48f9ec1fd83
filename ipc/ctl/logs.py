"""`claudeopsctl logs`: the daemon's own log, wherever its standard error goes: a file, or systemd's journal.

The daemon keeps no log of its own; in a container, or in a terminal, this says where to look.
"""

import argparse
import os
import sys
from pathlib import Path

from ipc.ctl.connection import Connection
from ipc.ctl.errors import REFUSED, CtlError, forbidden
from ipc.ctl.place import require_running, status_file
from ipc.ctl.terminal import show_json


def logs(connection: Connection, arguments: argparse.Namespace) -> int:
    """Shows the last lines, and with -f what follows, by the program that knows how: tail or journalctl."""
    pid = require_running(connection.runtime)
    if not pid:
        raise forbidden("the supervisor's process")
    try:
        target = os.readlink(f"/proc/{pid}/fd/2")
        groups = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    except OSError:
        raise forbidden(f"where the supervisor (pid {pid}) logs") from None
    named = str(status_file(connection.runtime).get("log_file") or "")
    if named and Path(named).is_file():
        target = named
    follow = ["-F"] if arguments.follow else []
    lines = ["-n", str(arguments.lines)]
    if target.startswith("/") and Path(target).is_file():
        if arguments.json:
            return _as_json(["tail", *lines, *follow, target])
        return _become(["tail", *lines, *follow, target])
    unit = unit_of(groups)
    if unit and target.startswith("socket:"):
        return _become(["journalctl", "-u", unit, *lines, *follow, *(["-o", "json"] if arguments.json else [])])
    where = f"the terminal {target}" if target.startswith("/dev/") else "a pipe"
    hint = "look there" if target.startswith("/dev/") else "whoever started it has the other end, `docker logs` say"
    raise CtlError(REFUSED, "not_found", f"the daemon logs to {where}; {hint}")


def unit_of(groups: str) -> str | None:
    """The system's unit in the text of /proc/<pid>/cgroup, if there is one; a user's own programs are in none."""
    for line in groups.splitlines():
        services = [part for part in line.split(":", 2)[2].split("/") if part.endswith(".service")]
        if services and not services[0].startswith("user@"):
            return services[-1]
    return None


def _become(command: list[str]) -> int:
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)
    except OSError as error:
        text = f"{command[0]} can't be run: {error.strerror}; install it, or look at the log by other means"
        raise CtlError(REFUSED, "not_found", text) from error


def _as_json(command: list[str]) -> int:
    import subprocess  # only for programs that read this

    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            for line in child.stdout:
                show_json({"line": line.decode("utf-8", "replace").rstrip("\n")})
        finally:
            child.kill()
    return 0
