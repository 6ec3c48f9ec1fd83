"""Every page of the route table: axe finds nothing in either theme, it does without JavaScript, Tab goes through it."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser import every_page
from tests.browser.every_page import Address
from tests.browser.screens import Screen, screen, wait_live
from tests.browser.stand_in_site import StandInSite, stand_in_site
from tests.browser.test_accessibility import RULES
from tests.browser.test_keyboard import FOCUS
from webui import routes

# The vendored viewer of the API: others' markup, with buttons within buttons that only a pointer shows.
NOT_OURS = {"exclude": [[".swagger-ui"]]}
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
def pages(site: StandInSite) -> list[Address]:
    return every_page.find(site, site.ask(every_page.fill))


def visit(made: Screen, page: Address) -> Page:
    found = made.go(page.path)
    if found.locator("body[data-stream], #log[data-stream], #chain[data-stream]").count():
        wait_live(found)
    return found


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


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1440, "light")])
def test_axe_finds_nothing_on_any_page_in_either_theme(
    site: StandInSite, pages: list[Address], browser: Browser, width: int, theme: str
) -> None:
    axe, found = Axe(), []
    looks = {"viewport": {"width": width, "height": 800}, "color_scheme": theme, "reduced_motion": "reduce"}
    with screen(browser, site, **looks) as inside, screen(browser, site, signed_in=False, **looks) as outside:
        for one in pages:
            page = visit(inside if one.signed_in else outside, one)
            page.evaluate("document.querySelectorAll('main details').forEach(fold => { fold.open = true; })")
            report = axe.run(page, NOT_OURS, options=RULES).response
            assert report["passes"], f"axe has not looked at {one.path}"
            found += [(one.path, rule["id"], [node["html"] for node in rule["nodes"]]) for rule in report["violations"]]
            if width == 360:
                page.set_viewport_size({"width": 320, "height": 800})
            if page.evaluate("document.scrollingElement.scrollWidth > innerWidth"):
                found.append((one.path, "scrolls sideways", []))
            page.set_viewport_size({"width": width, "height": 800})
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


def test_on_every_page_tab_goes_through_all_and_shows_where_it_is(
    site: StandInSite, pages: list[Address], browser: Browser
) -> None:
    wrong = []
    # Where most is folded away; wide pages are gone through by the tests of what is done on them.
    looks = {"viewport": {"width": 360, "height": 740}}
    with screen(browser, site, **looks) as inside, screen(browser, site, signed_in=False, **looks) as outside:
        for one in pages:
            page = visit(inside if one.signed_in else outside, one)
            if page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count():
                wrong.append((one.path, "an order of its own"))
            page.evaluate("document.activeElement.blur()")
            stops, ours = 0, not page.locator(".swagger-ui").count()
            for _ in range(STOPS_MAX):
                page.keyboard.press("Tab")
                at = page.evaluate(FOCUS)
                if at is None or "<iframe" in at["html"]:
                    break
                stops += 1
                bad = at["style"] == "none" or at["width"] < 2 or not at["seen"]
                if bad and (ours or not page.evaluate("document.activeElement.closest('.swagger-ui')")):
                    wrong.append((one.path, str(at)))
            if not stops:
                wrong.append((one.path, "nothing to tab to"))
    assert wrong == []
