"""`claudeopsctl doctor`: looks for what is wrong, with the daemon running or not.

One table of small checks. Each runs in a thread of its own and has a few seconds: one that hangs or fails is told, and
keeps no other from being made. What only the worker can see, it is asked for.
"""

import argparse
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ipc.ctl.checkup import entrance, holders, places, records, things
from ipc.ctl.checkup.host import ERROR, Finding, Host, bad, look
from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import REFUSED, CtlError
from ipc.ctl.place import find_state, holder
from ipc.ctl.terminal import clean, show_json, toned

Check = Callable[[Host], Finding | None]
SECONDS = 15.0
WORKER_SECONDS = 40.0

CHECKS: tuple[tuple[str, Check], ...] = (
    ("settings", things.settings),
    ("supervisor", things.supervisor),
    ("status file", places.status),
    ("processes", places.processes),
    ("version", places.version),
    ("runtime directory", places.runtime_directory),
    ("rpc.sock", places.rpc_socket),
    ("pub.sock", places.pub_socket),
    ("state directory", places.state_directory),
    ("results directory", places.results_directory),
    ("file systems", places.file_systems),
    ("writers", holders.others),
    ("database", things.database),
    ("backups", places.backups),
    ("audit log", records.audit),
    ("notifications", records.notifications),
    ("warnings", records.warnings),
    ("shims", places.left_shims),
    ("claude command", things.claude),
    ("credentials", things.credentials),
    ("messages api", things.api),
    ("dashboard", things.port),
    ("certificate", entrance.certificate),
    ("proxy", entrance.proxy),
    ("user", things.user),
    ("control group", things.cgroup),
    ("open files", things.open_files),
    ("clock", things.clock),
    ("systemd", things.systemd),
)
# What the worker knows better, for it has the daemon's own environment.
WORKERS_OWN = frozenset({"claude command", "credentials"})


def examine(host: Host, checks: tuple[tuple[str, Check], ...] = CHECKS, seconds: float = SECONDS) -> list[Body]:
    """What the checks find, in the order of the table. A check without a finding has nothing to look at here."""
    found: dict[str, Finding | None] = {}

    def make(name: str, check: Check) -> None:
        try:
            found[name] = check(host)
        except Exception as error:  # noqa: BLE001 - told as this check's finding; the others go on
            found[name] = bad(f"it could not be looked at: {type(error).__name__}: {error}")

    threads = [(name, threading.Thread(target=make, args=item, daemon=True)) for item in checks for name in item[:1]]
    for _, thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    told: list[Body] = []
    for name, thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
        late = bad(f"there was no answer within {seconds:g} s; what it looks at hangs: a disk, a network, a program")
        finding = found.get(name, late) if not thread.is_alive() else late
        if finding is not None:
            told.append({"name": name, **finding._asdict()})
    return told


def doctor(connection: Connection, arguments: argparse.Namespace) -> int:
    """Looks for what is wrong; 0 if nothing is (warnings are no fault), 1 if something needs mending."""
    told: list[Body] = []
    asked: list[Body] = []
    pid = None
    try:
        pid = holder(connection.runtime)
        if pid is not None:
            told = connection.call("settings.list", timeout=WORKER_SECONDS / 2)["settings"]
            asked = connection.call("doctor", timeout=WORKER_SECONDS)["findings"]
    except CtlError as error:
        text = f"{error.message}; what only it can see is not checked: its credentials, descriptors, its claude command"
        asked = [{"name": "worker", "level": ERROR, "text": text}]
    host = look(connection.runtime, find_state(arguments.state_dir, connection.runtime), pid, told)
    if arguments.state_dir:
        host = host._replace(state=Path(arguments.state_dir))
    found = _joined(examine(host), asked)
    if arguments.json:
        show_json({"findings": found})
    else:
        width = max(len(item["name"]) for item in found)
        for item in found:
            print(
                f"{toned(item['level'])}{' ' * (8 - len(item['level']))} {item['name']:<{width}}  {clean(item['text'])}"
            )
    return REFUSED if any(item["level"] == ERROR for item in found) else 0


def _joined(here: list[Body], asked: list[Body]) -> list[Body]:
    """Both, a name once: the worse of two, and the worker's own where it knows better."""
    names = {item["name"] for item in here}
    theirs = {item["name"]: item for item in asked}
    rank = ("ok", "warning", "error")

    def chosen(mine: Body) -> Body:
        other = theirs.get(mine["name"])
        if other is None:
            return mine
        # A warning may only say that it can't be seen from here, as from outside a container.
        if mine["name"] in WORKERS_OWN or mine["level"] == "warning":
            return other
        return max(mine, other, key=lambda item: rank.index(item["level"]))

    return [chosen(item) for item in here] + [item for item in asked if item["name"] not in names]
