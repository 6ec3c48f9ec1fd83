"""`claudeopsctl sessions`: list, show, tail, trigger, stop."""

import argparse
import base64
import os
import pwd
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ipc.ctl.connection import MAX_FRAME, Body, Connection
from ipc.ctl.errors import REFUSED, USAGE, CtlError
from ipc.ctl.terminal import clean, dollars, duration, show_json, table, toned

WAIT_SECONDS = 5.0
POLL_SECONDS = 0.3
PAGE = 100


def show(connection: Connection, arguments: argparse.Namespace) -> int:
    """One session."""
    session = connection.call("sessions.show", {"id": arguments.id})["session"]
    _show(session, arguments)
    return 0


def _show(session: Body, arguments: argparse.Namespace) -> None:
    if arguments.json:
        show_json(session)
        return
    reason = clean(f" – {session['reason']}") if session["reason"] else ""
    print(f"session {session['id']}: {toned(session['status'])}{reason}")
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
        print(f"{name:<10} {clean(value)}")
    if session["response"]:
        print(clean(f"\n{session['response']}"))


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Sessions, newest first."""
    sessions = _pages(connection, arguments)
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


def _pages(connection: Connection, arguments: argparse.Namespace) -> list[Body]:
    """As many sessions as wanted, in as many answers as it takes: prompts may be long, and an answer is bounded."""
    filters = {name: getattr(arguments, name) for name in ("status", "tier", "trigger")}
    body: Body = {name: value for name, value in filters.items() if value is not None}
    found: list[Body] = []
    before, size = arguments.before, PAGE
    while len(found) < arguments.limit:
        wanted = min(size, arguments.limit - len(found))
        try:
            page = connection.call("sessions.list", {**body, "before": before, "limit": wanted})["sessions"]
        except CtlError as error:
            if error.code != "too_large" or wanted == 1:
                raise
            size = wanted // 2
            continue
        found += page
        if len(page) < wanted:
            break
        before = page[-1]["id"]
    return found


def trigger(connection: Connection, arguments: argparse.Namespace) -> int:
    """Starts a session; with --wait, 0 only if it completed."""
    prompt = arguments.prompt or ""
    if arguments.prompt_file:
        prompt = _read_prompt(arguments.prompt_file)
    if not prompt.strip() and (arguments.prompt is not None or arguments.prompt_file):
        # An empty text would mean the tier's own prompt, which is not what was asked for.
        raise CtlError(USAGE, "invalid", "the prompt is empty; leave the option out to use the tier's prompt file")
    body = {"tier": arguments.tier, "prompt": prompt, "by": _who()}
    session = connection.call("sessions.trigger", body)["session"]
    if arguments.wait:
        session = wait_ended(connection, session["id"], arguments.timeout)
    _show(session, arguments)
    return 0 if not arguments.wait or session["status"] == "completed" else REFUSED


def _read_prompt(path: str) -> str:
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_FRAME + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_FRAME + 1)
        return data.decode()
    except OSError as error:
        raise CtlError(USAGE, "invalid", f"can't read {path}: {error.strerror}; name a file, or - for input") from error
    except UnicodeDecodeError as error:
        raise CtlError(USAGE, "invalid", f"{path} is not text in UTF-8; convert it") from error


def stop(connection: Connection, arguments: argparse.Namespace) -> int:
    """Stops a session."""
    body = {"id": arguments.id, "by": _who()}
    session = connection.call("sessions.stop", body)["session"]
    if arguments.wait:
        session = wait_ended(connection, arguments.id, arguments.timeout)
    if arguments.json:
        show_json(session)
    else:
        print(f"session {arguments.id} {toned(session['status']) if arguments.wait else 'is being stopped'}")
    return 0


def _who() -> str:
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    return f"{name} (claudeopsctl)"


def wait_ended(connection: Connection, id_: int, timeout: float | None = None) -> Body:
    """The session once it is over, over restarts of the worker. CtlError after `timeout` seconds; it goes on then."""
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        session = _patiently(connection, "sessions.show", {"id": id_})["session"]
        if session["status"] != "running":
            return dict(session)
        if end is not None and time.monotonic() >= end:
            text = (
                f"session {id_} is still running after {timeout:g} s; `claudeopsctl sessions tail -f {id_}` follows it"
            )
            raise CtlError(REFUSED, "deadline", text, {"id": id_})
        time.sleep(POLL_SECONDS)


def _patiently(connection: Connection, subject: str, body: Body) -> Body:
    """An answer, however long the worker is away: as long as the daemon lives, it comes back."""
    while True:
        try:
            return connection.call(subject, body)
        except CtlError as error:
            if error.code != "unavailable":
                raise
            print("claudeopsctl: the worker is not answering; waiting for it", file=sys.stderr)


def tail(connection: Connection, arguments: argparse.Namespace) -> int:
    """The log's lines as they are in the file; with -f to the session's end, over restarts of the worker."""
    offset = 0
    show = _shown(arguments)
    out = sys.stdout.buffer
    while True:
        body = {"id": arguments.id, "offset": offset, "wait_s": WAIT_SECONDS if arguments.follow else 0.0}
        reply = (
            _patiently(connection, "sessions.log", body) if arguments.follow else connection.call("sessions.log", body)
        )
        data = base64.b64decode(reply["data"])
        over = reply["over"] or (not data and not arguments.follow)
        out.write(show(data, over))
        out.flush()
        offset = reply["next"]
        if over:
            return 0


def _shown(arguments: argparse.Namespace) -> Callable[[bytes, bool], bytes]:
    """What becomes of the log's bytes. Onto a terminal nothing goes that would command it, unless --raw asks for it."""
    if not (arguments.json or arguments.pretty or (sys.stdout.isatty() and not arguments.raw)):
        return lambda data, over: data
    line = _visible
    if arguments.json or arguments.pretty:
        from ipc.ctl import pretty  # the transcript's parser takes its time; only who wants it pays

        line = pretty.as_json if arguments.json else pretty.as_text
    kept = b""

    def whole_lines(data: bytes, over: bool) -> bytes:
        nonlocal kept
        *lines, kept = (kept + data).split(b"\n")
        if over and kept:
            lines.append(kept)
        return "".join(map(line, lines)).encode("utf-8", "backslashreplace")

    return whole_lines


def _visible(line: bytes) -> str:
    return clean(line.decode("utf-8", "replace")) + "\n"
