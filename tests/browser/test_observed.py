"""Services and cost as people look at them: parts that renew themselves, the keyboard alone, without JavaScript."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ipc.messages.knowledge import KnowledgeChanged
from schema import timestamps
from tests.browser import night
from tests.browser.screens import screen, wait_live
from tests.browser.stand_in_site import StandInSite, stand_in_site
from tests.browser.test_keyboard import tab_to
from tests.integration.webui import rows
from tests.integration.webui.stand_in import StandIn


@pytest.fixture
def site(tmp_path: Path) -> Iterator[StandInSite]:
    """A dashboard over a stand-in worker."""
    with stand_in_site(tmp_path, budget_day_usd=2.0) as made:
        yield made


def look_at(site: StandInSite, name: str, status: str) -> None:
    """A session finds a service so."""

    def write(worker: StandIn) -> None:
        database = worker.database
        rows.check(database, name, status, error_detail="HTTP 503")
        database.change(
            "health.streak", service=name, healthy=int(status == "healthy"), counts=1, checked_at=timestamps.now(),
            status=status,
        )  # fmt: skip

    site.ask(write)


def tell(site: StandInSite) -> None:
    """What the worker publishes then."""
    site.ask(lambda worker: worker.publish(KnowledgeChanged(what="health")))


def half_a_minute(page: Page) -> None:
    """Later, by the page's clock."""
    page.clock.run_for(31_000)


def test_the_list_of_services_is_renewed_each_30_seconds_even_where_the_stream_is_lost(
    site: StandInSite, browser: Browser
) -> None:
    look_at(site, "web", "healthy")
    with screen(browser, site) as made:
        made.page.clock.install()
        made.context.route("**/live?**", lambda route: route.abort())
        page = made.go("/")
        expect(page.locator("#service-list")).to_contain_text("1 of 1 healthy")
        look_at(site, "web", "down")
        with page.expect_response("**/partials/service-list"):
            half_a_minute(page)
        expect(page.locator("#service-list")).to_contain_text("0 of 1 healthy")
        expect(page.locator("#service-list b")).to_have_text("down")
        # Only its part is asked for: what the stream would have sent is as it was.
        expect(page.locator("#attention")).to_contain_text("Nothing needs you.")


def test_the_overview_learns_of_a_service_by_its_stream(site: StandInSite, browser: Browser) -> None:
    look_at(site, "web", "healthy")
    with screen(browser, site) as made:
        page = made.go("/")
        wait_live(page)
        look_at(site, "web", "down")
        tell(site)
        expect(page.locator("#service-list b")).to_have_text("down")
        expect(page.locator("#attention")).to_contain_text("web down: HTTP 503")
        expect(page).to_have_title("(1 down) Overview · Claude Ops")


def test_a_service_and_the_list_renew_themselves_and_keep_what_is_open(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site) as made:
        made.page.clock.install()
        page = made.go("/services")
        expect(page.get_by_role("heading", name="No service yet")).to_be_visible()
        for status in ("healthy", "healthy"):
            look_at(site, "web", status)
        half_a_minute(page)
        page.locator("#healthy").get_by_role("link", name="web").click()
        page.wait_for_url("**/services/web")
        expect(page.locator("#service-head")).to_contain_text("healthy")
        page.locator("#trend summary").click()
        look_at(site, "web", "down")
        half_a_minute(page)
        expect(page.locator("#service-head .state.big")).to_have_text("down")
        expect(page.locator("#checks li")).to_have_count(3)
        assert page.locator("#trend details").get_attribute("open") is not None
        page = made.go("/services")
        expect(page.locator("#in-trouble li")).to_have_count(1)
        look_at(site, "db", "degraded")
        half_a_minute(page)
        expect(page.locator("#in-trouble li")).to_have_count(2)


def test_a_reader_who_was_signed_out_is_not_shown_the_sign_in_page_in_a_part(
    site: StandInSite, browser: Browser
) -> None:
    look_at(site, "web", "healthy")
    with screen(browser, site) as made:
        made.refusals.add(404)
        made.page.clock.install()
        page = made.go("/services")
        made.context.clear_cookies()
        half_a_minute(page)
        page.wait_for_timeout(500)
        expect(page.locator("#healthy li")).to_have_count(1)
        made.complaints.clear()  # the browser tells of the redirect that was refused


@pytest.mark.parametrize("width", [360, 1440])
def test_from_the_overview_to_a_service_and_back_to_cost_by_keyboard_alone(
    site: StandInSite, browser: Browser, width: int
) -> None:
    site.ask(night.fill)
    with screen(browser, site, viewport={"width": width, "height": 740}) as made:
        page = made.go("/")
        wait_live(page)
        page.keyboard.press("g")
        page.keyboard.press("h")
        page.wait_for_url("**/services")
        wait_live(page)
        page.keyboard.press("j")
        expect(page.locator("#trouble-1 a[data-row]")).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url("**/services/payments")
        wait_live(page)
        tab_to(page, "#trend .ranges a[href$='range=24h']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/services/payments?range=24h")
        wait_live(page)
        tab_to(page, "#trend summary")
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="Trend of payments")).to_be_visible()
        page.keyboard.press("g")
        page.keyboard.press("d")
        page.wait_for_url("**/cost")
        wait_live(page)
        page.keyboard.press("j")
        expect(page.locator("#main ol.lines a[data-row]").first).to_be_focused()


def test_everything_can_be_read_and_chosen_without_javascript(site: StandInSite, browser: Browser) -> None:
    site.ask(night.fill)
    with screen(browser, site, java_script_enabled=False) as made:
        page = made.go("/")
        assert page.locator("noscript meta[http-equiv=refresh]").get_attribute("content") == "30"
        page.locator("#service-list").get_by_role("link", name="payments").click()
        page.wait_for_url("**/services/payments")
        expect(page.get_by_role("img").first).to_be_visible()
        page.get_by_role("link", name="24 h").click()
        page.wait_for_url("**/services/payments?range=24h")
        page.locator("#trend summary").click()
        expect(page.get_by_role("table", name="Checks of 24 h, the newest first")).to_be_visible()
        page.get_by_role("link", name="Older").click()
        expect(page.locator("#checks li")).to_have_count(30)
        page.get_by_role("link", name="Cost", exact=True).first.click()
        page.get_by_role("link", name="90 days").click()
        page.wait_for_url("**/cost?days=90")
        page.locator("summary", has_text="The same as a table").click()
        expect(page.get_by_role("table", name="Cost by day, the newest first").locator("tbody tr")).to_have_count(90)
        page.locator("#main ol.lines a").first.click()
        page.wait_for_url("**/sessions/*")
