"""`claudeopsctl users`: people. A link that sets a password is made here, printed once; the daemon gets its SHA-256."""

import argparse

from ipc.ctl.asking import who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.terminal import clean, moment, one_line, show_json, table


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Everybody, the first first."""
    users = connection.call("users.list")["users"]
    if arguments.json:
        show_json(users)
        return 0
    rows = [
        (
            str(user["id"]),
            one_line(user["name"]),
            user["role"],
            "disabled" if user["disabled_at"] else "active" if user["password"] else "no password yet",
            moment(user["seen_at"]),
            moment(user["created_at"]),
        )
        for user in users
    ]
    print(table(("ID", "NAME", "ROLE", "STATE", "SEEN (UTC)", "ADDED (UTC)"), rows))
    return 0


def add(connection: Connection, arguments: argparse.Namespace) -> int:
    """Adds a person and prints their link."""
    return _with_link(connection, arguments, "users.add", {"role": arguments.role})


def password_link(connection: Connection, arguments: argparse.Namespace) -> int:
    """Prints a fresh link."""
    return _with_link(connection, arguments, "users.offer_password", {})


def _with_link(connection: Connection, arguments: argparse.Namespace, subject: str, more: Body) -> int:
    from schema.access import digest, new_secret  # msgspec, which other commands do without

    secret = new_secret()
    reply = connection.call(subject, {"name": arguments.name, "link_hash": digest(secret), "by": who(), **more})
    url = f"{reply['address']}/password/{secret}"
    if arguments.json:
        show_json({"user": reply["user"], "link": url, "expires_at": reply["expires_at"]})
    else:
        print(url)
    return 0


def role(connection: Connection, arguments: argparse.Namespace) -> int:
    """Gives a person another role."""
    return _change(connection, arguments, {"role": arguments.role})


def disable(connection: Connection, arguments: argparse.Namespace) -> int:
    """Keeps a person out."""
    return _change(connection, arguments, {"disabled": True, "tokens": arguments.revoke_tokens})


def enable(connection: Connection, arguments: argparse.Namespace) -> int:
    """Lets a person in again."""
    return _change(connection, arguments, {"disabled": False})


def _change(connection: Connection, arguments: argparse.Namespace, what: Body) -> int:
    reply = connection.call("users.change", {"name": arguments.name, "by": who(), **what})
    user, revoked = reply["user"], reply["revoked"]
    if arguments.json:
        show_json({**user, "revoked": revoked})
        return 0
    state = "disabled" if user["disabled_at"] else "active"
    ended = f"; revoked with it, for they made them: {', '.join(revoked)}" if revoked else ""
    print(clean(f"{user['name']}: {user['role']}, {state}{ended}"))
    return 0
