"""`claudeopsctl token`: API tokens. A new one is made here and printed once; the daemon gets its SHA-256 alone."""

import argparse
from typing import Any

from ipc.ctl.asking import who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.expiry import expires_at, left, present
from ipc.ctl.terminal import clean, moment, one_line, show_json, table


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """API tokens, newest first."""
    tokens = connection.call("tokens.list", {"all": arguments.all})["tokens"]
    if arguments.json:
        show_json(tokens)
        return 0
    now = present()
    rows = [
        (
            str(token["id"]),
            one_line(token["name"]),
            token["role"],
            " ".join(token["scopes"]),
            "revoked" if token["revoked_at"] else left(token["expires_at"], now),
            moment(token["last_used_at"]),
            one_line(token["last_used_from"] or "–"),
            one_line(token["created_by"]),
        )
        for token in tokens
    ]
    print(table(("ID", "NAME", "ROLE", "SCOPES", "ENDS", "LAST USED (UTC)", "FROM", "MADE BY"), rows))
    return 0


def create(connection: Connection, arguments: argparse.Namespace) -> int:
    """Makes a token and prints it; with --json, `{"token", ...}`."""
    from schema.access import digest, new_token  # msgspec, which other commands do without

    token = new_token()
    body: Body = {
        "name": arguments.name,
        "token_hash": digest(token),
        "role": arguments.role,
        "scopes": arguments.scope or [],
        "by": who(),
    }
    if arguments.expires:
        body["expires_at"] = expires_at(arguments.expires, present())
    made: dict[str, Any] = connection.call("tokens.create", body)["token"]
    if arguments.json:
        show_json({"token": token, **made})
    else:
        print(token)
    return 0


def revoke(connection: Connection, arguments: argparse.Namespace) -> int:
    """Ends a token, by its name or number."""
    given = arguments.token
    which: Body = {"id": int(given)} if given.isascii() and given.isdigit() else {"name": given}
    token = connection.call("tokens.revoke", {**which, "by": who()})["token"]
    show_json(token) if arguments.json else print(clean(f"token {token['name']} is revoked"))
    return 0
