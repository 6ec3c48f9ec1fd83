"""`claudeopsctl sessions`: list, show, tail, trigger, stop."""

import argparse
import base64
import os
import sys
import time
from pathlib import Path

from ipc.ctl.connection import REFUSED, USAGE, Body, Connection, CtlError
from ipc.ctl.terminal import dollars, duration, show_json, table, toned

WAIT_SECONDS = 1.0
POLL_SECONDS = 0.3


def show(connection: Connection, arguments: argparse.Namespace) -> int:
    """One session."""
    session = connection.call("sessions.show", {"id": arguments.id})["session"]
    _show(session, arguments)
    return 0


def _show(session: Body, arguments: argparse.Namespace) -> None:
    if arguments.json:
        show_json(session)
        return
    print(
        f"session {session['id']}: {toned(session['status'])}{' – ' + session['reason'] if session['reason'] else ''}"
    )
    milliseconds = session["duration_ms"]
    for name, value in (
        ("tier", f"{session['tier']} ({session['model_id'] or session['model']})"),
        ("trigger", f"{session['trigger']}{' by ' + session['requested_by'] if session['requested_by'] else ''}"),
        ("started", session["started_at"]),
        ("ended", session["ended_at"] or "–"),
        ("duration", duration(None if milliseconds is None else milliseconds / 1000)),
        ("cost", dollars(session["cost_usd"])),
        ("turns", str(session["num_turns"] or "–")),
        ("exit code", "–" if session["exit_code"] is None else str(session["exit_code"])),
        ("log", session["log_file"] or "–"),
    ):
        print(f"{name:<10} {value}")
    if session["response"]:
        print(f"\n{session['response']}")


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Sessions, newest first."""
    body: Body = {"limit": arguments.limit, "before": arguments.before}
    body |= {
        name: getattr(arguments, name) for name in ("status", "tier", "trigger") if getattr(arguments, name) is not None
    }
    sessions = connection.call("sessions.list", body)["sessions"]
    if arguments.json:
        show_json(sessions)
        return 0
    rows = [
        (
            str(session["id"]),
            str(session["tier"]),
            session["status"],
            session["trigger"],
            session["started_at"][:19].replace("T", " "),
            duration(None if session["duration_ms"] is None else session["duration_ms"] / 1000),
            dollars(session["cost_usd"]),
            " ".join((session["prompt_text"] or session["prompt_file"]).split())[:50],
        )
        for session in sessions
    ]
    print(table(("ID", "TIER", "STATUS", "TRIGGER", "STARTED (UTC)", "TOOK", "COST", "PROMPT"), rows))
    return 0


def trigger(connection: Connection, arguments: argparse.Namespace) -> int:
    """Starts a session; with --wait, 0 only if it completed."""
    prompt = arguments.prompt or ""
    if arguments.prompt_file:
        try:
            source = sys.stdin if arguments.prompt_file == "-" else Path(arguments.prompt_file).open(encoding="utf-8")  # noqa: SIM115
            with source:
                prompt = source.read()
        except (OSError, UnicodeDecodeError) as error:
            raise CtlError(USAGE, "invalid", f"can't read {arguments.prompt_file}: {error}") from error
    body = {
        "tier": arguments.tier,
        "prompt": prompt,
        "by": _who(),
    }
    session = connection.call("sessions.trigger", body)["session"]
    if arguments.wait:
        session = wait_ended(connection, session["id"])
    _show(session, arguments)
    return 0 if not arguments.wait or session["status"] == "completed" else REFUSED


def stop(connection: Connection, arguments: argparse.Namespace) -> int:
    """Stops a session."""
    body = {"id": arguments.id, "by": _who()}
    session = connection.call("sessions.stop", body)["session"]
    if arguments.wait:
        session = wait_ended(connection, arguments.id)
    if arguments.json:
        show_json(session)
    else:
        print(f"session {arguments.id} {toned(session['status']) if arguments.wait else 'is being stopped'}")
    return 0


def _who() -> str:
    return f"{os.environ.get('USER') or os.getuid()} (claudeopsctl)"


def wait_ended(connection: Connection, id_: int) -> Body:
    """The session once it is over."""
    while True:
        session: Body = connection.call("sessions.show", {"id": id_}, timeout=60.0)["session"]
        if session["status"] != "running":
            return session
        time.sleep(POLL_SECONDS)


def tail(connection: Connection, arguments: argparse.Namespace) -> int:
    """The log's lines, byte for byte; with -f to the session's end, over restarts of the worker."""
    offset = 0
    out = sys.stdout.buffer
    while True:
        body = {"id": arguments.id, "offset": offset, "wait_s": WAIT_SECONDS if arguments.follow else 0.0}
        reply = connection.call("sessions.log", body, timeout=60.0)
        data = base64.b64decode(reply["data"])
        out.write(_pretty(data) if arguments.pretty else data)
        out.flush()
        offset = reply["next"]
        if reply["over"] or (not data and not arguments.follow):
            return 0


def _pretty(data: bytes) -> bytes:
    """A line an event, for people. Imports the transcript's parser only when it is wanted."""
    from ipc.ctl.pretty import lines

    return "".join(line + "\n" for line in lines(data)).encode()
