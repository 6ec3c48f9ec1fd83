"""Deciding on a call: by keyboard, on a phone, without JavaScript, and what others see of it at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from ipc.messages.triggers import TriggersChanged
from schema.states import ApprovalStatus
from tests.browser import night
from tests.browser.axe import CONTRAST, RULES
from tests.browser.screens import screen, texts, wait_live, wait_until
from tests.browser.stand_in_site import StandInSite, stand_in_site
from tests.browser.test_accessibility import unfold
from tests.browser.test_keyboard import tab_to
from tests.integration.webui import rows
from tests.integration.webui.stand_in import StandIn


@pytest.fixture
def site(tmp_path: Path) -> Iterator[StandInSite]:
    """A dashboard over a stand-in worker."""
    with stand_in_site(tmp_path) as made:
        yield made


def asked(site: StandInSite, command: str = "docker restart web") -> int:
    """A session's call that waits, told to whoever looks."""

    def ask(worker: StandIn) -> int:
        running = worker.database.rows("sessions.running")
        session = running[0]["id"] if running else worker.session(tier=2, log=b"")
        id_ = rows.approval(worker.database, session, command)
        worker.approval_changed(id_, ApprovalStatus.WAITING, session)
        return id_

    return site.ask(ask)


def status(site: StandInSite, id_: int) -> str:
    return str(site.ask(lambda worker: (worker.database.one("pages.approval", id=id_) or {})["status"]))


def ready(page: Page) -> None:
    """Live, where the page has a stream."""
    if page.locator("body[data-stream], #log[data-stream], #chain[data-stream]").count():
        wait_live(page)


@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_while_one_decides_and_after(site: StandInSite, browser: Browser, width: int) -> None:
    pages = {
        name: path
        for name, path in night.pages(site.ask(night.fill)).items()
        if name in ("approvals", "approval-decided")
    }
    axe, found = Axe(), []
    looks = {"viewport": {"width": width, "height": 800}, "color_scheme": "dark", "reduced_motion": "reduce"}
    with screen(browser, site, **looks) as made:
        for name, path in pages.items():
            page = made.go(path)
            ready(page)
            unfold(page)
            if name == "approvals":
                page.locator("[data-approve]").first.click()
                expect(page.locator("#ask .confirm")).to_be_visible()
            reports = [axe.run(page, options=RULES).response]
            # Of all rules, only contrast depends on the theme.
            page.emulate_media(color_scheme="light")
            reports.append(axe.run(page, options=CONTRAST).response)
            page.emulate_media(color_scheme="dark")
            for report in reports:
                assert report["passes"], "axe has not looked"
                found += [(name, rule["id"], [node["html"] for node in rule["nodes"]]) for rule in report["violations"]]
    assert found == []


@pytest.mark.parametrize("width", [360, 1440])
def test_a_call_is_approved_by_keyboard_alone(site: StandInSite, browser: Browser, width: int) -> None:
    first, second = asked(site), asked(site, "ssh db-2 sudo reboot")
    with screen(browser, site, viewport={"width": width, "height": 740}) as made:
        page = made.go("/approvals")
        wait_live(page)
        tab_to(page, f"#approve-{first}")
        page.keyboard.press("Enter")
        dialog = page.locator("#ask")
        expect(dialog).to_be_visible()
        expect(dialog.get_by_role("link", name="Back")).to_be_focused()
        expect(dialog.locator(".call")).to_have_text("docker restart web")
        page.keyboard.press("Escape")
        expect(page.locator(f"#approve-{first}")).to_be_focused()
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("link", name="Back")).to_be_focused()
        page.keyboard.press("Tab")
        expect(dialog.get_by_role("button", name="Approve once")).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/approvals/{first}")
        expect(page.locator(f"#approval-{first}")).to_contain_text("Approved by admin")
        assert (status(site, first), status(site, second)) == ("approved", "waiting")


def test_single_keys_only_ask_and_a_denial_carries_its_reason(site: StandInSite, browser: Browser) -> None:
    id_ = asked(site)
    with screen(browser, site) as made:
        page = made.go("/")
        wait_live(page)
        page.keyboard.press("g")
        page.keyboard.press("a")
        page.wait_for_url("**/approvals")
        wait_live(page)
        page.keyboard.press("j")
        expect(page.locator(f"#approval-{id_} .name")).to_be_focused()
        page.keyboard.press("Shift+D")
        expect(page.locator("#reason")).to_be_focused()
        assert status(site, id_) == "waiting"
        page.keyboard.type("Not at night.")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.locator("#ask").get_by_role("button", name="Deny")).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/approvals/{id_}")
        expect(page.locator(f"#approval-{id_}")).to_contain_text("Not at night.")
        assert status(site, id_) == "denied"


