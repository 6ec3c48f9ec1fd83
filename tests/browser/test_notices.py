"""What must be seen is seen: no CLI, trouble that a session reports, a signed-out reader."""

import base64
import json
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.acceptance.harness import Daemon, running
from tests.browser.screens import Screen, screen, wait_live

REPORT = {
    "summary": "payments is down",
    "events": [{"level": "critical", "service": "payments", "message": "HTTP 503"}],
    "escalation": {"needed": True, "reason": "a restart <b>is</b> needed"},
    "services_checked": [
        {"name": "shop", "status": "healthy"},
        {"name": "search", "status": "degraded", "detail": "slow"},
        {"name": "payments", "status": "down", "detail": "HTTP 503"},
    ],
}


def test_a_missing_cli_is_told_on_every_page_and_once_on_the_overview(tmp_path: Path, browser: Browser) -> None:
    missing = "/nowhere/claude"
    with running(tmp_path / "daemon", CLAUDEOPS_CLAUDE_BIN=missing) as daemon, screen(browser, daemon) as made:
        page = made.go("/")
        expect(page.locator("#attention")).to_contain_text("No session can start.")
        expect(page.locator("#attention")).to_contain_text(missing)
        expect(page.locator("#worker-banner")).to_be_hidden()
        page.locator("#prompt").fill("Look at web.")
        page.get_by_role("button", name="Start session").click()
        # It is kept, and says for what it waits.
        page.wait_for_url("**/triggers?added=1")
        expect(page.locator("#queue")).to_contain_text("Look at web.")
        expect(page.locator("#queue")).to_contain_text(missing)
        for path in ("/sessions", "/services", "/cost"):
            expect(made.go(path).locator("#worker-banner")).to_contain_text(missing)
        expect(made.go("/system").locator("#health")).to_contain_text(missing)


def test_trouble_that_a_session_reports_needs_you_live(daemon: Daemon, browser: Browser) -> None:
    result = {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "result": "",
        "structured_output": REPORT,
        "total_cost_usd": 0.01,
        "num_turns": 1,
        "duration_ms": 10,
    }
    with screen(browser, daemon) as made:
        page = made.go("/")
        wait_live(page)
        needs = page.locator("#attention")
        expect(needs).to_contain_text("Nothing needs you.")
        raw = [base64.b64encode(json.dumps(result).encode()).decode()]
        daemon.wait_ended(daemon.trigger(raw=raw, result=False)["id"])
        expect(needs.locator("li")).to_have_count(2)
        expect(needs.locator("li").first).to_have_text("payments down: HTTP 503 Session #1")
        needs.get_by_role("link").first.click()
        page.wait_for_url("**/sessions/1")
        expect(page.locator("#session-result .notes")).to_contain_text("asks for the next tier")


def test_a_reader_who_is_signed_out_is_told_so(daemon: Daemon, browser: Browser) -> None:
    made = Screen(browser, daemon)
    page = made.go("/")
    wait_live(page)
    other = made.open()
    other.goto(made.root + "/system")
    other.locator(".menu-user > summary").click()
    other.get_by_role("button", name="Sign out").click()
    expect(page.locator("#connection")).to_contain_text("You were signed out.", timeout=30_000)
    made.close()
