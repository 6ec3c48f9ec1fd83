"""The bar of a service's last findings: each is said where it is pointed at, by pointer, finger or arrow keys."""

import calendar
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import look as axe_look
from tests.browser.axe import prepare
from tests.browser.screens import screen
from tests.browser.stand_in_site import StandInSite, stand_in_site
from tests.integration.webui import rows
from tests.integration.webui.stand_in import StandIn

TIP, SLIDER = "#beats-own .beat-tip", "#beats-own [role=slider]"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInSite]:
    """A dashboard with a service that was found 50 times, and was down the last time but one."""
    with stand_in_site(tmp_path_factory.mktemp("site")) as made:
        made.ask(lambda worker: rows.probed(worker.database, "shop", beats="h" * 48 + "dh"))
        yield made


def point(page: Page, place: float) -> None:
    """Moves the pointer to the place of a finding, counted from the right."""
    box = page.locator(SLIDER).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * (100 - place + 0.5) / 100, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_pointing_says_when_what_how_fast_and_why_and_fits_the_screen(
    site: StandInSite, browser: Browser, width: int, scheme: str
) -> None:
    with screen(browser, site, viewport={"width": width, "height": 900}, color_scheme=scheme) as made:
        page = made.go("/services/shop")
        tip = page.locator(TIP)
        expect(tip).to_be_hidden()
        point(page, 2)
        expect(tip).to_contain_text("UTC, down, 30 ms: [STATUS] (503) == 200")
        for place in (1, 50, 90):
            point(page, place)
            expect(tip).to_contain_text("UTC, healthy, 3")
            box = tip.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            assert page.evaluate("document.scrollingElement.scrollWidth") == width
        # Where nothing was found yet, the oldest is the nearest.
        said = calendar.timegm(time.strptime(tip.inner_text()[:19], "%Y-%m-%d %H:%M:%S"))
        assert 49 * 600 <= time.time() - said <= 49 * 600 + 120
        page.mouse.move(0, 0)
        expect(tip).to_be_hidden()


def test_arrow_keys_go_from_one_to_the_next_and_readers_hear_each(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site) as made:
        page = prepare(made).go("/services/shop")
        slider, tip = page.get_by_role("slider", name="Findings, one by one"), page.locator(TIP)
        slider.focus()
        expect(tip).to_contain_text("healthy")
        page.keyboard.press("ArrowLeft")
        expect(tip).to_contain_text("down")
        assert slider.get_attribute("aria-valuetext") == tip.inner_text()
        assert slider.get_attribute("aria-valuenow") == "49"
        page.keyboard.press("Home")
        assert slider.get_attribute("aria-valuenow") == "1"
        page.keyboard.press("ArrowLeft")
        assert slider.get_attribute("aria-valuenow") == "1"
        page.keyboard.press("End")
        assert slider.get_attribute("aria-valuenow") == "50"
        assert axe_look(page, "a finding that is pointed at") == []
        page.keyboard.press("Escape")
        expect(tip).to_be_hidden()


def test_what_is_pointed_at_is_followed_when_the_page_renews_itself(site: StandInSite, browser: Browser) -> None:
    def find(worker: StandIn) -> None:
        now = int(time.time() * 1000)
        id_ = worker.database.rows("definitions.by_name", name="shop")[0]["id"]
        worker.database.change(
            "results.add", service_id=id_, at=now, beat="g", latency_us=7_000, phases=None, detail="slow"
        )
        worker.database.script(f"UPDATE service_states SET checked_at = {now}, beats = beats || 'g'")

    with screen(browser, site) as made:
        page = made.go("/services/shop")
        page.locator(SLIDER).focus()
        site.ask(find)
        expect(page.locator(SLIDER)).to_have_attribute("aria-valuemax", "51", timeout=25_000)
        expect(page.locator(SLIDER)).to_be_focused()
        page.keyboard.press("End")
        expect(page.locator(TIP)).to_contain_text("UTC, degraded, 7.0 ms: slow")


def test_without_javascript_the_ends_are_named_and_the_findings_are_a_step_away(
    site: StandInSite, browser: Browser
) -> None:
    with screen(browser, site, java_script_enabled=False) as made:
        page = made.go("/services/shop")
        head = page.locator("#probed-head")
        # It is paused, so its bar does not end now.
        expect(head.locator(".beatbar + .ends > span")).to_have_text(
            [re.compile("^the first 8 h ago$"), re.compile(" ago$")]
        )
        head.get_by_role("link", name="Each in words").click()
        assert page.url.endswith("#findings")
        page = made.go("/services")
        assert page.locator(".hbl").first.get_attribute("href") == "/services/shop#findings"
