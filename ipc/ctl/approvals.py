"""`claudeopsctl approvals`: calls that wait for a person, decisions, and standing rules."""

import argparse
from datetime import datetime

from ipc.ctl.asking import who
from ipc.ctl.calls import call_line, call_whole, found_of, found_table
from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import USAGE, CtlError
from ipc.ctl.expiry import expires_at, left, present
from ipc.ctl.paging import pages
from ipc.ctl.terminal import clean, fields, moment, number, one_line, show_json, table, toned


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """What waits, the next to expire first; of another status, or of all, the newest first."""
    if arguments.all and arguments.status:
        raise CtlError(USAGE, "invalid", "--all means every status; leave one of --all and --status out")
    status = None if arguments.all else arguments.status or "waiting"
    if status == "waiting":
        # In another order than that of the ids: one answer, or none.
        body = {"status": status, "limit": arguments.limit, "before": arguments.before}
        approvals = connection.call("approvals.list", body)["approvals"]
    else:
        page = {"limit": arguments.limit, "before": arguments.before}
        approvals = pages(connection.call, "approvals.list", "approvals", {"status": status}, **page)
    if arguments.json:
        show_json(approvals)
        return 0
    now = present()
    rows = [
        (
            str(approval["id"]),
            approval["status"],
            str(approval["session_id"]),
            str(approval["tier"]),
            left(approval["expires_at"], now) if approval["status"] == "waiting" else "–",
            approval["decided_by"] or "–",
            call_line(approval, 100),
        )
        for approval in approvals
    ]
    print(table(("ID", "STATUS", "SESSION", "TIER", "EXPIRES", "DECIDED BY", "CALL"), rows))
    if len(approvals) == arguments.limit:
        print(f"\nthere may be more; --limit {arguments.limit * 2} shows them")
    return 0


def show(connection: Connection, arguments: argparse.Namespace) -> int:
    """One call whole."""
    approval = connection.call("approvals.show", {"id": arguments.id})["approval"]
    show_json(approval) if arguments.json else print(_card(approval, present()))
    return 0


def _card(approval: Body, now: datetime) -> str:
    waiting = approval["status"] == "waiting"
    facts = [
        ("asked by", f"session {approval['session_id']} of tier {approval['tier']}, {approval['created_at']}"),
        ("why", one_line(f"{approval['reason']} (rule {approval['rule']})")),
        ("expires", f"{approval['expires_at']}{' – ' + left(approval['expires_at'], now) if waiting else ''}"),
        *([("decided", f"{approval['decided_at']} by {approval['decided_by']}")] if approval["decided_at"] else []),
        *([("answer", one_line(approval["answer"]))] if approval["answer"] else []),
        *([("let through", approval["used_at"])] if approval["used_at"] else []),
        *([("agent says", one_line(approval["words"]))] if approval["words"] else []),
        ("call", approval["tool"]),
    ]
    lines = [
        f"approval {approval['id']}: {toned(approval['status'])}",
        fields(facts),
        call_whole(approval),
        "",
        found_table(found_of(approval)),
    ]
    if waiting:
        id_ = approval["id"]
        lines += ["", f"`claudeopsctl approvals approve {id_}`, or `claudeopsctl approvals deny {id_} --reason TEXT`"]
    return "\n".join(lines)


def approve(connection: Connection, arguments: argparse.Namespace) -> int:
    """Lets the call run, once; with --remember, makes a rule in the same step."""
    body: Body = {"id": arguments.id, "approve": True, "by": who()}
    rule = _rule(connection, arguments)
    if rule:
        body["remember"] = rule
    approval = connection.call("approvals.decide", body)["approval"]
    if arguments.json:
        show_json(approval)
        return 0
    print(_decided(approval))
    if rule:
        print(clean(f"from now on allowed: {_scope(rule)}"))
    return 0


def _rule(connection: Connection, arguments: argparse.Namespace) -> Body | None:
    if arguments.remember is None:
        for name in ("host", "tier", "expires"):
            if getattr(arguments, name) is not None:
                raise CtlError(USAGE, "invalid", f"--{name} is about a rule; say which by --remember PATTERN")
        return None
    if not arguments.remember.strip():
        raise CtlError(USAGE, "invalid", "the pattern is empty; give the command's words, * last for any more")
    ends = expires_at(arguments.expires, present()) if arguments.expires is not None else None
    # A rule is for the tool of the call that it was made at.
    tool = connection.call("approvals.show", {"id": arguments.id})["approval"]["tool"]
    return {
        "decision": "allow",
        "tool": tool,
        "pattern": arguments.remember,
        "host": arguments.host,
        "tier": arguments.tier,
        "expires_at": ends,
    }


def _scope(rule: Body) -> str:
    host = "on this host" if rule["host"] is None else "on any host" if rule["host"] == "*" else f"on {rule['host']}"
    tier = f"at tier {rule['tier']}" if rule["tier"] else "at every tier"
    until = f"until {rule['expires_at']}" if rule["expires_at"] else "until it is revoked"
    return f"{rule['tool']} {rule['pattern']}, {host}, {tier}, {until}"


def deny(connection: Connection, arguments: argparse.Namespace) -> int:
    """Refuses the call; the model is told the reason."""
    if not arguments.reason.strip():
        raise CtlError(USAGE, "invalid", "the reason is empty; the model needs one to go on by")
    body = {"id": arguments.id, "approve": False, "reason": arguments.reason, "by": who()}
    approval = connection.call("approvals.decide", body)["approval"]
    show_json(approval) if arguments.json else print(_decided(approval))
    return 0


def _decided(approval: Body) -> str:
    by = f" by {approval['decided_by']}" if approval["decided_by"] else ""
    return clean(f"approval {approval['id']} is {approval['status']}{by}: {call_line(approval)}")


def rules(connection: Connection, arguments: argparse.Namespace) -> int:
    """Standing rules, newest first."""
    found = connection.call("rules.list", {"all": arguments.all})["rules"]
    if arguments.json:
        show_json(found)
        return 0
    rows = [
        (
            str(rule["id"]),
            rule["decision"],
            rule["host"] or "here",
            number(rule["tier"]),
            moment(rule["expires_at"]),
            rule["created_by"] or "–",
            f"{moment(rule['revoked_at'])} by {rule['revoked_by'] or '–'}" if rule["revoked_at"] else "–",
            one_line(rule["reason"] or "–"),
            one_line(f"{rule['tool']} {rule['pattern']}"),
        )
        for rule in found
    ]
    print(table(("ID", "VERDICT", "HOST", "TIER", "UNTIL (UTC)", "BY", "REVOKED (UTC)", "REASON", "CALLS"), rows))
    return 0


def revoke(connection: Connection, arguments: argparse.Namespace) -> int:
    """Ends a standing rule."""
    rule = connection.call("rules.revoke", {"id": arguments.rule, "by": who()})["rule"]
    text = one_line(f"rule {rule['id']} is over: {rule['tool']} {rule['pattern']}")
    show_json(rule) if arguments.json else print(text)
    return 0
