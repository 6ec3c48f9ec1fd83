"""`claudeopsctl config`: list, get, set, reset."""

import argparse

from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import REFUSED, CtlError
from ipc.ctl.terminal import clean, show_json, table


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Every setting with its value and where that comes from."""
    settings = connection.call("settings.list")["settings"]
    if arguments.json:
        show_json(settings)
        return 0
    rows = [
        (item["name"], item["source"], "live" if item["live"] else "restart", item["value"][:80]) for item in settings
    ]
    print(table(("NAME", "SOURCE", "CHANGES", "VALUE"), rows))
    return 0


def _find(connection: Connection, name: str) -> Body:
    bare = name.removeprefix("--").replace("-", "_")
    for item in connection.call("settings.list")["settings"]:
        if bare.lower() == item["name"] or name.upper() == item["env"]:
            return dict(item)
    raise CtlError(REFUSED, "not_found", f"there is no setting {name!r}; `claudeopsctl config list` shows them")


def get(connection: Connection, arguments: argparse.Namespace) -> int:
    """One setting's value."""
    item = _find(connection, arguments.name)
    show_json(item) if arguments.json else print(clean(item["value"]))
    return 0


def put(connection: Connection, arguments: argparse.Namespace) -> int:
    """Sets a live setting; it takes effect at the next session and survives a restart."""
    return _change(connection, arguments, arguments.value)


def reset(connection: Connection, arguments: argparse.Namespace) -> int:
    """Takes an override away."""
    return _change(connection, arguments, None)


def _change(connection: Connection, arguments: argparse.Namespace, value: str | None) -> int:
    item = connection.call("settings.set", {"name": arguments.name, "value": value})["setting"]
    if arguments.json:
        show_json(item)
    else:
        print(clean(f"{item['name']} = {item['value']} ({item['source']})"))
    return 0
