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
from schema.states import Role
from webui.auth.sign_ins import FORM_COOKIE, SIGNED_IN, SignedIn
from webui.needs import NEEDS, NOTHING, Needs
from webui.negotiation import PARTIAL, is_partial
from webui.pages import formats
from webui.parts import Parts, parts
from webui.worker import SILENT

VARY = f"Accept, {PARTIAL}"
THEMES = frozenset({"ops-light", "ops-dark"})


class NavItem(NamedTuple):
    """A place in the menu."""

    key: str
    href: str
    label: str
    icon: str


class NavSection(NamedTuple):
    """Places that belong together."""

    label: str
    places: tuple[NavItem, ...]


class Bell(NamedTuple):
    """The bell at the top: how many calls wait for a person, shown and said."""

    waiting: int
    text: str


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
    cli: str
    status_word: str
    status_tone: str
    bell: Bell
    nav: tuple[NavSection, ...]
    dock: tuple[NavItem, ...]
    more: tuple[NavItem, ...]
    asset: Callable[[str], str]
    bare: bool = False


class StatusShell(NamedTuple):
    """The part of the shell that a live stream sends again."""

    worker: WorkerState
    cli: str
    status_word: str
    status_tone: str
    bell: Bell
    asset: Callable[[str], str]


OVERVIEW = NavItem("overview", "/", "Overview", "layout-dashboard")
SESSIONS = NavItem("sessions", "/sessions", "Sessions", "list")
APPROVALS = NavItem("approvals", "/approvals", "Approvals", "hand")
INCIDENTS = NavItem("incidents", "/incidents", "Incidents", "siren")
NAV = (
    NavSection(
        "Watch",
        (
            OVERVIEW,
            NavItem("services", "/services", "Services", "heart-pulse"),
            INCIDENTS,
            NavItem("maintenance", "/maintenance", "Maintenance", "wrench"),
            NavItem("status-pages", "/status-pages", "Status pages", "globe"),
            NavItem("events", "/events", "Events", "inbox"),
            NavItem("notifications", "/notifications", "Notifications", "message-square-text"),
            NavItem("cooldowns", "/cooldowns", "Cooldowns", "timer"),
            NavItem("cost", "/cost", "Cost", "circle-dollar-sign"),
        ),
    ),
    NavSection(
        "Agents",
        (
            SESSIONS,
            APPROVALS,
            NavItem("triggers", "/triggers", "Queue", "list-ordered"),
            NavItem("memories", "/memories", "Memories", "notebook-text"),
            NavItem("mcp", "/mcp", "MCP servers", "plug"),
            NavItem("repositories", "/repositories", "Repositories", "folder-git-2"),
            NavItem("panels", "/panels", "Panels", "file-text"),
        ),
    ),
    NavSection(
        "System",
        (
            NavItem("audit", "/audit", "Audit log", "scroll-text"),
            NavItem("users", "/users", "Users", "circle-user-round"),
            NavItem("config", "/config", "Configuration", "settings"),
            NavItem("system", "/system", "System", "server"),
            NavItem("api", "/api/docs/", "API", "webhook"),
        ),
    ),
)
FOR_ADMINS = frozenset({"users"})  # keys of places that others are not shown
# On a phone: four places at the lower edge, the others behind "More".
DOCK = (OVERVIEW, INCIDENTS, APPROVALS, SESSIONS)
MORE = tuple(place for section in NAV for place in section.places if place not in DOCK)


def worker_state(here: Parts) -> WorkerState:
    """Whether the worker answers."""
    if here.worker.ok:
        return WorkerState(True, "")
    seen = formats.clock(timestamps.at(here.worker.heard if here.worker.known else here.started))
    return WorkerState(False, SILENT.format(f"{seen} UTC"))


def bell(count: int) -> Bell:
    """The bell in words."""
    if not count:
        return Bell(0, "Approvals: none waits")
    return Bell(count, f"Approvals: {count} wait{'s' if count == 1 else ''} for a person")


def status_shell(here: Parts, needs: Needs) -> StatusShell:
    """The daemon in a word, for title, icon and banner: what is broken before what waits, and that before what runs."""
    worker = worker_state(here)
    facts = here.state.status()
    running = here.worker.beat.sessions_running if here.worker.beat else 0
    word, tone = "", ""
    if not worker.ok:
        word, tone = "worker down", "bad"
    elif needs.words:
        word, tone = needs.words, "bad" if needs.down else "plan"
    elif facts.get("state") == "degraded" or (here.worker.beat and here.worker.beat.state == "degraded"):
        word, tone = "degraded", "warn"
    elif running:
        word, tone = f"{running} running", "info"
    cli = here.worker.beat.cli if here.worker.beat and worker.ok else ""
    return StatusShell(worker, cli, word, tone, bell(needs.approvals), here.assets.address)


def build(request: web.Request, title: str, active: str = "") -> Shell:
    """The shell for a request."""
    here = parts(request)
    person = request.get(SIGNED_IN)
    status = StatusShell(WorkerState(True, ""), "", "", "", bell(0), here.assets.address)
    if person:
        status = status_shell(here, request.get(NEEDS, NOTHING))
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
        cli=status.cli,
        status_word=status.status_word,
        status_tone=status.status_tone,
        bell=status.bell,
        nav=tuple(NavSection(section.label, _open_to(person, section.places)) for section in NAV),
        dock=DOCK,
        more=_open_to(person, MORE),
        asset=here.assets.address,
    )


def _open_to(person: SignedIn | None, places: tuple[NavItem, ...]) -> tuple[NavItem, ...]:
    admin = person is not None and person.role is Role.ADMIN
    return tuple(place for place in places if admin or place.key not in FOR_ADMINS)


FORM_TOKEN: web.RequestKey[str] = web.RequestKey("form_token", str)


def _form_token(request: web.Request) -> str:
    """The token of forms before a sign-in: the browser's cookie, or a new one."""
    if FORM_TOKEN not in request:
        known = request.cookies.get(FORM_COOKIE, "")
        request[FORM_TOKEN] = known if 20 <= len(known) <= 64 and known.isascii() else secrets.token_urlsafe(24)
    return request[FORM_TOKEN]


def page(request: web.Request, template: str, context: Any, *, status: int = 200) -> web.Response:
    """Renders a page, for htmx its content alone, from its typed context: a NamedTuple of the template's names."""
    values = context._asdict()
    if "shell" in values and is_partial(request):
        values["shell"] = values["shell"]._replace(bare=True)
    response = aiohttp_jinja2.render_template(template, request, values, status=status)
    response.headers["Vary"] = VARY
    if FORM_TOKEN in request:
        secure = parts(request).sign_ins.is_secure(request)
        response.set_cookie(FORM_COOKIE, request[FORM_TOKEN], httponly=True, samesite="Strict", secure=secure)
    return response


def today_start(moment: float | None = None) -> str:
    """Midnight UTC before a moment, as stored."""
    seconds = time.time() if moment is None else moment
    return timestamps.at(seconds - seconds % 86400)
