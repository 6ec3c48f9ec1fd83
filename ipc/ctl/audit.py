"""`claudeopsctl audit`: verdicts, decisions, changes, with who, what, by which rule; and whether all is as written."""

import argparse

from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import REFUSED, CtlError
from ipc.ctl.paging import pages
from ipc.ctl.terminal import clean, moment, number, one_line, show_json, table


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


def verify(connection: Connection, arguments: argparse.Namespace) -> int:
    """Walks the log's chain, by the worker or, with --database, in a file; 0 if every line is as it was written."""
    if arguments.database:
        found = _verify_file(arguments.database, arguments.head)
    else:
        found = connection.call("audit.verify", {"kept": arguments.head}, timeout=300.0)
    if arguments.json:
        show_json(found)
    else:
        word = "is as it was written" if found["ok"] else f"was changed: {found['reason']}"
        print(clean(f"the audit log of {found['lines']} lines {word}\nhead {found['head'] or '(no line)'}"))
    return 0 if found["ok"] else REFUSED


def _verify_file(path: str, kept: str) -> Body:
    from schema import audit_chain  # SQLite, which other commands do without
    from schema.database import Database, DatabaseError

    try:
        database = Database(path, readonly=True)
        try:
            return audit_chain.verify(audit_chain.lines(database), kept)._asdict()
        finally:
            database.close()
    except DatabaseError as error:
        raise CtlError(REFUSED, "unavailable", f"{path} can't be read: {error}") from error
