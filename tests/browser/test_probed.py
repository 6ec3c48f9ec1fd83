"""Services that are probed, in a browser: added without JavaScript; what somebody types stays while rows renew."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screens import screen, wait_live
from tests.browser.stand_in_site import StandInSite, stand_in_site
from tests.integration.webui import rows


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInSite]:
    with stand_in_site(tmp_path_factory.mktemp("site")) as made:
        yield made


def test_a_service_is_added_paused_and_removed_without_javascript(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site, java_script_enabled=False) as made:
        page = made.go("/services")
        page.fill("#service-name", "our own")
        page.fill("#service-url", f"http://127.0.0.1:{site.port}/healthz")
        page.get_by_role("button", name="Test now").click()
        expect(page.locator("#tried")).to_contain_text("holds [STATUS] < 400")
        page.get_by_role("button", name="Add service").click()
        expect(page.locator("#said")).to_have_text("1 service added.")
        page.get_by_role("link", name="our own", exact=True).click()
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#probed-head")).to_contain_text("paused")
        page.get_by_role("link", name="Remove …").click()
        page.get_by_role("button", name="Remove service").click()
        expect(page.locator("#said")).to_have_text("1 service removed.")
        expect(page.locator("#services-list")).to_have_count(0)


def test_what_is_typed_and_picked_stays_while_the_list_renews(site: StandInSite, browser: Browser) -> None:
    def add(name: str) -> int:
        return site.ask(lambda worker: rows.probed(worker.database, name))

    first = add("first")
    with screen(browser, site) as made:
        page = made.go("/services")
        wait_live(page)
        page.keyboard.press("/")
        expect(page.locator("#filter-q")).to_be_focused()
        page.locator(f"#probed-{first} input").check()
        page.fill("#service-name", "half a na")
        page.mouse.move(0, 0)  # a list under the pointer waits
        site.ask(lambda worker: worker.database.script("UPDATE service_states SET status = 'down'"))
        add("second")
        expect(page.locator(f"#probed-{first}")).to_contain_text("down", timeout=15_000)
        expect(page.locator("#services-list > li")).to_have_count(2)
        expect(page.locator("#service-name")).to_be_focused()
        assert page.input_value("#service-name") == "half a na"
        assert page.locator(f"#probed-{first} input").is_checked()
