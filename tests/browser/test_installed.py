"""The installed dashboard: what is kept, what is shown while nothing answers, and that signing out ends it."""

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.acceptance.harness import Daemon
from tests.browser.front import front
from tests.browser.screens import Screen, address, wait_ended, wait_live, wait_until

CONTROLLED = "navigator.serviceWorker.controller !== null"
# Every entry of every cache, with what is in it.
CACHED = """async () => {
  const found = {};
  for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys())
    found[`${name} ${new URL(request.url).pathname}`] = await (await caches.match(request, {cacheName: name})).text();
  return found;
}"""


@pytest.fixture
def made(browser: Browser, daemon: Daemon) -> Iterator[Screen]:
    found = Screen(browser, daemon)
    yield found
    found.close()


def installed(made: Screen, path: str = "/") -> Page:
    """A page that the service worker watches over."""
    page = made.go(path)
    wait_until(page, CONTROLLED)
    return page


def cached(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate(CACHED)
    return found


def paths(page: Page) -> set[str]:
    return {name.partition(" ")[2] for name in cached(page)}


KEPT = {"/offline", "/static/app.css", "/static/live.js", "/static/favicon.svg", "/static/inter-5.3.0.woff2"}


def test_a_browser_can_install_it(made: Screen, daemon: Daemon) -> None:
    page = installed(made)
    link = page.locator("link[rel=manifest]").get_attribute("href")
    manifest: dict[str, Any] = page.evaluate("async (href) => (await fetch(href)).json()", link)
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/", "/", "standalone")
    purposes = {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]}
    assert purposes == {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}
    for icon in manifest["icons"]:
        size = page.evaluate(
            "async (src) => { const i = new Image(); i.src = src; await i.decode(); return `${i.width}x${i.height}` }",
            icon["src"],
        )
        assert size == icon["sizes"]
    for shortcut in manifest["shortcuts"]:
        assert page.evaluate("async (url) => (await fetch(url)).status", shortcut["url"]) == 200
    session = made.context.new_cdp_session(page)
    assert session.send("Page.getAppManifest")["errors"] == []
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorId": "in-incognito", "errorArguments": []}],
    )
    assert made.said() == []


def test_nothing_that_belongs_to_somebody_is_in_a_cache(made: Screen, daemon: Daemon) -> None:
    id_ = daemon.trigger(lines=3, say="a very private line {n}")["id"]
    daemon.wait_ended(id_)
    page = installed(made)
    for path in ("/sessions", f"/sessions/{id_}", "/config", "/users", "/sessions?q=private", "/nowhere"):
        made.refusals.add(404)
        page.goto(made.root + path)
    page.goto(made.root + "/configuration")  # leads on, also past the service worker
    assert page.url == f"{made.root}/config"
    page.evaluate("fetch('/sessions.json').then((answer) => answer.text())")
    page.evaluate("fetch('/overview.json', {headers: {Accept: 'application/json'}}).then((answer) => answer.text())")
    found = cached(page)
    assert {name.partition(" ")[2] for name in found} == KEPT
    text = " ".join(found.values())
    for private in ("very private", "ada", 'name="csrf"', daemon.cookie.partition("=")[2]):
        assert private not in text
    assert len({name.partition(" ")[0] for name in found}) == 1


def test_while_nothing_answers_a_plain_page_says_so_and_gives_way_to_a_fresh_one(made: Screen, daemon: Daemon) -> None:
    page = installed(made, "/sessions")
    port = daemon.port
    daemon.stop()
    page.goto(made.root + "/sessions?tier=2")
    expect(page.get_by_role("heading", name="The daemon can’t be reached")).to_be_visible()
    assert page.locator(".topbar").count() == 0
    assert page.evaluate("getComputedStyle(document.querySelector('.panel')).borderRadius") == "6px"  # with its styles
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", name="The daemon can’t be reached")).to_be_visible()
    daemon.environment["CLAUDEOPS_DASHBOARD_PORT"] = str(port)
    daemon.start()
    # By itself, and at the address that was asked for.
    expect(page.locator("#session-list, .empty").first).to_be_visible(timeout=30_000)
    assert page.url == f"{made.root}/sessions?tier=2"
    id_ = daemon.trigger(tier=2, lines=1)["id"]
    page.goto(made.root + "/sessions?tier=2")
    expect(page.locator(f"#session-{id_}")).to_be_visible()


