"""People who watch one session: following, three at once, and what they see when a process dies or output is wild."""

import os
import re
import signal
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect

from tests.acceptance.harness import Daemon, running
from tests.browser.screens import Screen, encoded, screen, texts, wait_ended, wait_live, wait_rows, wait_until

NUMBER = re.compile(r"line (\d+)$")
FROM_END = "document.scrollingElement.scrollHeight - innerHeight - scrollY"


def numbers(page: Page) -> list[int]:
    """The numbers of the fake's lines, in the order of the page."""
    return [int(found[1]) for _, words in texts(page) if (found := NUMBER.search(words))]


def test_it_follows_the_end_until_the_reader_scrolls_up(daemon: Daemon, browser: Browser, tmp_path: Path) -> None:
    session = daemon.trigger(until=str(tmp_path / "enough"), interval=0.04)
    with screen(browser, daemon) as made:
        page = made.go(f"/sessions/{session['id']}")
        wait_live(page)
        wait_rows(page, 60)
        wait_until(page, f"{FROM_END} <= 40 && scrollY > 0")
        page.mouse.move(500, 500)
        page.mouse.wheel(0, -600)
        wait_until(page, f"{FROM_END} > 300")
        where = page.evaluate("scrollY")
        pill = page.locator("#follow")
        expect(pill).to_have_text(re.compile(r"\d+ new ↓"))
        assert page.evaluate("scrollY") == where
        pill.click()
        expect(pill).to_be_hidden()
        wait_until(page, f"{FROM_END} <= 40")
        page.mouse.wheel(0, -600)
        expect(pill).to_be_visible()
        page.get_by_role("link", name="End", exact=True).click()
        wait_until(page, f"{FROM_END} <= 40")
        assert page.evaluate("document.activeElement.id") == "log-end"
        (tmp_path / "enough").touch()
        wait_ended(page)
        assert numbers(page) == list(range(daemon.wait_ended(session["id"])["lines"] - 2))


# How far the end of the transcript is below the upper edge of what covers a phone's lower edge.
BELOW = """(document.querySelector("#log-end").getBoundingClientRect().bottom
 - document.querySelector(".dock").getBoundingClientRect().top)"""


def test_on_a_phone_the_last_row_stays_in_sight_from_the_first_one_on(
    daemon: Daemon, browser: Browser, tmp_path: Path
) -> None:
    """Although the facts of the session stand below the transcript there."""
    session = daemon.trigger(after=str(tmp_path / "begin"), until=str(tmp_path / "enough"), interval=0.04)
    with screen(browser, daemon, viewport={"width": 360, "height": 500}) as made:
        page = made.go(f"/sessions/{session['id']}")
        wait_live(page)
        (tmp_path / "begin").touch()
        for rows in (5, 40):
            wait_rows(page, rows)
            wait_until(page, f"{BELOW} <= 0 && {BELOW} > -120")
            expect(page.locator("#follow")).to_be_hidden()
        # Who goes on to the facts is left there.
        page.mouse.move(180, 250)
        page.mouse.wheel(0, 2000)
        wait_until(page, f"{FROM_END} < 5 && {BELOW} < -200")
        shown = len(numbers(page))
        wait_rows(page, shown + 10)
        assert page.evaluate(FROM_END) < 60
        assert page.evaluate(BELOW) < -200
        (tmp_path / "enough").touch()
        wait_ended(page)


def test_three_people_one_slow_one_restless_see_the_same(daemon: Daemon, browser: Browser) -> None:
    session = daemon.trigger(lines=400, interval=0.01)
    path = f"/sessions/{session['id']}"
    plain, slow, restless = (Screen(browser, daemon) for _ in range(3))
    protocol = slow.context.new_cdp_session(slow.page)
    protocol.send("Network.enable")
    slowly = {"offline": False, "latency": 150, "downloadThroughput": 120_000, "uploadThroughput": 20_000}
    protocol.send("Network.emulateNetworkConditions", slowly)
    for made in (plain, slow, restless):
        made.go(path)
    for _ in range(5):
        restless.page.wait_for_timeout(300)
        restless.page.reload()
    for made in (plain, slow, restless):
        wait_ended(made.page)
        # The page begins with the newest rows; what is before is behind a link.
        assert texts(made.page)[-300:] == texts(plain.page)[-300:]
        assert numbers(made.page)[-300:] == list(range(100, 400))
    assert numbers(plain.page) == list(range(400))
    for made in (plain, slow, restless):
        assert made.said() == []
        made.close()


