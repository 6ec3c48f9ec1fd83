"""`claudeopsctl services`: what the daemon probes. Listed, shown, added, changed, paused, tested, removed."""

import argparse
import sys
from pathlib import Path
from typing import Any

from ipc.ctl import imported
from ipc.ctl.asking import who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.definitions import given, put_back
from ipc.ctl.errors import REFUSED, USAGE, CtlError
from ipc.ctl.named import service as _one
from ipc.ctl.terminal import clean, fields, moment, one_line, show_json, table, toned

PAGE = 200


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """All of them by name, or those of a tag or a status."""
    found = [
        service
        for service in _all(connection)
        if (not arguments.tag or arguments.tag in service["tags"])
        and (not arguments.status or service["status"] == arguments.status)
    ]
    if arguments.json:
        show_json(found)
        return 0
    rows = [
        (
            str(service["id"]),
            one_line(service["name"], 40),
            service["status"],
            _ms(service["latency_ms"]),
            moment(service["last_checked_at"]),
            one_line(", ".join(service["tags"]) or "–", 30),
            one_line(service["detail"] or service["url"], 70),
        )
        for service in found
    ]
    print(table(("ID", "NAME", "STATUS", "LATENCY", "CHECKED (UTC)", "TAGS", "DETAIL"), rows))
    return 0


def _all(connection: Connection) -> list[Body]:
    found: list[Body] = []
    after = ""
    while True:
        page = connection.call("services.list", {"after": after, "limit": PAGE})["services"]
        found += page
        if len(page) < PAGE:
            return found
        after = page[-1]["name"]


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


