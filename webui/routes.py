"""Every address of the dashboard, in one table: method, path, handler, who it answers.

`webui.app` adds them to the application, `webui.auth.guard` asks the last column, and a test walks all of them.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from webui.api import health, metrics
from webui.assets import Assets
from webui.auth.rules import Access
from webui.live import pages as live_pages
from webui.live import transcript
from webui.pages import overview, session, session_log, sessions, sign_in, system

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Route(NamedTuple):
    """One address. `access` is who may ask; everything but PUBLIC and SCRAPE needs a sign-in."""

    method: str
    path: str
    handler: Handler
    access: Access


def table(assets: Assets) -> tuple[Route, ...]:
    """The routes."""
    public, viewer, operator = Access.PUBLIC, Access.VIEWER, Access.OPERATOR
    return (
        Route("GET", "/sign-in", sign_in.show, public),
        Route("POST", "/sign-in", sign_in.sign_in, public),
        Route("POST", "/sign-out", sign_in.sign_out, viewer),
        Route("GET", "/setup/{token}", sign_in.show_setup, public),
        Route("POST", "/setup", sign_in.set_up, public),
        Route("GET", "/static/{name:.+}", assets.handle, public),
        Route("GET", "/favicon.ico", assets.favicon, public),
        Route("GET", "/healthz", health.alive, public),
        Route("GET", "/readyz", health.ready, public),
        Route("GET", "/metrics", metrics.show, Access.SCRAPE),
        Route("GET", "/", overview.show, viewer),
        Route("GET", "/overview.json", overview.show, viewer),
        Route("GET", "/sessions", sessions.show, viewer),
        Route("GET", "/sessions.json", sessions.show, viewer),
        Route("POST", "/sessions/trigger", overview.trigger, operator),
        Route("GET", r"/sessions/{id:\d+}", session.show, viewer),
        Route("GET", r"/sessions/{id:\d+}.json", session.show, viewer),
        Route("GET", r"/sessions/{id:\d+}/log", session_log.download, viewer),
        Route("GET", r"/sessions/{id:\d+}/stream", transcript.stream, viewer),
        Route("GET", r"/sessions/{id:\d+}/stop", session.ask_stop, operator),
        Route("POST", r"/sessions/{id:\d+}/stop", session.stop, operator),
        Route("GET", "/system", system.show, viewer),
        Route("GET", "/system.json", system.show, viewer),
        Route("GET", "/events", live_pages.events, viewer),
    )


STREAMS = frozenset({r"/sessions/{id:\d+}/stream", "/events"})
