"""`claudeopsctl cooldowns`: how much of their limits services have used, and a way to let them begin anew."""

import argparse
from collections.abc import Sequence

from ipc.ctl.asking import who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.terminal import duration, moment, one_line, show_json, table


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """How much of their limits services have used, the blocked ones first."""
    return _show(connection.call("cooldowns.list")["cooldowns"], arguments)


def clear(connection: Connection, arguments: argparse.Namespace) -> int:
    """Lets a service's counters begin anew; answers with what is used then."""
    cooldowns = connection.call("cooldowns.clear", {"service": arguments.service, "by": who()})["cooldowns"]
    if not arguments.json:
        print(one_line(f"the counters of {arguments.service} begin anew") + "\n")
    return _show(cooldowns, arguments)


def _show(cooldowns: Sequence[Body], arguments: argparse.Namespace) -> int:
    if arguments.json:
        show_json(cooldowns)
        return 0
    rows = [
        (
            one_line(cooldown["service"]),
            cooldown["action"],
            "blocked" if cooldown["blocked"] else "free",
            f"{cooldown['used']} of {cooldown['limit']} in {duration(cooldown['window_s'])}",
            moment(cooldown["last_at"]),
            moment(cooldown["resets_at"]),
            str(cooldown["healthy_checks"]),
        )
        for cooldown in cooldowns
    ]
    print(table(("SERVICE", "ACTION", "STATE", "USED", "LAST (UTC)", "RESETS (UTC)", "HEALTHY CHECKS"), rows))
    return 0
