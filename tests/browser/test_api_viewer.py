"""The API's description in a browser: the vendored viewer under the strict policy, and the plain list without it."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.axe import RULES, prepare, unfold
from tests.browser.axe import look as axe_look
from tests.browser.screens import screen
from tests.browser.stand_in_site import StandInSite, stand_in_site
from webui.pages import memory_rows


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInSite]:
    """A dashboard."""
    with stand_in_site(tmp_path_factory.mktemp("viewer")) as made:
        yield made


def test_an_operation_is_read_and_tried_under_the_strict_policy(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site) as made:
        page = made.go("/api/docs/")
        add = page.locator("#operations-knowledge-post_memories")
        add.locator("button.opblock-summary-control").press("Enter")
        expect(add).to_contain_text("Needs the role operator")
        add.get_by_role("button", name="Try it out").click()
        add.locator("textarea").fill('{"category": "timing", "observation": "tried in the viewer"}')
        add.get_by_role("button", name="Execute").click()
        expect(add.locator(".live-responses-table tbody .response-col_status")).to_have_text("201")
        found = site.ask(lambda worker: memory_rows.find(worker.database, memory_rows.Filters()).memories)
        assert [memory.observation for memory in found] == ["tried in the viewer"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_fits_and_follows_the_theme(site: StandInSite, browser: Browser, width: int, scheme: str) -> None:
    look = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    with screen(browser, site, **look) as made:
        page = made.go("/api/docs/")
        expect(page.locator("#operations-status-get_stats")).to_be_visible()
        assert page.evaluate("document.scrollingElement.scrollWidth") == width
        dark = "document.documentElement.classList.contains('dark-mode')"
        assert page.evaluate(dark) is (scheme == "dark")
        page.locator("[data-theme-toggle]").first.click()
        page.wait_for_function(f"{dark} === {str(scheme != 'dark').lower()}")


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_axe_finds_nothing_in_an_operation_that_was_tried_and_nobody_sees_the_form_token(
    site: StandInSite, browser: Browser, width: int, scheme: str
) -> None:
    look = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "reduced_motion": "reduce"}
    with screen(browser, site, **look) as made:
        page = prepare(made).go("/api/docs/")
        for name in ("knowledge-post_memories", "knowledge-get_events"):
            one = page.locator(f"#operations-{name}")
            one.locator("button.opblock-summary-control").press("Enter")
            one.get_by_role("button", name="Try it out").click()
        one.get_by_role("button", name="Execute").click()
        expect(one.locator(".live-responses-table tbody .response-col_status")).to_have_text("200")
        expect(one.locator(".curl")).to_contain_text("/api/v1/events")
        assert "X-CSRF-Token" not in one.inner_text()
        unfold(page)
        assert axe_look(page, "an operation") == []


def test_without_the_viewer_the_list_is_there_and_axe_finds_nothing(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site, viewport={"width": 360, "height": 800}) as made:
        made.context.route("**/swagger-ui.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
        made.context.route("**/api.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
        page = made.go("/api/docs/")
        expect(page.locator("#api-viewer")).to_contain_text("POST /api/v1/sessions/trigger")
        report = Axe().run(page, options=RULES).response
        assert report["passes"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in report["violations"]] == []
        assert page.evaluate("document.scrollingElement.scrollWidth") == 360
