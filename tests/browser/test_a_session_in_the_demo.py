"""A stranger's first minutes with the demo: the setup link, and the session that started by itself, to its end."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.demo import demo
from tests.browser.screens import PASSWORD, Screen, screen, texts, wait_ended, wait_live, wait_rows


def set_up(made: Screen, link: str) -> Page:
    """Creates the administrator by the setup link."""
    page = made.go(link)
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url(f"{made.root}/")
    return page


def cost_of(page: Page) -> float:
    """Dollars that the head shows; 0 before there are any."""
    found = re.search(r"\$([\d.]+)", page.locator("#session-head").inner_text())
    return float(found[1]) if found else 0.0


def test_from_the_setup_link_to_the_end_of_the_first_session(browser: Browser, tmp_path: Path) -> None:
    # The model speaks so slowly that one can watch.
    with demo(tmp_path, tempo=0.3) as stage, screen(browser, stage, signed_in=False) as made:
        link = "/" + stage.ctl("setup-link").stdout.strip().split("/", 3)[3]
        page = set_up(made, link)
        expect(page.locator("aside.demo")).to_contain_text("Demo.")
        page.locator("#running a").first.click()
        page.wait_for_url("**/sessions/1")
        wait_live(page)
        calls = page.locator("#log > .entry[data-kind=tool] > details")
        calls.first.locator(":scope > .inner > .results > *").first.wait_for(state="attached")
        assert calls.first.get_attribute("open") is None
        expect(calls.first.locator(":scope > summary [data-outcome]")).to_contain_text(re.compile(r"\d line"))
        rows, cost = page.locator("#log > .entry").count(), cost_of(page)
        wait_rows(page, rows + 2)
        wait_ended(page, 60)
        assert cost_of(page) > cost
        expect(page.locator("#session-head")).to_contain_text("escalated")
        expect(page.locator("#session-result")).to_contain_text("payments")
        expect(page.locator("#stop")).to_have_count(0)
        # A run of like notes is one row that counts them, live as in the page.
        notes = page.locator("#log > .entry[data-run='thinking tokens']")
        folded = notes.first.locator(".kids > .entry").count()
        assert folded >= 1
        expect(notes.first.locator("[data-outcome]").first).to_have_text(f"×{folded + 1}")
        live, result = texts(page), page.locator("#session-result").inner_text()
        page.reload()
        assert texts(page) == live
        assert page.locator("#session-result").inner_text() == result
        expect(page.locator("#log .event").first).to_be_visible()
        page.goto(made.root + "/")
        expect(page.locator("#attention")).to_contain_text("search degraded:")
        for path in ("/", "/sessions", "/sessions/1", "/system"):
            expect(made.go(path).locator("aside.demo")).to_be_visible()
        page.locator(".menu-user > summary").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator("aside.demo")).to_be_visible()
