"""Panels of repositories in Chromium: a hostile one runs nothing, reads nothing, sends nothing and leads nowhere."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.browser.screens import Screen
from tests.browser.stand_in_site import StandInSite, stand_in_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInSite]:
    with stand_in_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def made(browser: Browser, site: StandInSite) -> Iterator[Screen]:
    found = Screen(browser, site)
    yield found
    found.close()


def framed(page: Page) -> FrameLocator:
    return page.frame_locator("iframe.contributed")


def test_a_panel_is_found_and_read(made: Screen) -> None:
    page = made.go("/repositories")
    page.get_by_role("link", name="disk-usage.html").click()
    expect(page.get_by_role("heading", name="disk usage")).to_be_visible()
    expect(page.get_by_text("from the repository shop", exact=True)).to_be_visible()
    expect(framed(page).get_by_text("91 %")).to_be_visible()
    assert framed(page).locator("h1").evaluate("e => getComputedStyle(e.ownerDocument.body).fontFamily") == "sans-serif"
    assert made.said() == []


def test_a_hostile_panel_runs_loads_sends_and_leads_nowhere(made: Screen) -> None:
    page = made.go("/panels/shop/hostile.html")
    inside = framed(page)
    expect(inside.locator("#said")).to_have_text("static")
    assert any("Blocked script execution" in line for line in made.complaints)
    assert any("violates the following Content Security Policy" in line for line in made.complaints)
    inside.get_by_role("button", name="Go").click()
    inside.get_by_role("link", name="sessions").click()
    page.wait_for_timeout(500)
    assert page.url.endswith("/panels/shop/hostile.html")
    made.go("/sessions")
    expect(page.get_by_role("heading", name="Sign in")).to_have_count(0)


def test_with_scripts_allowed_it_runs_and_still_reaches_nothing(made: Screen) -> None:
    page = made.go("/panels/shop/scripted.html")
    expect(framed(page).locator("#said")).to_have_text("static ran, no cookie, no parent, no fetch")


def test_opened_by_itself_it_leads_to_its_frame(made: Screen) -> None:
    page = made.go("/panels/shop/disk-usage.html/raw")
    assert page.url.endswith("/panels/shop/disk-usage.html")
