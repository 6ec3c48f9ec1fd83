"""`claudeopsctl memories`: what sessions are told again. Seen, added, changed, deleted, and taken along."""

import argparse
import json
from collections.abc import Sequence

from ipc.ctl.asking import who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import REFUSED, USAGE, CtlError
from ipc.ctl.terminal import number, one_line, show_json, table

EXPORT_MAX = 1000  # as many as the worker tells at a time


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Memories, the most certain first."""
    memories = _chosen(connection, arguments, arguments.limit)
    if arguments.json:
        show_json(memories)
        return 0
    rows = [
        (
            str(memory["id"]),
            memory["service"] or "–",
            memory["category"],
            f"{memory['confidence']:.2f}",
            "yes" if memory["active"] else "no",
            number(memory["session_id"]),
            one_line(memory["observation"]),
        )
        for memory in memories
    ]
    print(table(("ID", "SERVICE", "CATEGORY", "CONFIDENCE", "ACTIVE", "SESSION", "OBSERVATION"), rows))
    return 0


def _chosen(connection: Connection, arguments: argparse.Namespace, limit: int) -> list[Body]:
    wanted = {"service": arguments.service, "category": arguments.category, "all": arguments.all, "limit": limit}
    return list(connection.call("memories.list", wanted)["memories"])


def add(connection: Connection, arguments: argparse.Namespace) -> int:
    """Adds a memory."""
    body = {name: getattr(arguments, name) for name in ("observation", "category", "service", "confidence")}
    return _show(connection.call("memories.add", {**body, "by": who()})["memory"], arguments)


def edit(connection: Connection, arguments: argparse.Namespace) -> int:
    """Changes what is given; the rest stays as it is."""
    names = ("observation", "category", "service", "confidence")
    changes = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    if arguments.active is not None:
        changes["active"] = arguments.active == "yes"
    if not changes:
        raise CtlError(USAGE, "invalid", "nothing is to be changed; give --observation, --confidence or another option")
    return _show(connection.call("memories.change", {"id": arguments.id, **changes, "by": who()})["memory"], arguments)


def _show(memory: Body, arguments: argparse.Namespace) -> int:
    if arguments.json:
        show_json(memory)
        return 0
    about = f"{memory['category']}{' of ' + memory['service'] if memory['service'] else ''}"
    active = "" if memory["active"] else ", inactive"
    print(one_line(f"memory {memory['id']} ({about}, {memory['confidence']:.2f}{active}): {memory['observation']}"))
    return 0


def delete(connection: Connection, arguments: argparse.Namespace) -> int:
    """Deletes a memory."""
    connection.call("memories.delete", {"id": arguments.id, "by": who()})
    text = f"memory {arguments.id} is deleted"
    show_json({"done": True, "id": arguments.id, "text": text}) if arguments.json else print(text)
    return 0


def export(connection: Connection, arguments: argparse.Namespace) -> int:
    """All of them on standard output, as JSON or as Markdown."""
    if arguments.json and arguments.format == "markdown":
        raise CtlError(USAGE, "invalid", "Markdown is no JSON; leave one of --json and --format markdown out")
    memories = _chosen(connection, arguments, EXPORT_MAX)
    if len(memories) == EXPORT_MAX:
        text = f"there are {EXPORT_MAX} memories or more; export them by --service or --category"
        raise CtlError(REFUSED, "too_large", text)
    print(json.dumps(memories, ensure_ascii=False, indent=2) if arguments.format == "json" else markdown(memories))
    return 0


def markdown(memories: Sequence[Body]) -> str:
    """A document with a section for each service; what belongs to none comes first."""
    lines = ["# Memories"]
    for service in sorted({memory["service"] or "" for memory in memories}):
        lines += ["", f"## {one_line(service) or 'General'}", ""]
        for memory in memories:
            if (memory["service"] or "") == service:
                sure = f"confidence {memory['confidence']:.2f}{'' if memory['active'] else ', inactive'}"
                lines.append(f"- [{one_line(memory['category'])}] {one_line(memory['observation'])} ({sure})")
    return "\n".join(lines)
