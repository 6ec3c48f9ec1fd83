"""The frame of every page: who is signed in, what the daemon is like, and the one function that renders templates.

Called by each page and by error pages.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import aiohttp_jinja2
from aiohttp import web

from schema import timestamps
from webui.auth.sign_ins import FORM_COOKIE, SIGNED_IN
from webui.pages import formats
from webui.parts import Parts, parts
from webui.worker import SILENT

THEMES = frozenset({"ops-light", "ops-dark"})


class NavItem(NamedTuple):
    """A place in the menu."""

    key: str
    href: str
    label: str
    icon: str


class Who(NamedTuple):
    """Who is signed in."""

    name: str
    role: str


class WorkerState(NamedTuple):
    """Whether the worker is heard, and what to say if not."""

    ok: bool
    text: str


class Shell(NamedTuple):
    """What base.html shows; documented there."""

    title: str
    active: str
    user: Who | None
    csrf: str
    demo: bool
    version: str
    theme: str
    worker: WorkerState
    status_word: str
    status_tone: str
    nav: tuple[NavItem, ...]
    asset: Callable[[str], str]


class StatusShell(NamedTuple):
    """The part of the shell that a live stream sends again."""

    worker: WorkerState
    status_word: str
    status_tone: str
    asset: Callable[[str], str]


NAV = (
    NavItem("overview", "/", "Overview", "layout-dashboard"),
    NavItem("sessions", "/sessions", "Sessions", "list"),
    NavItem("system", "/system", "System", "server"),
)


def worker_state(here: Parts) -> WorkerState:
    """Whether the worker answers."""
    if here.worker.ok:
        return WorkerState(True, "")
    seen = formats.clock(timestamps.at(here.worker.heard if here.worker.known else here.started))
    return WorkerState(False, SILENT.format(f"{seen} UTC"))


def status_shell(here: Parts) -> StatusShell:
    """The daemon in a word, for title, icon and banner."""
    worker = worker_state(here)
    facts = here.state.status()
    running = here.worker.beat.sessions_running if here.worker.beat else 0
    word, tone = "", ""
    if not worker.ok:
        word, tone = "worker down", "bad"
    elif facts.get("state") == "degraded" or (here.worker.beat and here.worker.beat.state == "degraded"):
        word, tone = "degraded", "warn"
    elif running:
        word, tone = f"{running} running", "info"
    return StatusShell(worker, word, tone, here.assets.address)


def build(request: web.Request, title: str, active: str = "") -> Shell:
    """The shell for a request."""
    here = parts(request)
    person = request.get(SIGNED_IN)
    status = status_shell(here) if person else StatusShell(WorkerState(True, ""), "", "", here.assets.address)
    theme = request.cookies.get("theme", "")
    return Shell(
        title=title,
        active=active,
        user=Who(person.name, person.role.value) if person else None,
        csrf=person.csrf if person else _form_token(request),
        demo=here.settings.demo,
        version=here.version,
        theme=theme if theme in THEMES else "",
        worker=status.worker,
        status_word=status.status_word,
        status_tone=status.status_tone,
        nav=NAV,
        asset=here.assets.address,
    )


FORM_TOKEN: web.RequestKey[str] = web.RequestKey("form_token", str)


def _form_token(request: web.Request) -> str:
    """The token of forms before a sign-in: the browser's cookie, or a new one."""
    if FORM_TOKEN not in request:
        known = request.cookies.get(FORM_COOKIE, "")
        request[FORM_TOKEN] = known if 20 <= len(known) <= 64 and known.isascii() else secrets.token_urlsafe(24)
    return request[FORM_TOKEN]


def page(request: web.Request, template: str, context: Any, *, status: int = 200) -> web.Response:
    """Renders a page from its typed context, a NamedTuple whose names are the template's."""
    response = aiohttp_jinja2.render_template(template, request, context._asdict(), status=status)
    response.headers["Vary"] = "Accept"
    if FORM_TOKEN in request:
        secure = parts(request).sign_ins.is_secure(request)
        response.set_cookie(FORM_COOKIE, request[FORM_TOKEN], httponly=True, samesite="Strict", secure=secure)
    return response


def today_start(moment: float | None = None) -> str:
    """Midnight UTC before a moment, as stored."""
    seconds = time.time() if moment is None else moment
    return timestamps.at(seconds - seconds % 86400)
