"""`claudeopsctl restart, reload, stop, setup-link`: the daemon itself."""

import argparse
import signal
import time

from ipc.ctl.connection import Connection
from ipc.ctl.errors import REFUSED, CtlError
from ipc.ctl.place import (
    running,
    signal_child,
    signal_supervisor,
)
from ipc.ctl.terminal import clean, show_json

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


def setup_link(connection: Connection, arguments: argparse.Namespace) -> int:
    """A fresh one-time link that makes an admin."""
    link = connection.call("users.setup_link")
    show_json(link) if arguments.json else print(link["url"])
    return 0
