"""JavaScript off: all that the dashboard is for still works, by links, forms and pages that refresh themselves."""

import contextlib
import sqlite3
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.acceptance.harness import Daemon, wait_for
from tests.browser.screens import PASSWORD, screen

# 120 more sessions like the first.
MANY = """
INSERT INTO sessions (tier, model, prompt_file, prompt_text, status, trigger, started_at, ended_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
SELECT tier, model, prompt_file, 'look at another', status, trigger, started_at, ended_at FROM sessions, n WHERE id = 1
"""


def test_sign_in_start_read_stop_and_download(daemon: Daemon, browser: Browser, tmp_path: Path) -> None:
    with screen(browser, daemon, signed_in=False, java_script_enabled=False) as made:
        made.refusals.add(401)
        page = made.go("/sessions")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("not this one, surely")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{made.root}/sessions")
        page.get_by_role("link", name="Overview").click()
        page.get_by_label("Prompt").fill('{"until": "%s", "interval": 0.1, "lines": 3}' % (tmp_path / "enough"))
        page.get_by_role("button", name="Start session").click()
        page.wait_for_url("**/sessions/1")
        expect(page.locator("#session-head")).to_contain_text("running")
        # A page that refreshes itself: <noscript> holds a refresh, and what it brings is more.
        assert page.locator("noscript meta[http-equiv=refresh]").get_attribute("content") == "30"
        page.wait_for_timeout(500)
        page.reload()
        before = page.locator("#log > .entry").count()
        page.wait_for_timeout(500)
        page.reload()
        assert before > 0
        assert page.locator("#log > .entry").count() > before
        assert page.locator(".needs-js:visible").count() == 0
        page.get_by_role("link", name="Stop").click()
        expect(page.get_by_role("heading", name="Stop session 1?")).to_be_visible()
        page.get_by_role("button", name="Stop session").click()
        page.wait_for_url("**/sessions/1")
        daemon.wait_ended(1)
        page.reload()
        expect(page.locator("#session-result")).to_contain_text("stopped by ada")
        with page.expect_download() as waiting:
            page.locator("#session-head").get_by_role("link", name="Log").click()
        kept = Path(daemon.session(1)["log_file"])
        assert Path(waiting.value.path()).read_bytes() == kept.read_bytes()


def test_the_list_is_filtered_and_paged(daemon: Daemon, browser: Browser) -> None:
    for number in range(2):
        daemon.wait_ended(daemon.trigger(tier=1 + number, lines=1, say=f"look {number}")["id"])
    with contextlib.closing(sqlite3.connect(daemon.state / "claudeops.db", timeout=10)) as database, database:
        database.execute(MANY)
    with screen(browser, daemon, java_script_enabled=False) as made:
        page = made.go("/sessions")
        rows = page.locator("#session-list tbody tr")
        expect(page.locator("#session-122")).to_be_visible()
        first = rows.count()
        assert first < 122
        page.get_by_role("link", name="Older").click()
        expect(page.locator("#session-122")).to_have_count(0)
        expect(page.locator(f"#session-{122 - first}")).to_be_visible()
        page.get_by_role("link", name="Newer").click()
        expect(page.locator("#session-122")).to_be_visible()
        page.get_by_label("Tier").select_option("2")
        page.get_by_label("Prompt contains").fill("look 1")
        page.get_by_role("button", name="Filter").click()
        expect(rows).to_have_count(1)
        expect(page.locator("#session-2")).to_be_visible()
        page.get_by_label("Prompt contains").fill("nothing like it")
        page.get_by_role("button", name="Filter").click()
        expect(page.get_by_text("No session matches")).to_be_visible()
        page.get_by_role("link", name="Clear the filter").click()
        expect(rows).to_have_count(first)


def test_what_fails_is_looked_after_and_what_was_refused_is_in_sight(daemon: Daemon, browser: Browser) -> None:
    for number in range(12):
        daemon.ctl("services", "add", "--name", f"job-{number}", "--url", "heartbeat:", "--interval", "1h")
    phone = {"width": 360, "height": 740}
    with screen(browser, daemon, java_script_enabled=False, viewport=phone) as made:
        made.refusals.add(422)
        page = made.go("/services")
        page.get_by_label("Name", exact=True).fill("payments")
        page.get_by_label("URL", exact=True).fill("ftp://127.0.0.1")
        page.get_by_role("button", name="Add service").click()
        expect(page.locator("#wrong-url")).to_be_in_viewport()
        page.get_by_label("URL", exact=True).fill("tcp://127.0.0.1:9")
        page.get_by_label("Every", exact=True).fill("1s")
        page.get_by_role("button", name="Test now").click()
        expect(page.locator("#tried")).to_be_in_viewport()
        page.get_by_role("button", name="Add service").click()
        wait_for(lambda: daemon.json("incidents", "list"), 20, "an incident")
        page.locator(".dock").get_by_role("link", name="Incidents").click()
        page.get_by_role("link", name="payments: ").click()
        page.get_by_role("button", name="I look after it").click()
        expect(page.locator("#incident-facts")).to_contain_text("ada")
        page.get_by_role("link", name="payments", exact=True).click()
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#probed-head")).to_contain_text("paused")
        made.go("/maintenance")
        page.get_by_label("What is done").fill("New disks")
        page.get_by_label("Minutes").fill("many")
        page.get_by_role("button", name="Plan window").click()
        expect(page.locator("#wrong-minutes")).to_be_in_viewport()
        page.get_by_label("Minutes").fill("5")
        page.get_by_label("Tags").fill("*")
        page.get_by_role("button", name="Plan window").click()
        expect(page.locator("#windows-now")).to_contain_text("New disks")
