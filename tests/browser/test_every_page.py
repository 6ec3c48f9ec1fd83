"""Every page of the route table, and what pages are like in every other state: axe finds nothing in either theme, Tab
goes through them, they do without JavaScript.

One visit serves several questions, for it is loading that takes the time. As another role, on a daemon that is new, and
without its worker, those pages are visited that are made otherwise than the ones that were looked at.
"""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import axe, every_page, every_state
from tests.browser.axe import Finding
from tests.browser.every_page import Address, Filled
from tests.browser.every_state import OUT, QUESTIONS
from tests.browser.screens import Screen, address, screen, wait_live
from tests.browser.stand_in_site import StandInSite, stand_in_site
from tests.browser.test_keyboard import FOCUS
from tests.integration.webui.stand_in import StandIn
from webui import routes

PHONE = {"viewport": {"width": 360, "height": 800}, "color_scheme": "dark", "reduced_motion": "reduce"}
ASK_THE_WORKER = [
    "/",
    "/cooldowns",
    "/mcp",
    "/repositories",
    "/panels",
    "/notifications",
    "/config/interval",
    "/system",
]
STOPS_MAX = 90  # of Tab, on one page
# Controls that are shown and do nothing unless a script runs: no button of a form, no link, no summary, no field.
NEEDS_SCRIPT = """() => [...document.querySelectorAll("button, a, [role=button], input, select, textarea")]
.filter((e) => {
  if (!e.checkVisibility({visibilityProperty: true}) || e.closest("dialog:not([open])")) return false;
  if (e.matches("a")) return !e.hasAttribute("href");
  if (e.matches("button, input[type=submit]")) return !(e.form && e.type === "submit" && e.form.method !== "dialog");
  if (e.matches("[role=button]")) return true;
  return !(e.form && e.form.querySelector("button:not([type=button]), input[type=submit]"));
}).map((e) => e.outerHTML.slice(0, 120))"""
FORMS = """() => [...document.querySelectorAll("form")].filter((f) => !f.closest("dialog")).map((f) => ({
  method: f.method, action: f.getAttribute("action"), csrf: !!f.querySelector("input[name=csrf]")
}))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInSite]:
    with stand_in_site(tmp_path_factory.mktemp("site"), demo=True) as made:
        yield made


@pytest.fixture(scope="module")
def filled(site: StandInSite) -> Filled:
    return site.ask(every_page.fill)


@pytest.fixture(scope="module")
def pages(site: StandInSite, filled: Filled) -> list[Address]:
    return every_page.find(site, filled.samples)


def visit(made: Screen, path: str) -> Page:
    found = made.go(path)
    if found.locator("body[data-stream], #log[data-stream], #chain[data-stream]").count():
        wait_live(found)
    return found


def made_of(site: StandInSite, path: str) -> str:
    """The elements and classes of a page but for its frame, as the server makes it for who is signed in."""
    request = urllib.request.Request(address(site, path), headers={"Accept": "text/html", "Cookie": site.cookie})
    with urllib.request.urlopen(request, timeout=20) as answer:
        main = answer.read().decode().partition("<main")[2]
    return " ".join(f"{tag}.{named}" for tag, named in re.findall(r'<(\w+)(?: [^>]*?class="([^"]*)")?', main))


def test_the_list_has_every_page_of_the_table(pages: list[Address]) -> None:
    found = {page.route for page in pages}
    plain = {route.path for route in routes.TABLE if route.method == "GET"}
    # What has a twin for programs is a page for certain.
    assert {path for path in plain if "{" not in path and f"{path}.json" in plain} <= found
    assert {"/", "/sign-in", "/setup/{token}", "/offline"} <= found
    assert {r"/config/{name:\w+}", "/panels/{repository}/{name}"} <= found
    assert "/static/{name:.+}" not in found
    assert len(found) >= 35


def test_a_page_that_nobody_gave_an_address_is_told(site: StandInSite) -> None:
    with pytest.raises(AssertionError, match=r"/setup/\{token\}: give it a value"):
        every_page.find(site, {})


def test_every_page_of_the_demo_says_that_it_is_one(site: StandInSite, pages: list[Address]) -> None:
    missing = [Address("not found", "/nothing", True), Address("link is over", "/setup/used", False)]
    silent = []
    for one in [*pages, *missing]:
        headers = {"Accept": "text/html", **({"Cookie": site.cookie} if one.signed_in else {})}
        try:
            with urllib.request.urlopen(urllib.request.Request(address(site, one.path), headers=headers)) as answer:
                html = answer.read().decode()
        except urllib.error.HTTPError as error:
            html = error.read().decode()
        if html.count('<aside class="demo"') != 1 or "words are scripted" not in html:
            silent.append(one.path)
    assert silent == []


def test_every_form_is_tried_or_is_said_to_lead_elsewhere(filled: Filled) -> None:
    tried = {state.answers for state in every_state.states(filled)} - {""}
    assert tried | every_state.LEADS_ON == every_state.forms()
    assert not tried & every_state.LEADS_ON


def tab_through(page: Page, name: str, *, frame: bool = False) -> list[Finding]:
    """What is wrong at the stops of Tab: in what is the page's own, or with the frame before it."""
    wrong: list[Finding] = []
    if page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count():
        wrong.append((name, "an order of its own", []))
    page.evaluate("document.activeElement.blur()" if frame else "document.getElementById('main').focus()")
    stops = 0
    for _ in range(STOPS_MAX):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        if at is None or "<iframe" in at["html"]:
            break
        stops += 1
        if at["style"] == "none" or at["width"] < 2 or not at["seen"]:
            wrong.append((name, "the focus is not seen", [str(at)]))
    if frame and not stops:
        wrong.append((name, "nothing to tab to", []))
    return wrong


