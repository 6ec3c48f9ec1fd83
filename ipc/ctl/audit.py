"""`claudeopsctl audit list`: verdicts, decisions and changes, with who, what, and by which rule."""

import argparse

from ipc.ctl.connection import Connection
from ipc.ctl.paging import pages
from ipc.ctl.terminal import moment, number, one_line, show_json, table


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """The audit log, newest first."""
    filters = {"action": arguments.action, "session_id": arguments.session}
    page = {"limit": arguments.limit, "before": arguments.before}
    entries = pages(connection.call, "audit.list", "entries", filters, **page)
    if arguments.json:
        show_json(entries)
        return 0
    rows = [
        (
            str(entry["id"]),
            moment(entry["at"]),
            one_line(entry["actor"]),
            entry["action"],
            number(entry["session_id"]),
            entry["rule"] or "–",
            one_line(entry["subject"] + (f" – {entry['detail']}" if entry["detail"] else "")),
        )
        for entry in entries
    ]
    print(table(("ID", "AT (UTC)", "WHO", "ACTION", "SESSION", "RULE", "WHAT"), rows))
    return 0