def test_a_killed_web_process_is_shown_and_nothing_is_lost(daemon: Daemon, browser: Browser, tmp_path: Path) -> None:
    session = daemon.trigger(until=str(tmp_path / "enough"), interval=0.02)
    with screen(browser, daemon) as made:
        page = made.go(f"/sessions/{session['id']}")
        wait_live(page)
        for _ in range(2):
            shown = len(numbers(page))
            web = daemon.kill("web")
            expect(page.locator("#connection")).to_contain_text("Live updates lost")
            expect(page.locator("#live")).to_have_text("reconnecting")
            daemon.wait_replaced("web", web)
            expect(page.locator("#connection")).to_contain_text(re.compile(r"Caught up: [1-9]\d* row"))
            wait_rows(page, shown + 20)
        expect(page.locator("#connection")).to_be_hidden(timeout=10_000)
        (tmp_path / "enough").touch()
        wait_ended(page)
        ended = daemon.wait_ended(session["id"])
        assert numbers(page) == list(range(ended["lines"] - 2))
        live = texts(page)
        page.reload()
        assert texts(page) == live[-len(texts(page)) :]


def test_a_connection_that_hangs_is_told_by_its_silence_and_catches_up(tmp_path: Path, browser: Browser) -> None:
    # A stopped process answers nothing and closes nothing: no error tells the browser.
    with running(tmp_path / "daemon", CLAUDEOPS_HEARTBEAT_TIMEOUT="120") as daemon, screen(browser, daemon) as made:
        session = daemon.trigger(until=str(tmp_path / "enough"), interval=0.05)
        made.page.clock.install()
        page = made.go(f"/sessions/{session['id']}")
        wait_live(page)
        wait_rows(page, 5)
        banner, live = page.locator("#connection"), page.locator("#live")
        web = daemon.kill("web", signal.SIGSTOP)
        try:
            page.wait_for_timeout(1000)
            shown = len(numbers(page))
            page.clock.fast_forward(15_000)  # one beat of ten seconds is late: that happens
            page.wait_for_timeout(500)
            expect(banner).to_be_hidden()
            page.clock.fast_forward(9_000)
            expect(banner).to_contain_text("Live updates lost")
            expect(live).to_have_text("reconnecting")
            # The new connection hangs like the old one, and shows nothing that is not so.
            page.clock.fast_forward(10_000)
            expect(live).to_have_text("reconnecting")
            assert len(numbers(page)) == shown
        finally:
            os.kill(web, signal.SIGCONT)
        expect(banner).to_contain_text(re.compile(r"Caught up: [1-9]\d* row"))
        expect(live).to_have_text("live")
        (tmp_path / "enough").touch()
        wait_ended(page)
        assert daemon.pid("web") == web
        assert numbers(page) == list(range(daemon.wait_ended(session["id"])["lines"] - 2))


def test_a_dead_worker_is_shown_while_the_transcript_goes_on(tmp_path: Path, browser: Browser) -> None:
    # The worker is stopped, not killed, and its heartbeat has time: so it stays away for as long as the test looks.
    with running(tmp_path / "daemon", CLAUDEOPS_HEARTBEAT_TIMEOUT="60") as daemon, screen(browser, daemon) as made:
        session = daemon.trigger(until=str(tmp_path / "enough"), interval=0.05)
        page = made.go("/")
        wait_live(page)
        watching = made.open()
        watching.goto(f"{made.root}/sessions/{session['id']}")
        wait_live(watching)
        worker = daemon.kill("worker", signal.SIGSTOP)
        try:
            banner = page.locator("#worker-banner")
            expect(banner).to_contain_text("Worker down.", timeout=30_000)
            expect(page.locator("#attention")).to_contain_text("The worker is not answering.")
            expect(page).to_have_title(re.compile("worker down"))
            shown = len(numbers(watching))
            wait_rows(watching, shown + 20)
        finally:
            os.kill(worker, signal.SIGCONT)
        expect(banner).to_be_empty(timeout=15_000)
        # Killed for good, another takes its place, and the session is adopted.
        worker = daemon.kill("worker")
        daemon.wait_replaced("worker", worker)
        (tmp_path / "enough").touch()
        wait_ended(watching)
        assert numbers(watching) == list(range(daemon.wait_ended(session["id"])["lines"] - 2))
        expect(page.locator(f"#session-{session['id']}")).to_contain_text("completed")


