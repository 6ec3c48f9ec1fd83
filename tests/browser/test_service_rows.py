"""Services in a browser, while their target fails: added, edited, removed and said without a page being loaded anew."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.acceptance.harness import running, wait_for
from tests.browser.screens import screen, wait_live
from tests.browser.stand_in_site import StandInSite, stand_in_site
from tests.fakes import target as targets
from tests.fakes.target import Target
from tests.integration.webui import rows
from tests.integration.webui.stand_in import StandIn

SOON = 2000  # ms


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with targets.beside() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path) -> Iterator[StandInSite]:
    with stand_in_site(tmp_path) as made:
        yield made


def add(page: Page, name: str, url: str) -> None:
    """By the form, every second, and waits until it was probed."""
    page.fill("#service-name", name)
    page.fill("#service-url", url)
    page.fill("#service-interval", "1s")
    page.fill("#service-timeout", "500ms")
    page.get_by_role("button", name="Add service").click()
    row = page.locator("#services-list > li", has_text=name)
    expect(row).to_contain_text("healthy", timeout=6_000)  # the list as a whole is renewed only every 10 s


def never_loaded(page: Page) -> None:
    """From now on, a page that is loaded anew is noticed by `is_the_same`."""
    page.evaluate("window.same = true")


def is_the_same(page: Page) -> bool:
    return bool(page.evaluate("window.same === true"))


def test_the_form_is_answered_with_a_part_of_the_page_and_list_and_counters_follow(
    site: StandInSite, target: Target, browser: Browser
) -> None:
    with screen(browser, site) as made:
        made.refusals.add(422)
        page = made.go("/services")
        wait_live(page)
        never_loaded(page)
        page.fill("#service-name", "web")
        page.fill("#service-url", "ftp://x")
        with page.expect_response("**/services") as waiting:
            page.get_by_role("button", name="Add service").click()
        assert waiting.value.status == 422
        assert "<html" not in waiting.value.text()
        expect(page.locator("#wrong-url")).to_contain_text("a URL begins with")
        expect(page.locator("#service-url")).to_be_focused()
        assert page.input_value("#service-name") == "web"
        with page.expect_response(lambda answer: "did=added" in answer.url) as answered:
            add(page, "web", target.url("/added"))
        assert "<html" not in answered.value.text()
        expect(page.locator("#said")).to_have_text("1 service added.")
        expect(page.locator("#dashboard-stats")).to_contain_text("1healthy")
        assert page.input_value("#service-name") == ""

        # What answers while nothing serves is put nowhere.
        def nobody(route: Route) -> None:
            route.fulfill(status=503, content_type="text/html", body="<h1 id='told'>503 of a proxy</h1>")

        made.refusals.add(503)
        page.route("**/services", nobody)
        page.fill("#service-name", "other")
        page.get_by_role("button", name="Add service").click()
        expect(page.locator("[data-unsent]")).to_be_visible()
        assert "503 of a proxy" not in page.content()
        assert page.input_value("#service-name") == "other"
        assert is_the_same(page)


def test_a_row_is_edited_where_it_stands_and_keeps_focus_and_text_while_its_service_changes(
    site: StandInSite, target: Target, browser: Browser
) -> None:
    with screen(browser, site) as made:
        page = made.go("/services")
        add(page, "web", target.url("/one"))
        add(page, "api", target.url("/api"))
        page.reload()
        wait_live(page)
        never_loaded(page)
        row = page.locator("#services-list > li", has_text="web")
        id_ = row.get_attribute("id")
        page.get_by_role("link", name="Edit web here").click()
        row = page.locator(f"#{id_}")
        expect(row.locator("#row-name")).to_be_focused()
        page.fill("#row-url", "")
        page.locator("#row-url").press_sequentially(target.url("/tw"))
        target.answer("/one", status=503)
        target.answer("/api", status=503)
        # Its own status follows in the row that is edited, and the other row beside it.
        expect(row.locator(".state")).to_have_text("down", timeout=5000)
        expect(page.locator("#services-list > li", has_text="api")).to_contain_text("down", timeout=5000)
        page.wait_for_timeout(11_000)  # over a renewal of the whole list
        expect(page.locator("#row-url")).to_be_focused()
        assert page.input_value("#row-url") == target.url("/tw")
        page.keyboard.type("o")
        page.keyboard.press("Enter")
        expect(row).to_contain_text(target.url("/two"))
        expect(row).to_contain_text("healthy", timeout=5000)
        wait_for(lambda: target.to("/two"))
        assert page.locator("#row-url").count() == 0
        page.get_by_role("link", name="Edit web here").click()
        page.fill("#row-url", "ftp://x")
        made.refusals.add(422)
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#row-url-said")).to_contain_text("a URL begins with")
        expect(page.locator("#row-url")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#row-url")).to_have_count(0)
        expect(row).to_contain_text(target.url("/two"))
        # One at a time, for Enter is the first button's.
        page.get_by_role("link", name="Edit web here").click()
        expect(page.locator("#row-name")).to_have_value("web")
        page.get_by_role("link", name="Edit api here").click()
        expect(page.locator("#row-name")).to_have_value("api")
        expect(page.locator("[data-editing]")).to_have_count(1)
        assert is_the_same(page)


def test_two_tabs_neither_overwrite_nor_keep_what_is_gone(site: StandInSite, target: Target, browser: Browser) -> None:
    with screen(browser, site) as made:
        page = made.go("/services")
        add(page, "web", target.url("/"))
        add(page, "db", target.url("/"))
        page.reload()
        wait_live(page)
        other = made.open()
        other.goto(f"{made.root}/services")
        wait_live(other)
        page.get_by_role("link", name="Edit web here").click()
        other.get_by_role("link", name="Edit web here").click()
        other.fill("#row-tags", "theirs")
        other.get_by_role("button", name="Save").click()
        expect(other.locator("#services-list > li", has_text="theirs")).to_have_count(1)
        made.refusals |= {404, 409}
        page.fill("#row-tags", "mine")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#row-tags-said")).to_have_text("stored now: theirs")
        assert page.input_value("#row-tags") == "mine"
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#services-list > li", has_text="mine")).to_have_count(1)
        # Removed there: here its row goes, and one that is being written says so and keeps what was written.
        page.get_by_role("link", name="Edit web here").click()
        page.fill("#row-tags", "half wri")
        page.mouse.move(0, 0)
        for name in ("db", "web"):
            other.goto(f"{made.root}/services/{name}")
            other.get_by_role("link", name="Remove …").click()
            other.get_by_role("button", name="Remove service").click()
            began = time.monotonic()
            if name == "db":
                expect(page.locator("#services-list > li:visible", has_text="db")).to_have_count(0, timeout=SOON)
            else:
                expect(page.locator("[data-gone]")).to_be_visible(timeout=SOON)
            assert time.monotonic() - began < SOON / 1000
        assert page.input_value("#row-tags") == "half wri"
        page.get_by_role("button", name="Save").click()
        expect(page.locator("[data-refused]")).to_contain_text("somebody has removed this service")


def test_a_change_is_said_in_the_row_in_the_counters_and_in_passing_and_one_that_was_missed_later(
    tmp_path: Path, target: Target, browser: Browser
) -> None:
    target.answer("/shop")
    with running(tmp_path / "daemon") as daemon:
        daemon.sign_in()
        daemon.json("services", "add", "--name", "<i>shop</i>", "--url", target.url("/shop"), "--interval", "1s")
        wait_for(lambda: daemon.json("services", "list")[0]["status"] == "healthy")
        with screen(browser, daemon) as made:
            page = made.go("/services")
            wait_live(page)
            never_loaded(page)
            asked: list[str] = []
            target.answer("/shop", status=503, body=b"<script>alert(1)</script>")
            wait_for(lambda: daemon.json("services", "list")[0]["status"] == "down")
            expect(page.locator("#toasts")).to_contain_text("<i>shop</i> is down", timeout=SOON)
            expect(page.locator("#services-list > li")).to_contain_text("[STATUS] (503) < 400", timeout=SOON)
            expect(page.locator("#dashboard-stats")).to_contain_text("1down", timeout=SOON)
            page.on("request", lambda request: asked.append(request.url))
            page.wait_for_timeout(1500)
            # Nothing is asked for again and again to know it.
            assert len([url for url in asked if "/live" not in url]) <= 1
            expect(page.locator("#toasts")).to_be_empty(timeout=12_000)
            # The web process is gone, and while it is, the service comes back.
            page.route("**/live?*", lambda route: route.fulfill(status=503, body="<b>503 of a proxy</b>"))
            made.refusals.add(503)
            daemon.wait_replaced("web", daemon.kill("web"))
            target.answer("/shop")
            wait_for(lambda: daemon.json("services", "list")[0]["status"] == "healthy")
            expect(page.locator("#connection")).to_contain_text("Live updates lost", timeout=15_000)
            assert "503 of a proxy" not in page.content()
            page.unroute("**/live?*")
            expect(page.locator("#toasts")).to_contain_text("<i>shop</i> works again", timeout=10_000)
            expect(page.locator("#services-list > li")).to_contain_text("healthy")
            assert page.locator("#toasts i").count() == 0
            assert is_the_same(page)


def test_without_javascript_rows_are_edited_paused_and_removed_together_and_windows_planned(
    site: StandInSite, target: Target, browser: Browser
) -> None:
    with screen(browser, site, java_script_enabled=False) as made:
        made.refusals |= {409, 422}
        page = made.go("/services")
        for name in ("web", "db", "cache"):
            page.fill("#service-name", name)
            page.fill("#service-url", target.url(f"/{name}"))
            page.fill("#service-tags", "prod" if name != "cache" else "dev")
            page.get_by_role("button", name="Add service").click()
        page.goto(f"{made.root}/services?tag=prod")
        page.get_by_role("link", name="Edit web here").click()
        page.fill("#row-url", "ftp://x")
        page.locator("#row-url").press("Enter")
        expect(page.locator("#row-url-said")).to_contain_text("a URL begins with")
        page.fill("#row-url", target.url("/two"))
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#said")).to_have_text("1 service changed.")
        expect(page.locator("#services-list > li")).to_have_count(2)  # the filter is as it was
        expect(page.locator("#services-list")).to_contain_text(target.url("/two"))
        page.locator("#bulk-which").select_option("all")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#said")).to_have_text("2 services paused.")
        page.goto(f"{made.root}/services?status=paused")
        expect(page.locator("#services-list > li")).to_have_count(2)
        expect(page.locator("#dashboard-stats")).to_contain_text("2paused")
        page.locator("#bulk-which").select_option("all")
        page.fill("#bulk-tag", "night")
        page.get_by_role("button", name="Add tag").click()
        expect(page.locator("#said")).to_have_text("2 services tagged.")
        page.goto(f"{made.root}/services?tag=night")
        page.locator("#bulk-which").select_option("all")
        page.get_by_role("button", name="Remove …").click()
        expect(page.get_by_role("heading", name="Remove 2 services?")).to_be_visible()
        page.get_by_role("button", name="Remove 2 services").click()
        page.goto(f"{made.root}/services")
        expect(page.locator("#services-list > li")).to_have_count(1)
        page.goto(f"{made.root}/maintenance")
        # The fields of the time that is chosen, and no others.
        expect(page.get_by_label("Cron expression")).to_be_hidden()
        page.get_by_label("When").select_option("weekly")
        expect(page.get_by_label("Every week at")).to_be_visible()
        page.fill("#window-title", "disks")
        page.get_by_label("Mon").check()
        page.get_by_label("Every week at").fill("02:30")
        page.fill("#window-services", "cache")
        page.get_by_role("button", name="Plan window").click()
        expect(page.locator("#said")).to_have_text("The window is planned.")
        expect(page.locator("#windows-coming")).to_contain_text("every Mon at 02:30 UTC, for 30 min")
        page.get_by_role("link", name="Remove … disks").click()
        page.get_by_role("button", name="Remove window").click()
        expect(page.locator("#windows-coming")).to_have_count(0)


def test_without_javascript_the_20_that_are_filtered_are_paused_and_no_other_and_done_and_failed_are_counted(
    site: StandInSite, browser: Browser
) -> None:
    def paused() -> set[str]:
        found = site.ask(lambda worker: worker.database.rows("monitored.page", after="", limit=99))
        return {row["name"] for row in found if row["paused"]}

    def make(worker: StandIn) -> None:
        for n in range(32):
            tags = ("prod",) if n < 20 else ("dev",)
            rows.probed(worker.database, f"s{n:02d}", url="heartbeat:", paused=False, tags=tags)

    site.ask(make)
    with screen(browser, site, java_script_enabled=False) as made:
        page = made.go("/services?tag=prod")
        expect(page.locator("#services-list > li")).to_have_count(20)
        page.locator("#bulk-which").select_option("all")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#said")).to_have_text("20 services paused.")
        assert paused() == {f"s{n:02d}" for n in range(20)}
        expect(page.locator("#dashboard-stats")).to_contain_text("20paused")
        # Of three that are picked, somebody has removed one meanwhile.
        for name in ("s04", "s05", "s06"):
            page.get_by_label(f"Pick {name}").check()
        site.ask(lambda worker: worker.database.script("DELETE FROM services WHERE name = 's05'"))
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#said")).to_contain_text("2 resumed, 1 could not be: there is no service")
        assert paused() == {f"s{n:02d}" for n in range(20)} - {"s04", "s05", "s06"}


def test_the_wall_has_what_fails_first_in_sight_and_renews_itself(site: StandInSite, browser: Browser) -> None:
    ids = site.ask(lambda worker: [rows.probed(worker.database, f"service-{n:02d}") for n in range(40)])
    site.ask(
        lambda worker: worker.database.script(
            f"UPDATE service_states SET status = 'down', detail = 'x' WHERE service_id = {ids[33]}"
        )
    )
    with screen(browser, site, viewport={"width": 1920, "height": 1080}, color_scheme="light") as made:
        page = made.go("/services/wall")
        wait_live(page)
        never_loaded(page)
        first = page.locator(".tile").first
        expect(first).to_contain_text("service-33")
        size = first.locator(".who").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        assert size >= 40
        assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        # Read from afar: forty of them without scrolling.
        assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")
        site.ask(
            lambda worker: worker.database.script(
                f"UPDATE service_states SET status = 'timeout' WHERE service_id = {ids[7]}"
            )
        )
        expect(page.locator(".tile").nth(1)).to_contain_text("service-07", timeout=12_000)
        expect(page.locator(".tallies")).to_contain_text(re.compile("1 down.*1 timeout.*38 healthy", re.DOTALL))
        assert is_the_same(page)


def test_a_status_page_follows_what_happens_and_offers_nothing_to_press(site: StandInSite, browser: Browser) -> None:
    id_ = site.ask(lambda worker: rows.probed(worker.database, "web", tags=("public",)))
    site.ask(lambda worker: rows.status_page(worker.database, tags=("public",)))
    with screen(browser, site, signed_in=False, viewport={"width": 360, "height": 740}) as made:
        made.context.clear_cookies()
        made.page.clock.install()
        page = made.go("/status/shop")
        expect(page.locator(".overall")).to_contain_text("All of it works")
        never_loaded(page)
        assert page.locator("button, input, form").count() == 0
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        broken = f"UPDATE service_states SET status = 'down' WHERE service_id = {id_}"
        site.ask(lambda worker: worker.database.script(broken))
        time.sleep(10.5)  # what is kept for everybody
        page.clock.run_for(31_000)
        expect(page.locator(".overall")).to_contain_text("Something is down")
        expect(page).to_have_title(re.compile("^Something is down"))
        assert is_the_same(page)
