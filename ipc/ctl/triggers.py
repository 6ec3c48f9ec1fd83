"""`claudeopsctl triggers`: the queue. `sessions trigger --queue` comes here, too."""

import argparse

from ipc.ctl.asking import prompt_of, who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import REFUSED
from ipc.ctl.paging import pages
from ipc.ctl.session_text import show_session
from ipc.ctl.terminal import clean, moment, number, one_line, show_json, table
from ipc.ctl.waiting import Patience, wait_through


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """What waits, in the order in which it will start; of other statuses, or of all, the newest first."""
    count = None
    if arguments.status == "waiting":
        # In another order than that of the ids: one answer, or none.
        body = {"status": "waiting", "limit": arguments.limit, "before": arguments.before}
        reply = connection.call("triggers.list", body)
        triggers, count = reply["triggers"], reply["waiting"]
    else:
        page = {"limit": arguments.limit, "before": arguments.before}
        triggers = pages(connection.call, "triggers.list", "triggers", {"status": arguments.status}, **page)
    if arguments.json:
        show_json(triggers)
        return 0
    rows = [
        (
            str(trigger["id"]),
            trigger["status"],
            str(trigger["tier"] or "auto"),
            trigger["kind"],
            moment(trigger["created_at"]),
            trigger["requested_by"] or "–",
            number(trigger["session_id"]),
            str(trigger["merged"] or "–"),
            one_line(trigger["reason"] or "–"),
            one_line(trigger["prompt"] or "the tier's prompt file", 50),
        )
        for trigger in triggers
    ]
    head = ("ID", "STATUS", "TIER", "KIND", "ADDED (UTC)", "BY", "SESSION", "MERGED", "REASON", "PROMPT")
    print(table(head, rows))
    if count is not None and count > len(triggers):
        print(f"\n{len(triggers)} of {count} that wait; --limit {count} shows all")
    return 0


def add(connection: Connection, arguments: argparse.Namespace) -> int:
    """Puts a trigger into the queue."""
    return enqueue(connection, arguments, arguments.kind, arguments.key)


def enqueue(connection: Connection, arguments: argparse.Namespace, kind: str = "manual", key: str = "") -> int:
    """Puts a trigger into the queue; with --wait, 0 only if its session completed. In JSON always the trigger."""
    body = {"tier": arguments.tier, "prompt": prompt_of(arguments), "kind": kind, "key": key, "by": who()}
    reply = connection.call("triggers.add", body)
    trigger, session = reply["trigger"], None
    if arguments.wait:
        trigger, session = wait_through(connection, trigger["id"], Patience(arguments.timeout))
    if arguments.json:
        show_json({**trigger, "session": session} if arguments.wait else trigger)
    elif session:
        show_session(session, arguments)
    else:
        print(clean(_describe(trigger) + (" (it waited already)" if reply["merged"] else "")))
    return 0 if not arguments.wait or (session and session["status"] == "completed") else REFUSED


def _describe(trigger: Body) -> str:
    """A trigger in one line."""
    reason = f": {trigger['reason']}" if trigger["reason"] else ""
    session = f", session {trigger['session_id']}" if trigger["session_id"] else ""
    tier = f"tier {trigger['tier']}" if trigger["tier"] else "no tier yet"
    return f"trigger {trigger['id']} of {tier} is {trigger['status']}{session}{reason}"


def cancel(connection: Connection, arguments: argparse.Namespace) -> int:
    """Takes a waiting trigger out of the queue."""
    trigger = connection.call("triggers.cancel", {"id": arguments.id, "by": who()})["trigger"]
    show_json(trigger) if arguments.json else print(clean(_describe(trigger)))
    return 0
