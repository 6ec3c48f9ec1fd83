"""`claudeopsctl restart, reload, stop, backup, doctor, setup-link`: the daemon itself."""

import argparse
import shutil
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import REFUSED, CtlError
from ipc.ctl.place import (
    FRESH_SECONDS,
    require_running,
    running,
    signal_child,
    signal_supervisor,
    status_age,
    status_file,
)
from ipc.ctl.terminal import clean, duration, show_json, size, toned
from schema.version import VERSION

FREE_MIN = 1048576
COMMAND_SECONDS = 3.0  # for the worker to pass a command on; then it is done without the worker


def _told(arguments: argparse.Namespace, text: str) -> int:
    show_json({"done": True, "text": text}) if arguments.json else print(clean(text))
    return 0


def restart(connection: Connection, arguments: argparse.Namespace) -> int:
    """Replaces the worker or the web process; sessions go on."""
    try:
        connection.call("process.restart", {"name": arguments.process}, timeout=COMMAND_SECONDS)
    except CtlError as error:
        if error.code != "unavailable":
            raise
        if not error.data.get("sent") or arguments.process == "web":
            # The worker can't pass it on: the supervisor starts anew what ends. A worker that hangs hears no SIGTERM.
            signum = signal.SIGKILL if arguments.process == "worker" else signal.SIGTERM
            signal_child(connection.runtime, arguments.process, signum)
    return _told(arguments, f"{arguments.process} is being replaced")


def reload(connection: Connection, arguments: argparse.Namespace) -> int:
    """Reads the environment file anew."""
    try:
        connection.call("daemon.reload", timeout=COMMAND_SECONDS)
    except CtlError as error:
        if error.code != "unavailable":
            raise
        signal_supervisor(connection.runtime, signal.SIGHUP)
        return _told(arguments, "the supervisor was sent SIGHUP; its log says what came of it")
    return _told(arguments, "the settings were read anew")


def stop(connection: Connection, arguments: argparse.Namespace) -> int:
    """Stops the daemon and every session, and waits until it is gone. One that does not run is stopped already."""
    if not running(connection.runtime) and (connection.runtime / "lock").exists():
        return _told(arguments, f"the daemon at {connection.runtime} is not running")
    try:
        connection.call("daemon.stop", timeout=COMMAND_SECONDS)
    except CtlError as error:
        if error.code not in ("unavailable", "not_running"):
            raise
        if running(connection.runtime):
            signal_supervisor(connection.runtime, signal.SIGTERM)
        elif error.code == "not_running" and not (connection.runtime / "lock").exists():
            raise
    if arguments.no_wait:
        return _told(arguments, "the daemon is stopping")
    end = time.monotonic() + arguments.timeout
    while running(connection.runtime):
        if time.monotonic() > end:
            text = f"it has not ended within {arguments.timeout:g} s; look at `claudeopsctl logs`"
            raise CtlError(REFUSED, "deadline", text)
        time.sleep(0.05)
    return _told(arguments, "stopped")


def backup(connection: Connection, arguments: argparse.Namespace) -> int:
    """Copies the database, online."""
    path = str(Path(arguments.path).absolute()) if arguments.path else ""
    made = connection.call("database.backup", {"path": path}, timeout=300.0)
    show_json(made) if arguments.json else print(clean(f"{made['path']} ({size(made['size'])})"))
    return 0


def setup_link(connection: Connection, arguments: argparse.Namespace) -> int:
    """A fresh one-time link that makes an admin."""
    link = connection.call("users.setup_link")
    show_json(link) if arguments.json else print(link["url"])
    return 0


def _local_findings(runtime: Path) -> list[Body]:
    """What can be seen without the worker: lock, directory, sockets, the supervisor's status file, disk, version."""
    found: list[Body] = []

    def add(name: str, level: str, text: str) -> None:
        found.append({"name": name, "level": level, "text": text})

    try:
        require_running(runtime)
        add("supervisor", "ok", f"holds the lock in {runtime}")
    except CtlError as error:
        add("supervisor", "error", error.message)
        return found
    for name, allowed in ((".", 0o750), ("rpc.sock", 0o660), ("pub.sock", 0o660)):
        path, title = runtime / name, "runtime directory" if name == "." else name
        try:
            facts = path.stat()
        except OSError as error:
            add(title, "error", f"{path}: {error.strerror}; restart the daemon")
            continue
        mode = stat.S_IMODE(facts.st_mode)
        if name != "." and not stat.S_ISSOCK(facts.st_mode):
            add(title, "error", f"{path} is no socket; move it away and restart the daemon")
        elif mode & 0o007:
            add(title, "error", f"{path} has mode {mode:04o}: anybody may reach the daemon; chmod {allowed:04o} it")
        else:
            add(title, "ok", f"{path} has mode {mode:04o}")
    _judge_status(runtime, add)
    free = shutil.disk_usage(runtime).free
    text = f"{size(free)} free beneath {runtime}"
    add("runtime disk", *(("ok", text) if free > FREE_MIN else ("error", f"{text}; make room")))
    return found


def _judge_status(runtime: Path, add: Callable[[str, str, str], None]) -> None:
    known, age = status_file(runtime), status_age(runtime)
    if not known or age is None:
        add("status file", "error", f"{runtime / 'status.json'} can't be read; look at `claudeopsctl logs`")
        return
    if age > FRESH_SECONDS:
        add("status file", "error", f"written {duration(age)} ago; the supervisor hangs, or its disk is full")
    else:
        add("status file", "ok", f"written {duration(age)} ago")
    for process in known.get("processes", []):
        well = process["state"] == "running"
        ended = f", last exit: {process['last_exit']}" if process.get("last_exit") else ""
        text = f"{process['state']}, {process['restarts']} restarts{ended}"
        add(process["name"], "ok" if well else "error", text if well else f"{text}; look at `claudeopsctl logs`")
    if known.get("version") != VERSION:
        text = (
            f"the daemon is {known.get('version')}, this command {VERSION}; reload the daemon's unit after an upgrade"
        )
        add("version", "warning", text)


def doctor(connection: Connection, arguments: argparse.Namespace) -> int:
    """Looks for what is wrong; 0 if nothing is (warnings are no fault), 1 if something needs mending."""
    found = _local_findings(connection.runtime)
    if found[0]["level"] == "ok":
        try:
            found += connection.call("doctor", timeout=40.0)["findings"]
        except CtlError as error:
            text = f"{error.message}; what only it can see is not checked: database, disk, the claude command"
            found.append({"name": "worker", "level": "error", "text": text})
    if arguments.json:
        show_json({"findings": found})
    else:
        width = max(len(item["name"]) for item in found)
        for item in found:
            print(
                f"{toned(item['level'])}{' ' * (8 - len(item['level']))} {item['name']:<{width}}  {clean(item['text'])}"
            )
    return REFUSED if any(item["level"] == "error" for item in found) else 0