def test_a_proxy_that_gets_no_answer_counts_as_none_and_our_own_failures_are_shown(
    browser: Browser, daemon: Daemon
) -> None:
    with front(daemon) as proxy:
        made = Screen(browser, proxy)
        page = installed(made, "/system")
        page.goto(made.root + "/sessions/4711")
        expect(page.get_by_role("heading", name="Not found")).to_be_visible()
        proxy.mode = "bad"
        page.goto(made.root + "/sessions")
        expect(page.get_by_role("heading", name="The daemon can’t be reached")).to_be_visible()
        proxy.mode = "hang"
        started = time.monotonic()
        page.goto(made.root + "/sessions", timeout=40_000)
        expect(page.get_by_role("heading", name="The daemon can’t be reached")).to_be_visible()
        assert 15 < time.monotonic() - started < 35
        proxy.mode = "pass"
        expect(page.get_by_role("heading", name="Sessions")).to_be_visible(timeout=30_000)
        made.close()


def test_live_streams_and_forms_do_not_come_past_it(made: Screen, daemon: Daemon, tmp_path: Path) -> None:
    page = installed(made)
    wait_live(page)
    passed: list[tuple[str, bool]] = []
    made.context.on("response", lambda answer: passed.append((answer.url, answer.from_service_worker)))
    page.reload()
    wait_live(page)
    page.get_by_label("Prompt").fill(json.dumps({"until": str(tmp_path / "enough"), "interval": 0.1}))
    page.get_by_role("button", name="Start session").click()
    page.wait_for_url("**/sessions/*")
    wait_live(page)  # what is over already has no stream
    (tmp_path / "enough").touch()
    wait_ended(page)
    by_path = {url.removeprefix(made.root).partition("?")[0]: worker for url, worker in passed}
    assert by_path["/static/app.css"] is True
    assert by_path["/live"] is False
    assert by_path["/triggers"] is False
    assert not any(worker for path, worker in by_path.items() if path.endswith(("/stream", ".json")))


def test_signing_out_takes_it_away(made: Screen, daemon: Daemon) -> None:
    page = installed(made)
    assert paths(page) == KEPT
    page.locator(".menu-user > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    wait_until(page, "!navigator.serviceWorker.controller")
    assert page.evaluate("caches.keys()") == []
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    page.goto(made.root + "/sign-in")
    page.wait_for_timeout(300)
    assert page.evaluate("caches.keys()") == []


def test_another_build_replaces_what_is_kept(browser: Browser, daemon: Daemon) -> None:
    made = Screen(browser, daemon)
    page = installed(made)
    old = page.evaluate("caches.keys()")
    text = fetch(daemon, "/sw.js")[1]
    build = text.partition('"claudeops-" + "')[2].partition('"')[0]
    assert old == [f"claudeops-{build}"]
    context: BrowserContext = made.context
    # As an upgrade would have it: other bytes at the same address.
    context.route("**/sw.js", lambda route: route.fulfill(
        body=text.replace(build, "next"), headers={"Content-Type": "text/javascript", "Cache-Control": "no-cache"}
    ))  # fmt: skip
    page.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update())")
    wait_until(page, "caches.keys().then((names) => names.join() === 'claudeops-next')")
    assert paths(page) == KEPT
    made.close()


def fetch(daemon: Daemon, path: str) -> tuple[dict[str, str], str]:
    """An answer's headers and text, to somebody who is not signed in."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return dict(answer.getheaders()), answer.read().decode()


def test_the_script_is_asked_for_anew_each_time_and_the_page_is_the_same_for_everybody(daemon: Daemon) -> None:
    headers, text = fetch(daemon, "/sw.js")
    assert (headers["Cache-Control"], headers["Service-Worker-Allowed"]) == ("no-cache", "/")
    assert headers["Content-Type"].startswith("text/javascript")
    assert fetch(daemon, "/sw.js")[1] == text
    assert ".put(" not in text
    headers, first = fetch(daemon, "/offline")
    assert fetch(daemon, "/offline")[1] == first
    assert "Set-Cookie" not in headers
    assert address(daemon) not in first
