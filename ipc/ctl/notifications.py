"""`claudeopsctl notifications`: what people were told and what waits, a test message, sending again."""

import argparse

from ipc.ctl.asking import who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.terminal import moment, one_line, show_json, table


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """The channels, then notifications newest first. With --json, one object: channels, notifications, problems."""
    found = connection.call("notifications.list", {"limit": arguments.limit, "before": arguments.before})
    if arguments.json:
        show_json(found)
        return 0
    for problem in found["problems"]:
        print(one_line(problem))
    print(
        table(
            ("CHANNEL", "WAITS", "GIVEN UP", "LAST SENT (UTC)", "STATE"), [_channel(one) for one in found["channels"]]
        )
    )
    rows = [
        (
            str(one["id"]),
            moment(one["created_at"]),
            one["kind"],
            one["level"],
            ", ".join(f"{way['channel']} {way['status'].replace('_', ' ')}" for way in one["deliveries"]) or "–",
            one_line(one["title"]),
        )
        for one in found["notifications"]
    ]
    print("\n" + table(("ID", "AT (UTC)", "KIND", "LEVEL", "CHANNELS", "TITLE"), rows))
    return 0


def _channel(one: Body) -> tuple[str, ...]:
    state = one["says"] or ("sends" if one["waiting"] else "idle")
    if one["error"]:
        state = f"{state}: {one['error']}"
    return one["name"], str(one["waiting"]), str(one["given_up"]), moment(one["sent_at"]), one_line(state)


def test(connection: Connection, arguments: argparse.Namespace) -> int:
    """Puts a test message into the outbox."""
    found = connection.call("notifications.test", {"channel": arguments.channel, "by": who()})
    if arguments.json:
        show_json(found)
    else:
        print(f"notification {found['id']} goes to {', '.join(found['channels'])}; `claudeopsctl notifications list`")
    return 0


def retry(connection: Connection, arguments: argparse.Namespace) -> int:
    """Sends again what was given up."""
    wanted = {"id": arguments.id, "channel": arguments.channel, "by": who()}
    found = connection.call("notifications.retry", wanted)
    if arguments.json:
        show_json(found)
    else:
        print(f"{found['retried']} sent again")
    return 0
