"""A wrong password, token or key, within a transaction: counted for the rate limit, and a line in the audit log.

Called by `daemon.users.handlers`. Neither keeps what was typed: it may be a password in the wrong field.
"""

from datetime import datetime

from daemon import audit
from daemon.users import rules
from ipc.messages.users import SignInFailed
from schema import actors, timestamps
from schema.access import BEARER, name_mark
from schema.audit_actions import Action
from schema.database import Database

ADDRESS_MAX = 80
NOBODY = "a name that nobody has"
NO_TOKEN = "a token or key that is none"
LAST = "; those that come within the next hour are counted alone"
NEWEST = 2**62


def note(db: Database, failed: SignInFailed, moment: datetime) -> None:
    """Remembers a failure: with a name, or by a token or key where BEARER stands before the address."""
    now, address = timestamps.stamp(moment), failed.address[:ADDRESS_MAX]
    counted = failed.counted[:ADDRESS_MAX] or address
    db.change("users.fail", name=name_mark(failed.name) if failed.name else "", address=counted, failed_at=now)
    if address.startswith(BEARER):
        action, subject = Action.TOKEN_REFUSED, NO_TOKEN
    else:
        known = db.one("users.by_name", name=failed.name)
        action, subject = Action.USER_SIGN_IN_FAILED, known["name"] if known else NOBODY
    lines = db.rows("audit.page_by_action", action=action.value, before=NEWEST, limit=rules.ALL_MAX)
    since = timestamps.stamp(moment - rules.WINDOW)
    left = rules.left(((line["at"], line["subject"]) for line in lines), subject, since)
    if not left:
        return
    day_ago = timestamps.stamp(moment - rules.KEPT)
    times = next(iter((db.one("users.failures_of_address", address=counted, since=day_ago) or {}).values()), 0)
    where = f"from {address.removeprefix(BEARER)}{' in a browser of theirs' * (counted != address)}"
    detail = f"{where}, {times} of it within a day{LAST * (left == 1)}"
    audit.add(db, actor=actors.UNKNOWN, action=action, subject=subject, at=moment, detail=detail)
