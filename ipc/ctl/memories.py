"""`claudeopsctl memories`: what sessions are told again. Seen, added, changed, deleted, and taken along."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from ipc.ctl.asking import who
from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import USAGE, CtlError
from ipc.ctl.paging import each
from ipc.ctl.terminal import number, one_line, show_json, table

AT_ONCE = 1000  # rows that one answer has at most
SPOOLED = 4 * 1024 * 1024  # characters of an export that are kept in memory


def listing(connection: Connection, arguments: argparse.Namespace) -> int:
    """Memories, the most certain first."""
    wanted = {"service": arguments.service, "category": arguments.category, "all": arguments.all}
    if arguments.limit <= AT_ONCE:
        memories = connection.call("memories.list", {**wanted, "limit": arguments.limit})["memories"]
    else:
        # Further ones are only had by their ids, so the order is made here.
        found = each(connection.call, "memories.list", "memories", wanted)
        memories = sorted(found, key=_certain, reverse=True)[: arguments.limit]
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


def _certain(memory: Body) -> tuple[float, bool, int]:
    return memory["confidence"], memory["active"], memory["id"]


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
    """All of them on standard output, as JSON or as Markdown; or none, where something goes wrong before the end."""
    if arguments.json and arguments.format == "markdown":
        raise CtlError(USAGE, "invalid", "Markdown is no JSON; leave one of --json and --format markdown out")
    filters = {"service": arguments.service, "category": arguments.category, "all": arguments.all}
    ask = partial(each, connection.call, "memories.list", "memories")
    pieces = _json(ask(filters)) if arguments.format == "json" else markdown(ask, filters)
    # Kept until it is whole: in a file, for there may be more than belongs in memory.
    with tempfile.SpooledTemporaryFile(SPOOLED, "w+", encoding="utf-8", newline="") as whole:
        whole.writelines(pieces)
        whole.seek(0)
        shutil.copyfileobj(whole, sys.stdout)
    return 0


def _json(memories: Iterable[Body]) -> Iterator[str]:
    """An array, as json.dumps would write it, memory by memory."""
    between = "["
    for memory in memories:
        yield f"{between}\n  " + json.dumps(memory, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        between = ","
    yield "[]\n" if between == "[" else "\n]\n"


def markdown(ask: Callable[[Body], Iterable[Body]], filters: Body) -> Iterator[str]:
    """A document with a section for each service; what belongs to none comes first."""
    yield "# Memories\n"
    services = set()
    begun = False
    for memory in ask(filters):
        if memory["service"]:
            services.add(memory["service"])
            continue
        if not begun:
            yield "\n## General\n\n"
        begun = True
        yield _item(memory)
    for service in sorted(services):
        yield f"\n## {one_line(service)}\n\n"
        for memory in ask({**filters, "service": service}):
            yield _item(memory)


def _item(memory: Body) -> str:
    sure = f"confidence {memory['confidence']:.2f}{'' if memory['active'] else ', inactive'}"
    return f"- [{one_line(memory['category'])}] {one_line(memory['observation'])} ({sure})\n"
