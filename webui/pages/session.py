"""One session: head, result, transcript, facts. GET /sessions/{id}; the question and the POST that stop it.

The transcript's rows are those of `webui.pages.transcript_rows`, as in the live stream; head, facts and result are
rendered again by that stream (`webui.live.transcript`).
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp_jinja2
from aiohttp import web
from markupsafe import Markup

from ipc.errors import CallError, Code
from ipc.messages.sessions import SessionReply, StopSession
from schema.sessions import log_path
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import id_of
from webui.negotiation import is_form_of_a_browser, is_json, json_response
from webui.pages import approvals, confirm, formats, log_files, row_html, transcript_rows, watched
from webui.pages.approval_view import Card
from webui.pages.call_times import Calls
from webui.pages.confirm import Confirm
from webui.pages.nesting import nest
from webui.pages.row_html import RenderRow
from webui.pages.session_rows import OPEN
from webui.pages.session_view import Outcome, SessionView, outcome, stop_url, view
from webui.pages.transcript_rows import Row
from webui.pages.verdicts import Verdict
from webui.pages.watched import Watched
from webui.parts import Parts, parts, signed_in

SLICE = 100  # rows made before others get a turn


class SessionPage(NamedTuple):
    """The page's context."""

    shell: shell.Shell
    session: SessionView
    cards: list[Card]
    may_act: bool
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


async def read(here: Parts, id_: int) -> Watched:
    """A session with what belongs to it. CallError `not_found`."""
    found = await here.state.read(lambda database: watched.read(database, id_))
    if found is None:
        raise CallError(Code.NOT_FOUND, f"There is no session {id_}.")
    return found


async def flat_rows(
    lines: list[Any], raw_url: str, verdicts: Mapping[str, Verdict] = transcript_rows.NO_VERDICTS, prefix: str = ""
) -> list[Row]:
    """The rows of many lines, made in slices so that others get their turn."""
    calls = Calls()
    rows: list[Row] = []
    for at in range(0, len(lines), SLICE):
        for line in lines[at : at + SLICE]:
            rows += transcript_rows.read_line(line, raw_url, calls, prefix=prefix, verdicts=verdicts)
        await asyncio.sleep(0)
    return rows


async def render_rows(render: RenderRow, rows: list[Row]) -> list[Markup]:
    """Rows as HTML, in slices."""
    rendered: list[Markup] = []
    for at in range(0, len(rows), SLICE):
        rendered += map(render, rows[at : at + SLICE])
        await asyncio.sleep(0)
    return rendered


def window(path: Path | None, before: int | None, at: int | None, *, over: bool) -> log_files.Window | None:
    """Some lines of a log, by the disk; None without one."""
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
    found = await read(here, id_of(request))
    session = found.session
    if is_json(request):
        return json_response(session)
    path = log_path(session, here.settings.results_dir)
    before, at = _offset(request, "before"), _offset(request, "at")
    live = session.status in OPEN
    some = await asyncio.to_thread(window, path, before, at, over=not live)
    raw_url = f"/sessions/{session.id}/log"
    at_end = before is None and (at is None or some is None or some.end >= some.size)
    flat = await flat_rows(some.lines if some else [], raw_url, found.verdicts)
    render = row_html.renderer(aiohttp_jinja2.get_env(request.app))
    rows = await render_rows(render, nest(flat, over=not live))
    acts = may(signed_in(request).role, Access.OPERATOR)
    waiting = [approval for approval in found.approvals if approvals.waits(approval)]
    cards = await approvals.with_uses(here, waiting)
    context = SessionPage(
        shell=shell.build(request, f"Session {session.id}", "sessions"),
        session=view(found, formats.now(), here.settings.session_max_budget_usd),
        cards=[cards.card(approval, formats.now()) for approval in waiting],
        may_act=acts,
        rows=rows,
        offset=some.end if some else 0,
        live=live and at_end,
        stream_url=f"/sessions/{session.id}/stream" if live and at_end else None,
        earlier_href=f"?before={some.start}" if some and some.start else None,
        later_href=None if at_end else f"/sessions/{session.id}",
        cut=some.before if some else 0,
        stop_url=stop_url(session, allowed=acts),
        raw_url=raw_url,
        result=outcome(session),
    )
    return shell.page(request, "session.html", context)


async def ask_stop(request: web.Request) -> web.StreamResponse:
    """GET /sessions/{id}/stop: the question, for browsers without JavaScript."""
    session = (await read(parts(request), id_of(request))).session
    address = f"/sessions/{session.id}"
    if session.status not in OPEN:
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
    return confirm.ask(request, context)


async def stop(request: web.Request) -> web.StreamResponse:
    """POST /sessions/{id}/stop. Only a browser is led back to the session: scripts and htmx know 204."""
    message = StopSession(id=id_of(request), by=signed_in(request).name)
    reply = await parts(request).worker.call(message, SessionReply)
    if is_json(request):
        return json_response(reply.session)
    if not is_form_of_a_browser(request):
        return web.Response(status=204)
    return web.Response(status=303, headers={"Location": f"/sessions/{reply.session.id}"})
