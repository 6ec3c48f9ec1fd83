"""`claudeopsctl incidents` and `claudeopsctl maintenance`: what people do when services fail, or are about to."""

import argparse
import math

from ipc.ctl import named
from ipc.ctl.asking import who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import USAGE, CtlError
from ipc.ctl.paging import pages
from ipc.ctl.terminal import fields, moment, one_line, show_json, table, toned
from schema.zones import local_start


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Incidents, newest first."""
    service_id = _service(connection, arguments.service) if arguments.service else 0
    filters = {"service_id": service_id, "open": arguments.open}
    before, limit = arguments.before, arguments.limit
    found = pages(connection.call, "incidents.list", "incidents", filters, limit=limit, before=before)
    if arguments.json:
        show_json(found)
        return 0
    rows = [
        (
            str(one["id"]),
            one_line(one["service"], 40),
            moment(one["began_at"]),
            moment(one["ended_at"]) if one["ended_at"] else "goes on",
            one["acknowledged_by"] or "–",
            one_line(one["detail"] or one["cause"], 70),
        )
        for one in found
    ]
    print(table(("ID", "SERVICE", "BEGAN (UTC)", "ENDED (UTC)", "LOOKED AFTER BY", "WHAT"), rows))
    return 0


def _service(connection: Connection, text: str) -> int:
    return int(named.service(connection, text)["service"]["id"])


def show(connection: Connection, arguments: argparse.Namespace) -> int:
    """One incident with its timeline."""
    _show(connection.call("incidents.show", {"id": arguments.id}), arguments)
    return 0


def acknowledge(connection: Connection, arguments: argparse.Namespace) -> int:
    """Says that one looks after it."""
    body = {"id": arguments.id, "acknowledge": True, "text": arguments.note or "", "by": who()}
    _show(connection.call("incidents.note", body), arguments)
    return 0


def note(connection: Connection, arguments: argparse.Namespace) -> int:
    """Says something about it."""
    _show(connection.call("incidents.note", {"id": arguments.id, "text": arguments.text, "by": who()}), arguments)
    return 0


def _show(found: Body, arguments: argparse.Namespace) -> None:
    incident = found["incident"]
    if arguments.json:
        show_json({**incident, "entries": found["entries"]})
        return
    ended = f"{moment(incident['ended_at'])}, by {incident['ended_by']}" if incident["ended_at"] else "goes on"
    pairs = [
        ("incident", str(incident["id"])),
        ("service", incident["service"]),
        ("began (UTC)", moment(incident["began_at"])),
        ("ended (UTC)", ended),
        ("what", incident["detail"] or incident["cause"]),
        ("looked after by", incident["acknowledged_by"] or "nobody"),
    ]
    print(fields([(name, one_line(text)) for name, text in pairs]))
    for entry in found["entries"]:
        about = f" (session {entry['session_id']})" if entry["session_id"] else ""
        author = f"{entry['author']}: " if entry["author"] and entry["kind"] == "note" else ""
        print(f"{moment(entry['at'])}  {entry['kind']:<12}  {one_line(author + entry['text'] + about, 2000)}")


def windows(connection: Connection, arguments: argparse.Namespace) -> int:
    """Maintenance windows that go on or are to come."""
    found = connection.call("maintenance.list", {})["windows"]
    if arguments.json:
        show_json(found)
        return 0
    rows = [
        (
            str(one["id"]),
            one_line(one["window"]["title"], 40),
            toned("maintenance") if one["active"] else "–",
            moment(one["next_at"]),
            f"{one['window']['minutes']} min",
            one_line(_for(one["window"]), 60),
        )
        for one in found
    ]
    print(table(("ID", "TITLE", "NOW", "NEXT (UTC)", "FOR", "SERVICES"), rows))
    return 0


def _for(window: Body) -> str:
    """What a window is for; fields that say nothing are left out of it."""
    return ", ".join([*window.get("services", []), *(f"tag {tag}" for tag in window.get("tags", []))])


def plan(connection: Connection, arguments: argparse.Namespace) -> int:
    """A window: from now on, from a time on, or by a cron expression."""
    if not (arguments.service or arguments.tag):
        raise CtlError(USAGE, "invalid", "say what it is for: --service NAME or --tag TAG; --tag '*' is every service")
    if arguments.duration <= 0:
        raise CtlError(USAGE, "invalid", "say for how long: --for 30m; `claudeopsctl maintenance rm` ends a window")
    window: Body = {
        "title": arguments.title or "maintenance",
        "minutes": math.ceil(arguments.duration / 60),
        "services": arguments.service or [],
        "tags": arguments.tag or [],
    }
    if arguments.cron:
        window |= {"cron": arguments.cron, "zone": arguments.zone}
    elif arguments.start:
        window["starts_at"] = _starts(arguments.start, arguments.zone)
    found = connection.call("maintenance.add", {"window": window, "by": who()})["window"]
    if arguments.json:
        show_json(found)
    else:
        begins = "goes on" if found["active"] else f"begins {moment(found['next_at'])} UTC"
        print(one_line(f"maintenance window {found['id']}, {found['window']['title']}, {begins}"))
    return 0


def _starts(text: str, zone: str) -> str:
    try:
        return local_start(text, zone)
    except ValueError as error:
        raise CtlError(USAGE, "invalid", f"--start: {error}") from error


def unplan(connection: Connection, arguments: argparse.Namespace) -> int:
    """Ends a window, or takes it back."""
    connection.call("maintenance.remove", {"id": arguments.id, "by": who()})
    show_json({"id": arguments.id}) if arguments.json else print(f"maintenance window {arguments.id} is over")
    return 0
