"""`claudeopsctl events list`: what sessions and the daemon said; with -f, what they say from now on, too."""

import argparse
import time
from collections.abc import Sequence
from functools import partial

from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import USAGE, CtlError
from ipc.ctl.paging import pages
from ipc.ctl.terminal import moment, number, one_line, show_json, table, toned
from ipc.ctl.waiting import patiently

LOOK_SECONDS = 1.0
ALL = 2**31


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Events, newest first."""
    filters = {"level": arguments.level, "service": arguments.service, "session_id": arguments.session}
    if arguments.follow:
        if arguments.before:
            raise CtlError(USAGE, "invalid", "what is followed has no end; leave one of --before and --follow out")
        _follow(connection, filters, arguments)
    page = {"limit": arguments.limit, "before": arguments.before}
    events = pages(connection.call, "events.list", "events", filters, **page)
    if arguments.json:
        show_json(events)
        return 0
    rows = [
        (
            str(event["id"]),
            moment(event["created_at"]),
            event["level"],
            event["service"] or "–",
            number(event["session_id"]),
            one_line(event["message"]),
        )
        for event in events
    ]
    print(table(("ID", "AT (UTC)", "LEVEL", "SERVICE", "SESSION", "MESSAGE"), rows))
    return 0


def _follow(connection: Connection, filters: Body, arguments: argparse.Namespace) -> None:
    """The last events, then each new one, oldest first; for programs an object a line. Until it is interrupted."""
    ask = partial(patiently, connection)
    look = partial(pages, ask, "events.list", "events", filters)
    events = look(limit=arguments.limit)
    last = events[0]["id"] if events else max((event["id"] for event in look(limit=1)), default=0)
    while True:
        _say(events[::-1], as_json=arguments.json)
        time.sleep(LOOK_SECONDS)
        # One row tells whether there is anything new.
        newest = look(limit=1, above=last)
        events = look(limit=ALL, above=last) if newest else []
        last = events[0]["id"] if events else last


def _say(events: Sequence[Body], *, as_json: bool) -> None:
    for event in events:
        if as_json:
            show_json(event)
            continue
        about = one_line(event["service"] or "–")
        level = toned(event["level"]) + " " * (8 - len(event["level"]))
        print(f"{moment(event['created_at'])}  {level}  {about:<16}  {one_line(event['message'])}", flush=True)
