"""One session: head, result, transcript, facts. GET /sessions/{id}; the question and the POST that stop it.

The transcript's rows are those of `webui.pages.transcript_rows`, as in the live stream; head, facts and result are
rendered again by that stream (`webui.live.transcript`).
"""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp_jinja2
import msgspec
from aiohttp import web
from markupsafe import Markup

from ipc.errors import CallError, Code
from ipc.messages.sessions import SessionReply, StopSession
from schema.database import Database
from schema.sessions import Session, Usage, from_row
from schema.states import SessionStatus
from webui import shell
from webui.auth.rules import Access, may
from webui.negotiation import is_json, json_response
from webui.pages import formats, log_files, markdown, row_html, session_rows, transcript_rows
from webui.pages.row_html import RenderRow
from webui.pages.session_rows import LOOKS
from webui.pages.system_state import Fact
from webui.pages.transcript_rows import Row
from webui.parts import Parts, parts, signed_in

SLICE = 100  # rows made before others get a turn
SERVICE_LOOKS = {
    "healthy": ("ok", "circle-check"),
    "degraded": ("warn", "triangle-alert"),
    "down": ("bad", "octagon-x"),
    "unreachable": ("bad", "octagon-x"),
}


class Tokens(NamedTuple):
    """Tokens so far, as text."""

    read: str
    written: str
    cached: str


class SessionView(NamedTuple):
    """A session's head and facts: a list's row and more."""

    id: int
    tone: str
    icon: str
    word: str
    started: formats.At
    live: bool
    duration: str
    turns: int | None
    cost: str
    prompt_full: str
    tokens: Tokens
    budget: str
    facts: list[Fact]


class Service(NamedTuple):
    """A service, as the session reports it."""

    name: str
    tone: str
    icon: str
    word: str
    detail: str


class Outcome(NamedTuple):
    """How a session ended."""

    tone: str
    icon: str
    word: str
    reason: str
    summary_html: Markup
    services: list[Service]
    notes: list[str]


class SessionPage(NamedTuple):
    """The page's context."""

    shell: shell.Shell
    session: SessionView
    rows: list[Markup]
    offset: int
    live: bool
    stream_url: str | None
    earlier_href: str | None
    later_href: str | None
    cut: int
    stop_url: str | None
    raw_url: str
    result: Outcome | None


class Confirm(NamedTuple):
    """The question before something that can't be taken back."""

    shell: shell.Shell
    question: str
    consequences: list[str]
    action: str
    verb: str
    back: str
    fields: dict[str, str]


def number(request: web.Request) -> int:
    """The id in the address."""
    text: str = request.match_info["id"]
    if len(text) > 18:
        raise CallError(Code.NOT_FOUND, f"There is no session {text[:20]}…")
    return int(text)


async def read(here: Parts, id_: int) -> Session:
    """A session. CallError `not_found`."""

    def look(database: Database) -> Session | None:
        row = database.one("sessions.by_id", id=id_)
        return None if row is None else from_row(row)

    found = await here.state.read(look)
    if found is None:
        raise CallError(Code.NOT_FOUND, f"There is no session {id_}.")
    return found


def view(session: Session, now: datetime, budget_usd: float) -> SessionView:
    """What head and facts show."""
    row = session_rows.row(session, now)
    usage = _usage(session)
    reads = usage.input + usage.cache_read + usage.cache_creation if usage else None
    return SessionView(
        id=session.id,
        tone=row.tone,
        icon=row.icon,
        word=row.word,
        started=row.started,
        live=row.live,
        duration=row.duration,
        turns=row.turns,
        cost=row.cost,
        prompt_full=session.prompt_text or session.prompt_file,
        tokens=Tokens(
            formats.tokens(reads),
            formats.tokens(usage.output if usage else None),
            formats.tokens(usage.cache_read if usage else None),
        ),
        budget=formats.cost(budget_usd) if budget_usd else "",
        facts=_facts(session),
    )


def _usage(session: Session) -> Usage | None:
    if not session.usage:
        return None
    try:
        return msgspec.json.decode(session.usage, type=Usage)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None  # of a database that the Go program wrote: shown as "–"


def _facts(session: Session) -> list[Fact]:
    facts = [
        Fact("Trigger", session.trigger.value, f"by {session.requested_by}" if session.requested_by else ""),
        Fact("Tier", f"{session.tier} · {session.model}", session.model_id or ""),
        Fact("Started", session.started_at, mono=True),
    ]
    if session.ended_at:
        facts.append(Fact("Ended", session.ended_at, mono=True))
    if session.exit_code is not None:
        facts.append(Fact("Exit code", str(session.exit_code)))
    if session.parent_session_id:
        facts.append(Fact("Escalated from", f"session {session.parent_session_id}"))
    optional = (
        ("Prompt file", session.prompt_file), ("claude CLI", session.cli_version),
        ("CLI session", session.cli_session_id), ("Run", session.run_id), ("Log file", session.log_file),
    )  # fmt: skip
    facts += [Fact(label, value, mono=True) for label, value in optional if value]
    facts.append(Fact("Log lines", formats.count(session.lines)))
    return facts


