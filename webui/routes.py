"""Every address of the dashboard, in one table: method, path, handler, who it answers.

`webui.app` adds them to the application, `webui.auth.guard` asks the last column, and a test walks all of them. A
handler is named as entry points are, `module:function` below `webui`, and its module is imported with its first
request: who waits for one page, after a restart above all, doesn't wait for the imports of all the others.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import NamedTuple

from aiohttp import web

from webui.api import call
from webui.api.operation import Operation
from webui.api.operations import OPERATIONS
from webui.auth.rules import Access, Door

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Route(NamedTuple):
    """One address. `access` is who may ask; everything but PUBLIC and SCRAPE needs a sign-in, or what `door` says.

    `grants`: it lets others in, or lets them do more, which a narrow token may not (`webui.auth.rules.may_grant`).
    Those of the API come with their operation, from `webui.api.operations`.
    """

    method: str
    path: str
    handler: str
    access: Access
    door: Door = Door.NONE
    operation: Operation | None = None
    grants: bool = False


PUBLIC, VIEWER, OPERATOR, ADMIN = Access.PUBLIC, Access.VIEWER, Access.OPERATOR, Access.ADMIN


def handler(name: str) -> Handler:
    """What answers for a name of the table. ImportError and AttributeError with the first request, for a wrong name."""
    module, _, function = name.partition(":")

    async def handle(request: web.Request) -> web.StreamResponse:
        found: Handler = getattr(import_module(f"webui.{module}"), function)
        return await found(request)

    return handle


def handler_of(route: Route) -> Handler:
    """What answers for a route."""
    return handler(route.handler) if route.operation is None else call.handler(route.operation)


def load() -> None:
    """Imports what every route needs, for a process that has the time."""
    for route in TABLE:
        import_module(f"webui.{route.handler.partition(':')[0]}")


def _page(path: str, handler: str) -> tuple[Route, Route]:
    """A page that everybody who is signed in may see, and the same as JSON."""
    return Route("GET", path, handler, VIEWER), Route("GET", f"{path}.json", handler, VIEWER)


def _question(path: str, ask: str, answer: str, access: Access) -> tuple[Route, Route]:
    """Something that is asked about before it is done, both at one address."""
    return Route("GET", path, ask, access), Route("POST", path, answer, access)


DOORS = (
    Route("GET", "/static/{name:.+}", "assets:handle", PUBLIC),
    Route("GET", "/favicon.svg", "assets:favicon", PUBLIC),
    Route("GET", "/favicon.ico", "assets:lead_to_favicon", PUBLIC),
    Route("GET", "/manifest.webmanifest", "installing:manifest", PUBLIC),
    Route("GET", "/sw.js", "installing:service_worker", PUBLIC),
    Route("GET", "/offline", "installing:offline", PUBLIC),
    Route("GET", "/sign-in", "pages.sign_in:show", PUBLIC),
    Route("POST", "/sign-in", "pages.sign_in:sign_in", PUBLIC),
    Route("POST", "/sign-out", "pages.sign_in:sign_out", VIEWER),
    Route("GET", "/setup/{token}", "pages.sign_in:show_setup", PUBLIC),
    Route("POST", "/setup", "pages.sign_in:set_up", PUBLIC),
    Route("GET", "/password/{token}", "pages.password:show", PUBLIC),
    Route("POST", "/password", "pages.password:set_password", PUBLIC),
    Route("GET", "/healthz", "api.health:alive", PUBLIC),
    Route("GET", "/readyz", "api.health:ready", PUBLIC),
    Route("GET", "/metrics", "api.metrics:show", Access.SCRAPE),
)
WATCHING = (
    Route("GET", "/", "pages.overview:show", VIEWER),
    Route("GET", "/dashboard", "pages.overview:show", VIEWER),
    Route("GET", "/overview.json", "pages.overview:show", VIEWER),
    Route("GET", "/partials/service-list", "pages.services:part", VIEWER),
    *_page("/services", "pages.services:show"),
    Route("GET", "/partials/services-table", "pages.services:table", VIEWER),
    Route("GET", "/partials/dashboard-stats", "pages.services:stats", VIEWER),
    # Names may end in anything, so the address for programs comes first.
    *_page("/services/wall", "pages.wall:show"),
    Route("GET", "/services/{name}.json", "pages.service:show", VIEWER),
    Route("GET", "/services/{name}", "pages.service:show", VIEWER),
    # Of a service that is called as one of the addresses above is.
    Route("GET", "/services/{name}/.json", "pages.service:show", VIEWER),
    Route("GET", "/services/{name}/", "pages.service:show", VIEWER),
    *_page("/cost", "pages.cost:show"),
    *_page("/system", "pages.system:show"),
    *_page("/events", "pages.events:show"),
    *_page("/audit", "pages.audit:show"),
    Route("GET", "/live", "live.pages:live", VIEWER),
)
# Services that are probed, and what jobs ask to tell of themselves.
PROBING = (
    Route("POST", "/services", "pages.service_actions:add", OPERATOR),
    Route("POST", "/services/bulk", "pages.service_changes:bulk", OPERATOR),
    *_question(r"/services/{id:\d+}/edit", "pages.service_actions:show_edit", "pages.service_actions:change", OPERATOR),
    *_question(r"/services/{id:\d+}/inline", "pages.inline_edit:show", "pages.inline_edit:change", OPERATOR),
    Route("POST", r"/services/{id:\d+}/test", "pages.service_actions:test", OPERATOR),
    Route("POST", r"/services/{id:\d+}/push", "pages.service_actions:renew_push", OPERATOR),
    Route("POST", r"/services/{id:\d+}/pause", "pages.service_changes:pause", OPERATOR),
    Route("POST", r"/services/{id:\d+}/resume", "pages.service_changes:resume", OPERATOR),
    *_question(
        r"/services/{id:\d+}/remove", "pages.service_changes:ask_remove", "pages.service_changes:remove", OPERATOR
    ),
    Route("DELETE", r"/services/{id:\d+}", "pages.service_changes:remove", OPERATOR),
    *_page("/incidents", "pages.incidents:show"),
    *_page(r"/incidents/{id:\d+}", "pages.incidents:show_one"),
    Route("POST", r"/incidents/{id:\d+}", "pages.incidents:note", OPERATOR),
    Route("POST", r"/services/{id:\d+}/maintain", "pages.maintenance:begin", OPERATOR),
    *_page("/maintenance", "pages.maintenance:show"),
    Route("POST", "/maintenance", "pages.maintenance:add", OPERATOR),
    *_question(r"/maintenance/{id:\d+}/remove", "pages.maintenance:ask_remove", "pages.maintenance:remove", OPERATOR),
    *(
        Route(method, f"/heartbeat/{{token}}{end}{slash}", f"api.heartbeat:{said}", PUBLIC, Door.ADDRESS)
        for end, said in (("", "succeeded"), ("/start", "begun"), ("/fail", "failed"), ("/{code}", "ended"))
        for slash in ("", "/")
        for method in ("GET", "POST")
    ),
    Route("*", "/heartbeat/{rest:.*}", "api.heartbeat:refused", PUBLIC, Door.ADDRESS),
)
# What people without a sign-in may see, and who says what that is.
STATUS_PAGES = (
    *_page("/status-pages", "pages.status_pages:show"),
    Route("POST", "/status-pages", "pages.status_pages:add", OPERATOR),
    *_question(r"/status-pages/{id:\d+}/edit", "pages.status_pages:show_edit", "pages.status_pages:change", OPERATOR),
    *_question(
        r"/status-pages/{id:\d+}/remove", "pages.status_pages:ask_remove", "pages.status_pages:remove", OPERATOR
    ),
    Route("GET", r"/status-pages/{id:\d+}/preview", "pages.public_status:preview", VIEWER),
    Route("GET", "/status/{slug}.json", "pages.public_status:show", PUBLIC),
    Route("GET", "/status/{slug}", "pages.public_status:show", PUBLIC),
    Route("GET", "/status/{slug}/", "pages.public_status:lead_on", PUBLIC),
    Route("GET", "/status/{slug}/feed.rss", "pages.public_status:feed", PUBLIC),
    Route("GET", "/status/{slug}/badge/{service}/{what}.svg", "pages.public_status:badge", PUBLIC),
)
SESSIONS = (
    *_page("/sessions", "pages.sessions:show"),
    *_page(r"/sessions/{id:\d+}", "pages.session:show"),
    Route("GET", r"/sessions/{id:\d+}/log", "pages.session_log:download", VIEWER),
    Route("GET", r"/sessions/{id:\d+}/stream", "live.transcript:stream", VIEWER),
    *_question(r"/sessions/{id:\d+}/stop", "pages.session:ask_stop", "pages.session:stop", OPERATOR),
    *_page(r"/chains/{id:\d+}", "pages.chain:show"),
    Route("GET", r"/chains/{id:\d+}/stream", "live.chain:stream", VIEWER),
    *_page("/triggers", "pages.triggers:show"),
    Route("POST", "/triggers", "pages.triggers:add", OPERATOR),
    Route("POST", "/sessions/trigger", "pages.triggers:start", OPERATOR),
    *_page(r"/triggers/{id:\d+}", "pages.triggers:open_one"),
    *_question(r"/triggers/{id:\d+}/cancel", "pages.triggers:ask_cancel", "pages.triggers:cancel", OPERATOR),
)
DECIDING = (
    *_page("/approvals", "pages.approvals:show"),
    *_page(r"/approvals/{id:\d+}", "pages.approvals:show_one"),
    *_question(r"/approvals/{id:\d+}/approve", "pages.decisions:ask_approve", "pages.decisions:approve", OPERATOR),
    *_question(r"/approvals/{id:\d+}/deny", "pages.decisions:ask_deny", "pages.decisions:deny", OPERATOR),
    *_page("/approvals/rules", "pages.standing_rules:show"),
    Route("POST", "/approvals/rules", "pages.standing_rules:add", ADMIN),
    *_question(
        r"/approvals/rules/{id:\d+}/revoke", "pages.standing_rules:ask_revoke", "pages.standing_rules:revoke", ADMIN
    ),
    *_page("/cooldowns", "pages.cooldowns:show"),
    *_question("/cooldowns/clear", "pages.cooldowns:ask_clear", "pages.cooldowns:clear", OPERATOR),
)
KNOWING = (
    *_page("/memories", "pages.memories:show"),
    Route("GET", "/memories.md", "pages.memories:show", VIEWER),
    Route("POST", "/memories", "pages.memories:add", OPERATOR),
    *_question("/memories/delete", "pages.memory_deletion:ask_chosen", "pages.memory_deletion:delete_chosen", OPERATOR),
    *_page(r"/memories/{id:\d+}", "pages.memories:show_one"),
    Route("POST", r"/memories/{id:\d+}", "pages.memories:change", OPERATOR),
    Route("POST", r"/memories/{id:\d+}/update", "pages.memories:update", OPERATOR),
    *_question(r"/memories/{id:\d+}/delete", "pages.memory_deletion:ask", "pages.memory_deletion:delete", OPERATOR),
    *_page("/mcp", "pages.mcp:show"),
    *_page("/repositories", "pages.repositories:show"),
)
TELLING = (
    *_page("/notifications", "pages.notifications:show"),
    Route("POST", "/notifications/test", "pages.notifications:test", OPERATOR),
    Route("POST", "/notifications/retry", "pages.notifications:retry", OPERATOR),
)
ACCESS = (
    Route("GET", "/users", "pages.users:show", ADMIN),
    Route("GET", "/users.json", "pages.users:show", ADMIN),
    Route("POST", "/users", "pages.user_actions:add", ADMIN, grants=True),
    Route("POST", r"/users/{id:\d+}/role", "pages.user_actions:change_role", ADMIN, grants=True),
    Route("POST", r"/users/{id:\d+}/enable", "pages.user_actions:enable", ADMIN, grants=True),
    *_question(r"/users/{id:\d+}/disable", "pages.user_actions:ask_disable", "pages.user_actions:disable", ADMIN),
    Route("POST", r"/users/{id:\d+}/password-link", "pages.user_actions:offer_password", ADMIN, grants=True),
    Route("POST", "/users/tokens", "pages.user_actions:create_token", ADMIN, grants=True),
    *_question(r"/users/tokens/{id:\d+}/revoke", "pages.user_actions:ask_revoke", "pages.user_actions:revoke", ADMIN),
)
API = (
    *(Route(one.method, one.path, one.handler, one.access, one.door, one, one.grants) for one in OPERATIONS),
    # What describes the API is the same for everybody, and says nothing of this daemon.
    Route("GET", "/api/v1/openapi.json", "api.docs:as_json", PUBLIC),
    Route("GET", "/api/openapi.yaml", "api.docs:as_yaml", PUBLIC),
    Route("GET", "/api/docs/", "api.docs:show", VIEWER),
    Route("GET", "/api/docs", "api.docs:lead_on", VIEWER),
)
CONFIGURING = (
    *_page("/config", "pages.settings:show"),
    Route("POST", "/config", "pages.settings:change_several", ADMIN),
    Route("POST", "/config/models/refresh", "pages.settings:refresh_models", OPERATOR),
    Route("GET", "/configuration", "pages.settings:moved", VIEWER),
    *_page(r"/config/{name:\w+}", "pages.settings:show_one"),
    Route("POST", r"/config/{name:\w+}", "pages.settings:change", ADMIN),
    Route("POST", r"/config/{name:\w+}/reset", "pages.settings:reset", ADMIN),
)
PANELS = (
    *_page("/panels", "pages.panels:show"),
    Route("GET", "/panels/{repository}/{name}.json", "pages.panels:show_one", VIEWER),
    Route("GET", "/panels/{repository}/{name}", "pages.panels:show_one", VIEWER),
    Route("GET", "/panels/{repository}/{name}/raw", "pages.panels:raw", VIEWER),
)
STREAMS = frozenset({r"/sessions/{id:\d+}/stream", r"/chains/{id:\d+}/stream", "/live"})
TABLE = (
    *DOORS,
    *WATCHING,
    *PROBING,
    *STATUS_PAGES,
    *SESSIONS,
    *DECIDING,
    *KNOWING,
    *TELLING,
    *ACCESS,
    *CONFIGURING,
    *PANELS,
    *API,
)
