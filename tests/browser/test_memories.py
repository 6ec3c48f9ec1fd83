"""Memories in a browser: the list keeps itself up to date; several are deleted at once, with and without a script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from ipc.messages.knowledge import DeleteMemories, KnowledgeChanged
from tests.browser.screens import screen, wait_live
from tests.browser.stand_in_site import StandInSite, stand_in_site
from tests.browser.test_keyboard import tab_to
from tests.integration.webui import rows
from tests.integration.webui.stand_in import StandIn

PHONE = {"viewport": {"width": 360, "height": 740}}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInSite]:
    with stand_in_site(tmp_path_factory.mktemp("memories")) as made:
        yield made


@pytest.fixture
def site(shared: StandInSite) -> StandInSite:
    """With four memories: 1 and 2 of db, 3 of web, 4 of none."""

    def fill(worker: StandIn) -> None:
        worker.database.script("DELETE FROM memories")
        worker.requests.clear()
        for id_, service in enumerate(("db", "db", "web", None), 1):
            rows.memory(worker.database, f"fact {id_}", id=id_, service=service)

    shared.ask(fill)
    return shared


def deleted(site: StandInSite) -> list[list[int]]:
    return site.ask(lambda worker: [one.ids for one in worker.requests if isinstance(one, DeleteMemories)])


def test_the_list_shows_what_sessions_have_learnt_since_and_keeps_what_is_ticked(
    site: StandInSite, browser: Browser
) -> None:
    with screen(browser, site) as made:
        page = made.go("/memories?service=db")
        wait_live(page)
        page.locator("#memory-2 input").check()
        page.locator("#memories-title").click()
        page.mouse.move(0, 0)

        def learn(worker: StandIn) -> None:
            rows.memory(worker.database, "a new fact", id=7, service="db")
            rows.memory(worker.database, "of another", id=8, service="web")
            rows.set_values(worker.database, "memories", 2, confidence=0.9)
            worker.publish(KnowledgeChanged(what="memories"))

        page.evaluate("document.activeElement.blur()")
        site.ask(learn)
        # Sooner than by the renewal that a page makes without a stream.
        expect(page.locator("#memory-7")).to_contain_text("a new fact", timeout=10_000)
        expect(page.locator("#memory-2")).to_contain_text("90 % certain")
        expect(page.locator("#memory-2 input")).to_be_checked()
        expect(page.locator("#memory-8")).to_have_count(0)


def test_some_are_deleted_by_keyboard_alone_on_a_phone(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site, **PHONE) as made:
        page = made.go("/memories")
        wait_live(page)
        assert not page.locator("#memories-delete").is_visible()
        for id_ in (4, 2):
            tab_to(page, f"#memory-{id_} input")
            page.keyboard.press("Space")
        assert page.evaluate("document.scrollingElement.scrollWidth") == 360
        tab_to(page, "#memories-delete")
        page.keyboard.press("Enter")
        dialog = page.locator("#ask")
        expect(dialog.get_by_role("heading")).to_have_text("Delete 2 memories?")
        expect(dialog).to_contain_text("db: fact 2")
        expect(dialog).to_contain_text("All services: fact 4")
        page.keyboard.press("Escape")
        expect(page.locator("#memories-delete")).to_be_focused()
        page.keyboard.press("Enter")
        tab_to(page, "#ask .btn-error")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text="2 memories are deleted.")).to_be_visible()
        expect(page.locator("li[id^=memory-]")).to_have_count(2)
        assert sorted(deleted(site)[0]) == [2, 4]


def test_all_that_is_shown_is_ticked_at_once(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site) as made:
        page = made.go("/memories?service=db")
        page.get_by_label("All", exact=True).check()
        page.locator("#memories-delete").click()
        page.get_by_role("button", name="Delete 2 memories").click()
        page.wait_for_url("**/memories?service=db&deleted=2")
        assert deleted(site) == [[1, 2]]


def test_without_javascript_a_page_asks_and_leads_back_to_the_filter(site: StandInSite, browser: Browser) -> None:
    with screen(browser, site, java_script_enabled=False, **PHONE) as made:
        page = made.go("/memories?category=timing")
        page.get_by_label("Choose memory 3").check()
        page.get_by_label("Choose memory 1").check()
        page.get_by_role("button", name="Delete chosen").click()
        expect(page.get_by_role("heading", name="Delete 2 memories?")).to_be_visible()
        page.get_by_role("link", name="Back").click()
        page.wait_for_url("**/memories?category=timing")
        page.go_back()
        page.get_by_role("button", name="Delete 2 memories").click()
        page.wait_for_url("**/memories?category=timing&deleted=2")
        expect(page.get_by_role("status")).to_have_text("2 memories are deleted.")
        assert sorted(deleted(site)[0]) == [1, 3]


def test_a_viewer_has_nothing_to_tick(site: StandInSite, browser: Browser) -> None:
    try:
        site.sign_in("viewer")
        with screen(browser, site) as made:
            page = made.go("/memories")
            expect(page.locator("#memory-1")).to_be_visible()
            assert page.locator("main input[type=checkbox]").count() == 0
    finally:
        site.sign_in("admin")
