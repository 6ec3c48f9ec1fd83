"""Every page over 1,000,000 events, 1,000,000 health checks and 100,000 sessions: how long the server takes for each.

Walks the route table, so that a page that is new is measured too. Also what the overview weighs on the wire.
"""

import gzip
import http.client
import json
import re
import statistics
import tempfile
import time
from pathlib import Path

from schema.database import Database
from tests.acceptance.harness import Daemon, wait_for
from tests.fixtures import filling
from tests.fixtures.filling import BIG, Sizes
from webui import routes
from webui.auth.rules import Door

ROUNDS = 15
BAR_MS = 50.0
# Deep pages and filters without an index of their own, beside the plain address of each route.
MORE = (
    "/sessions?before=50000",
    "/sessions?q=nothing+like+it",
    "/sessions?tier=2&status=failed",
    "/events?level=critical",
    "/events?service=service-07",
    "/events?service=nothing",
    "/events?before=500000",
    "/audit?action=call.deny",
    "/services/service-07?range=90d",
    "/services/service-07?range=24h&at=2000-01-01T00:00:00.000Z",
    "/cost?days=7",
    "/cost?days=90",
    "/cost?days=366",
    "/memories?service=service-07",
    "/api/v1/events?limit=1000",
    "/api/v1/events?level=critical",
    "/api/v1/events?service=nothing",
    "/api/v1/events?service=service-07&level=warning",
    "/api/v1/events?service=nothing&level=critical",
    "/api/v1/events?before=500000&level=critical",
    "/api/v1/events?offset=20000",
    "/api/v1/events?offset=50000&limit=1000",
    "/api/v1/events?level=info&offset=50000",
    "/api/v1/events?offset=900000",
    "/api/v1/audit?action=none",
    "/api/v1/audit?action=call.deny&offset=50000",
    "/api/v1/audit?session=1&action=none",
    "/api/v1/audit?offset=900000",
    "/api/v1/sessions?status=failed",
    "/api/v1/sessions?offset=50000",
    "/api/v1/sessions?offset=900000",
    "/api/v1/approvals?status=waiting",
    "/api/v1/triggers?status=refused",
    "/api/v1/memories?service=nothing",
    "/sign-in",
)
# Not pages: streams have no end, a setup link and a question about one thing are made for one person or one click.
LEFT_OUT = routes.STREAMS | {"/setup/{token}", "/password/{token}", "/static/{name:.+}", "/favicon.ico", "/favicon.svg"}
# Questions about what is named in the address.
ABOUT = {"/cooldowns/clear": "?service=service-07", "/memories/delete": "?memory=1&memory=2"}
# What stands for parameters that are no ids, by where their path begins.
NAMES = {"/services/": "service-07", "/config/": "interval", "/panels/": "disks.html"}


def paths(state: Path) -> list[str]:
    """The address of every GET route, with ids of rows that are there."""
    database = Database(state / "claudeops.db", readonly=True)
    try:
        waiting = database.rows("pages.approvals_waiting", limit=1)[0]["id"]
        trigger = database.rows("pages.triggers_of_tier", tier=1, limit=1)[0]["id"]
        session = int(database.value("sessions.newest_id"))
        ids = {
            "/approvals/": waiting,
            "/approvals/rules/": 1,
            "/triggers/": trigger,
            "/sessions/": session,
            "/chains/": session // 4 * 4 - 1,
        }
    finally:
        database.close()
    found = []
    for route in routes.TABLE:
        # Behind a door of their own: chat clients', for whom nothing is looked up in the database.
        if route.method != "GET" or route.path in LEFT_OUT or route.door is not Door.NONE:
            continue
        prefix = route.path.partition("{")[0]
        path = re.sub(r"\{id:[^}]*\}", str(ids.get(prefix, 1)), route.path)
        path = path.replace("{repository}", REPOSITORY)
        path = re.sub(r"\{name[^}]*\}", NAMES.get(prefix, ""), path)
        path += ABOUT.get(path, "")
        found.append(path)
    return [*found, *MORE]


# What a filled database does not have: services that are probed have their own benchmark, `service_pages`.
PROBED = r"/(api/v1/)?(services|incidents|maintenance|status-pages)/\d+([/.].*)?|/status/.*"
NOT_THERE = re.compile(rf"/sessions/\d+/log|/users/.*|{PROBED}")
# The API passes no more rows over than it can within the bar, and says how to go further.
TOO_FAR = re.compile(r"/api/v1/\w+\?offset=900000")
LEADS_ON = {301, 302, 303, 307, 308}
REPOSITORY = "shop"


def measure(sizes: Sizes = BIG, rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds for each page, request to last byte, on one connection: the median without the first request."""
    with tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name:
        repos = Path(name) / "repos"
        daemon = Daemon(
            Path(name),
            CLAUDEOPS_BUDGET_DAY_USD="20",
            CLAUDEOPS_KEEP_SESSIONS_DAYS="0",
            CLAUDEOPS_REPOS_DIR=str(repos),
        )
        daemon.state.mkdir(parents=True)
        filling.fill(daemon.state / "claudeops.db", sizes)
        panels = repos / REPOSITORY / ".claude-ops" / "dashboard"
        panels.mkdir(parents=True)
        (panels / NAMES["/panels/"]).write_text("<p>71 % of 200 GB</p>")
        try:
            daemon.start().sign_in()
            wait_for(lambda: daemon.request("GET", "/readyz")[0] == 200, 30)
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
            figures = {}
            for path in paths(daemon.state):
                took = [_ask(connection, daemon, path) for _ in range(rounds + 1)]
                figures[f"{path} ms"] = round(statistics.median(took[1:]), 1)
            weight = _weight(connection, daemon)
            connection.close()
        finally:
            daemon.close()
    worst = max(figures, key=lambda path: figures[path])
    print(f"slowest: {worst} {figures[worst]}")
    return {**figures, "worst_ms": figures[worst], "overview_kb": weight}


def _ask(connection: http.client.HTTPConnection, daemon: Daemon, path: str) -> float:
    before = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": daemon.cookie, "Accept": "text/html"})
    response = connection.getresponse()
    body = response.read()
    took = (time.perf_counter() - before) * 1000
    there = {200, 404} if NOT_THERE.fullmatch(path) else {400} if TOO_FAR.fullmatch(path) else {200}
    if response.status not in there | LEADS_ON:
        raise AssertionError(f"{path}: {response.status} {body[:300]!r}")
    return took


def _weight(connection: http.client.HTTPConnection, daemon: Daemon) -> float:
    """kB that a first visit to the overview takes, but for the fonts, which every page shares for ever."""
    connection.request("GET", "/", headers={"Cookie": daemon.cookie})
    html = connection.getresponse().read()
    total = len(gzip.compress(html))
    for name in sorted(set(re.findall(rb'(?:src|href)="(/static/[^"]+\.(?:css|js|svg)[^"]*)"', html))):
        connection.request("GET", name.decode(), headers={"Accept-Encoding": "gzip"})
        total += len(connection.getresponse().read())
    return round(total / 1000, 1)


def pages_over(figures: dict[str, float]) -> list[str]:
    """Those that took longer than the bar."""
    return [path for path, value in figures.items() if path.endswith(" ms") and value > BAR_MS]


if __name__ == "__main__":
    found = measure()
    print(json.dumps(found, indent=2))
    print("over the bar:", pages_over(found))
