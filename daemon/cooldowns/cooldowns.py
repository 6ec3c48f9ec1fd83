"""The cooldowns as rows: counting within the transaction of a verdict, the list, clearing, and the file for prompts.

`uses` and `count` are called by `daemon.limits.verdict` in its transaction; the class by `daemon.cooldowns.handlers`
and, for the file, by everyone who changes what it says.
"""

import asyncio
import contextlib
import os
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from daemon import audit
from daemon.cooldowns import rules
from daemon.cooldowns.rules import Action, Counted, Use
from daemon.health import rules as health_rules
from daemon.services import timeline
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.knowledge import KnowledgeChanged
from ipc.messages.limits import CooldownsReply
from ipc.server import Publisher
from schema import timestamps
from schema.audit_actions import Action as AuditAction
from schema.database import Database, DatabaseError, Row
from schema.limits import Cooldown, CooldownAction
from schema.settings import Settings

ACTIONS_SHOWN = 100
COUNTING_MAX = 5000
FILE = "cooldown.json"


def use_of(db: Database, one: Counted, settings: Settings, now: datetime) -> Use:
    """How much of its limit a service has used."""
    limit = rules.limit_of(settings, one.action)
    since = timestamps.stamp(now - timedelta(seconds=limit.window_s))
    rows = db.rows("cooldowns.used", service=one.service, action=one.action.value, since=since)
    return rules.use(limit, (timestamps.parse(row["timestamp"]) for row in rows), now)


def count(db: Database, one: Counted, *, session_id: int, tool_use_id: str, tier: int, now: datetime) -> None:
    """Counts an action that is about to run. Within the transaction that lets it."""
    db.change(
        "cooldowns.count",
        service=one.service,
        action=one.action.value,
        now=timestamps.stamp(now),
        tier=tier,
        session_id=session_id,
        tool_use_id=tool_use_id,
    )
    timeline.acted(db, session_id, one.service, one.action.value)


class Cooldowns:
    """What people and prompts see of the cooldowns."""

    def __init__(self, store: Store, settings: LiveSettings, publisher: Publisher) -> None:
        self._store = store
        self._settings = settings
        self._publisher = publisher
        self._stale = asyncio.Event()
        self._stale.set()

    async def list(self) -> CooldownsReply:
        """Every service that has used some of a limit, the blocked ones first, and the newest actions."""
        settings, now = self._settings.current, datetime.now(UTC)
        return await self._store.read(lambda db: reply(db, settings, now))

    async def clear(self, service: str, by: str, request_id: str) -> CooldownsReply:
        """Lets a service's counters begin anew. CallError if nothing was ever counted for it."""
        settings, now = self._settings.current, datetime.now(UTC)

        def clear(db: Database) -> CooldownsReply:
            known = [
                name for name in health_rules.names(service) if db.value("cooldowns.known", service=name) is not None
            ]
            if not known:
                text = f"nothing was ever counted for {service!r}; `claudeopsctl cooldowns` shows the services"
                raise CallError(Code.NOT_FOUND, text)
            for name in known:
                db.change("cooldowns.clear", service=name, now=timestamps.stamp(now))
                audit.add(db, actor=by, action=AuditAction.COOLDOWN_RESET, subject=name, at=now)
            answer = reply(db, settings, now)
            stored = codec.store(answer)
            db.change("replies.insert", request_id=request_id, reply=stored, created_at=timestamps.stamp(now))
            return answer

        answer = await self._store.write(clear)
        self.changed()
        return answer

    def changed(self) -> None:
        """Tells pages, and has the file written anew."""
        self._publisher.publish(KnowledgeChanged(what="cooldowns"))
        self.touch()

    def touch(self) -> None:
        """Has the file written anew. Called too where what sessions say has changed cooldowns."""
        self._stale.set()

    async def run(self) -> None:
        """Keeps the file for prompts; until cancelled."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            path = Path(self._settings.current.state_dir) / FILE
            try:
                text = await self._store.read(self._exported)
                await asyncio.to_thread(write, path, text)
            except (OSError, DatabaseError, CallError) as error:
                # The database is the truth; the file is written again with the next change.
                print(f"cooldowns: can't write {path}: {error}", file=sys.stderr, flush=True)

    def _exported(self, db: Database) -> dict[str, Any]:
        settings, now = self._settings.current, datetime.now(UTC)
        return exported(_counting(db, settings, now), settings, now, db.value("cooldowns.last_run"))


def reply(db: Database, settings: Settings, now: datetime) -> CooldownsReply:
    """The list as it is at `now`."""
    grouped: dict[tuple[str, Action], list[Row]] = defaultdict(list)
    for row in _counting(db, settings, now):
        grouped[row["service"], Action(row["action_type"])].append(row)
    found = [_cooldown(service, action, rows, settings, now) for (service, action), rows in grouped.items()]
    found = [cooldown for cooldown in found if cooldown.used]
    actions = [_action(row) for row in db.rows("cooldowns.newest", limit=ACTIONS_SHOWN)]
    order = sorted(found, key=lambda cooldown: (not cooldown.blocked, cooldown.service, cooldown.action))
    return CooldownsReply(cooldowns=order, actions=actions)


def _counting(db: Database, settings: Settings, now: datetime) -> list[Row]:
    window = max(rules.limit_of(settings, action).window_s for action in Action)
    since = timestamps.stamp(now - timedelta(seconds=window))
    rows = db.rows("cooldowns.counting", since=since, limit=COUNTING_MAX)
    return [row for row in rows if row["action_type"] in set(Action)]


def _cooldown(service: str, action: Action, rows: list[Row], settings: Settings, now: datetime) -> Cooldown:
    limit = rules.limit_of(settings, action)
    moments = [timestamps.parse(row["timestamp"]) for row in rows]
    used = rules.use(limit, moments, now)
    resets = rules.resets_at(limit, moments, now)
    return Cooldown(
        service=service,
        action=action.value,
        used=used.used,
        limit=limit.most,
        window_s=limit.window_s,
        blocked=used.blocked,
        last_at=rows[0]["timestamp"],
        resets_at=None if resets is None else timestamps.stamp(resets),
        healthy_checks=rows[0]["healthy_checks"],
    )


def _action(row: Row) -> CooldownAction:
    return msgspec.convert({**row, "success": bool(row["success"])}, CooldownAction)


def exported(rows: list[Row], settings: Settings, now: datetime, last_run: str | None) -> dict[str, Any]:
    """The file's content: each service with the actions that count, oldest first."""
    services: dict[str, dict[str, Any]] = {}
    for row in reversed(rows):
        limit = rules.limit_of(settings, Action(row["action_type"]))
        if timestamps.parse(row["timestamp"]) <= now - timedelta(seconds=limit.window_s):
            continue
        healthy = row["healthy_checks"]
        empty: dict[str, Any] = {"restarts": [], "redeployments": [], "consecutive_healthy": healthy}
        told = {"timestamp": row["timestamp"], "success": bool(row["success"])}
        if row["error"]:
            told["error"] = row["error"]
        services.setdefault(row["service"], empty)[f"{row['action_type']}s"].append(told)
    return {"services": services, "last_run": last_run}


def write(path: Path, content: dict[str, Any]) -> None:
    """Replaces the file at once and whole; `last_daily_digest`, which sessions keep there, stays."""
    kept = None
    with contextlib.suppress(OSError, msgspec.DecodeError, AttributeError):
        kept = msgspec.json.decode(path.read_bytes()).get("last_daily_digest")
    text = msgspec.json.format(msgspec.json.encode({**content, "last_daily_digest": kept}), indent=2)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(text + b"\n")
    os.replace(partial, path)
