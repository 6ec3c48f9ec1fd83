"""`claudeopsctl status`: how the daemon is, from the worker, or from the supervisor's file where it does not answer."""

import argparse

from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import CtlError
from ipc.ctl.place import running, status_age, status_file
from ipc.ctl.terminal import clean, duration, show_json, size, table, toned

RUNNING, NOT_RUNNING, UNKNOWN = 0, 3, 4


def status(connection: Connection, arguments: argparse.Namespace) -> int:
    """Shows it; 0 while the supervisor lives, 3 when it does not, 4 where nothing is known or we may not look."""
    code, found = _look(connection)
    if arguments.json:
        show_json(found)
    else:
        _print(found)
    return code


def _look(connection: Connection) -> tuple[int, Body]:
    runtime = connection.runtime
    try:
        if not running(runtime):
            known = status_file(runtime)
            there = known or (runtime / "lock").exists()
            reason = "the daemon is not running" if there else f"nothing is known of a daemon at {runtime}"
            return (NOT_RUNNING, _unseen("stopped", reason, known)) if there else (UNKNOWN, _unseen("unknown", reason))
        try:
            return RUNNING, connection.call("status", timeout=2.0)
        except CtlError as error:
            if error.code == "forbidden":
                raise
            return RUNNING, _from_file(connection, error.message)
    except CtlError as error:
        return UNKNOWN, _unseen("unknown", error.message)


def _from_file(connection: Connection, why: str) -> Body:
    """What the supervisor wrote, as the worker would have said it. A daemon whose worker is silent is not well."""
    known, age = status_file(connection.runtime), status_age(connection.runtime)
    state = known.get("state", "starting")
    if age is None:
        told = "the supervisor has not written its status yet"
    else:
        told = f"the worker is not answering; as of {duration(age)} ago, by the supervisor"
    return {
        **_unseen("degraded" if state == "running" else state, known.get("reason") or why.partition(";")[0], known),
        **{key: known[key] for key in ("processes", "sessions", "next_run_at") if known.get(key)},
        "started_at": known.get("started_at", ""),
        "warnings": [told, *known.get("warnings", [])],
    }


def _unseen(state: str, reason: str, known: Body | None = None) -> Body:
    """A status with every field that programs rely on, where nothing runs or nothing can be seen."""
    known = known or {}
    return {
        "state": state,
        "reason": reason,
        "processes": [],
        "sessions": {"running": 0},
        "next_run_at": None,
        "version": known.get("version", ""),
        "address": known.get("address", ""),
    }


def _print(found: Body) -> None:
    reason = f" ({clean(found['reason'])})" if found.get("reason") else ""
    print(
        f"{'claudeops ' + found['version'] if found.get('version') else 'claudeops'}: {toned(found['state'])}{reason}"
    )
    if found.get("address"):
        print(f"dashboard  {found['address']}")
    print(f"sessions   {found['sessions']['running']} running, next run {found.get('next_run_at') or '–'}")
    cli = found.get("cli")
    if cli:
        print(clean(f"claude     {cli['path']} {cli['version']}"))
    for warning in found.get("warnings", []):
        print(f"warning    {clean(warning)}")
    if found.get("demo"):
        print("demo       the model's words are scripted, no money is spent")
    if found["processes"]:
        print()
        rows = [
            (
                process["name"],
                str(process["pid"] or "–"),
                process["state"],
                duration(process["uptime_s"]),
                str(process["restarts"]),
                size(process["rss_bytes"]),
                process.get("last_exit") or "–",
            )
            for process in found["processes"]
        ]
        print(table(("PROCESS", "PID", "STATE", "UP", "RESTARTS", "MEMORY", "LAST EXIT"), rows))
