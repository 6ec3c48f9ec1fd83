"""Every address of the dashboard, in one table: method, path, handler, who it answers.

`webui.app` adds them to the application, `webui.auth.guard` asks the last column, and a test walks all of them.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from webui.api import health, metrics
from webui.assets import Assets
from webui.auth.rules import Access
from webui.live import chain as live_chain
from webui.live import pages as live_pages
from webui.live import transcript
from webui.pages import (
    approvals,
    audit,
    chain,
    cooldowns,
    decisions,
    events,
    mcp,
    memories,
    overview,
    repositories,
    session,
    session_log,
    sessions,
    sign_in,
    standing_rules,
    system,
    triggers,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Route(NamedTuple):
    """One address. `access` is who may ask; everything but PUBLIC and SCRAPE needs a sign-in."""

    method: str
    path: str
    handler: Handler
    access: Access


PUBLIC, VIEWER, OPERATOR, ADMIN = Access.PUBLIC, Access.VIEWER, Access.OPERATOR, Access.ADMIN


def table(assets: Assets) -> tuple[Route, ...]:
    """The routes."""
    return (
        Route("GET", "/static/{name:.+}", assets.handle, PUBLIC),
        Route("GET", "/favicon.ico", assets.favicon, PUBLIC),
        *DOORS,
        *WATCHING,
        *SESSIONS,
        *DECIDING,
        *KNOWING,
    )


def _page(path: str, handler: Handler) -> tuple[Route, Route]:
    """A page that everybody who is signed in may see, and the same as JSON."""
    return Route("GET", path, handler, VIEWER), Route("GET", f"{path}.json", handler, VIEWER)


def _question(path: str, ask: Handler, answer: Handler, access: Access) -> tuple[Route, Route]:
    """Something that is asked about before it is done, both at one address."""
    return Route("GET", path, ask, access), Route("POST", path, answer, access)


DOORS = (
    Route("GET", "/sign-in", sign_in.show, PUBLIC),
    Route("POST", "/sign-in", sign_in.sign_in, PUBLIC),
    Route("POST", "/sign-out", sign_in.sign_out, VIEWER),
    Route("GET", "/setup/{token}", sign_in.show_setup, PUBLIC),
    Route("POST", "/setup", sign_in.set_up, PUBLIC),
    Route("GET", "/healthz", health.alive, PUBLIC),
    Route("GET", "/readyz", health.ready, PUBLIC),
    Route("GET", "/metrics", metrics.show, Access.SCRAPE),
)
WATCHING = (
    Route("GET", "/", overview.show, VIEWER),
    Route("GET", "/overview.json", overview.show, VIEWER),
    *_page("/system", system.show),
    *_page("/events", events.show),
    *_page("/audit", audit.show),
    Route("GET", "/live", live_pages.live, VIEWER),
)
SESSIONS = (
    *_page("/sessions", sessions.show),
    *_page(r"/sessions/{id:\d+}", session.show),
    Route("GET", r"/sessions/{id:\d+}/log", session_log.download, VIEWER),
    Route("GET", r"/sessions/{id:\d+}/stream", transcript.stream, VIEWER),
    *_question(r"/sessions/{id:\d+}/stop", session.ask_stop, session.stop, OPERATOR),
    *_page(r"/chains/{id:\d+}", chain.show),
    Route("GET", r"/chains/{id:\d+}/stream", live_chain.stream, VIEWER),
    *_page("/triggers", triggers.show),
    Route("POST", "/triggers", triggers.add, OPERATOR),
    Route("POST", "/sessions/trigger", triggers.add, OPERATOR),
    *_page(r"/triggers/{id:\d+}", triggers.open_one),
    *_question(r"/triggers/{id:\d+}/cancel", triggers.ask_cancel, triggers.cancel, OPERATOR),
)
DECIDING = (
    *_page("/approvals", approvals.show),
    *_page(r"/approvals/{id:\d+}", approvals.show_one),
    *_question(r"/approvals/{id:\d+}/approve", decisions.ask_approve, decisions.approve, OPERATOR),
    *_question(r"/approvals/{id:\d+}/deny", decisions.ask_deny, decisions.deny, OPERATOR),
    *_page("/approvals/rules", standing_rules.show),
    Route("POST", "/approvals/rules", standing_rules.add, ADMIN),
    *_question(r"/approvals/rules/{id:\d+}/revoke", standing_rules.ask_revoke, standing_rules.revoke, ADMIN),
    *_page("/cooldowns", cooldowns.show),
    *_question("/cooldowns/clear", cooldowns.ask_clear, cooldowns.clear, OPERATOR),
)
KNOWING = (
    *_page("/memories", memories.show),
    Route("GET", "/memories.md", memories.show, VIEWER),
    Route("POST", "/memories", memories.add, OPERATOR),
    Route("GET", r"/memories/{id:\d+}", memories.edit, OPERATOR),
    Route("GET", r"/memories/{id:\d+}.json", memories.edit, VIEWER),
    Route("POST", r"/memories/{id:\d+}", memories.change, OPERATOR),
    *_question(r"/memories/{id:\d+}/delete", memories.ask_delete, memories.delete, OPERATOR),
    *_page("/mcp", mcp.show),
    *_page("/repositories", repositories.show),
)
STREAMS = frozenset({r"/sessions/{id:\d+}/stream", r"/chains/{id:\d+}/stream", "/live"})
