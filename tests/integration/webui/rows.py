"""Rows of decisions, triggers, events and memories, as the worker would have written them."""

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from daemon.services import stored
from daemon.status_pages import status_pages
from ipc.messages.status_pages import AddStatusPage
from schema import beats, timestamps
from schema.database import Database
from schema.definitions import Definition, Window
from schema.status_pages import Page

FOUND = [{"kind": "restart", "text": "docker restart web", "target": "web"}]


def insert(database: Database, table: str, **values: Any) -> int:
    """A row; its id."""
    columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    cursor = database._connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING rowid", values)
    return int(cursor.get)


def set_values(database: Database, table: str, id_: int, **values: Any) -> None:
    """Changes a row."""
    changes = ", ".join(f"{name} = :{name}" for name in values)
    database._connection.execute(f"UPDATE {table} SET {changes} WHERE id = :id", {**values, "id": id_})


def approval(database: Database, session_id: int, command: str = "docker restart web", **columns: Any) -> int:
    """A call that waits for a person; with its row in calls."""
    given = columns.pop("input", None) or json.dumps({"command": command, "description": "Restart the web container"})
    number = time.monotonic_ns()
    hash_ = hashlib.sha256(given.encode()).hexdigest()
    values = {
        "session_id": session_id,
        "tool_use_id": f"toolu_{number}",
        "tier": 2,
        "tool": "Bash",
        "input": given,
        "input_hash": hash_,
        "rule": "policy.restart",
        "reason": "Restarts of web need a person at tier 2.",
        "found": json.dumps(FOUND),
        "words": "The health check has failed three times.",
        "status": "waiting",
        "created_at": timestamps.at(time.time() - 60),
        "expires_at": timestamps.at(time.time() + 872),
        **columns,
    }
    call(database, session_id, tool_use_id=values["tool_use_id"], decision="ask", input=given)
    return insert(database, "approvals", **values)


def call(database: Database, session_id: int, **columns: Any) -> int:
    """A judged call."""
    values = {
        "session_id": session_id,
        "tool_use_id": f"toolu_{time.monotonic_ns()}",
        "tool": "Bash",
        "run_id": "run-1",
        "input": "{}",
        "input_hash": "h",
        "decision": "allow",
        "rule": "cooldown",
        "reason": "restart of web: 1 of 2 used in 4 h",
        "found": json.dumps(FOUND),
        "asked_at": timestamps.now(),
        **columns,
    }
    return insert(database, "calls", **values)


def trigger(database: Database, **columns: Any) -> int:
    """A trigger that waits."""
    values = {
        "kind": "manual",
        "status": "waiting",
        "tier": 1,
        "priority": 10,
        "prompt": "Look at web.",
        "created_at": timestamps.now(),
        "updated_at": timestamps.now(),
        **columns,
    }
    return insert(database, "triggers", **values)


def event(database: Database, message: str, **columns: Any) -> int:
    """Something that was said."""
    values = {"level": "info", "message": message, "created_at": timestamps.now(), **columns}
    return insert(database, "events", **values)


def memory(database: Database, observation: str, **columns: Any) -> int:
    """Something that is told again."""
    now = timestamps.now()
    values = {"category": "timing", "observation": observation, "created_at": now, "updated_at": now, **columns}
    return insert(database, "memories", **values)


def rule(database: Database, pattern: str, **columns: Any) -> int:
    """A standing rule."""
    values = {
        "decision": "allow",
        "tool": "Bash",
        "pattern": pattern,
        "created_at": timestamps.now(),
        "created_by": "ada",
        **columns,
    }
    return insert(database, "approval_rules", **values)


def action(database: Database, service: str, **columns: Any) -> int:
    """A restart that counts."""
    values = {
        "service": service,
        "action_type": "restart",
        "timestamp": timestamps.now(),
        "success": 1,
        "tier": 2,
        **columns,
    }
    return insert(database, "cooldown_actions", **values)


def audit(database: Database, act: str, subject: str, **columns: Any) -> int:
    """An entry of the audit log."""
    values = {"at": timestamps.now(), "actor": "rules", "action": act, "subject": subject, **columns}
    return insert(database, "audit", **values)


