"""A held call of the real claude CLI, approved by a click in Chromium: the card comes by itself, the call runs once."""

import re
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, expect

from tests.acceptance.real import acts, messages_api, real
from tests.acceptance.test_approvals import COMMAND, SCRIPT, ask, summary, wait_status
from tests.browser.screens import screen, wait_ended, wait_live


def test_a_call_that_is_held_is_approved_from_the_browser(browser: Browser, tmp_path: Path) -> None:
    with messages_api(deploy=SCRIPT) as (url, _), real(tmp_path, url, CLAUDEOPS_APPROVAL_HOLD="120") as daemon:
        daemon.sign_in()
        with screen(browser, daemon) as made:
            page = made.go("/approvals")
            wait_live(page)
            id_ = ask(daemon)
            card = page.locator("#approvals-list > article")
            expect(card).to_have_count(1, timeout=60_000)
            expect(card.locator(".call")).to_have_text(COMMAND)
            # The form of the question's own page decides; not without its token.
            status, _, body = daemon.request("GET", "/approvals/1/approve")
            assert status == 200
            form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', body.decode()))
            assert daemon.request("POST", "/approvals/1/approve", urlencode({**form, "csrf": "wrong"}))[0] == 403
            assert acts(tmp_path) == []
            page.locator("#approve-1").click()
            dialog = page.locator("#ask")
            expect(dialog.locator(".call")).to_have_text(COMMAND)
            assert acts(tmp_path) == []
            dialog.get_by_role("button", name="Approve once").click()
            page.wait_for_url("**/approvals/1")
            expect(page.locator("#approval-1")).to_contain_text("Approved by ada")
            page.goto(f"{made.root}/sessions/{id_}")
            wait_ended(page, 60)
            expect(page.locator("#session-head")).to_contain_text("completed")
            expect(page.locator("#log")).to_contain_text("Approved by ada")
        ended = wait_status(daemon, id_, "completed")
        assert (acts(tmp_path), summary(ended)) == ([COMMAND], "told: done")
        decided = daemon.json("approvals", "show", "1")
        assert (decided["status"], decided["decided_by"]) == ("used", "ada")
