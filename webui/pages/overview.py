"""The overview: what needs a person, what is broken, what runs, what ran, what comes.

GET / and /overview.json. Live updates send its partials again (`webui.live.feed`). Its form adds to the queue
(`webui.pages.triggers`).
"""

import asyncio
from datetime import datetime
from typing import NamedTuple

import msgspec
from aiohttp import web

from schema.database import Database
from schema.knowledge import Event
from schema.limits import Approval
from schema.sessions import Session, from_row
from schema.states import SessionStatus
from schema.triggers import QueuedTrigger
from schema.triggers import from_row as trigger_from_row
from webui import needs, shell
from webui.auth.rules import Access, may
from webui.negotiation import is_json, json_response
from webui.pages import attention, formats, reports, session_rows, system_state, trigger_rows
from webui.pages.approval_view import from_row as approval_from_row
from webui.pages.session_rows import OPEN, SessionRow
from webui.pages.system_state import Cli, Health, NextRun, Problem, ProcessRow
from webui.pages.trigger_form import TierChoice, TriggerForm, begun, choices
from webui.pages.trigger_rows import TriggerRow
from webui.parts import Parts, parts, signed_in

RECENT = 10
AWAITING_MAX = 20
FAR = 1 << 62
NEEDS_MAX = 20
QUEUE_SHOWN = 5


class Figures(NamedTuple):
    """Every value of the partials, as of one moment."""

    problems: list[Problem]
    running: list[SessionRow]
    queue: list[TriggerRow]
    queued: int
    recent: list[SessionRow]
    spent_today: str
    spent_note: str
    next_run: NextRun | None
    no_next_run: str
    processes: list[ProcessRow]
    cli: Cli
    health: Health


class Overview(NamedTuple):
    """The page's context: shell, stream and form beside the figures."""

    shell: shell.Shell
    stream: str
    may_act: bool
    trigger: TriggerForm
    trigger_tiers: list[TierChoice]
    problems: list[Problem]
    running: list[SessionRow]
    queue: list[TriggerRow]
    queued: int
    recent: list[SessionRow]
    spent_today: str
    spent_note: str
    next_run: NextRun | None
    no_next_run: str
    processes: list[ProcessRow]
    cli: Cli
    health: Health


class Stored(NamedTuple):
    """What the overview reads from the database."""

    running: list[Session]
    recent: list[Session]
    sessions_today: int
    spent_today: float
    approvals: list[Approval]
    critical: list[Event]
    refused: list[QueuedTrigger]
    down: list[str]
    queue: list[QueuedTrigger]
    queued: int


class Glance(NamedTuple):
    """The overview for programs."""

    state: str
    reason: str | None
    worker_ok: bool
    approvals: list[Approval]
    triggers_waiting: int
    running: list[Session]
    recent: list[Session]
    spent_today_usd: float
    sessions_today: int
    next_run_at: str | None


def read(database: Database) -> Stored:
    """One look at the database."""
    running = [from_row(row) for row in database.rows("sessions.running")]
    running += [
        from_row(row)
        for row in database.rows("sessions.page_by_status", status="awaiting_approval", before=FAR, limit=AWAITING_MAX)
    ]
    newest = [from_row(row) for row in database.rows("sessions.page", before=FAR, limit=RECENT + 3 + AWAITING_MAX)]
    today = database.one("sessions.today", since=shell.today_start()) or {"sessions": 0, "spent": 0.0}
    ended = [session for session in newest if session.status not in OPEN][:RECENT]
    return Stored(
        running=running,
        recent=ended,
        sessions_today=today["sessions"],
        spent_today=today["spent"],
        approvals=[approval_from_row(row) for row in database.rows("pages.approvals_waiting", limit=NEEDS_MAX)],
        critical=_critical(database),
        refused=[trigger_from_row(row) for row in database.rows("pages.triggers_refused", limit=NEEDS_MAX)],
        down=[row["service"] for row in database.rows("pages.services_down", since=needs.since())],
        queue=_queue(database),
        queued=int(database.value("pages.triggers_count")),
    )


