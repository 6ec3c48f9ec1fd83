"""`claudeopsctl health`: what sessions found of services."""

import argparse

from ipc.ctl.connection import Connection
from ipc.ctl.terminal import moment, number, one_line, show_json, table


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Every service that a session has looked at, the worst first."""
    services = connection.call("health.list")["services"]
    if arguments.json:
        show_json(services)
        return 0
    rows = [
        (
            one_line(service["service"]),
            service["status"],
            moment(service["checked_at"]),
            str(service["healthy_checks"]),
            number(service["session_id"]),
            one_line(service["detail"] or "–"),
        )
        for service in services
    ]
    print(table(("SERVICE", "STATUS", "CHECKED (UTC)", "HEALTHY IN A ROW", "SESSION", "DETAIL"), rows))
    return 0