def health(database: Database, service: str, status: str, healthy: int = 0, **columns: Any) -> None:
    """What is known of a service."""
    values = {"last_checked_at": timestamps.now(), "since": timestamps.now(), **columns}
    insert(database, "service_health_streak", service=service, status=status, consecutive_healthy=healthy, **values)


def check(database: Database, service: str, status: str = "healthy", ago: float = 0.0, **columns: Any) -> int:
    """What a session found of a service, so many seconds ago."""
    values = {"check_type": "service", "checked_at": timestamps.at(time.time() - ago), "tier": 1, **columns}
    return insert(database, "health_checks", service=service, status=status, **values)


def probed(database: Database, name: str, status: str = "healthy", *, findings: bool = True, **more: Any) -> int:
    """A service that is probed, with its last findings. Its definition is a paused one: nothing asks for it."""
    now = int(time.time() * 1000)
    state: dict[str, Any] = {
        name: more.pop(name) for name in ("beats", "detail", "cause", "certificate") if name in more
    }
    given: dict[str, Any] = {"name": name, "url": f"https://{name}.example.org/health", "paused": True, **more}
    wanted = Definition(**given)
    id_ = stored.insert(database, wanted, by="ada", moment=datetime.now(UTC))
    values: dict[str, Any] = {
        "status": status,
        "since": now - 7_200_000,
        "checked_at": now - 5000,
        "latency_us": 34_200,
        **state,
    }
    set_state(database, id_, **values)
    database.change("results.change", service_id=id_, at=now - 86_400_000, status="healthy")
    database.change("results.change", service_id=id_, at=now - 7_200_000, status=status)
    for number, letter in enumerate(reversed(state.get("beats", "h") if findings else "")):
        detail = "[STATUS] (503) == 200" if letter == "d" else None
        took = None if letter == "t" else 30_000 + number * 100
        phases = beats.pack({"dns": 1.2, "connect": 3.4, "wait": 25.0})
        database.change("results.add", service_id=id_, at=now - 5000 - number * 600_000, beat=letter, latency_us=took,
                        phases=phases, detail=detail)  # fmt: skip
    return id_


def set_state(database: Database, service: int, **values: Any) -> None:
    """Changes how a service that is probed stands."""
    changes = ", ".join(f"{column} = :{column}" for column in values)
    database._connection.execute(
        f"UPDATE service_states SET {changes} WHERE service_id = :id", {**values, "id": service}
    )


def probed_incident(database: Database, service: int, **columns: Any) -> int:
    """An incident that goes on, with its timeline."""
    began = timestamps.at(time.time() - 7200)
    id_ = int(database.value("incidents.open", service_id=service, began_at=began, cause="condition",
                             detail="[STATUS] (503) == 200"))  # fmt: skip
    database.change("results.set_incident", service_id=service, incident_id=id_)
    for kind, text, author in (("began", "[STATUS] (503) == 200", None), ("note", "I look at the pool.", "ada")):
        database.change("incidents.enter", incident_id=id_, at=began, kind=kind, text=text, author=author,
                        session_id=columns.get("session_id"))  # fmt: skip
    return id_


def windows(database: Database) -> int:
    """Maintenance windows: one that goes on, one of every week, one that is over; the first one's number."""
    now = datetime.now(UTC)
    planned = [
        Window(title="Upgrade of the shop", minutes=90, starts_at=timestamps.stamp(now), tags=("prod",)),
        Window(title="Backups", minutes=30, cron="30 2 * * 0,3", zone="Europe/Berlin", tags=("*",)),
        Window(title="New disks", minutes=5, starts_at="2026-01-31T08:00:00.000Z", services=("payments",)),
    ]
    ids = [
        int(
            database.value(
                "windows.add",
                title=window.title,
                definition=msgspec.json.encode(window).decode(),
                now=timestamps.stamp(now),
                by="ada",
            )
        )
        for window in planned
    ]
    return ids[0]


def status_page(database: Database, *, published: bool = True, **more: Any) -> int:
    """A status page."""
    page = Page(**{"slug": "shop", "title": "The <shop>", "description": "All that customers see.",
                   "published": published, **more})  # fmt: skip
    return status_pages.add(database, AddStatusPage(page=page), "ada", "").page.id
