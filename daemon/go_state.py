"""What the Go program keeps beside its database and we keep in it: cooldown.json, and logs that no row names.

Called by `daemon.state` in one transaction before the database is carried forward, and again if that was cut short:
what is in the database already is not added a second time.
"""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from schema import timestamps
from schema.database import Database

FILE = "cooldown.json"
KINDS = {"restarts": ("restart", 2), "redeployments": ("redeployment", 3)}
# A marker is stored when it is read, and the file says when the action was: the same one within this time.
SAME = timedelta(minutes=5)
# A log is made within this time of its session's row.
LOG_SECONDS = range(-2, 3)


class Entry(NamedTuple):
    """One action of the file. `tier` is the one that does such things; the file does not say."""

    service: str
    action: str
    moment: datetime
    success: bool
    tier: int
    error: str | None


def copy(state_dir: Path, moment: str) -> Path | None:
    """A copy of cooldown.json, which is written anew from the database from now on; None if there is none."""
    source = state_dir / FILE
    if not source.is_file():
        return None
    target = source.with_name(f"cooldown-go-{moment}.json")
    shutil.copy2(source, target)
    return target


def take_along(database: Database, state_dir: Path, results_dir: Path) -> list[str]:
    """Adds to the Go program's tables what only its files know; what came of it, as sentences."""
    told = []
    try:
        services, last = _services(state_dir / FILE)
    except (OSError, ValueError) as error:
        services, last = {}, f"{FILE} can't be read and is not taken along: {error}"
    if last:
        told.append(last)
    added = 0
    with database.transaction():
        for service, facts in services.items():
            for entry in _entries(service, facts, told):
                added += _add(database, entry)
            healthy = facts.get("consecutive_healthy")
            if isinstance(healthy, int) and healthy > 0:
                database.change("go.add_streak", service=service, healthy=healthy)
        found = _find_logs(database, results_dir)
    if added:
        told.append(f"{added} actions of {FILE} were not in the database and are taken along")
    if found:
        told.append(f"{found} sessions that never ended have got their logs")
    return told


def _services(path: Path) -> tuple[dict[str, dict[str, Any]], str]:
    """The file's services by name, and what is wrong with the rest. ValueError for what is no such file."""
    if not path.is_file():
        return {}, ""
    content = msgspec.json.decode(path.read_bytes())
    services = content.get("services") if isinstance(content, dict) else None
    if not isinstance(services, dict):
        raise ValueError('it has no object "services"')  # noqa: TRY004 - of the file, not of an argument
    good = {name: facts for name, facts in services.items() if isinstance(facts, dict)}
    wrong = sorted(services.keys() - good.keys())
    return good, f"{FILE}: what it says of {', '.join(wrong)} can't be read" if wrong else ""


def _entries(service: str, facts: dict[str, Any], told: list[str]) -> Iterator[Entry]:
    for kind, (action, tier) in KINDS.items():
        listed = facts.get(kind)
        for item in listed if isinstance(listed, list) else []:
            try:
                moment = timestamps.parse(item["timestamp"])
                error = item.get("error")
                yield Entry(service, action, moment, bool(item.get("success", True)), tier, error and str(error))
            except (TypeError, KeyError, AttributeError, ValueError):
                told.append(f"{FILE}: an entry among the {kind} of {service} can't be read and is left out")


def _add(database: Database, entry: Entry) -> int:
    """Adds an action, unless the database has it already; how many were added."""
    for row in database.rows("go.actions", service=entry.service, action=entry.action):
        try:
            if abs(timestamps.parse(row["timestamp"]) - entry.moment) <= SAME:
                return 0
        except ValueError:
            continue  # a time that can't be read is that of no entry
    return database.change(
        "go.add_action",
        service=entry.service,
        action=entry.action,
        timestamp=timestamps.stamp(entry.moment),
        success=int(entry.success),
        tier=entry.tier,
        error=entry.error,
    )


def _find_logs(database: Database, results_dir: Path) -> int:
    """Logs of sessions that were cut off: their names are their start in local time."""
    found = 0
    for row in database.rows("go.unfinished"):
        try:
            start = timestamps.parse(row["started_at"]).astimezone()
        except ValueError:
            continue  # no name follows from a time that can't be read
        taken = {Path(other["log_file"]).name for other in database.rows("go.logs_beside", id=row["id"])}
        for second in sorted(LOG_SECONDS, key=abs):
            path = results_dir / f"run-{start + timedelta(seconds=second):%Y%m%d-%H%M%S}.log"
            if path.name not in taken and path.is_file():
                found += database.change("go.name_log", id=row["id"], log_file=str(path))
                break
    return found
