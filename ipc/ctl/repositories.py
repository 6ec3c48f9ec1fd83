"""`claudeopsctl repositories` and `mcp`: what is mounted, what it contributes, and the servers that come of it."""

import argparse
import sys

from ipc.ctl.connection import Body, Connection
from ipc.ctl.terminal import clean, moment, one_line, show_json, table

KINDS = ("checks", "playbooks", "skills", "panels", "servers")


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Mounted repositories by name."""
    repositories = connection.call("repositories.list")["repositories"]
    if arguments.json:
        show_json(repositories)
        return 0
    rows = [
        (
            one_line(repository["name"]),
            "yes" if repository["runbook"] else "no",
            *(one_line(", ".join(repository[kind])) or "–" for kind in KINDS),
            one_line(repository["path"]),
            one_line(repository["problem"] or "–"),
        )
        for repository in repositories
    ]
    print(table(("NAME", "RUNBOOK", *(kind.upper() for kind in KINDS), "PATH", "PROBLEM"), rows))
    return 0


def servers(connection: Connection, arguments: argparse.Namespace) -> int:
    """The MCP servers of the next session by name. What could not be read is told on standard error."""
    reply = connection.call("mcp.list")
    for problem in reply["problems"]:
        print(f"claudeopsctl: {clean(problem)}", file=sys.stderr)
    if arguments.json:
        show_json(reply["servers"])
        return 0
    rows = [
        (
            one_line(server["name"]),
            one_line(server["source"]),
            server["status"] or "–",
            str(server["tools"]),
            moment(server["seen_at"]),
            _note(server),
            one_line(server["command"]),
        )
        for server in reply["servers"]
    ]
    print(table(("NAME", "FROM", "STATUS", "TOOLS", "SEEN (UTC)", "NOTE", "COMMAND"), rows))
    return 0


def _note(server: Body) -> str:
    notes = []
    if server["replaces"]:
        notes.append(f"replaces {server['replaces']}'s")
    if server["refused"]:
        notes.append(f"left out: {server['refused']}")
    return one_line("; ".join(notes)) or "–"
