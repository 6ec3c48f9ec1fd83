"""Builds the application: its parts, templates, middlewares and routes. Called by `webui.server` and by tests."""

import time
from collections.abc import AsyncIterator

import aiohttp_jinja2
import jinja2
from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.access import AccessChanged
from ipc.messages.envelope import Event
from schema.networks import networks
from schema.settings import Settings
from schema.version import VERSION
from webui import headers, rendering, routes
from webui.api import metrics
from webui.api.chats import Chats
from webui.assets import Assets
from webui.auth.client import Proxies
from webui.auth.guard import guard
from webui.auth.keys import Keys
from webui.auth.passwords import Passwords
from webui.auth.sign_ins import SignIns
from webui.auth.tokens import Tokens
from webui.errors import errors
from webui.live.feed import Feed
from webui.live.streams import Streams
from webui.live.tails import Tails
from webui.pages import row_html, watched
from webui.pages.watched import Watched
from webui.parts import PARTS, Parts
from webui.public import PublicPages
from webui.state import State
from webui.worker import Worker

BODY_MAX = 1024 * 1024
STREAMS_GRACE = 1.0


def build(settings: Settings) -> web.Application:
    """The application. Wants a running loop. ConfigurationError for settings that only the web process judges."""
    app = web.Application(middlewares=[errors, guard], client_max_size=BODY_MAX)
    environment = aiohttp_jinja2.setup(app, autoescape=True, default_helpers=False, **rendering.options())
    here = _parts(settings, environment)
    app[PARTS] = here
    metrics.prepare(app)
    here.feed.bind(here)
    for route in routes.TABLE:
        handler = routes.handler_of(route)
        if route.method == "GET":
            # A stream has no length to tell in a HEAD.
            added = app.router.add_get(route.path, handler, allow_head=route.path not in routes.STREAMS)
        else:
            added = app.router.add_route(route.method, route.path, handler)
        assert added.resource is not None  # noqa: S101 - a route that was added has one
        here.access[(route.method, added.resource.canonical)] = route.access
        here.doors[(route.method, added.resource.canonical)] = route.door
        if route.grants:
            here.granting.add((route.method, added.resource.canonical))
    app.on_response_prepare.append(headers.add)
    app.cleanup_ctx.append(_live)
    return app


def _parts(settings: Settings, environment: jinja2.Environment) -> Parts:
    state = State(settings.state_dir, settings.runtime_dir)
    worker = Worker(settings.runtime_dir, VERSION)
    trusted = networks(settings.trusted_proxies)
    sign_ins = SignIns(state, worker, settings.sign_in_days, settings.public_url, trusted)
    tokens = Tokens(state, worker)

    async def read_watched(id_: int) -> Watched:
        found = await state.read(lambda database: watched.read(database, id_))
        if found is None:
            raise CallError(Code.NOT_FOUND, f"There is no session {id_}.")
        return found

    return Parts(
        began_with=settings,
        version=VERSION,
        started=time.time(),
        trusted=trusted,
        proxies=Proxies(trusted),
        access={},
        doors={},
        granting=set(),
        state=state,
        worker=worker,
        sign_ins=sign_ins,
        passwords=Passwords(),
        assets=Assets(),
        tokens=tokens,
        keys=Keys(worker, tokens, trusted),
        streams=Streams(settings.sse_clients_max, sign_ins, tokens),
        tails=Tails(read_watched, row_html.renderer(environment)),
        feed=Feed(environment),
        chats=Chats(worker),
        public=PublicPages(state, worker),
    )


async def _live(app: web.Application) -> AsyncIterator[None]:
    """Hears the worker while the application serves."""
    here = app[PARTS]

    def hear(event: Event | None) -> None:
        here.tails.hear(event)
        here.feed.hear(event)
        if event is None or isinstance(event, AccessChanged):
            here.sign_ins.forget()
            here.streams.beat_now()

    with here.worker.hearing(hear):
        here.streams.start()
        yield
    await here.streams.close(STREAMS_GRACE)
    await here.chats.close()
    await here.worker.close()
    await here.state.close()