def outcome(session: Session) -> Outcome | None:
    """How a session ended; None while it runs."""
    if session.status is SessionStatus.RUNNING:
        return None
    look = LOOKS[session.status]
    report = _structured(session)
    events = [event for event in report.get("events", []) if isinstance(event, dict)]
    critical = sum(event.get("level") == "critical" for event in events)
    notes = [f"{critical} critical event{'' if critical == 1 else 's'}"] if critical else []
    escalation = report.get("escalation")
    if isinstance(escalation, dict) and escalation.get("needed"):
        notes.append(f"asks for the next tier: {escalation.get('reason') or 'no reason given'}")
    summary = session.response or session.summary or ""
    completed = session.status is SessionStatus.COMPLETED
    return Outcome(
        tone=look.tone,
        icon=look.icon,
        word=look.word,
        reason="" if completed else session.reason or "",
        summary_html=markdown.html(summary) if summary.strip() else Markup(),
        services=[_service(entry) for entry in report.get("services_checked", []) if isinstance(entry, dict)],
        notes=notes,
    )


def _structured(session: Session) -> dict[str, Any]:
    try:
        found = json.loads(session.structured or "{}")
    except ValueError:
        found = {}  # of a database that the Go program wrote: its words are in `response`
    lists = ("events", "services_checked")
    if not isinstance(found, dict) or any(not isinstance(found.get(name, []), list) for name in lists):
        return {}
    return found


def _service(entry: dict[str, Any]) -> Service:
    word = str(entry.get("status", "unknown"))[:40]
    tone, icon = SERVICE_LOOKS.get(word, ("neutral", "circle-question-mark"))
    return Service(str(entry.get("name", ""))[:100], tone, icon, word, str(entry.get("detail") or "")[:500])


def stop_url(session: Session, *, allowed: bool) -> str | None:
    """Where a session is stopped; None when it can't be."""
    return f"/sessions/{session.id}/stop" if allowed and session.status is SessionStatus.RUNNING else None


async def flat_rows(lines: list[Any], raw_url: str) -> list[Row]:
    """The rows of many lines, made in slices so that others get their turn."""
    calls = transcript_rows.Calls()
    rows: list[Row] = []
    for at in range(0, len(lines), SLICE):
        for line in lines[at : at + SLICE]:
            rows += transcript_rows.read_line(line, raw_url, calls)
        await asyncio.sleep(0)
    return rows


async def render_rows(render: RenderRow, rows: list[Row]) -> list[Markup]:
    """Rows as HTML, in slices."""
    rendered: list[Markup] = []
    for at in range(0, len(rows), SLICE):
        rendered += map(render, rows[at : at + SLICE])
        await asyncio.sleep(0)
    return rendered


def _window(path: Path | None, before: int | None, at: int | None, *, over: bool) -> log_files.Window | None:
    if path is None:
        return None
    try:
        return log_files.read_window(path, before, from_offset=at, over=over)
    except FileNotFoundError:
        return None  # not begun yet, or deleted by whoever keeps the results directory


def _offset(request: web.Request, name: str) -> int | None:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


async def show(request: web.Request) -> web.StreamResponse:
    """GET /sessions/{id}: the last rows, those before `?before=<offset>`, or those from `?at=<offset>` on."""
    here = parts(request)
    session = await read(here, number(request))
    if is_json(request):
        return json_response(session)
    path = log_files.path_of(session, here.settings.results_dir)
    before, at = _offset(request, "before"), _offset(request, "at")
    running = session.status is SessionStatus.RUNNING
    window = await asyncio.to_thread(_window, path, before, at, over=not running)
    raw_url = f"/sessions/{session.id}/log"
    lines = window.lines if window else []
    at_end = before is None and (at is None or window is None or window.end >= window.size)
    flat = await flat_rows(lines, raw_url)
    render = row_html.renderer(aiohttp_jinja2.get_env(request.app))
    rows = await render_rows(render, transcript_rows.nest(flat, over=not running))
    context = SessionPage(
        shell=shell.build(request, f"Session {session.id}", "sessions"),
        session=view(session, formats.now(), here.settings.session_max_budget_usd),
        rows=rows,
        offset=window.end if window else 0,
        live=running and at_end,
        stream_url=f"/sessions/{session.id}/stream" if running and at_end else None,
        earlier_href=f"?before={window.start}" if window and window.start else None,
        later_href=None if at_end else f"/sessions/{session.id}",
        cut=window.before if window else 0,
        stop_url=stop_url(session, allowed=may(signed_in(request).role, Access.OPERATOR)),
        raw_url=raw_url,
        result=outcome(session),
    )
    return shell.page(request, "session.html", context)


async def ask_stop(request: web.Request) -> web.StreamResponse:
    """GET /sessions/{id}/stop: the question, for browsers without JavaScript."""
    session = await read(parts(request), number(request))
    address = f"/sessions/{session.id}"
    if session.status is not SessionStatus.RUNNING:
        return web.Response(status=303, headers={"Location": address})
    context = Confirm(
        shell=shell.build(request, f"Stop session {session.id}", "sessions"),
        question=f"Stop session {session.id}?",
        consequences=[
            "The CLI is asked to end, then its whole process tree is killed.",
            "What it wrote so far is kept, with its cost. It cannot be resumed.",
        ],
        action=f"{address}/stop",
        verb="Stop session",
        back=address,
        fields={},
    )
    return shell.page(request, "confirm.html", context)


async def stop(request: web.Request) -> web.StreamResponse:
    """POST /sessions/{id}/stop."""
    message = StopSession(id=number(request), by=signed_in(request).name)
    reply = await parts(request).worker.call(message, SessionReply, timeout=10.0)
    if is_json(request):
        return json_response(reply.session)
    return web.Response(status=303, headers={"Location": f"/sessions/{reply.session.id}"})
