"""What a page looks like when something is wrong, missing or just done: errors in forms, secrets, filters that match
nothing, a daemon that is new, a worker that is away. For axe and for pictures, beside `every_page`.

Every form of the route table is in STATES or in LEADS_ON; a test says which is missing.
"""

from typing import NamedTuple

from playwright.sync_api import Page, Response

from tests.browser.every_page import LINK, Filled
from tests.browser.screens import Screen
from webui import routes
from webui.auth.rules import Door

ADMIN, OUT = "admin", ""
QUESTIONS = ("/cooldowns/clear", "/memories/delete")  # of what there must be some
# Forms that lead on to a page that is looked at anyway, or else show the page of an error, which is one for all.
LEADS_ON = {
    "/sign-out",
    r"/sessions/{id:\d+}/stop",
    "/sessions/trigger",
    r"/triggers/{id:\d+}/cancel",
    r"/approvals/{id:\d+}/deny",
    r"/approvals/rules/{id:\d+}/revoke",
    "/cooldowns/clear",
    "/memories/delete",
    r"/memories/{id:\d+}/delete",
    r"/memories/{id:\d+}/update",
    r"/services/{id:\d+}/pause",
    r"/services/{id:\d+}/resume",
    r"/services/{id:\d+}/remove",
    r"/services/{id:\d+}/push",  # shows a secret, as those of users do
    r"/incidents/{id:\d+}",
    r"/services/{id:\d+}/maintain",
    r"/maintenance/{id:\d+}/remove",
    r"/status-pages/{id:\d+}/remove",
    "/notifications/retry",
    r"/users/{id:\d+}/role",
    r"/users/{id:\d+}/enable",
    r"/users/{id:\d+}/disable",
    r"/users/tokens/{id:\d+}/revoke",
    r"/config/{name:\w+}/reset",
    "/config/models/refresh",
}
SUBMIT = """([path, fields]) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: path });
  for (const [name, value] of Object.entries({ csrf: document.querySelector("input[name=csrf]").value, ...fields })) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  form.submit();
}"""


class State(NamedTuple):
    """A page with something to say. `form` is what is sent to `path`; None where that is a page to be opened."""

    name: str
    path: str
    status: int = 200
    form: dict[str, str] | None = None
    role: str = ADMIN
    route: str = ""  # of the form, where its path has parameters

    @property
    def answers(self) -> str:
        """The route of the form that it answers."""
        return "" if self.form is None else self.route or self.path


