"""Keeps house: once a day at night when no session runs, and when a person asks for it.

Built by `daemon.parts`. What is counted is read by a connection of its own; what is removed goes through the store in
bites, so that sessions never wait for it. Asked for again after a kill, it goes on where it was.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from daemon import audit
from daemon.keeping import files, rows, rules, space
from daemon.keeping.backups import Backups
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.keeping import HousekeepReply, Removed
from schema import actors, timestamps
from schema.audit_actions import Action
from schema.database import Database, DatabaseError, Row
from schema.settings import Settings

T = TypeVar("T")
LOOK_SECONDS = 60.0
AGAIN_SECONDS = 3600.0
PAGE = 500


class Held(NamedTuple):
    """What belongs to sessions that are not over: names of logs, of run directories, the CLI's ids of its sessions."""

    logs: frozenset[str]
    runs: frozenset[str]
    cli: frozenset[str]


class Surplus(NamedTuple):
    """What there is to remove from the disk."""

    logs: list[rules.Log]
    runs: list[Path]
    transcripts: files.Found


class Keeper:
    """Housekeeping and the nightly backup. `running` tells how many sessions run."""

    def __init__(self, store: Store, settings: LiveSettings, backups: Backups, running: Callable[[], int]) -> None:
        self._store = store
        self._settings = settings
        self._backups = backups
        self._running = running
        self._busy = asyncio.Lock()
        self.problem: str | None = None
        self.full = ""  # what people should know of the bound of the database's size

    async def run(self) -> None:
        """The daily work, when it is due. What fails is told, and tried again in an hour."""
        while True:
            wait = LOOK_SECONDS
            try:
                await self._daily("backup", self._backups.nightly)
                await self._daily("housekeeping", self._nightly)
                self.problem = None
            except (CallError, DatabaseError, OSError) as error:
                self.problem = f"the nightly work could not be done: {error}"
                print(f"keeping house: {error}; tried again in an hour", file=sys.stderr, flush=True)
                wait = AGAIN_SECONDS
            await asyncio.sleep(wait)

    async def _daily(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        now = datetime.now().astimezone()
        done = await self._store.read(lambda db: db.value("keeping.chore", name=name))
        if done is not None and not rules.due(timestamps.parse(done).astimezone(), now, self._running()):
            return
        if done is not None:
            await work()
        # The first time only the day begins: what a database holds that was brought along is not removed at once.
        await self._store.write(lambda db: db.change("keeping.did", name=name, at=timestamps.stamp(now)))

    async def _nightly(self) -> None:
        await self.keep(dry_run=False, by=actors.DAEMON)

    async def keep(self, *, dry_run: bool, by: str, request_id: str = "") -> HousekeepReply:
        """Removes what is surplus, or counts it. CallError `conflict` while that is being done; DatabaseError, OSError.

        `by` is who wants it, for the audit log.
        """
        if self._busy.locked():
            raise CallError(Code.CONFLICT, "housekeeping is being done right now; ask again when it is over")
        async with self._busy:
            began = time.monotonic()
            now = datetime.now(UTC)
            settings = self._settings.current
            held = await self._read(_held)
            found = await self._read(lambda db: _counted(db, settings, now, for_size=dry_run))
            surplus = await asyncio.to_thread(_surplus, settings, held, await self._read(_logs), now)
            found += _on_disk(surplus)
            given, day = 0, ""
            if not dry_run:
                found, day = await self._remove(settings, now, found, surplus, held)
                given = await space.give_back(self._store)
            left = await self._store.read(space.space)
            if not dry_run:
                self.full = space.problem(settings, now, left, day)
            reply = HousekeepReply(
                dry_run=dry_run,
                removed=found,
                seconds=round(time.monotonic() - began, 3),
                database_bytes=left.live,
                database_free=left.free,
                given_back=given,
                problem="" if dry_run else self.full,
            )
            if not dry_run:
                await self._note(reply, by, request_id)
            return reply

    async def _read(self, work: Callable[[Database], T]) -> T:
        """Reads by a connection of its own, however long that takes."""

        def read() -> T:
            database = Database(self._store.path, readonly=True)
            try:
                return work(database)
            finally:
                database.close()

        return await asyncio.to_thread(read)

    async def _remove(
        self, settings: Settings, now: datetime, found: list[Removed], surplus: Surplus, held: Held
    ) -> tuple[list[Removed], str]:
        """Removes all of it: (what was found, with the number of what was really removed; see `space.Shrunk.day`)."""
        results = Path(settings.results_dir)
        logs = 0
        at = timestamps.stamp(now)
        for log in surplus.logs:
            await asyncio.to_thread(files.remove_log, results, log.name)
            await self._log_is_gone(log.session, at)
            logs += 1
        gone = await rows.remove(self._store, settings, now)
        gone["logs"] = logs

        async def chains(before: str, enough: rows.Enough | None) -> int:
            return await self._remove_sessions(before, now, held, enough)

        before = rows.bound(now, settings.keep_sessions_days)
        gone["sessions"] = await chains(before, None) if before else 0
        more = await space.shrink(self._store, settings, now, chains)
        gone["runs"] = sum([await asyncio.to_thread(files.remove_run, run) for run in surplus.runs])
        moment = _seconds(now, settings.keep_transcripts_days)
        home = Path(settings.state_dir) / "home"
        if moment is not None:
            left = await asyncio.to_thread(files.transcripts, home, held.cli, moment, removing=True)
            gone["transcripts"] = len(left.names)
        told = [_removed(item, gone.get(item.kind, 0), *more.gone.get(item.kind, (0, 0))) for item in found]
        return told, more.day

    async def _log_is_gone(self, session: int, at: str) -> None:
        await self._store.write(lambda db: db.change("keeping.log_removed", id=session, at=at))

    async def _remove_sessions(self, before: str, now: datetime, held: Held, enough: rows.Enough | None) -> int:
        """Removes chains that ended before a stored time, with their logs, until it is enough; how many sessions."""
        gone = 0
        while chains := await self._read(lambda db: rows.old_chains(db, before, rows.CHAINS_AT_A_TIME)):
            for members in chains:
                if enough is not None and await self._store.read(enough):
                    return gone
                for member in members:
                    name = os.path.basename(member["log_file"] or "")
                    if name and name not in held.logs:
                        await asyncio.to_thread(files.remove_log, Path(self._settings.current.results_dir), name)
                await rows.forget_chain(self._store, members, now)
                gone += len(members)
        return gone

    async def _note(self, reply: HousekeepReply, by: str, request_id: str) -> None:
        """A line in the audit log, of the nightly work where something was removed; the reply for who asks again."""
        now = datetime.now(UTC)
        told = ", ".join(f"{item.rows} {item.kind}" for item in reply.removed if item.rows)
        if not told and by != actors.DAEMON:
            told = "nothing was due"

        def write(db: Database) -> None:
            if told:
                audit.add(db, actor=by, action=Action.HOUSE_KEPT, subject="housekeeping", at=now, detail=told)
            if request_id:
                stored = codec.store(reply)
                db.change("replies.insert", request_id=request_id, reply=stored, created_at=timestamps.stamp(now))

        await self._store.write(write)


def _held(db: Database) -> Held:
    found = db.rows("keeping.open")
    return Held(
        frozenset(os.path.basename(row["log_file"]) for row in found if row["log_file"]),
        frozenset(row["run_id"] for row in found if row["run_id"]),
        frozenset(row["cli_session_id"] for row in found if row["cli_session_id"]),
    )


def _logs(db: Database) -> list[Row]:
    """Every session that is over and may have a log."""
    found: list[Row] = []
    while page := db.rows("keeping.logs", after=found[-1]["id"] if found else 0, limit=PAGE):
        found += page
    return found


def _seconds(now: datetime, days: int) -> float | None:
    moment = rules.before(now, days)
    return None if moment is None else moment.timestamp()


def _surplus(settings: Settings, held: Held, logs: list[Row], now: datetime) -> Surplus:
    """What there is to remove from the disk; called in a thread. OSError."""
    state = Path(settings.state_dir)
    there = files.logs(Path(settings.results_dir), logs, held.logs)
    wanted = rules.logs_to_remove(there, rows.bound(now, settings.keep_logs_days), settings.keep_logs_max_mb * space.MB)
    day_ago = now.timestamp() - 86400
    runs = files.old_runs(state / "runs", held.runs, day_ago)
    before = _seconds(now, settings.keep_transcripts_days)
    left = files.Found([], 0)
    if before is not None:
        left = files.transcripts(state / "home", held.cli, before, removing=False)
    return Surplus(wanted, runs, left)


def _counted(db: Database, settings: Settings, now: datetime, *, for_size: bool) -> list[Removed]:
    """What of the database goes by its age; with `for_size` also what goes for its size, by an estimate."""
    found = rows.count(db, settings, now)
    chains = rows.old_chains(db, rows.bound(now, settings.keep_sessions_days))
    members = [member for chain in chains for member in chain]
    size = sum(int(member["bytes"]) for member in members)
    found.append(Removed(kind="sessions", rows=len(members), bytes=size))
    if not for_size:
        return found
    more = space.estimate(db, settings, now, {item.kind: item.rows for item in found})
    return [_removed(item, item.rows, *more.get(item.kind, (0, 0))) for item in found]


def _removed(item: Removed, by_age: int, for_size: int, size: int) -> Removed:
    """What goes, or went, of a kind; `size` in bytes is of what goes for the size."""
    texts = item.bytes if by_age else 0
    return Removed(kind=item.kind, rows=by_age + for_size, bytes=texts + size, for_size=for_size)


def _on_disk(surplus: Surplus) -> list[Removed]:
    return [
        Removed(kind="logs", rows=len(surplus.logs), bytes=sum(log.size for log in surplus.logs)),
        Removed(kind="runs", rows=len(surplus.runs)),
        Removed(kind="transcripts", rows=len(surplus.transcripts.names), bytes=surplus.transcripts.size),
    ]