def test_a_notification_leads_to_a_decision_in_two_taps_on_a_phone(site: StandInSite, browser: Browser) -> None:
    id_ = asked(site, "docker restart web && " + "echo a-long-word-that-wraps; " * 40)
    with screen(browser, site, viewport={"width": 360, "height": 740}, has_touch=True) as made:
        page = made.go(f"/approvals/{id_}")
        wait_live(page)
        button = page.locator(f"#approve-{id_}")
        expect(button).to_be_in_viewport(ratio=1)
        button.tap()
        confirm = page.locator("#ask").get_by_role("button", name="Approve once")
        expect(confirm).to_be_in_viewport(ratio=1)
        confirm.tap()
        page.wait_for_url(f"**/approvals/{id_}")
        expect(page.locator(f"#approval-{id_}")).to_contain_text("Approved by admin")


def test_without_javascript_a_call_is_approved_and_a_trigger_cancelled(site: StandInSite, browser: Browser) -> None:
    id_ = asked(site)
    site.ask(lambda worker: rows.trigger(worker.database, prompt="never mind"))
    with screen(browser, site, java_script_enabled=False) as made:
        page = made.go("/")
        expect(page.locator("#bell")).to_contain_text("Approvals: 1 waits for a person")
        page.locator("#attention").get_by_role("link", name="Decide").click()
        page.get_by_role("link", name="Approve once").click()
        expect(page.get_by_role("heading", name="Let session 1 run exactly this, once?")).to_be_visible()
        assert status(site, id_) == "waiting"
        page.get_by_role("button", name="Approve once").click()
        expect(page.locator(f"#approval-{id_}")).to_contain_text("Approved by admin")
        expect(page.locator("#bell")).to_contain_text("Approvals: none waits")
        page.goto(f"{made.root}/triggers")
        page.get_by_role("link", name="Cancel trigger 1").click()
        page.get_by_role("button", name="Cancel trigger").click()
        expect(page.locator("#past")).to_contain_text("cancelled by admin")


def test_calls_come_and_freeze_and_the_bell_counts_live(site: StandInSite, browser: Browser) -> None:
    first = asked(site)
    with screen(browser, site) as made:
        page = made.go("/approvals")
        wait_live(page)
        overview = made.open()
        overview.goto(f"{made.root}/")
        wait_live(overview)
        second = asked(site, "ssh db-2 sudo reboot")
        for one in (page, overview):
            expect(one.locator("#bell b")).to_have_text("2")
            wait_until(one, "document.title.startsWith('(2 need you) ')")
        expect(page.locator("#approvals-list > article")).to_have_count(2)
        expect(page.locator(f"#approval-{second} .call mark")).to_have_count(1)
        page.locator(f"#approve-{second}").click()
        expect(page.locator("#ask .call")).to_have_text("ssh db-2 sudo reboot")
        page.locator("#ask").get_by_role("link", name="Back").click()

        def deny(worker: StandIn) -> None:
            for id_ in (first, second):
                rows.set_values(worker.database, "approvals", id_, status="denied", decided_by="bob")
                worker.approval_changed(id_, ApprovalStatus.DENIED, 1)

        page.mouse.move(0, 0)
        site.ask(deny)
        expect(page.locator("#approvals-list")).to_contain_text("Denied by bob")
        expect(page.locator("#approvals-list [data-approve]")).to_have_count(0)
        for one in (page, overview):
            expect(one.locator("#bell b")).to_have_count(0)
        expect(overview.locator("#attention")).to_contain_text("Nothing needs you.")


def test_who_is_too_late_is_told_so_in_the_dialogs_place(site: StandInSite, browser: Browser) -> None:
    id_ = asked(site)
    with screen(browser, site) as made:
        made.refusals.add(409)
        page = made.go(f"/approvals/{id_}/approve")
        values = {"status": "denied", "decided_by": "bob"}
        site.ask(lambda worker: rows.set_values(worker.database, "approvals", id_, **values))
        page.get_by_role("button", name="Approve once").click()
        expect(page.get_by_role("alert").first).to_contain_text("Already denied by bob")


