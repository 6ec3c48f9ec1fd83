"""Waiting: for an answer while the worker is replaced, for a session's end, for a trigger's session."""

import sys
import time

from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import REFUSED, CtlError

POLL_SECONDS = 0.3
OPEN = ("running", "awaiting_approval")


def patiently(connection: Connection, subject: str, body: Body) -> Body:
    """An answer, however long the worker is away: as long as the daemon lives, it comes back."""
    while True:
        try:
            return connection.call(subject, body)
        except CtlError as error:
            if error.code != "unavailable":
                raise
            print("claudeopsctl: the worker is not answering; waiting for it", file=sys.stderr)


class Patience:
    """How long somebody waits: `seconds` from now, or for ever."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def rest(self, state: str, advice: str, id_: int) -> None:
        """Sleeps until it is worth to look again. CtlError `deadline` of these words once the time is over."""
        if self._end is not None and time.monotonic() >= self._end:
            raise CtlError(REFUSED, "deadline", f"{state} after {self.seconds:g} s; {advice}", {"id": id_})
        time.sleep(POLL_SECONDS)


def wait_ended(connection: Connection, id_: int, patience: Patience) -> Body:
    """The session once it is over, over restarts of the worker. CtlError after the time to wait; it goes on then.

    A session that waits for a person is not over: the decision resumes it.
    """
    told = False
    while True:
        session = patiently(connection, "sessions.show", {"id": id_})["session"]
        if session["status"] not in OPEN:
            return dict(session)
        if session["status"] == "running":
            told = False
            patience.rest(f"session {id_} is still running", f"`claudeopsctl sessions tail -f {id_}` follows it", id_)
            continue
        advice = "`claudeopsctl approvals list` shows for what"
        if not told:
            print(f"claudeopsctl: session {id_} waits for a person; {advice}", file=sys.stderr)
            told = True
        patience.rest(f"session {id_} still waits for a person", advice, id_)


def wait_through(connection: Connection, id_: int, patience: Patience) -> tuple[Body, Body | None]:
    """The trigger once it is done with, and the session that it started, ended. No session where it never will."""
    while True:
        trigger = show_trigger(connection, id_)
        if trigger["status"] == "started":
            session = wait_ended(connection, trigger["session_id"], patience)
            after = show_trigger(connection, id_)
            if (after["status"], after["session_id"]) == ("started", session["id"]):
                return after, session
            continue  # killed before anything of it ran: the trigger waits again, and gets another session
        if trigger["status"] != "waiting":
            return trigger, None
        why = f" ({trigger['reason']})" if trigger["reason"] else ""
        advice = "`claudeopsctl triggers list --status waiting` shows the queue"
        patience.rest(f"trigger {id_} still waits{why}", advice, id_)


def show_trigger(connection: Connection, id_: int) -> Body:
    """One trigger, by the page that begins with it. CtlError `not_found`."""
    page = patiently(connection, "triggers.list", {"before": id_ + 1, "limit": 1})["triggers"]
    if not page or page[0]["id"] != id_:
        raise CtlError(REFUSED, "not_found", f"there is no trigger {id_}; `claudeopsctl triggers list` shows them")
    return dict(page[0])