def show(connection: Connection, arguments: argparse.Namespace) -> int:
    """One service whole."""
    found = _one(connection, arguments.service)
    if arguments.json:
        show_json({**found["service"], "definition": found["definition"]})
        return 0
    service = found["service"]
    pairs = [
        ("name", service["name"]),
        ("url", service["url"]),
        ("status", toned(service["status"]) + (" (comes and goes)" if service["flapping"] else "")),
        ("since (UTC)", moment(service["since"])),
        ("checked (UTC)", moment(service["last_checked_at"])),
        ("latency", _ms(service["latency_ms"])),
        ("detail", service["detail"] or "–"),
        ("tags", ", ".join(service["tags"]) or "–"),
        ("described by", service["owner"] or "people"),
    ]
    shown = {name: value for name, value in found["definition"].items() if name not in ("name", "url", "tags")}
    pairs += [(name, _words(value)) for name, value in shown.items()]
    print(fields([(name, one_line(text)) for name, text in pairs]))
    return 0


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(str(part) for part in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {part}" for name, part in value.items())
    return str(value)


def add(connection: Connection, arguments: argparse.Namespace) -> int:
    """A service that is new."""
    definition = given(arguments) | ({"paused": True} if arguments.paused else {})
    added = connection.call("services.add", {"definition": definition, "by": who()})
    service, path = added["service"], added["push_path"]
    if arguments.json:
        show_json(service | ({"push_path": path} if path else {}))
    elif path:
        print(one_line(f"service {service['id']}, {service['name']}, waits for its job from now on"))
        print(f"below the dashboard's address, shown this once: {path}")
    else:
        print(one_line(f"service {service['id']}, {service['name']}, is probed from now on: {service['url']}"))
    return 0


def edit(connection: Connection, arguments: argparse.Namespace) -> int:
    """Changes what is given, and puts back what is named; the rest stays as it is."""
    wanted, reset = given(arguments), put_back(arguments)
    if not (wanted or reset):
        raise CtlError(USAGE, "invalid", "nothing is to be changed; give --url, --interval or another option")
    if both := sorted(reset & wanted.keys()):
        raise CtlError(USAGE, "invalid", f"{', '.join(both)}: either a value or --reset")
    found = _one(connection, arguments.service)
    service = found["service"]
    kept = {name: value for name, value in found["definition"].items() if name not in reset}
    body = {"id": service["id"], "version": service["version"], "definition": {**kept, **wanted}}
    service = connection.call("services.change", {**body, "by": who()})["service"]
    show_json(service) if arguments.json else print(one_line(f"service {service['id']}, {service['name']}, is changed"))
    return 0


def _chosen(connection: Connection, arguments: argparse.Namespace) -> list[int]:
    if bool(arguments.services) == bool(arguments.tag):
        raise CtlError(USAGE, "invalid", "name the services, or give --tag for all that have it")
    if arguments.tag:
        return [service["id"] for service in _all(connection) if arguments.tag in service["tags"]]
    return [_one(connection, text)["service"]["id"] for text in arguments.services]


def pause(connection: Connection, arguments: argparse.Namespace) -> int:
    """Stops probing."""
    return _paused(connection, arguments, paused=True)


def resume(connection: Connection, arguments: argparse.Namespace) -> int:
    """Probes again."""
    return _paused(connection, arguments, paused=False)


def _paused(connection: Connection, arguments: argparse.Namespace, *, paused: bool) -> int:
    ids = _chosen(connection, arguments)
    reply = connection.call("services.pause", {"ids": ids, "paused": paused, "by": who()})
    return _tell(reply, arguments, "paused" if paused else "probed again")


def remove(connection: Connection, arguments: argparse.Namespace) -> int:
    """Removes services."""
    reply = connection.call("services.remove", {"ids": _chosen(connection, arguments), "by": who()})
    return _tell(reply, arguments, "removed")


def _tell(reply: Body, arguments: argparse.Namespace, done: str) -> int:
    if arguments.json:
        show_json(reply)
    else:
        count = len(reply["done"])
        print(f"{count} service{'' if count == 1 else 's'} {done}")
        for id_, why in reply["failed"].items():
            print(clean(f"not {id_}: {why}"))
    return REFUSED if reply["failed"] else 0


def test(connection: Connection, arguments: argparse.Namespace) -> int:
    """Probes once; nothing is stored."""
    if bool(arguments.service) == bool(arguments.url):
        raise CtlError(USAGE, "invalid", "name a service, or give --url")
    if arguments.service and (besides := sorted(given(arguments))):
        said = f"{', '.join(besides)}: a service is probed as it is stored; to try another way, give --url"
        raise CtlError(USAGE, "invalid", said)
    timeout = arguments.timeout or 10.0
    if arguments.service:
        body: Body = {"id": _one(connection, arguments.service)["service"]["id"], "by": who()}
        timeout = 300.0
    else:
        body = {"definition": {"name": "test", **given(arguments)}, "by": who()}
    found = connection.call("services.test", body, timeout=timeout + 10)
    if arguments.json:
        show_json(found)
    else:
        _show_test(found)
    return 0 if found["status"] in ("healthy", "degraded") else REFUSED


def _show_test(found: Body) -> None:
    facts = found["facts"]
    print(toned(found["status"]) + (one_line(f": {found['detail']}") if found["detail"] else ""))
    pairs = [(name, f"{ms:.1f} ms") for name, ms in facts.get("phases", {}).items()]
    if facts.get("latency_ms") is not None:
        pairs.append(("whole", f"{facts['latency_ms']:.1f} ms"))
    pairs += [(name, str(facts[name])) for name in ("status", "ip", "dns_rcode") if facts.get(name) is not None]
    if facts.get("certificate"):
        pairs.append(("certificate until", moment(facts["certificate"]["expires_at"])))
    print(fields(pairs))
    for condition in found["conditions"]:
        print(one_line(f"{'holds' if condition['holds'] else 'does not hold'}: {condition['shown']}"))


def history(connection: Connection, arguments: argparse.Namespace) -> int:
    """What was found, newest first."""
    id_ = _one(connection, arguments.service)["service"]["id"]
    found: list[Body] = []
    before = arguments.before
    while len(found) < arguments.limit:
        wanted = min(PAGE, arguments.limit - len(found))
        page = connection.call("services.results", {"id": id_, "before": before, "limit": wanted})["results"]
        found += page
        if len(page) < wanted:
            break
        before = page[-1]["at"]
    if arguments.json:
        show_json(found)
        return 0
    rows = [
        (one["at"].replace("T", " ")[:23], one["status"], _ms(one["latency_ms"]), one_line(one["detail"] or "–"))
        for one in found
    ]
    print(table(("AT (UTC)", "STATUS", "LATENCY", "DETAIL"), rows))
    return 0


def take(connection: Connection, arguments: argparse.Namespace) -> int:
    """Takes services from a file; with a mistake in it, nothing is changed."""
    name = arguments.file
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise CtlError(USAGE, "invalid", f"can't read {name}: {reason}") from error
    body = {"text": text, "file": name, "dry_run": arguments.dry_run, "prune": arguments.prune, "by": who()}
    found = connection.call("services.import", body, timeout=60.0)
    if arguments.json:
        show_json(found)
    else:
        imported.show(found)
    return REFUSED if found["errors"] else 0


def export(connection: Connection, arguments: argparse.Namespace) -> int:
    """All services as a file."""
    text = connection.call("services.export", {}, timeout=60.0)["text"]
    if arguments.to:
        try:
            Path(arguments.to).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CtlError(REFUSED, "invalid", f"can't write {arguments.to}: {error.strerror}") from error
    if arguments.json:
        show_json({"text": text, "path": arguments.to})
    elif not arguments.to:
        sys.stdout.write(text)
    return 0


def push_url(connection: Connection, arguments: argparse.Namespace) -> int:
    """A fresh address for a heartbeat's job, told this once."""
    id_ = _one(connection, arguments.service)["service"]["id"]
    path = connection.call("services.renew_push", {"id": id_, "by": who()})["push_path"]
    show_json({"id": id_, "push_path": path}) if arguments.json else print(path)
    return 0
