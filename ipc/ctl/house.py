"""`claudeopsctl housekeep, backup, export, import`: what keeps the house in order while the daemon runs."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from ipc.ctl.asking import who
from ipc.ctl.connection import MAX_FRAME, Body, Connection
from ipc.ctl.errors import REFUSED, USAGE, CtlError
from ipc.ctl.terminal import clean, show_json, size, table
from schema import timestamps
from schema.version import VERSION

FORMAT = 1
HOUSE_SECONDS = 3600.0
BACKUP_SECONDS = 3600.0
FIELDS = {"claudeops_export", "version", "exported_at", "settings", "memories"}


def housekeep(connection: Connection, arguments: argparse.Namespace) -> int:
    """Removes what is old, or counts it."""
    body = {"dry_run": arguments.dry_run, "by": who()}
    found = connection.call("house.keep", body, timeout=HOUSE_SECONDS)
    if arguments.json:
        show_json(found)
        return 0
    rows = [(item["kind"], str(item["rows"]), size(item["bytes"])) for item in found["removed"]]
    print(table(("KIND", "WOULD GO" if found["dry_run"] else "REMOVED", "SIZE"), rows))
    print(clean(_of_database(found)))
    return 0


def _of_database(found: Body) -> str:
    """How large the database is, and what was done about it, as a sentence."""
    told = f"the database uses {size(found['database_bytes'])} of its file, {size(found['database_free'])} are free"
    for_size = sum(item["for_size"] for item in found["removed"])
    if for_size and found["dry_run"]:
        told += f"; some {for_size} rows, of those above, would go for its size alone"
    elif for_size:
        told += f"; {for_size} rows, of those above, went for its size alone"
    if found["given_back"]:
        told += f"; the disk has {size(found['given_back'])} back"
    return f"{told}; {found['problem']}" if found["problem"] else told


def backup(connection: Connection, arguments: argparse.Namespace) -> int:
    """Copies the database, online."""
    if arguments.path and arguments.to:
        raise CtlError(USAGE, "invalid", "two places for one backup; give PATH or --to PATH")
    given = arguments.to or arguments.path
    path = str(Path(given).absolute()) if given else ""
    made = connection.call("database.backup", {"path": path, "by": who()}, timeout=BACKUP_SECONDS)
    show_json(made) if arguments.json else print(clean(f"{made['path']} ({size(made['size'])})"))
    return 0


def export(connection: Connection, arguments: argparse.Namespace) -> int:
    """Overrides and memories as one document: to a file, or to standard output."""
    settings: dict[str, str] = {}
    memories: list[Body] = []
    after: int | None = 0
    while after is not None:
        part = connection.call("house.export", {"after": after})
        settings |= part["settings"]
        memories += part["memories"]
        after = part["next"]
    document = {
        "claudeops_export": FORMAT,
        "version": VERSION,
        "exported_at": timestamps.now(),
        "settings": settings,
        "memories": memories,
    }
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if not arguments.to:
        sys.stdout.write(text)
        return 0
    _write(Path(arguments.to), text)
    told = {"path": str(Path(arguments.to).absolute()), "settings": len(settings), "memories": len(memories)}
    words = f"{told['path']}: {len(settings)} settings, {len(memories)} memories"
    show_json(told) if arguments.json else print(clean(words))
    return 0


def _write(path: Path, text: str) -> None:
    """Whole under its name, for its owner alone. CtlError if it can't be written."""
    partial = path.with_name(path.name + ".partial")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        with os.fdopen(os.open(partial, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        partial.rename(path)
    except OSError as error:
        raise CtlError(REFUSED, "invalid", f"can't write {path}: {error.strerror}") from error


def take(connection: Connection, arguments: argparse.Namespace) -> int:
    """Takes an export in, all of it or nothing."""
    document = _read(arguments.file)
    body = {
        "settings": document.get("settings", {}),
        "memories": document.get("memories", []),
        "dry_run": arguments.dry_run,
        "by": who(),
    }
    try:
        found = connection.call("house.import", body, timeout=60.0)
    except CtlError as error:
        problems = error.data.get("problems", [])
        if problems and not arguments.json:
            lines = "".join(f"\n  {problem['field']}: {problem['text']}" for problem in problems)
            rest = error.data.get("count", 0) - len(problems)
            more = f"\n  and {rest} more" if rest > 0 else ""
            text = f"nothing was imported from {arguments.file}:{lines}{more}"
            raise CtlError(error.exit_code, error.code, text, error.data) from error
        raise
    if arguments.json:
        show_json(found)
    else:
        _tell(found)
    return 0


def _tell(found: Body) -> None:
    would = "would be " if found["dry_run"] else ""
    print(f"settings: {found['settings_changed']} {would}changed, {found['settings_unchanged']} as they should be")
    print(
        f"memories: {found['memories_added']} {would}added, {found['memories_changed']} {would}changed,"
        f" {found['memories_unchanged']} as they should be"
    )


def _read(path: str) -> dict[str, Any]:
    """The document. CtlError names what of it can't be as it is."""
    try:
        data = sys.stdin.buffer.read(MAX_FRAME + 1) if path == "-" else _bytes(Path(path))
        document = json.loads(data)
    except OSError as error:
        raise CtlError(USAGE, "invalid", f"can't read {path}: {error.strerror}; name a file, or - for input") from error
    except ValueError as error:
        raise CtlError(REFUSED, "invalid", f"{path} is no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("claudeops_export") != FORMAT:
        text = f"{path}: claudeops_export: {FORMAT}, as `claudeopsctl export` writes it; this is another document"
        raise CtlError(REFUSED, "invalid", text, {"field": "claudeops_export"})
    if unknown := sorted(set(document) - FIELDS):
        text = f"{path}: {clean(unknown[0])}: no field of an export; it has {', '.join(sorted(FIELDS))}"
        raise CtlError(REFUSED, "invalid", text, {"field": unknown[0]})
    odd = [number for number, item in enumerate(_list(document)) if not isinstance(item, dict)]
    if odd:
        field = f"memories[{odd[0]}]"
        raise CtlError(REFUSED, "invalid", f"{path}: {field}: must be an object", {"field": field})
    for field, kind, told in (("settings", dict, "an object"), ("memories", list, "an array")):
        if not isinstance(document.get(field, kind()), kind):
            raise CtlError(REFUSED, "invalid", f"{path}: {field}: must be {told}", {"field": field})
    return document


def _list(document: dict[str, Any]) -> list[Any]:
    memories = document.get("memories")
    return memories if isinstance(memories, list) else []


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_FRAME + 1)
    if len(data) > MAX_FRAME:
        text = f"{path} has more than {MAX_FRAME} bytes; spread its memories over several documents"
        raise CtlError(REFUSED, "invalid", text)
    return data
