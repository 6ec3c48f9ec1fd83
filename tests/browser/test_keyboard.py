"""Everything can be done by keyboard alone, and at each step one sees where one is."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.harness import Daemon, wait_for
from tests.browser.screens import PASSWORD, encoded, screen, wait_live, wait_until

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
        # Of what zone its times are is said in the heading, or where that has no place beside the filters.
        expect(page.locator(".logbar > .zone")).to_be_visible(visible=width == 360)
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


@pytest.mark.parametrize("width", [360, 1440])
def test_what_fails_is_found_looked_after_paused_and_planned_for_by_keyboard_alone(
    daemon: Daemon, browser: Browser, width: int
) -> None:
    dead = ("--url", "tcp://127.0.0.1:9", "--interval", "1s")
    daemon.ctl("services", "add", "--name", "payments", *dead)
    daemon.ctl("services", "add", "--name", "web", "--url", "heartbeat:", "--interval", "1h")
    wait_for(lambda: daemon.json("incidents", "list"), 20, "an incident")
    with screen(browser, daemon, viewport={"width": width, "height": 740}) as made:
        page = made.go("/")
        page.keyboard.press("/")
        page.wait_for_url("**/services#search")
        expect(page.locator("#filter-q")).to_be_focused()
        page.keyboard.type("pay")
        page.keyboard.press("Enter")
        page.wait_for_url("**/services?*q=pay*")
        page.keyboard.press("j")
        expect(page.get_by_role("link", name="payments", exact=True)).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url("**/services/payments")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/incidents/1")
        tab_to(page, "#incident-head button")
        page.keyboard.press("Enter")
        expect(page.locator("#incident-facts")).to_contain_text("ada")
        page.goto(f"{made.root}/services/payments")
        expect(page.locator("#probed-head")).to_contain_text("ada looks after it")
        tab_to(page, "form[action$='/pause'] button")
        page.keyboard.press("Enter")
        expect(page.locator("#probed-head")).to_contain_text("paused")
        page.goto(f"{made.root}/maintenance")
        tab_to(page, "#window-title")
        page.keyboard.type("New disks")
        tab_to(page, "#window-services")
        page.keyboard.type("payments")
        tab_to(page, "form[action='/maintenance'] button")
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_contain_text("New disks")
        page.goto(f"{made.root}/services")
        tab_to(page, "#service-name", 90)
        page.keyboard.type("catalog")
        page.keyboard.press("Tab")
        page.keyboard.type("tcp://127.0.0.1:9")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="catalog", exact=True)).to_be_visible()


def test_e_goes_from_error_to_error_and_the_filters_show_what_they_name(daemon: Daemon, browser: Browser) -> None:
    lines: list[dict[str, Any]] = []
    for number in range(4):
        call = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": f"look {number}"}}
        told = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "broken", "is_error": number % 2 == 1}
        words = {"type": "text", "text": "…"}
        lines += [{"type": "assistant", "message": {"id": f"w{number}-{n}", "content": [words]}} for n in range(20)]
        lines.append({"type": "assistant", "message": {"id": f"m{number}", "content": [call]}})
        lines.append({"type": "user", "message": {"content": [told]}})
    session = daemon.trigger(raw=encoded(*lines), lines=30)
    daemon.wait_ended(session["id"])
    with screen(browser, daemon) as made:
        page = made.go(f"/sessions/{session['id']}")
        errors = page.locator('.log > .entry[data-tone="bad"]')
        expect(errors).to_have_count(2)
        here = "document.activeElement.closest('.entry')?.textContent.includes('look %d')"
        page.evaluate("scrollTo(0, 0)")
        for number in (1, 3, 1):
            page.keyboard.press("e")
            wait_until(page, here % number)
            assert page.evaluate(FOCUS)["seen"]
        for show, calls, texts in (("errors", 2, 0), ("actions", 4, 0), ("text", 0, 110), ("all", 4, 110)):
            page.locator(f'#logbar [data-show="{show}"]').click()
            expect(page.locator("#log > .entry[data-kind=tool]:visible")).to_have_count(calls)
            expect(page.locator("#log > .entry[data-kind=text]:visible")).to_have_count(texts)
