"""`claudeopsctl restart, reload, stop, backup, doctor, setup-link, logs`: the daemon itself."""

import argparse
import os
import shutil
import signal
import stat
import sys
import time
from pathlib import Path

from ipc.ctl.connection import REFUSED, UNREACHABLE, Body, Connection, CtlError, running, signal_supervisor, status_file
from ipc.ctl.terminal import show_json, size, toned

STOP_SECONDS = 60.0


def _told(arguments: argparse.Namespace, text: str) -> int:
    show_json({"done": True, "text": text}) if arguments.json else print(text)
    return 0


def restart(connection: Connection, arguments: argparse.Namespace) -> int:
    """Replaces the worker or the web process; sessions go on."""
    try:
        connection.call("process.restart", {"name": arguments.process}, timeout=5.0)
    except CtlError as error:
        if error.code != "unavailable":
            raise
        pid = next(
            (p["pid"] for p in status_file(connection.runtime).get("processes", []) if p["name"] == arguments.process),
            0,
        )
        if not pid:
            raise
        # The worker can't pass it on: the supervisor starts anew what ends.
        os.kill(pid, signal.SIGKILL if arguments.process == "worker" else signal.SIGTERM)
    return _told(arguments, f"{arguments.process} is being replaced")


def reload(connection: Connection, arguments: argparse.Namespace) -> int:
    """Reads the environment file anew."""
    try:
        connection.call("daemon.reload", timeout=5.0)
    except CtlError as error:
        if error.code != "unavailable":
            raise
        signal_supervisor(connection.runtime, signal.SIGHUP)
        return _told(arguments, "the supervisor was sent SIGHUP; its log says what came of it")
    return _told(arguments, "the settings were read anew")


def stop(connection: Connection, arguments: argparse.Namespace) -> int:
    """Stops the daemon and every session, and waits until it is gone."""
    try:
        connection.call("daemon.stop", timeout=5.0)
    except CtlError as error:
        if error.code != "unavailable":
            raise
        signal_supervisor(connection.runtime, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while running(connection.runtime):
        if time.monotonic() > end:
            raise CtlError(REFUSED, "deadline", f"it has not ended within {STOP_SECONDS:g} s; look at its log")
        time.sleep(0.05)
    return _told(arguments, "stopped")


def backup(connection: Connection, arguments: argparse.Namespace) -> int:
    """Copies the database, online."""
    path = str(Path(arguments.path).absolute()) if arguments.path else ""
    made = connection.call("database.backup", {"path": path}, timeout=300.0)
    show_json(made) if arguments.json else print(f"{made['path']} ({size(made['size'])})")
    return 0


def setup_link(connection: Connection, arguments: argparse.Namespace) -> int:
    """A fresh one-time link that makes an admin."""
    link = connection.call("users.setup_link")
    show_json(link) if arguments.json else print(link["url"])
    return 0


def _local_findings(runtime: Path) -> list[Body]:
    found: list[Body] = []

    def add(name: str, level: str, text: str) -> None:
        found.append({"name": name, "level": level, "text": text})

    if running(runtime):
        add("supervisor", "ok", f"holds the lock in {runtime}")
    else:
        add(
            "supervisor",
            "error",
            f"no daemon holds {runtime / 'lock'}; start it, or name its place by CLAUDEOPS_RUNTIME_DIR",
        )
    for name in ("rpc.sock", "pub.sock"):
        try:
            mode = (runtime / name).stat().st_mode
        except OSError as error:
            add(name, "error", f"{runtime / name}: {error.strerror}")
            continue
        wide = stat.S_IMODE(mode) & 0o007
        text = f"{runtime / name} has mode {stat.S_IMODE(mode):04o}"
        add(name, "error" if wide else "ok", text + ("; anybody may command the daemon, restart it" if wide else ""))
    known = status_file(runtime)
    for process in known.get("processes", []):
        level = "ok" if process["state"] == "running" else "error"
        add(process["name"], level, f"{process['state']}, {process['restarts']} restarts")
    free = shutil.disk_usage(runtime).free if runtime.exists() else 0
    add("runtime directory", "ok" if free > 1048576 else "error", f"{size(free)} free beneath {runtime}")
    return found


def doctor(connection: Connection, arguments: argparse.Namespace) -> int:
    """Looks for what is wrong; 0 if nothing is, 1 if something needs mending."""
    found = _local_findings(connection.runtime)
    try:
        found += connection.call("doctor", timeout=40.0)["findings"]
    except CtlError as error:
        found.append({"name": "worker", "level": "error", "text": error.message})
    if arguments.json:
        show_json({"findings": found})
    else:
        width = max(len(item["name"]) for item in found)
        for item in found:
            print(f"{toned(item['level']):<8} {item['name']:<{width}}  {item['text']}")
    return REFUSED if any(item["level"] == "error" for item in found) else 0


def logs(connection: Connection, arguments: argparse.Namespace) -> int:
    """The daemon's own log: from the journal, or from the file that its standard error goes to."""
    pid = status_file(connection.runtime).get("pid")
    if not pid or not running(connection.runtime):
        raise CtlError(UNREACHABLE, "not_running", f"the daemon at {connection.runtime} is not running")
    groups = Path(f"/proc/{pid}/cgroup").read_text()
    unit = next((part for line in groups.splitlines() for part in line.split("/") if part.endswith(".service")), None)
    sys.stdout.flush()
    if unit:
        os.execvp(
            "journalctl", ["journalctl", "-u", unit, "-n", str(arguments.lines), *(["-f"] if arguments.follow else [])]
        )
    try:
        target = os.readlink(f"/proc/{pid}/fd/2")
    except OSError as error:
        raise CtlError(
            UNREACHABLE, "forbidden", f"can't see where the daemon logs: {error.strerror}; run this as root"
        ) from error
    if not target.startswith("/") or not Path(target).is_file():
        text = f"the daemon logs to {target}: look at the terminal or at the container's log"
        raise CtlError(REFUSED, "not_found", text)
    os.execvp("tail", ["tail", "-n", str(arguments.lines), *(["-f"] if arguments.follow else []), target])
