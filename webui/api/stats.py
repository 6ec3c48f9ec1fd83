"""GET /api/v1/stats: figures for widgets of other dashboards, such as Homepage.

A chain is a success if the session that it ended with is; one that handed over is neither, for the next tier goes on.
"""

import time
from typing import Any

import msgspec
from aiohttp import web

from schema import timestamps
from schema.database import Database
from schema.states import SessionStatus
from webui.api.answered import Figures, LastSession, StatsReply
from webui.pages import system_state
from webui.parts import Parts, parts

DAY = 86400.0
ENDS = frozenset(SessionStatus) - {
    SessionStatus.RUNNING, SessionStatus.AWAITING_APPROVAL, SessionStatus.ESCALATED,
}  # fmt: skip


def figures(database: Database, now: float) -> Figures:
    """The totals, from indexes alone."""
    count = {row["status"]: int(row["count(*)"]) for row in database.rows("sessions.count_by_status")}
    children = int(database.value("api.handed_over"))
    totals = database.one("api.totals") or {}
    ended = sum(count.get(status.value, 0) for status in ENDS)
    # What was to go on and never did, such as a hand-over that a person has cancelled, is over too, and no success.
    waiting = int(database.value("api.hand_overs_waiting"))
    ended += max(0, count.get(SessionStatus.ESCALATED.value, 0) - children - waiting)
    return Figures(
        total_runs=sum(count.values()) - children,
        escalations=children,
        remediations=int(database.value("api.repairs")),
        success_rate=round(count.get(SessionStatus.COMPLETED.value, 0) / ended, 4) if ended else 0.0,
        total_cost_usd=round(float(totals["cost_usd"]), 6),
        active_memories=int(database.value("api.active_memories")),
        critical_events=int(database.value("api.critical_since", since=timestamps.at(now - DAY))),
        avg_duration_ms=round(totals["duration_ms"]),
    )


async def next_run(here: Parts) -> str | None:
    """When the schedule starts the next session, as the worker says, or as the supervisor has last heard of it."""
    if here.worker.ok and here.worker.beat is not None:
        return here.worker.beat.next_run_at
    return (await system_state.gather(here)).status.next_run_at


async def interval(here: Parts) -> int:
    """The schedule's interval; while the worker is away, the last that was known."""
    known = {value.name: value.value for value in await here.worker.settings()}
    return int(known.get("interval", here.settings.interval))


async def show(request: web.Request) -> StatsReply:
    """GET /api/v1/stats."""
    here = parts(request)

    def read(database: Database) -> tuple[Figures, dict[str, Any] | None]:
        rows = database.rows("api.sessions", before=1 << 62, limit=1, offset=0)
        return figures(database, time.time()), rows[0] if rows else None

    found, row = await here.state.read(read)
    last = None
    if row is not None:
        last = msgspec.convert({name: row[name] for name in LastSession.__struct_fields__}, LastSession)
    return StatsReply(
        stats=found, last_session=last, next_run=await next_run(here), interval_seconds=await interval(here)
    )