def states(filled: Filled) -> list[State]:
    """All of them, over what `every_page.fill` has written."""
    known, night = filled.samples, filled.night
    approve, memory = r"/approvals/{id:\d+}/approve", r"/memories/{id:\d+}"
    edit, test = r"/services/{id:\d+}/edit", r"/services/{id:\d+}/test"
    inline, page = r"/services/{id:\d+}/inline", r"/status-pages/{id:\d+}/edit"
    half = {"name": "half a na", "url": "ftp://x", "interval": "0s"}
    link, again = r"/users/{id:\d+}/password-link", {"password": "correct horse", "password_again": "battery staple"}
    return [
        State("missing", "/sessions/4711", 404),
        State("wrong-filter", "/events?level=loud", 422),
        State("without-token", "/memories", 403, {"csrf": ""}),
        State("sessions-none", "/sessions?q=nothing+like+it"),
        State("events-none", "/events?service=nowhere"),
        State("memories-none", "/memories?service=nowhere"),
        State("services-none", "/services?q=nothing+like+it"),
        State("services-changed", "/services?did=paused&done=2"),
        State("services-none-picked", "/services/bulk", 422, {"action": "pause"}),
        State("services-removal-asked", "/services/bulk", 200, {"action": "remove", "which": "all"}),
        State("service-refused", "/services", 422, half),
        State("service-tried", known[test], 200, {}, route=test),
        State("service-edit-refused", known[edit], 422, {**half, "version": "1"}, route=edit),
        State("service-inline-refused", known[inline], 422, half, route=inline),
        State("services-no-tag", "/services/bulk", 422, {"action": "tag", "which": "all"}),
        State("incidents-none", "/incidents?state=closed&tag=nothing"),
        State("maintenance-begun", "/maintenance?said=begun"),
        State("maintenance-refused", "/maintenance", 422, {"when": "weekly", "minutes": "x", "zone": "Mars"}),
        State("maintenance-once-refused", "/maintenance", 422, {"when": "once", "services": "nobody", "title": "x"}),
        State("status-pages-added", "/status-pages?said=added"),
        State("status-page-refused", "/status-pages", 422, {"slug": "Not So", "title": "", "services": "nobody"}),
        State("status-page-edit-refused", known[page], 422, {"slug": "-", "published": "yes"}, route=page),
        State("status-page-none", "/status/nowhere", 404, role=OUT),
        State("audit-none", "/audit?action=call.ask"),
        State("config-none", "/config?q=nothing+like+it"),
        State("session-handed-over", f"/sessions/{night.first}"),
        State("approval-decided", f"/approvals/{night.decided}"),
        State("approval-too-late", f"/approvals/{night.decided}/approve", 409, {}, route=approve),
        State("trigger-added", "/triggers?added=1"),
        State("trigger-refused", "/triggers", 422, {"prompt": " "}),
        State("rule-refused", "/approvals/rules", 422, {"pattern": "", "decision": "allow", "tool": "Bash"}),
        State("memories-deleted", "/memories?deleted=2&missing=1"),
        State("memories-refused", "/memories", 422, {"observation": "", "category": "timing"}),
        State("memory-refused", known[memory], 422, {"observation": "x", "category": "", "active": "1"}, route=memory),
        State("notified", "/notifications?told=test"),
        State("notification-refused", "/notifications/test", 422, {"channel": "teams-0000"}),
        State("user-refused", "/users", 422, {"name": " ", "role": "viewer"}),
        State("user-secret", "/users", 201, {"name": "grace", "role": "viewer", "key": "g" * 16}),
        State("password-refused", "/password", 422, {"token": LINK, **again}, OUT),
        State("link-secret", "/users/1/password-link", 201, {"key": "l" * 16}, route=link),
        State("token-refused", "/users/tokens", 422, {"name": "x", "role": "viewer", "expires": "soon"}),
        State("token-secret", "/users/tokens", 201, {"name": "backups", "role": "viewer", "key": "t" * 16}),
        State("config-saved", "/config?saved=interval"),
        State("config-refused", "/config", 422, {"interval": "-1", "seen_interval": "1800"}),
        State("setting-refused", "/config/interval", 422, {"value": "0"}, route=r"/config/{name:\w+}"),
        State("setting-overridden", "/config/tier3_model"),
        State("setting-secret", "/config/chat_api_key"),
        State("sign-in-refused", "/sign-in", 401, {"name": "ada", "password": "not this one"}, OUT),
        State("sign-in-slowed", "/sign-in", 429, {"name": "bob", "password": "not this one"}, OUT),
        State("setup-refused", "/setup", 422, {"token": LINK, "name": "ada", **again}, OUT),
        State("setup-over", "/setup/used", 403, role=OUT),
    ]


def forms() -> set[str]:
    """Every form of the dashboard; the API's and those for programs answer no browser."""
    pages = set(routes.TABLE) - set(routes.API)
    return {route.path for route in pages if route.method == "POST" and route.door is not Door.ADDRESS}


def send(made: Screen, state: State) -> Response:
    """Sends a state's form from a page that has the token; what is answered."""
    if state.role == OUT or not made.page.locator("input[name=csrf]").count():
        made.go("/" if state.role else "/sign-in")
    with made.page.expect_navigation() as waiting:
        made.page.evaluate(SUBMIT, [state.path, state.form])
    return waiting.value


def reach(made: Screen, state: State) -> Page:
    """The page of a state. AssertionError if it is another one."""
    made.refusals |= {state.status, 401}
    if state.form is None:
        answer = made.page.goto(made.root + state.path)
    else:
        answer = send(made, state)
        # The first wrong passwords are free.
        while state.status == 429 and answer.status == 401:
            answer = send(made, state)
    assert answer is not None
    assert answer.status == state.status, f"{state.name}: {answer.status}"
    return made.page
