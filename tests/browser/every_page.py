"""Every page that the route table has, at an address that shows something: for pictures, axe, JavaScript off.

The list is derived from `webui.routes`: a page that is added is looked at, or the tests say that its address is missing
here. What is no page of ours is found out by asking for it, and named in `NO_PAGES` where asking can't tell.
"""

import json
import re
import time
import urllib.error
import urllib.request
from typing import NamedTuple
from urllib.parse import quote

from ipc.errors import CallError, Code
from ipc.messages.notifications import TestNotification
from schema import timestamps
from schema.access import digest
from tests.browser import night
from tests.browser.night import Night
from tests.browser.screens import Dashboard, address
from tests.integration.webui import rows
from tests.integration.webui.stand_in import StandIn
from webui import routes

NO_PAGES = {
    *routes.STREAMS,
    "/static/{name:.+}",
    # A part of the overview, for the existing program's users.
    "/partials/service-list",
    # Parts of the page of services.
    "/partials/services-table",
    "/partials/dashboard-stats",
    # What other pages show, and readers of feeds read.
    "/status/{slug}/",
    "/status/{slug}/feed.rss",
    "/status/{slug}/badge/{service}/{what}.svg",
    # What jobs ask.
    *(f"/heartbeat/{{token}}{end}{slash}" for end in ("", "/start", "/fail", "/{code}") for slash in ("", "/")),
    # The text of a repository, for the frame of the page above it.
    "/panels/{repository}/{name}/raw",
}
# What is the same for programs: `/config.json` beside `/config`; and the programs' own addresses.
FOR_PROGRAMS = re.compile(r"\.json$|^/(?:api/v\d|v\d)/")
# Who is signed in is sent on from these.
OUTSIDE = {"/sign-in", "/setup/{token}", "/password/{token}", "/offline", "/status/{slug}"}


class Address(NamedTuple):
    """A page: the route's path as the table has it, its address, and whether one is signed in there."""

    route: str
    path: str
    signed_in: bool

    @property
    def name(self) -> str:
        """For a picture's file."""
        return re.sub(r"\W+", "-", re.sub(r"\{(\w+)[^}]*\}", r"\1", self.route)).strip("-") or "overview"


LINK = "t" * 43
REFUSED = "http://127.0.0.1:9/health"  # nobody listens there
AT = "2026-01-31T08:00:00.000Z"
CERTIFICATE = json.dumps(
    {
        "subject": "CN=payments.example.org",
        "issuer": "CN=Ours",
        "expires_at": "2030-01-31T08:00:00.000Z",
        "names": ["a"],
    }
)


class Filled(NamedTuple):
    """What there is: the night, a user's id, and what stands in the place of a route's parameters, by its path."""

    night: Night
    person: int
    samples: dict[str, str]


def fill(worker: StandIn) -> Filled:
    """Writes a night and what else pages want to show."""
    found = night.fill(worker)
    later = timestamps.at(time.time() + 40 * 86400)
    database = worker.database
    worker.setup_link(LINK)
    person = worker.user("a-name-that-is-rather-long-for-a-phone@example.org", "operator")
    with database.transaction():
        database.change(
            "users.offer_password", token_hash=digest(LINK), user_id=person, created_at=AT, expires_at=later
        )
        rows.insert(
            database, "api_tokens", name="grafana", token_hash="0" * 64, role="viewer", scopes="read",
            created_at=AT, created_by="ada", expires_at=later,
        )  # fmt: skip
        database.change("settings.set", key="tier3_model", value="claude-opus-4-1-20250805", updated_at=AT)
        service = rows.probed(
            database,
            "payments",
            "down",
            detail="[STATUS] (503) == 200",
            beats="u" + "h" * 70 + "ghtdpmbhhhddd",
            tags=("prod",),
            needs=(),
            url="https://ada@payments.example.org/health?a-path-that-is-rather-long=for-a-phone",
            certificate=CERTIFICATE,
        )
        incident = rows.probed_incident(database, service, session_id=found.second)
        rows.probed(database, "catalog", beats="h" * 100, tags=("prod", "eu"), group="shop", url=REFUSED)
        rows.probed(database, "slow", "timeout", beats="htt", detail="no answer within the timeout")
        rows.probed(database, "waits", "blocked", beats="hbb", needs=("payments",))
        rows.probed(database, "wall", beats="h")
        window = rows.windows(database)
        page = rows.status_page(database, tags=("prod",), services=("slow",))
    worker.refuse[TestNotification] = CallError(Code.INVALID, "There is no channel teams-0000; /notifications has all.")
    return Filled(found, person, samples(found, person, service, incident, window, page))


