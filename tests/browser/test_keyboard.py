"""Everything can be done by keyboard alone, and at each step one sees where one is."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.harness import Daemon
from tests.browser.screens import PASSWORD, screen, wait_live

# What has the focus: its outline, and whether it is in sight or under a bar.
FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  const x = Math.min(innerWidth - 1, Math.max(0, box.left + Math.min(box.width / 2, 20)));
  const y = Math.min(innerHeight - 1, Math.max(0, box.top + Math.min(box.height / 2, 20)));
  const hit = document.elementFromPoint(x, y);
  return {
    html: e.outerHTML.slice(0, 90), style: style.outlineStyle, width: parseFloat(style.outlineWidth),
    seen: !!hit && (e.contains(hit) || hit.contains(e)) && box.bottom > 0 && box.top < innerHeight,
  };
}"""


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Tab until that element has the focus; each stop on the way must be visible."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found: dict[str, Any] | None = page.evaluate(FOCUS)
        if found is None:
            continue
        assert found["style"] != "none", found
        assert found["width"] >= 2, found
        assert found["seen"], found
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"Tab does not come to {selector}")


@pytest.mark.parametrize("width", [360, 1440])
def test_sign_in_read_filter_and_sign_out(daemon: Daemon, browser: Browser, width: int) -> None:
    for number in range(3):
        daemon.wait_ended(daemon.trigger(lines=2, say=f"look {number} line {{n}}", exit=number)["id"])
    with screen(browser, daemon, signed_in=False, viewport={"width": width, "height": 740}) as made:
        page = made.go("/")
        expect(page.locator("#name")).to_be_focused()
        page.keyboard.type("ada")
        tab_to(page, "#password")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{made.root}/")
        tab_to(page, ".skip")
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        tab_to(page, "#recent-list a[href='/sessions/3']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/sessions/3")
        tab_to(page, "[data-show=errors]")
        page.keyboard.press("Enter")
        expect(page.locator("#log > .entry[data-kind=text]").first).to_be_hidden()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        tab_to(page, "#log summary")
        page.keyboard.press("Enter")
        expect(page.locator("#log details[open]").first).to_be_visible()
        page.keyboard.press("g")
        page.keyboard.press("s")
        page.wait_for_url("**/sessions")
        page.keyboard.press("j")
        page.keyboard.press("j")
        expect(page.locator("a[href='/sessions/2']")).to_be_focused()
        page.keyboard.press("/")
        expect(page.locator("#filter-q")).to_be_focused()
        page.keyboard.type("look 1")
        page.keyboard.press("Enter")
        page.wait_for_url("**/sessions?q=look*")
        expect(page.locator("#session-list tbody tr")).to_have_count(1)
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        tab_to(page, ".menu-user > summary")
        page.keyboard.press("Enter")
        tab_to(page, "form[action='/sign-out'] button")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_session_is_started_and_stopped_by_keyboard_alone(daemon: Daemon, browser: Browser) -> None:
    with screen(browser, daemon) as made:
        page = made.go("/")
        page.locator("#prompt").focus()
        page.keyboard.type('{"hang": 1}')
        page.keyboard.press("Tab")
        expect(page.locator("#tier")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/sessions/*")
        wait_live(page)
        expect(page.locator(".prompt")).to_have_text('{"hang": 1}')
        page.locator("#stop").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#stop-dialog")).to_be_visible()
        expect(page.get_by_role("button", name="Keep it running")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#stop")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Stop session")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#session-head")).to_contain_text("stopped", timeout=20_000)
        expect(page.locator("#session-result")).to_contain_text("stopped by ada")
