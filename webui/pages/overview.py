"""The overview: what needs a person, what runs, what ran, what comes. Also starts sessions.

GET / and /overview.json, POST /sessions/trigger. Live updates send its partials again (`webui.live.feed`).
"""

import asyncio
import uuid
from datetime import datetime
from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.sessions import SessionReply, TriggerSession
from schema.database import Database
from schema.sessions import Session, from_row
from schema.states import SessionStatus, Trigger
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import read_form
from webui.negotiation import is_json, json_response
from webui.pages import formats, reports, session_rows, system_state
from webui.pages.session_rows import SessionRow
from webui.pages.system_state import Cli, Health, NextRun, Problem, ProcessRow
from webui.parts import Parts, parts, signed_in

RECENT = 10
KEY_MAX = 64


class TriggerForm(NamedTuple):
    """The form that starts a session, and what was wrong with it."""

    prompt: str
    tier: int
    error: str | None
    key: str


class TierChoice(NamedTuple):
    """A tier that a session can be of."""

    tier: int
    model: str
    busy: bool


class Figures(NamedTuple):
    """Every value of the partials, as of one moment."""

    problems: list[Problem]
    running: list[SessionRow]
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
    can_trigger: bool
    trigger: TriggerForm
    trigger_tiers: list[TierChoice]
    problems: list[Problem]
    running: list[SessionRow]
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


class Glance(NamedTuple):
    """The overview for programs."""

    state: str
    reason: str | None
    worker_ok: bool
    running: list[Session]
    recent: list[Session]
    spent_today_usd: float
    sessions_today: int
    next_run_at: str | None


def read(database: Database) -> Stored:
    """One look at the database."""
    running = [from_row(row) for row in database.rows("sessions.running")]
    newest = [from_row(row) for row in database.rows("sessions.page", before=1 << 62, limit=RECENT + 3)]
    today = database.one("sessions.today", since=shell.today_start()) or {"sessions": 0, "spent": 0.0}
    ended = [session for session in newest if session.status is not SessionStatus.RUNNING][:RECENT]
    return Stored(running, ended, today["sessions"], today["spent"])


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
    elif stored.running:
        why = "counted from the end of the running session"
    elif here.settings.schedule_enabled:
        why = "not set yet"
    today = stored.sessions_today
    return Figures(
        problems=reports.worst_first(
            system_state.problems(daemon, stored.recent, now) + reports.problems(stored.recent, stored.running, now)
        ),
        running=[session_rows.row(session, now) for session in stored.running],
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
            stored.running,
            stored.recent,
            stored.spent_today,
            stored.sessions_today,
            at,
        )
        return json_response(glance._asdict())
    return await _page(request, TriggerForm("", 1, None, uuid.uuid4().hex))


async def _page(request: web.Request, form: TriggerForm, status: int = 200) -> web.Response:
    here = parts(request)
    stored, daemon = await look(here)
    values = figures(here, stored, daemon, formats.now())
    busy = {session.tier for session in stored.running}
    settings = here.settings
    models = (settings.tier1_model, settings.tier2_model, settings.tier3_model)
    tiers = [TierChoice(tier, models[tier - 1], tier in busy) for tier in range(1, settings.max_tier + 1)]
    context = Overview(
        shell=shell.build(request, "Overview", "overview"),
        stream="/events?page=overview",
        can_trigger=may(signed_in(request).role, Access.OPERATOR),
        trigger=form,
        trigger_tiers=tiers,
        **values._asdict(),
    )
    return shell.page(request, "overview.html", context, status=status)


def _check(tier: int, prompt: str, *, by_form: bool) -> None:
    """CallError for what can't be started."""
    if not tier:
        raise CallError(Code.INVALID, "A tier is 1, 2 or 3.")
    # An empty prompt would run the tier's prompt file: from the form that is a slip, from a program it is meant.
    if by_form and not prompt.strip():
        raise CallError(Code.INVALID, "Say what it should look into.")


async def trigger(request: web.Request) -> web.StreamResponse:
    """POST /sessions/trigger: fields prompt, tier and key (the same key twice is one session)."""
    fields = await read_form(request)
    key = fields.get("key", "")
    if not (8 <= len(key) <= KEY_MAX and key.isascii() and key.isalnum()):
        key = uuid.uuid4().hex
    tier_text = fields.get("tier") or "1"
    tier = int(tier_text) if tier_text in ("1", "2", "3") else 0
    prompt = fields.get("prompt", "")
    try:
        _check(tier, prompt, by_form=not is_json(request))
        message = TriggerSession(tier=tier, prompt=prompt, trigger=Trigger.MANUAL, by=signed_in(request).name)
        reply = await parts(request).worker.call(message, SessionReply, timeout=10.0, id_=key)
    except CallError as error:
        if is_json(request):
            raise
        return await _page(request, TriggerForm(prompt, tier, error.message, uuid.uuid4().hex), error.http_status)
    if is_json(request):
        return json_response(reply.session, status=201)
    return web.Response(status=303, headers={"Location": f"/sessions/{reply.session.id}"})