def _critical(database: Database) -> list[Event]:
    rows = database.rows("pages.attention", since=needs.since(), limit=needs.EVENTS_LOOKED_AT)
    names = set(Event.__struct_fields__)
    return [msgspec.convert({name: row[name] for name in names}, Event) for row in rows]


def _queue(database: Database) -> list[QueuedTrigger]:
    """What starts next, over all tiers."""
    rows = [row for tier in (1, 2, 3) for row in database.rows("pages.triggers_of_tier", tier=tier, limit=QUEUE_SHOWN)]
    found = sorted(map(trigger_from_row, rows), key=lambda trigger: (trigger.priority, trigger.id))
    return found[:QUEUE_SHOWN]


async def look(here: Parts) -> tuple[Stored, system_state.Daemon]:
    """The database and the daemon, asked at once."""
    stored, daemon = await asyncio.gather(here.state.read(read), system_state.gather(here))
    return stored, daemon


def figures(here: Parts, stored: Stored, daemon: system_state.Daemon, now: datetime) -> Figures:
    """The values of the partials."""
    beat = here.worker.beat
    at = beat.next_run_at if beat and daemon.worker_ok else daemon.status.next_run_at
    why = "the schedule is off"
    if not daemon.worker_ok:
        why = "not known while the worker is away"
    elif any(session.status is SessionStatus.RUNNING for session in stored.running):
        why = "counted from the end of the running session"
    elif here.settings.schedule_enabled:
        why = "not set yet"
    today = stored.sessions_today
    reported = reports.problems(stored.recent, stored.running, now)
    broken = system_state.problems(daemon, stored.recent, now) + reported + attention.down(stored.down, reported)
    return Figures(
        # What only the reader can settle, then what is broken.
        problems=[
            *attention.approvals(stored.approvals, now),
            *attention.events(stored.critical),
            *attention.refused(stored.refused, now),
            *reports.worst_first(broken),
        ],
        running=[session_rows.row(session, now) for session in stored.running],
        queue=[trigger_rows.row(trigger, now) for trigger in stored.queue],
        queued=stored.queued,
        recent=[session_rows.row(session, now) for session in stored.recent],
        spent_today=formats.cost(stored.spent_today),
        spent_note=f"{today} session{'' if today == 1 else 's'}",
        next_run=system_state.next_run(at, now, here.settings.interval),
        no_next_run=why,
        processes=system_state.processes(daemon),
        cli=system_state.cli(daemon),
        health=system_state.health(daemon, now),
    )


async def show(request: web.Request) -> web.StreamResponse:
    """GET /."""
    if is_json(request):
        here = parts(request)
        stored, daemon = await look(here)
        at = here.worker.beat.next_run_at if here.worker.beat else daemon.status.next_run_at
        glance = Glance(
            daemon.status.state,
            daemon.status.reason,
            daemon.worker_ok,
            stored.approvals,
            stored.queued,
            stored.running,
            stored.recent,
            stored.spent_today,
            stored.sessions_today,
            at,
        )
        return json_response(glance._asdict())
    return await page(request, begun())


async def page(request: web.Request, form: TriggerForm, status: int = 200) -> web.Response:
    """The page, with what stands in its form."""
    here = parts(request)
    stored, daemon = await look(here)
    values = figures(here, stored, daemon, formats.now())
    busy = {session.tier for session in stored.running if session.status is SessionStatus.RUNNING}
    context = Overview(
        shell=shell.build(request, "Overview", "overview"),
        stream="/live?page=overview",
        may_act=may(signed_in(request).role, Access.OPERATOR),
        trigger=form,
        trigger_tiers=choices(here.settings, busy),
        **values._asdict(),
    )
    return shell.page(request, "overview.html", context, status=status)
