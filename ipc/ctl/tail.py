"""`claudeopsctl sessions tail`: the lines of a session's log, over restarts of the worker."""

import argparse
import base64
import sys
from collections.abc import Callable

from ipc.ctl.connection import Connection
from ipc.ctl.terminal import clean
from ipc.ctl.waiting import patiently

WAIT_SECONDS = 5.0


def tail(connection: Connection, arguments: argparse.Namespace) -> int:
    """The log's lines as they are in the file; with -f to the session's end, over restarts of the worker."""
    offset = 0
    show = _shown(arguments)
    out = sys.stdout.buffer
    while True:
        body = {"id": arguments.id, "offset": offset, "wait_s": WAIT_SECONDS if arguments.follow else 0.0}
        reply = (
            patiently(connection, "sessions.log", body) if arguments.follow else connection.call("sessions.log", body)
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
