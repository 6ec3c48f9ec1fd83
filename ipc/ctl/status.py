"""`claudeopsctl status`: how the daemon is, from the worker, or from the supervisor's file where it does not answer."""

import argparse

from ipc.ctl.connection import Body, Connection, CtlError, running, status_file
from ipc.ctl.terminal import duration, show_json, size, table, toned

RUNNING, NOT_RUNNING, UNKNOWN = 0, 3, 4


def status(connection: Connection, arguments: argparse.Namespace) -> int:
    """Shows it; 0 running (degraded too), 3 not running, 4 nothing known of a daemon here."""
    runtime = connection.runtime
    known = status_file(runtime)
    code = RUNNING
    if not running(runtime):
        code = NOT_RUNNING if known or (runtime / "lock").exists() else UNKNOWN
        found = _stopped(known, code, str(runtime))
    else:
        try:
            found = connection.call("status", timeout=2.0)
        except CtlError as error:
            if error.code == "forbidden":
                raise
            state = known.get("state", "starting")
            found = {**known, "state": "degraded" if state == "running" else state}
            found["warnings"] = [
                f"the worker is not answering; this is what the supervisor wrote at {known.get('written_at')}"
            ]
    found.setdefault("sessions", {"running": 0})
    found["sessions"] = found["sessions"] or {"running": 0}
    if arguments.json:
        show_json(found)
    else:
        _print(found)
    return code


def _stopped(known: Body, code: int, place: str) -> Body:
    text = "the daemon is not running" if code == NOT_RUNNING else f"nothing is known of a daemon at {place}"
    return {
        "state": "stopped" if code == NOT_RUNNING else "unknown",
        "reason": text,
        "processes": [],
        "sessions": {"running": 0},
        "next_run_at": None,
        "version": known.get("version", ""),
        "address": known.get("address", ""),
    }


def _print(found: Body) -> None:
    reason = f" ({found['reason']})" if found.get("reason") else ""
    print(f"claudeops {found.get('version', '')}: {toned(found['state'])}{reason}")
    if found.get("address"):
        print(f"dashboard  {found['address']}")
    print(f"sessions   {found['sessions']['running']} running, next run {found.get('next_run_at') or '–'}")
    cli = found.get("cli")
    if cli:
        print(f"claude     {cli['path']} {cli['version']}")
    for warning in found.get("warnings", []):
        print(f"warning    {warning}")
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
