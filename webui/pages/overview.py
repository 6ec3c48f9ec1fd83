"""The overview: what is broken, what waits for a person, what runs, what comes, what it cost, what ran.

GET / and /dashboard, and /overview.json. Live updates send its partials again (`webui.live.feed`). Its form adds to the
queue (`webui.pages.triggers`).
"""

import asyncio
from datetime import datetime
from typing import NamedTuple

import msgspec
from aiohttp import web

from schema import cost
from schema.database import Database, Row
from schema.knowledge import Event
from schema.limits import Approval
from schema.sessions import Session, from_row
from schema.states import SessionStatus
from schema.triggers import QueuedTrigger, lines
from schema.triggers import from_row as trigger_from_row
from webui import needs, shell
from webui.auth.rules import Access, may
from webui.negotiation import is_json, json_response
from webui.pages import attention, formats, glimpse, last_line, reports, session_rows, system_state, trigger_rows
from webui.pages.approval_view import from_row as approval_from_row
from webui.pages.cost import BUDGETS, Budget, budget, budgets_of_day
from webui.pages.glimpse import Glimpse
from webui.pages.panels import Group, linked
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
WEEK = 7


class RunningRow(NamedTuple):
    """A session that runs, or waits for a person, and what it said last."""

    session: SessionRow
    said: str


class Figures(NamedTuple):
    """Every value of the partials, as of one moment."""

    broken: list[Problem]
    waiting: list[Problem]
    services: Glimpse
    running: list[RunningRow]
    queue: list[TriggerRow]
    queued: int
    recent: list[SessionRow]
    spent_today: str
    spent_note: str
    budget: Budget | None
    spent_week: str
    week_note: str
    next_run: NextRun | None
    no_next_run: str
    processes: list[ProcessRow]
    cli: Cli
    health: Health


class Overview(NamedTuple):
    """The page's context: shell, stream, form and links to panels beside the figures."""

    shell: shell.Shell
    stream: str
    panels: list[Group]
    may_act: bool
    trigger: TriggerForm
    trigger_tiers: list[TierChoice]
    broken: list[Problem]
    waiting: list[Problem]
    services: Glimpse
    running: list[RunningRow]
    queue: list[TriggerRow]
    queued: int
    recent: list[SessionRow]
    spent_today: str
    spent_note: str
    budget: Budget | None
    spent_week: str
    week_note: str
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
    healthy: dict[str, str]  # of the services that these are about, those found healthy: when
    refused: list[QueuedTrigger]
    services: Glimpse
    incidents: list[Row]
    failing: list[Row]  # channels
    week: dict[str, int]
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
    spent_7_days_usd: float
    budgets_of_day: dict[str, float]
    next_run_at: str | None


def read(database: Database) -> Stored:
    """One look at the database."""
    running = [from_row(row) for row in database.rows("sessions.running")]
    running += [
        from_row(row)
        for row in database.rows("sessions.page_by_status", status="awaiting_approval", before=FAR, limit=AWAITING_MAX)
    ]
    newest = [from_row(row) for row in database.rows("sessions.page", before=FAR, limit=RECENT + 3 + AWAITING_MAX)]
    now = formats.now()
    since, until = cost.window(1, now.date())
    today = database.one("cost.total", since=since, until=until) or {"sessions": 0, "micro_usd": 0}
    week = database.one("cost.total", since=cost.window(WEEK, now.date())[0], until=until) or {}
    critical = _critical(database)
    ended = [session for session in newest if session.status not in OPEN][:RECENT]
    return Stored(
        running=running,
        recent=ended,
        sessions_today=today["sessions"],
        spent_today=today["micro_usd"] / cost.MILLION,
        approvals=[approval_from_row(row) for row in database.rows("pages.approvals_waiting", limit=NEEDS_MAX)],
        critical=critical,
        healthy=_healthy(database, {event.service for event in critical if event.service}),
        refused=[trigger_from_row(row) for row in database.rows("pages.triggers_refused", limit=NEEDS_MAX)],
        services=glimpse.read(database, now),
        incidents=needs.incidents(database, attention.INCIDENTS_MAX + 1),
        failing=database.rows("notifications.failing"),
        week=week,
        queue=lines(database, QUEUE_SHOWN)[:QUEUE_SHOWN],
        queued=int(database.value("pages.triggers_count")),
    )


def _critical(database: Database) -> list[Event]:
    rows = database.rows("pages.attention", since=needs.since(), limit=needs.EVENTS_LOOKED_AT)
    names = set(Event.__struct_fields__)
    return [msgspec.convert({name: row[name] for name in names}, Event) for row in rows]