def samples(night: Night, person: int, service: int, incident: int, window: int, page: int) -> dict[str, str]:
    """What stands in the place of a route's parameters, by the route's path."""
    return {
        r"/sessions/{id:\d+}": f"/sessions/{night.second}",
        r"/sessions/{id:\d+}/log": f"/sessions/{night.second}/log",
        r"/sessions/{id:\d+}/stop": f"/sessions/{night.second}/stop",
        r"/chains/{id:\d+}": f"/chains/{night.first}",
        r"/triggers/{id:\d+}": "/triggers/1",
        r"/triggers/{id:\d+}/cancel": "/triggers/1/cancel",
        r"/approvals/{id:\d+}": f"/approvals/{night.remote}",
        r"/approvals/{id:\d+}/approve": f"/approvals/{night.remote}/approve",
        r"/approvals/{id:\d+}/deny": f"/approvals/{night.waiting}/deny",
        r"/approvals/rules/{id:\d+}/revoke": "/approvals/rules/1/revoke",
        "/cooldowns/clear": "/cooldowns/clear?service=web",
        "/memories": "/memories?shown=all",
        "/memories/delete": f"/memories/delete?memory={night.memory}&memory={night.memory + 1}",
        r"/memories/{id:\d+}": f"/memories/{night.memory}",
        r"/memories/{id:\d+}/delete": f"/memories/{night.memory}/delete",
        r"/users/{id:\d+}/disable": f"/users/{person}/disable",
        r"/users/tokens/{id:\d+}/revoke": "/users/tokens/1/revoke",
        r"/config/{name:\w+}": "/config/interval",
        "/services/{name}": "/services/payments",
        r"/services/{id:\d+}/edit": f"/services/{service}/edit",
        r"/services/{id:\d+}/inline": f"/services/{service}/inline",
        "/services/{name}/": "/services/wall/",
        r"/incidents/{id:\d+}": f"/incidents/{incident}",
        r"/maintenance/{id:\d+}/remove": f"/maintenance/{window}/remove",
        r"/status-pages/{id:\d+}/edit": f"/status-pages/{page}/edit",
        r"/status-pages/{id:\d+}/remove": f"/status-pages/{page}/remove",
        r"/status-pages/{id:\d+}/preview": f"/status-pages/{page}/preview",
        "/status/{slug}": "/status/shop",
        r"/services/{id:\d+}/remove": f"/services/{service}/remove",
        r"/services/{id:\d+}/test": f"/services/{service + 1}/test",
        "/panels/{repository}/{name}": f"/panels/shop/{quote('disk-usage.html')}",
        "/setup/{token}": f"/setup/{LINK}",
        "/password/{token}": f"/password/{LINK}",
    }


def find(daemon: Dashboard, known: dict[str, str]) -> list[Address]:
    """All pages. AssertionError for a route whose parameters nobody has given a value."""
    found = []
    for route in routes.TABLE:
        if route.method != "GET" or route.path in NO_PAGES or FOR_PROGRAMS.search(route.path):
            continue
        path = known.get(route.path, route.path)
        assert "{" not in path, f"{route.path}: give it a value in tests/browser/every_page.py, or a reason in NO_PAGES"
        signed_in = route.path not in OUTSIDE
        kind, reached = _kind(daemon, path, signed_in=signed_in)
        # Else a redirection, or something for programs: what it says itself is what it is.
        if kind == "text/html" and reached.partition("?")[0] == path.partition("?")[0]:
            found.append(Address(route.path, path, signed_in))
    return found


def _kind(daemon: Dashboard, path: str, *, signed_in: bool) -> tuple[str, str]:
    """The type of what is there, and where one is then. AssertionError for an error: its page is not the one meant."""
    headers = {"Accept": "text/html", **({"Cookie": daemon.cookie} if signed_in else {})}
    request = urllib.request.Request(address(daemon, path), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            answer.read()
            return answer.headers.get_content_type(), answer.url.removeprefix(address(daemon, ""))
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{path}: {error.code} {error.read()[:200]!r}") from error
