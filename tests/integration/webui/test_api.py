"""The API's edges in the web process: pages as JSON, failures, browsers, a worker that is away, the viewer."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from schema.states import Role
from tests.integration.webui import rows
from tests.integration.webui.site import CSRF, Site, open_site
from tests.integration.webui.test_tokens import program, token
from webui import routes
from webui.api.operations import OPERATIONS

# Both forms of a page: at its address by Accept, and at its address with the suffix.
SAME = {"/": "/overview.json"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
SUFFIXED = {route.path for route in routes.TABLE if route.method == "GET" and route.path.endswith(".json")}
PAIRS = sorted(
    (route.path, SAME.get(route.path, f"{route.path}.json"))
    for route in routes.TABLE
    if route.method == "GET" and SAME.get(route.path, f"{route.path}.json") in SUFFIXED
)


def at(path: str) -> str:
    """An address that is there."""
    path = path.replace(r"{id:\d+}", "1").replace(r"{name:\w+}", "interval").replace("{slug}", "shop")
    return path.replace("{repository}", "shop").replace("{name}", "disk-usage.html" if "/panels" in path else "web")


def test_every_page_with_a_suffix_has_its_pair() -> None:
    assert len(PAIRS) >= 15
    assert {pair[1] for pair in PAIRS} == SUFFIXED - {"/api/v1/openapi.json"}


@pytest.mark.parametrize(("page", "suffixed"), PAIRS, ids=[pair[0] for pair in PAIRS])
async def test_a_page_that_is_asked_for_as_json_gives_what_its_json_address_gives(
    site: Site, page: str, suffixed: str
) -> None:
    id_ = site.worker.session(log=b"x\n", status="completed")
    rows.approval(site.worker.database, id_)
    rows.trigger(site.worker.database)
    rows.memory(site.worker.database, "slow")
    rows.health(site.worker.database, "web", "healthy")
    rows.probed_incident(site.worker.database, rows.probed(site.worker.database, "shop"))
    rows.status_page(site.worker.database, services=("shop",))
    browser = site.browser("admin")
    async with browser.get(at(page), headers={"Accept": "application/json"}) as response:
        negotiated = TIME.sub("then", await response.text())
        assert (response.status, response.headers["Vary"]) == (200, "Accept")
    async with browser.get(at(suffixed), headers={"Accept": "*/*"}) as response:
        assert response.content_type == "application/json"
        plain = TIME.sub("then", await response.text())
    assert json.loads(negotiated) == json.loads(plain)
    async with browser.get(at(page), allow_redirects=False) as response:
        if response.status == 200:
            assert response.content_type == "text/html"
            assert response.headers["Vary"] == "Accept, HX-Request"


async def test_failures_have_the_shape_of_their_address(site: Site) -> None:
    caller = program(site, token(site))
    async with caller.get("/api/v1/sessions/99") as response:
        assert (response.status, await response.json()) == (404, {"error": "There is no session 99."})
    async with caller.get("/sessions/99.json") as response:
        assert (await response.json())["error"]["code"] == "not_found"
    async with site.browser(None).get("/api/v1/sessions", allow_redirects=False) as response:
        assert (response.status, await response.json()) == (401, {"error": "Sign in first."})
    async with site.browser(None).get("/api/docs/", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/sign-in?next=/api/docs/")


async def test_a_browser_that_is_signed_in_may_use_the_api_with_its_form_token(site: Site) -> None:
    browser = site.browser("operator", headers={"Origin": site.origin})
    body = {"category": "timing", "observation": "slow"}
    async with browser.post("/api/v1/memories", json=body) as response:
        assert (response.status, set(await response.json())) == (403, {"error"})
    async with browser.post("/api/v1/memories", json=body, headers={"X-CSRF-Token": CSRF}) as response:
        assert response.status == 201
    evil = {"X-CSRF-Token": CSRF, "Origin": "https://evil.example"}
    async with browser.put("/api/v1/memories/1", json={}, headers=evil) as response:
        assert response.status == 403
    async with browser.delete("/api/v1/memories/1", headers=evil) as response:
        assert response.status == 403


async def test_who_asks_stands_in_what_is_changed(site: Site) -> None:
    id_ = site.worker.session(log=b"x\n")
    approval = rows.approval(site.worker.database, id_)
    caller = program(site, token(site, Role.OPERATOR, name="deploys"))
    async with caller.post(f"/api/v1/approvals/{approval}/deny", json={"reason": "not now"}) as response:
        told = await response.json()
    assert (told["status"], told["decided_by"], told["answer"]) == ("denied", "token:deploys", "not now")
    async with caller.post(f"/api/v1/approvals/{approval}/approve") as response:
        assert (response.status, set(await response.json())) == (409, {"error"})
    async with caller.get("/api/v1/approvals?status=denied") as response:
        assert [one["id"] for one in (await response.json())["approvals"]] == [approval]
    async with caller.post(f"/api/v1/sessions/{id_}/stop") as response:
        assert (await response.json())["reason"] == "stopped by token:deploys"


@pytest.mark.usefixtures("impatient")
async def test_while_the_worker_is_away_lists_go_on_and_changes_say_so(tmp_path: Path) -> None:
    async with open_site(tmp_path, start_worker=False) as site:
        site.worker.session(log=b"x\n", status="completed")
        caller = program(site, token(site, Role.OPERATOR))
        for noun in ("sessions", "events", "memories", "triggers", "approvals", "audit", "stats", "health"):
            async with caller.get(f"/api/v1/{noun}") as response:
                assert response.status == 200, noun
        for noun in ("cooldowns", "config"):
            async with caller.get(f"/api/v1/{noun}") as response:
                assert (response.status, set(await response.json())) == (503, {"error"}), noun
        async with caller.post("/api/v1/triggers", json={"prompt": "look"}) as response:
            assert (response.status, set(await response.json())) == (503, {"error"})


async def test_the_page_that_describes_the_api_works_without_scripts_and_keeps_the_strict_policy(site: Site) -> None:
    async with site.browser("viewer").get("/api/docs/") as response:
        text = await response.text()
        assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.status == 200
    for one in OPERATIONS:
        assert f"{one.method} {one.address}" in text
    assert "https://" not in text.replace("https://www.w3.org", "")
    async with site.browser("viewer").get("/api/docs", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (308, "/api/docs/")
    async with site.browser("viewer").get("/") as response:
        assert "swagger" not in await response.text()


async def test_the_description_is_sent_small(site: Site) -> None:
    async with site.browser(None, headers={"Accept-Encoding": "gzip"}).get("/api/v1/openapi.json") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert json.loads(await response.read())["openapi"] == "3.1.0"


async def test_page_and_api_count_cooldowns_alike(site: Site) -> None:
    caller = program(site, token(site))
    async with caller.get("/cooldowns.json") as response:
        page = (await response.json())["cooldowns"]
    async with caller.get("/api/v1/cooldowns") as response:
        api = (await response.json())["cooldowns"]
    assert [(one["service"], one["action_type"], one["count"], one["limit"], one["blocked"]) for one in api] == [
        (one["service"], one["action"], one["used"], one["limit"], one["blocked"]) for one in page
    ]
    assert [one["service"] for one in api if one["blocked"] and one["resets_at"]] == ["search"]
    assert set(api[0]) >= {"service", "action_type", "count", "last_action"}


async def test_a_chain_counts_by_how_it_ended(site: Site) -> None:
    worker, database = site.worker, site.worker.database

    def hand_over(tier: int, **columns: Any) -> int:
        return worker.session(tier=tier, status="escalated", **columns)

    first = hand_over(1)
    second = hand_over(2, parent_session_id=first, chain_id=first)
    worker.session(tier=3, status="completed", parent_session_id=second, chain_id=first, cost_usd=0.5)
    worker.session(status="completed", cost_usd=0.25)
    worker.session(status="failed")
    waiting = hand_over(1)
    waits = rows.trigger(database, kind="escalation", tier=2, parent_session_id=waiting)
    rows.event(database, "disk full", level="critical")
    rows.event(database, "long ago", level="critical", created_at="2020-01-01T00:00:00.000Z")
    rows.memory(database, "told")
    rows.memory(database, "not told", active=0)
    caller = program(site, token(site))
    async with caller.get("/api/v1/stats") as response:
        found = (await response.json())["stats"]
    assert found == {
        "total_runs": 4,
        "escalations": 2,
        "remediations": 1,
        "success_rate": round(2 / 3, 4),
        "total_cost_usd": 0.75,
        "active_memories": 1,
        "critical_events": 1,
        "avg_duration_ms": 1000,
    }
    rows.set_values(database, "triggers", waits, status="cancelled")
    async with caller.get("/api/v1/stats") as response:
        assert (await response.json())["stats"]["success_rate"] == 0.5, "it was to go on and never will"