def _healthy(database: Database, names: set[str]) -> dict[str, str]:
    rows = (database.one("services.one", service=name) for name in names)
    return {row["service"]: row["checked_at"] or "" for row in rows if row and row["status"] == "healthy"}


class Looked(NamedTuple):
    """All that the overview rests on. `limits`: the budgets of the day; `said`: the last line of what runs."""

    stored: Stored
    daemon: system_state.Daemon
    limits: dict[str, float]
    said: dict[int, str]


async def look(here: Parts) -> Looked:
    """The database, the daemon and the logs of what runs."""
    stored, daemon, limits = await asyncio.gather(
        here.state.read(read), system_state.gather(here), budgets_of_day(here)
    )
    return Looked(stored, daemon, limits, await last_line.of_running(stored.running, here.settings.results_dir))


def figures(here: Parts, looked: Looked, now: datetime) -> Figures:
    """The values of the partials."""
    stored, daemon = looked.stored, looked.daemon
    at, why = _next_run(here, stored, daemon)
    today, week = stored.sessions_today, int(stored.week.get("sessions", 0))
    limit = looked.limits.get(BUDGETS[0])
    broken, waiting = _problems(stored, daemon, now)
    return Figures(
        broken=broken,
        waiting=waiting,
        services=stored.services,
        running=[RunningRow(session_rows.row(one, now), looked.said.get(one.id, "")) for one in stored.running],
        queue=[trigger_rows.row(trigger, now) for trigger in stored.queue],
        queued=stored.queued,
        recent=[session_rows.row(session, now) for session in stored.recent],
        spent_today=formats.cost(stored.spent_today),
        spent_note=_sessions(today),
        budget=budget("The day", stored.spent_today, limit) if limit else None,
        spent_week=formats.cost(stored.week.get("micro_usd", 0) / cost.MILLION),
        week_note=_sessions(week),
        next_run=system_state.next_run(at, now, here.settings.interval),
        no_next_run=why,
        processes=system_state.processes(daemon),
        cli=system_state.cli(daemon),
        health=system_state.health(daemon, now),
    )


def _sessions(number: int) -> str:
    return f"{formats.count(number)} session{'' if number == 1 else 's'}"


def _next_run(here: Parts, stored: Stored, daemon: system_state.Daemon) -> tuple[str | None, str]:
    """When the schedule starts a session next, or why there is no time for it."""
    beat = here.worker.beat
    at = beat.next_run_at if beat and daemon.worker_ok else daemon.status.next_run_at
    why = "the schedule is off"
    if not daemon.worker_ok:
        why = "not known while the worker is away"
    elif any(session.status is SessionStatus.RUNNING for session in stored.running):
        why = "counted from the end of the running session"
    elif here.settings.schedule_enabled:
        why = "not set yet"
    return at, why


def _problems(stored: Stored, daemon: system_state.Daemon, now: datetime) -> tuple[list[Problem], list[Problem]]:
    """What is broken, worst first; what waits for a person, in the order in which it runs out."""
    reported = reports.problems(stored.recent, stored.running, now)
    told = attention.incidents(stored.incidents, now) + reported
    found = system_state.problems(daemon, stored.recent, now) + told + attention.services(stored.services.trouble, told)
    found += attention.channels(stored.failing)
    for_people = [problem for problem in found if problem.tone == "plan"]
    broken = [problem for problem in found if problem.tone != "plan"]
    broken += attention.critical(stored.critical, broken, stored.healthy)
    waiting = [
        *attention.approvals(stored.approvals, now),
        *attention.events(stored.critical),
        *for_people,
        *attention.refused(stored.refused, now),
    ]
    return reports.worst_first(broken), waiting


async def show(request: web.Request) -> web.StreamResponse:
    """GET /."""
    if not is_json(request):
        return await page(request, begun())
    here = parts(request)
    stored, daemon, limits, _ = await look(here)
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
        stored.week.get("micro_usd", 0) / cost.MILLION,
        limits,
        here.worker.beat.next_run_at if here.worker.beat else daemon.status.next_run_at,
    )
    return json_response(glance._asdict())


async def page(request: web.Request, form: TriggerForm, status: int = 200) -> web.Response:
    """The page, with what stands in its form."""
    here = parts(request)
    looked = await look(here)
    busy = {session.tier for session in looked.stored.running if session.status is SessionStatus.RUNNING}
    context = Overview(
        shell=shell.build(request, "Overview", "overview"),
        stream="/live?page=overview",
        panels=await linked(here),
        may_act=may(signed_in(request).role, Access.OPERATOR),
        trigger=form,
        trigger_tiers=choices(here.settings, busy),
        **figures(here, looked, formats.now())._asdict(),
    )
    return shell.page(request, "overview.html", context, status=status)