def one_of_each(site: StandInSite, pages: list[Address]) -> list[Address]:
    """The pages but for those that are made of the same as another: questions, and other names of a page."""
    kinds = {made_of(site, page.path) if page.signed_in else page.path: page for page in reversed(pages)}
    assert len(kinds) > len(pages) * 0.8, "pages are no longer told from each other"
    return list(kinds.values())


@pytest.mark.parametrize("half", [0, 1])
def test_on_every_page_axe_finds_nothing_and_tab_shows_where_it_is(
    site: StandInSite, pages: list[Address], browser: Browser, half: int
) -> None:
    found: list[Finding] = []
    with screen(browser, site, **PHONE) as inside, screen(browser, site, signed_in=False, **PHONE) as outside:
        for made in (inside, outside):
            axe.prepare(made)
        for one in one_of_each(site, pages)[half::2]:
            page = (inside if one.signed_in else outside).go(one.path)
            axe.dress(page, *axe.NARROW)
            axe.thin(page)
            # Where most is folded away; wide pages are gone through by the tests of what is done on them.
            found += tab_through(page, one.path)
            axe.unfold(page)
            page.set_viewport_size({"width": 320, "height": 800})
            if page.evaluate("document.scrollingElement.scrollWidth > innerWidth"):
                found.append((one.path, "scrolls sideways at 320", []))
            found += axe.look_twice(page, one.path)
    assert found == []


def test_axe_finds_nothing_in_the_frame_with_its_menus_dialogs_and_what_is_said_of_a_lost_connection(
    site: StandInSite, filled: Filled, browser: Browser
) -> None:
    found: list[Finding] = []
    with screen(browser, site, **PHONE) as made:
        page = visit(axe.prepare(made, live=True), "/approvals")
        found += tab_through(page, "the frame", frame=True)
        page.locator(".more summary").click()
        found += axe.look(page, "the menu", frame=True)
        page.locator(".menu-user summary").click()
        found += axe.look_twice(page, "the frame", frame=True)
        page.get_by_role("button", name="Keyboard shortcuts").click()
        found += axe.look(page, "the help", frame=True)
        page.keyboard.press("Escape")
        page.locator("[data-deny]").first.click()
        page.locator("#ask .confirm").wait_for()
        found += axe.look(page, "the question", frame=True)
        page.keyboard.press("Escape")
        made.context.set_offline(True)
        expect(page.locator("#connection")).to_contain_text("Live updates lost")
        # Wide: on a phone the banner lies over what can be scrolled up, which axe takes for too small a target.
        axe.dress(page, *axe.WIDE)
        found += axe.look(page, "the lost connection", frame=True)
        axe.dress(page, *axe.NARROW)
        found += axe.look(page, "the lost connection", frame=True, rules=axe.CONTRAST)
        made.context.set_offline(False)
    assert found == []


def look_in_turn(page: Page, name: str, number: int) -> list[Finding]:
    """Each look at every other page: what differs between them has been looked at on the pages themselves."""
    axe.thin(page)
    axe.unfold(page)
    looks = (axe.NARROW, axe.WIDE)[number % 2]
    axe.dress(page, *looks)
    return axe.look(page, f"{name}, {looks}")


