"""A page, JSON, or a page's content without its frame: every HTML page of the route table is asked for each."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser import every_page
from tests.integration.webui.site import CSRF, Site, open_site
from webui import routes
from webui.auth.rules import Access
from webui.routes import Route

# The text of a repository as it is, for the frame of the page that has a twin.
NO_TWIN = {"/panels/{repository}/{name}/raw"}
PARTIAL = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}
ID = re.compile(r'\sid="([^"]+)"')


@pytest.fixture
async def filled(tmp_path: Path) -> AsyncIterator[tuple[Site, dict[str, str]]]:
    """A dashboard with something on every page, and what stands for the parameters of each route."""
    async with open_site(tmp_path) as site:
        known = every_page.fill(site.worker).samples
        yield site, known | {"/panels/{repository}/{name}/raw": "/panels/shop/disk-usage.html/raw"}


async def walk(site: Site, known: dict[str, str]) -> list[tuple[Route, str]]:
    """Every route that answers HTML to whoever is signed in, with its address. Before a sign-in, all is forms."""
    found, browser = [], site.browser()
    for route in routes.TABLE:
        if route.method != "GET" or route.access is Access.PUBLIC or route.path in routes.STREAMS:
            continue
        path = known.get(route.path, route.path)
        if every_page.FOR_PROGRAMS.search(path):
            continue
        assert "{" not in path, f"{route.path}: give it a value in tests/browser/every_page.py"
        async with browser.get(path, allow_redirects=False) as response:
            assert response.status < 400, path
            if response.status == 200 and response.content_type == "text/html":
                found.append((route, path))
    assert len(found) >= 38
    return found


async def test_every_page_is_json_for_whoever_asks_and_for_the_same_roles(
    filled: tuple[Site, dict[str, str]],
) -> None:
    site, known = filled
    browsers = {role: site.browser(role) for role in ("viewer", "operator", "admin")}
    walked = await walk(site, known)
    assert {route.path for route, _ in walked} >= NO_TWIN
    for route, path in walked:
        async with browsers["admin"].get(path, headers=JSON, allow_redirects=False) as response:
            if route.path in NO_TWIN:
                assert response.content_type == "text/html", path
                continue
            assert (response.status, response.content_type) == (200, "application/json"), path
            assert isinstance(await response.json(), dict), path
            assert "Accept" in response.headers["Vary"], path
        for role, browser in browsers.items():
            async with browser.get(path) as page, browser.get(path, headers=JSON) as told:
                assert page.status == told.status, (path, role)


def test_a_page_and_its_json_address_are_for_the_same_roles() -> None:
    there = {route.path: route.access for route in routes.TABLE if route.method == "GET"}
    pairs = [(path, f"{path}.json") for path in there if f"{path}.json" in there]
    assert len(pairs) >= 20
    assert [pair for pair in pairs if there[pair[0]] is not there[pair[1]]] == []


async def test_every_page_comes_without_its_frame_for_htmx(filled: tuple[Site, dict[str, str]]) -> None:
    site, known = filled
    browser = site.browser()
    for route, path in await walk(site, known):
        async with browser.get(path, headers=PARTIAL) as response:
            bare = await response.text()
        async with browser.get(path) as response:
            whole = await response.text()
        if route.path in NO_TWIN:
            continue
        assert "HX-Request" in response.headers["Vary"], path
        assert not re.search(r"<html|<head>|<body|<main|class=\"topbar\"|<nav class=\"nav\"", bare), path
        # The page of services is a part already.
        content = whole.partition('<main id="main"')[2].partition("</main>")[0] or whole
        assert ID.findall(bare) == ID.findall(content), path
        assert len(bare.strip()) > 50, path


async def test_what_htmx_asks_for_when_its_history_lost_a_page_is_the_page(site: Site) -> None:
    restored = PARTIAL | {"HX-History-Restore-Request": "true"}
    for headers in (restored, {"HX-Request": "false"}, {}):
        async with site.browser().get("/events", headers=headers) as response:
            assert "<html" in await response.text(), headers
    async with site.browser().get("/events", headers=PARTIAL | JSON) as response:
        assert response.content_type == "application/json"


async def test_failures_and_doors_come_without_their_frame_too(site: Site) -> None:
    async with site.browser().get("/sessions/99", headers=PARTIAL) as response:
        text = await response.text()
    assert response.status == 404
    assert "There is no session 99." in text
    assert "<html" not in text
    async with site.browser(None).get("/sign-in", headers=PARTIAL) as response:
        text = await response.text()
    assert 'name="password"' in text
    assert "<html" not in text
    # The same for everybody, for it is kept by the service worker.
    async with site.browser(None).get("/offline", headers=PARTIAL) as response:
        assert "<html" in await response.text()


async def test_htmx_is_told_where_a_session_is_and_that_one_was_stopped(site: Site) -> None:
    browser = site.browser("operator", headers=PARTIAL)
    for path in ("/sessions/trigger", "/triggers"):
        async with browser.post(path, data={"csrf": CSRF, "prompt": "look"}, allow_redirects=False) as response:
            place = response.headers["HX-Redirect"]
            assert (response.status, await response.text()) == (204, ""), path
        async with site.browser().get(f"{place}.json") as response:
            assert (await response.json())["prompt_text"] == "look"
        async with browser.post(f"{place}/stop", data={"csrf": CSRF}, allow_redirects=False) as response:
            assert (response.status, await response.text()) == (204, "")
        async with site.browser().get(f"{place}.json") as response:
            assert (await response.json())["status"] == "stopped"


async def test_only_a_browser_is_led_back_to_a_session_that_it_stopped(site: Site) -> None:
    for accept, status in (("text/html,*/*;q=0.8", 303), ("*/*", 204), ("application/json", 200)):
        id_ = site.worker.session(log=b"")
        browser = site.browser(headers={"Accept": accept})
        async with browser.post(f"/sessions/{id_}/stop", data={"csrf": CSRF}, allow_redirects=False) as response:
            assert response.status == status, accept


async def test_that_htmx_asks_is_no_form_token(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    browser = site.browser(headers=PARTIAL | {"Origin": site.origin})
    for path in ("/sessions/trigger", f"/sessions/{id_}/stop", "/config/models/refresh", "/memories/1/update"):
        async with browser.post(path, data={"prompt": "look"}, allow_redirects=False) as response:
            assert response.status == 403, path
    assert [row["id"] for row in site.worker.database.rows("sessions.running")] == [id_]


async def test_a_question_as_json_says_what_to_send(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    program = site.browser("operator", headers={**JSON, "X-CSRF-Token": CSRF})
    async with program.get(f"/sessions/{id_}/stop") as response:
        asked = await response.json()
    assert asked["question"] == f"Stop session {id_}?"
    assert set(asked) == {"question", "consequences", "action", "verb", "back", "fields"}
    async with program.post(asked["action"], json=asked["fields"]) as response:
        assert (response.status, (await response.json())["status"]) == (200, "stopped")
