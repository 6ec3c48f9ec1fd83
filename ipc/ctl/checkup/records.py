"""Checks of what was written down: the audit log's chain, messages that don't arrive, what the daemon warns of."""

import time
from itertools import islice
from typing import TYPE_CHECKING

from ipc.ctl.checkup.host import Finding, Host, bad, ok, warn
from ipc.ctl.place import status_file
from ipc.ctl.terminal import duration

if TYPE_CHECKING:
    from schema.database import Database

AUDIT_MAX = 200_000  # lines; a longer log is for `claudeopsctl audit verify`
FAILING_SECONDS = 600.0


def _opened(host: Host) -> "Database | None":
    """The database as it is; None where there is none of ours that can be read, which another check tells."""
    from schema import backup  # apsw is loaded by the checks that want it
    from schema.database import Database, DatabaseError

    try:
        path = host.state / "claudeops.db"
        if not path.exists():
            return None
        opened = Database(path, readonly=True)
    except (DatabaseError, PermissionError):
        return None
    try:
        if backup.step_of(opened) == backup.newest_step():
            return opened
    except DatabaseError:
        pass  # no database of ours, or a damaged one
    opened.close()
    return None


def audit(host: Host) -> Finding | None:
    """Whether every line of the audit log is as it was written."""
    from schema import audit_chain

    database = _opened(host)
    if database is None:
        return None
    try:
        found = audit_chain.verify(islice(audit_chain.lines(database), AUDIT_MAX))
    finally:
        database.close()
    if not found.ok:
        return bad(f"the audit log was changed: {found.reason}; compare it with a backup, and look who can write there")
    more = "; there are more: `claudeopsctl audit verify`" if found.lines == AUDIT_MAX else ""
    return ok(f"{found.lines} lines are as they were written{more}")


def notifications(host: Host) -> Finding | None:
    """Whether messages arrive: no channel has waited for long, none was given up lately."""
    from schema import timestamps

    database = _opened(host)
    if database is None:
        return None
    failing = []
    try:
        for row in database.rows("notifications.open_channels"):
            head = database.one("notifications.open_head", channel=row["channel"]) or {}
            waited = time.time() - timestamps.parse(row["since"]).timestamp()
            if waited > FAILING_SECONDS and head.get("attempts"):
                why = f": {head['error']}" if head.get("error") else ""
                failing.append(f"{row['channel']} has taken nothing for {duration(waited)}{why}")
    finally:
        database.close()
    if failing:
        return bad(f"{'; '.join(failing)}; try it by `claudeopsctl notifications test`")
    return ok("no channel is behind")


def warnings(host: Host) -> Finding | None:
    """What the daemon itself says that people should know."""
    told = status_file(host.runtime).get("warnings", []) if host.pid is not None else []
    return warn("; ".join(str(text) for text in told)) if told else None
