"""A chain: its tiers in one column, from the first session to the one that runs. GET /chains/{id} and its JSON.

Only the session that runs has its transcript here; the others are behind a link. The stream is `webui.live.chain`.
"""

import asyncio
from typing import NamedTuple

import aiohttp_jinja2
from aiohttp import web
from markupsafe import Markup

from ipc.errors import CallError, Code
from schema.database import Database
from schema.sessions import Session, from_row, log_path
from schema.triggers import QueuedTrigger, explained
from schema.triggers import from_row as trigger_from_row
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import id_of
from webui.negotiation import is_json, json_response
from webui.pages import approvals, chain_view, formats, row_html, session, watched
from webui.pages.approval_view import Card
from webui.pages.chain_view import ChainHead, Tier
from webui.pages.nesting import nest
from webui.pages.session_rows import OPEN
from webui.parts import Parts, parts, signed_in

LINES_SHOWN = 200


class Chain(NamedTuple):
    """Its sessions in order, and the trigger by which it goes on after the last."""

    sessions: list[Session]
    following: QueuedTrigger | None

    @property
    def over(self) -> bool:
        """Whether nothing comes any more."""
        return self.sessions[-1].status not in OPEN and not chain_view.goes_on(self.following)


class ChainPage(NamedTuple):
    """The page's context. `rows` are those of `shown`, the session that runs."""

    shell: shell.Shell
    chain: ChainHead
    tiers: list[Tier]
    cards: list[Card]
    may_act: bool
    shown: int | None
    rows: list[Markup]
    offset: str
    live: bool
    stream_url: str


def read(database: Database, id_: int) -> Chain | None:
    """The chain of its first session; None if that is not there."""
    first = database.one("sessions.by_id", id=id_)
    if first is None:
        return None
    rows = [first, *(row for row in database.rows("pages.chain", chain=id_) if row["id"] != id_)]
    sessions = [from_row(row) for row in rows]
    row = database.one("pages.trigger_of_child", session_id=sessions[-1].id)
    return Chain(sessions, explained(database, [trigger_from_row(row)])[0] if row else None)


async def find(here: Parts, id_: int) -> Chain:
    """The same. CallError `not_found`."""
    found = await here.state.read(lambda database: read(database, id_))
    if found is None:
        raise CallError(Code.NOT_FOUND, f"There is no session {id_}, so no chain begins with it.")
    return found


def prefix(session_id: int) -> str:
    """What keeps a session's rows apart from those of the others on the page, and stands before its offsets."""
    return f"s{session_id}-"


async def show(request: web.Request) -> web.StreamResponse:
    """GET /chains/{id}; the id of a later session leads to its chain."""
    here = parts(request)
    id_ = id_of(request)
    chain = await find(here, id_)
    root = chain.sessions[0].chain_id or id_
    if root != id_:
        suffix = ".json" if request.path.endswith(".json") else ""
        return web.Response(status=303, headers={"Location": f"/chains/{root}{suffix}"})
    if is_json(request):
        dollars, _ = chain_view.total(chain.sessions)
        return json_response({"sessions": chain.sessions, "total_cost_usd": dollars, "next": chain.following})
    now = formats.now()
    last = chain.sessions[-1]
    live = last.status in OPEN
    rows, offset = await _transcript(request, last) if live else ([], 0)
    context = ChainPage(
        shell=shell.build(request, f"Chain {id_}", "sessions"),
        chain=chain_view.head(chain.sessions, chain.following, now),
        tiers=[chain_view.tier(one, now) for one in chain.sessions],
        cards=await _cards(here, chain),
        may_act=may(signed_in(request).role, Access.OPERATOR),
        shown=last.id if live else None,
        rows=rows,
        offset=f"{prefix(last.id)}{offset}",
        live=not chain.over,
        stream_url=f"/chains/{id_}/stream",
    )
    return shell.page(request, "chain.html", context)


async def _transcript(request: web.Request, last: Session) -> tuple[list[Markup], int]:
    """The newest rows of a session that runs, and where they end in its log."""
    here = parts(request)
    path = log_path(last, here.settings.results_dir)
    some = await asyncio.to_thread(session.window, path, None, None, over=False)
    if some is None:
        return [], 0
    found = await session.read(here, last.id)
    lines, raw_url = some.lines[-LINES_SHOWN:], f"/sessions/{last.id}/log"
    flat = await session.flat_rows(lines, raw_url, found.verdicts, prefix(last.id))
    render = row_html.renderer(aiohttp_jinja2.get_env(request.app))
    return await session.render_rows(render, nest(flat, over=False)), some.end


async def _cards(here: Parts, chain: Chain) -> list[Card]:
    """The calls of its last session that wait for a person."""
    last = chain.sessions[-1]
    known = await here.state.read(lambda database: watched.approvals(database, last.id))
    waiting = [approval for approval in known if approvals.waits(approval)]
    found = await approvals.with_uses(here, waiting)
    return [found.card(approval, formats.now()) for approval in waiting]
