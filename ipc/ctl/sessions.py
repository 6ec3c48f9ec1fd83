"""`claudeopsctl sessions`: list, show, chain, trigger, stop. The log is read by `tail`."""

import argparse

from ipc.ctl.asking import prompt_of, who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import REFUSED
from ipc.ctl.paging import pages
from ipc.ctl.session_text import sessions_table, show_session
from ipc.ctl.terminal import dollars, show_json, toned
from ipc.ctl.triggers import enqueue
from ipc.ctl.waiting import OPEN, Patience, wait_ended

WAITING_MAX = 1000


def show(connection: Connection, arguments: argparse.Namespace) -> int:
    """One session, with the call that waits for a person."""
    session = connection.call("sessions.show", {"id": arguments.id})["session"]
    approval = _waiting_approval(connection, session)
    if arguments.json:
        show_json({**session, "approval": approval})
        return 0
    show_session(session, arguments, approval)
    return 0


def _waiting_approval(connection: Connection, session: Body) -> Body | None:
    if session["status"] not in OPEN:
        return None
    waiting = connection.call("approvals.list", {"status": "waiting", "limit": WAITING_MAX})["approvals"]
    return next((approval for approval in waiting if approval["session_id"] == session["id"]), None)


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Sessions, newest first."""
    filters = {name: getattr(arguments, name) for name in ("status", "tier", "trigger")}
    page = {"limit": arguments.limit, "before": arguments.before}
    sessions = pages(connection.call, "sessions.list", "sessions", filters, **page)
    show_json(sessions) if arguments.json else print(sessions_table(sessions))
    return 0


def chain(connection: Connection, arguments: argparse.Namespace) -> int:
    """The sessions of a chain, first to last, and what they cost in all."""
    sessions = connection.call("sessions.chain", {"id": arguments.id})["sessions"]
    if arguments.json:
        show_json(sessions)
        return 0
    print(sessions_table(sessions))
    total = sum(_cost(session) for session in sessions)
    so_far = " so far" if any(session["status"] in OPEN for session in sessions) else ""
    count = f"{len(sessions)} session{'s' if len(sessions) != 1 else ''}"
    print(f"\n{count}, {dollars(total)} in all{so_far}")
    return 0


def _cost(session: Body) -> float:
    """Dollars as the CLI reported them; before it does, by list price."""
    cost = session["estimated_usd"] if session["cost_usd"] is None else session["cost_usd"]
    return float(cost or 0.0)


def trigger(connection: Connection, arguments: argparse.Namespace) -> int:
    """Starts a session; with --wait, 0 only if it completed. With --queue, a trigger that waits its turn."""
    if arguments.queue:
        return enqueue(connection, arguments)
    body = {"tier": arguments.tier, "prompt": prompt_of(arguments), "by": who()}
    session = connection.call("sessions.trigger", body)["session"]
    if arguments.wait:
        session = wait_ended(connection, session["id"], Patience(arguments.timeout))
    show_session(session, arguments)
    return 0 if not arguments.wait or session["status"] == "completed" else REFUSED


def stop(connection: Connection, arguments: argparse.Namespace) -> int:
    """Stops a session."""
    body = {"id": arguments.id, "by": who()}
    session = connection.call("sessions.stop", body)["session"]
    if arguments.wait:
        session = wait_ended(connection, arguments.id, Patience(arguments.timeout))
    if arguments.json:
        show_json(session)
    else:
        print(f"session {arguments.id} {toned(session['status']) if arguments.wait else 'is being stopped'}")
    return 0
