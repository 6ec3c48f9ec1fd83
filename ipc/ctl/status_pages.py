"""`claudeopsctl status-pages`: what people without a sign-in may see of services. Listed, added, changed, removed."""

import argparse

from ipc.ctl.asking import who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import REFUSED, USAGE, CtlError
from ipc.ctl.terminal import moment, one_line, show_json, table

LISTS = {"service": "services", "tag": "tags", "group": "groups"}


def _all(connection: Connection) -> list[Body]:
    found: list[Body] = connection.call("status_pages.list", {})["pages"]
    return found


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """All of them."""
    found = _all(connection)
    if arguments.json:
        show_json(found)
        return 0
    rows = [
        (
            str(one["id"]),
            f"/status/{one['page']['slug']}",
            "yes" if one["page"].get("published") else "no",
            one_line(one["page"]["title"], 50),
            moment(one["updated_at"]),
        )
        for one in found
    ]
    print(table(("ID", "ADDRESS", "PUBLISHED", "TITLE", "CHANGED (UTC)"), rows))
    return 0


def _one(connection: Connection, text: str) -> Body:
    for one in _all(connection):
        if text in (str(one["id"]), one["page"]["slug"]):
            return one
    raise CtlError(REFUSED, "not_found", f"there is no status page {text!r}; `claudeopsctl status-pages list` has all")


def _given(arguments: argparse.Namespace) -> Body:
    given = {name: getattr(arguments, name) for name in ("slug", "title", "description")}
    given |= {field: getattr(arguments, option) for option, field in LISTS.items()}
    if arguments.latency:
        given["latency"] = arguments.latency == "yes"
    return {name: value for name, value in given.items() if value is not None}


def add(connection: Connection, arguments: argparse.Namespace) -> int:
    """A new one."""
    page = {"title": "", **_given(arguments), "published": arguments.publish}
    return _tell(connection.call("status_pages.add", {"page": page, "by": who()})["page"], arguments)


def edit(connection: Connection, arguments: argparse.Namespace) -> int:
    """Changes what is given; the rest stays as it is."""
    given = _given(arguments)
    if arguments.publish and arguments.unpublish:
        raise CtlError(USAGE, "invalid", "give --publish or --unpublish, not both")
    if arguments.publish or arguments.unpublish:
        given["published"] = arguments.publish
    if not given:
        raise CtlError(USAGE, "invalid", "nothing is to be changed; give --title, --publish or another option")
    found = _one(connection, arguments.page)
    body = {"id": found["id"], "version": found["version"], "page": {**found["page"], **given}, "by": who()}
    return _tell(connection.call("status_pages.change", body)["page"], arguments)


def _tell(stored: Body, arguments: argparse.Namespace) -> int:
    if arguments.json:
        show_json(stored)
        return 0
    page = stored["page"]
    state = "published" if page.get("published") else "not published"
    print(one_line(f"status page {stored['id']}, {page['title']}, is {state} at /status/{page['slug']}"))
    return 0


def remove(connection: Connection, arguments: argparse.Namespace) -> int:
    """Takes one away."""
    found = _one(connection, arguments.page)
    connection.call("status_pages.remove", {"id": found["id"], "by": who()})
    if arguments.json:
        show_json(found)
    else:
        print(one_line(f"status page {found['id']}, {found['page']['title']}, is removed"))
    return 0