def grow(site: StandInSite, id_: int, *lines: bytes) -> None:
    def write(worker: StandIn) -> None:
        with worker.log_of(id_).open("ab") as log:
            log.write(b"".join(lines))

    site.ask(write)


def test_a_live_transcript_groups_reads_and_keeps_one_checklist_as_the_page_does(
    site: StandInSite, browser: Browser
) -> None:
    reads = [night.use(f"r{n}", "Read", file_path=f"/a/{n}.py") + night.gave(f"r{n}", "x") for n in range(5)]
    begun = (night.todo("t1", 0), *reads[:2])
    id_ = site.ask(lambda worker: worker.session(log=b"".join(begun)))
    with screen(browser, site) as made:
        page = made.go(f"/sessions/{id_}")
        wait_live(page)
        for line in reads[2:]:
            grow(site, id_, line)
        expect(page.locator("#log > .entry .target", has_text="5 files: 0.py, 1.py, +3")).to_have_count(1)
        bash = [night.use(f"b{n}", "Bash", command=f"echo {n}") + night.gave(f"b{n}", str(n)) for n in range(3)]
        grow(site, id_, *bash, night.use("g", "Grep", pattern="x"), night.gave("g", "no", error=True), *reads[:0])
        verdict = {"tool_use_id": "b1", "reason": "restart of web: 1 of 2 used"}
        site.ask(lambda worker: rows.call(worker.database, id_, **verdict))
        grow(site, id_, night.todo("t2", 2), night.use("last", "Bash", command="true"), night.gave("last", "ok"))
        expect(page.locator("#tool-b1")).to_contain_text("restart of web: 1 of 2 used")
        expect(page.locator("#tool-last [data-outcome]").first).to_contain_text("1 line")
        expect(page.locator("#log .todos")).to_have_count(1)
        expect(page.locator("#log .todos [data-state=completed]")).to_have_count(2)
        live = texts(page)
        page.reload()
        wait_live(page)
        assert texts(page) == live


def test_a_chain_goes_on_in_the_page_when_the_next_tier_starts(site: StandInSite, browser: Browser) -> None:
    def begin(worker: StandIn) -> int:
        return worker.session(tier=1, log=night.line({"type": "text", "text": "first tier"}))

    first = site.ask(begin)

    def escalate(worker: StandIn) -> int:
        rows.trigger(worker.database, kind="escalation", tier=2, parent_session_id=first, reason="tier 2 is busy")
        worker.end(first, "escalated")
        return first

    def take_over(worker: StandIn) -> int:
        log = night.line({"type": "text", "text": "second tier"})
        return worker.session(tier=2, log=log, parent_session_id=first, chain_id=first, context="look at web")

    with screen(browser, site) as made:
        page = made.go(f"/chains/{first}")
        wait_live(page)
        expect(page.locator(f"#log-{first}")).to_contain_text("first tier")
        site.ask(escalate)
        expect(page.locator("#chain-head")).to_contain_text("Tier 2 comes next: tier 2 is busy")
        second = site.ask(take_over)
        expect(page.locator(f"#log-{second}")).to_contain_text("second tier")
        expect(page.locator(f"#tier-{second}")).to_contain_text("What session #1 handed over")
        expect(page.locator(f"#log-{first}")).to_contain_text("first tier")
        site.ask(lambda worker: rows.set_values(worker.database, "triggers", 1, status="started", session_id=second))
        site.ask(lambda worker: worker.end(second))
        expect(page.locator("#live")).to_have_text("ended")
        expect(page.locator("#chain-head")).to_contain_text("completed")


def test_what_was_asked_for_opens_by_itself_when_it_starts(site: StandInSite, browser: Browser) -> None:
    def hold(worker: StandIn) -> None:
        worker.holds = "tier 1 is busy with session 9"

    def start(worker: StandIn) -> int:
        session = worker.session(log=b"")
        rows.set_values(worker.database, "triggers", 1, status="started", session_id=session)
        worker.publish(TriggersChanged(waiting=0))
        return session

    site.ask(hold)
    with screen(browser, site) as made:
        page = made.go("/")
        page.locator("#prompt").fill("Look at web.")
        page.get_by_role("button", name="Start session").click()
        page.wait_for_url("**/triggers?added=1")
        wait_live(page)
        expect(page.locator("#added")).to_contain_text("tier 1 is busy with session 9")
        session = site.ask(start)
        page.wait_for_url(f"**/sessions/{session}")