def test_axe_finds_nothing_where_something_is_wrong_missing_or_just_done(
    site: StandInSite, filled: Filled, browser: Browser
) -> None:
    found: list[Finding] = []
    with screen(browser, site, **PHONE) as inside, screen(browser, site, signed_in=False, **PHONE) as outside:
        for made in (inside, outside):
            axe.prepare(made)
        for number, state in enumerate(every_state.states(filled)):
            page = every_state.reach(outside if state.role == OUT else inside, state)
            found += look_in_turn(page, state.name, number)
    assert found == []


def look_at_others(site: StandInSite, paths: list[str], browser: Browser, looked: set[str], name: str) -> list[Finding]:
    """What axe finds on those that are made otherwise than what was looked at; notes what they are made of."""
    found: list[Finding] = []
    with screen(browser, site, **PHONE) as made:
        axe.prepare(made)
        for path in paths:
            try:
                made_so = made_of(site, path)
            except urllib.error.HTTPError as refusal:
                made.refusals.add(refusal.code)
                made_so = f"refused with {refusal.code}"
            if made_so not in looked:
                looked.add(made_so)
                found += look_in_turn(made.go(path), f"{path}, {name}", len(looked))
    return found


def test_axe_finds_nothing_as_another_role(site: StandInSite, pages: list[Address], browser: Browser) -> None:
    paths = [page.path for page in pages if page.signed_in]
    looked = {made_of(site, path) for path in paths}
    before, found = len(looked), []
    try:
        for role in ("viewer", "operator"):
            site.sign_in(role)
            found += look_at_others(site, paths, browser, looked, role)
    finally:
        site.sign_in("admin")
    assert len(looked) >= before + 10, "a viewer's pages are no longer told from an admin's"
    assert found == []


def empty(worker: StandIn) -> None:
    worker.bare = True


def test_axe_finds_nothing_on_a_daemon_that_is_new(tmp_path: Path, pages: list[Address], browser: Browser) -> None:
    with stand_in_site(tmp_path) as site:
        site.ask(empty)
        paths = [page.route for page in pages if page.signed_in and "{" not in page.route]
        paths = [path for path in paths if path not in QUESTIONS]
        assert len(paths) >= 20
        found = look_at_others(site, paths, browser, set(), "new")
        # Before anybody has an account.
        site.ask(lambda worker: worker.database.script("DELETE FROM sign_ins; DELETE FROM users"))
        with screen(browser, site, signed_in=False, **PHONE) as made:
            page = axe.prepare(made).go("/sign-in")
            expect(page.get_by_role("alert")).to_contain_text("Nobody has an account yet")
            found += axe.look_twice(page, "/sign-in, new")
    assert found == []


def test_axe_finds_nothing_while_the_worker_is_away(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.worker.SILENT_SECONDS", 0.2)
    monkeypatch.setattr("webui.worker.SILENT_TIMEOUT", 0.3)
    with stand_in_site(tmp_path, start_worker=False) as site:
        site.ask(every_page.fill)
        found = look_at_others(site, ASK_THE_WORKER, browser, set(), "away")
        with screen(browser, site, **PHONE) as made:
            page = axe.prepare(made).go("/events")
            expect(page.get_by_text("Worker down.")).to_be_visible()
            found += axe.look_twice(page, "the banner", frame=True)
    assert found == []


def test_every_page_does_without_javascript(site: StandInSite, pages: list[Address], browser: Browser) -> None:
    wrong = []
    off = {"java_script_enabled": False}
    with screen(browser, site, **off) as inside, screen(browser, site, signed_in=False, **off) as outside:
        for one in pages:
            page = (inside if one.signed_in else outside).go(one.path)
            heading = page.locator("main h1, main h2").first
            if not heading.count() or len(page.locator("main").inner_text().strip()) < 20:
                wrong.append((one.path, "no content"))
            if page.locator(".needs-js:visible").count():
                wrong.append((one.path, "shows what needs a script"))
            wrong += [(one.path, html) for html in page.evaluate(NEEDS_SCRIPT)]
            for form in page.evaluate(FORMS):
                if not form["action"]:
                    wrong.append((one.path, f"a form that goes nowhere: {form}"))
                if form["method"] == "post" and not form["csrf"]:
                    wrong.append((one.path, f"a form without its token: {form}"))
    assert wrong == []