IMAGE = "<img src=x onerror='owned=3'>"
MARKUP = "<b>ls</b>\n" * 40
SCRIPTS = "#log script, #log img, #log svg[onload], #log b, #log a[href^=javascript]"
HOSTILE: tuple[bytes | dict[str, Any], ...] = (
    b"event: done",
    b"data: <script>owned = 1</script>",
    b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J",
    b"nul\x00 \xff\xfe \xc3\x28 \r carriage",
    b"</li></ol><script>owned = 2</script><template><ol>",
    {
        "type": "assistant",
        "message": {"id": "a", "content": [{"type": "text", "text": IMAGE}]},
    },
    {
        "type": "assistant",
        "message": {
            "id": "b",
            "content": [{"type": "text", "text": "[x](javascript:owned=4) ![i](http://evil.test/x)"}],
        },
    },
    {
        "type": "assistant",
        "message": {
            "id": "c",
            "content": [{"type": "tool_use", "id": '"><script>', "name": "Bash", "input": {"command": MARKUP}}],
        },
    },
    {
        "type": "user",
        "message": {
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": '"><script>',
                    "content": "</template><script>owned = 5</script>\n\nevent: done\ndata: x\n\n",
                    "is_error": True,
                }
            ]
        },
    },
    {"type": "from the future", "field": "<svg onload=owned=6>"},
)


def test_hostile_output_is_shown_and_does_nothing(daemon: Daemon, browser: Browser, tmp_path: Path) -> None:
    session = daemon.trigger(raw=encoded(*HOSTILE), until=str(tmp_path / "enough"), interval=0.05)
    with screen(browser, daemon) as made:
        page = made.go(f"/sessions/{session['id']}")
        wait_live(page)
        live = made.open()
        # A page without its rows is filled by the stream alone.
        live.route(
            "**/sessions/*", lambda route: route.fulfill(response=(got := route.fetch()), body=emptied(got.text()))
        )
        live.goto(page.url)
        (tmp_path / "enough").touch()
        for shown in (page, live):
            wait_ended(shown)
            assert shown.evaluate("typeof owned") == "undefined"
            assert shown.locator(SCRIPTS).count() == 0
            assert numbers(shown) == list(range(daemon.wait_ended(session["id"])["lines"] - 2 - len(HOSTILE)))
            call = shown.locator("#log > .entry[data-kind=tool]")
            expect(call).to_have_count(1)
            expect(call.locator(".results")).to_contain_text("</template><script>owned = 5</script>")
            expect(shown.locator("#log")).to_contain_text("<img src=x onerror='owned=3'>")
        assert texts(live) == texts(page)
        page.reload()
        assert texts(live) == texts(page)


def test_a_line_that_is_cut_says_so_on_one_line_of_its_own(daemon: Daemon, browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 10_485_760)
    ended = daemon.wait_ended(daemon.trigger(cat=str(tmp_path / "long"))["id"])
    for width in (360, 1440):
        with screen(browser, daemon, viewport={"width": width, "height": 800}) as made:
            page = made.go(f"/sessions/{ended['id']}")
            row = page.locator("#log > .entry[data-kind=cut]")
            expect(row).to_contain_text("not shown")
            link = row.get_by_role("link", name="in the log")
            assert link.evaluate("e => e.getBoundingClientRect().height") < 30
            assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def without_rows(route: Route) -> None:
    """Answers with the page as it would be before the first line."""
    response = route.fetch()
    route.fulfill(response=response, body=emptied(response.text()))


def emptied(html: str) -> str:
    """A session's page with no row in it, whose stream begins at the first byte."""
    html = re.sub(r'data-offset="\d+"( data-stream)', r'data-offset="0"\1', html, count=1)
    return re.sub(r'(<ol class="log"[^>]*>).*(</ol>\s*<p class="nothing">)', r"\1\2", html, count=1, flags=re.DOTALL)
