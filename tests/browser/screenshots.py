"""`make screenshots`: pictures of every page of the route table, phone and desk, dark and light, below .claudeops.

Every page shows a made-up night, over a stand-in worker: no demo has all of it at once. Then what pages are like with
an error, a secret, nothing to show (`new-…`) and without the worker (`away-…`). What a night can't show, sessions that
ended or were stopped, comes from a demo with the real CLI (`demo-…`).
"""

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser import every_page, every_state
from tests.browser.demo import demo
from tests.browser.every_page import Address
from tests.browser.every_state import OUT
from tests.browser.screens import Dashboard, Screen, chromium, wait_live
from tests.browser.stand_in_site import stand_in_site
from tests.integration.webui.stand_in import StandIn

SIZES = ((1440, 900), (360, 740))
TALLEST = 12_000
SCHEMES = ("dark", "light")
PROMPT = "Search feels slow since noon. Is it the index?"
AWAY = ("/", "/cooldowns", "/mcp", "/notifications", "/config/interval", "/system")


def shoot(page: Page, to: Path, name: str, *, whole: bool = True) -> None:
    """One picture."""
    page.evaluate("document.fonts.ready")
    page.evaluate("scrollTo(0, 0)")
    before = page.viewport_size or {"width": SIZES[0][0], "height": SIZES[0][1]}
    if whole:
        # As tall as the page: else what sticks to an edge of the screen lies across the middle of the picture.
        tall = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": before["width"], "height": min(max(tall, before["height"]), TALLEST)})
    page.wait_for_timeout(250)
    page.screenshot(path=to / f"{name}.png", full_page=whole)
    page.set_viewport_size(before)


def each_look(page: Page, to: Path, name: str, *, whole: bool = True) -> None:
    """Pictures of a page as it stands, in each size and scheme."""
    for width, height in SIZES:
        for scheme in SCHEMES:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            shoot(page, to, f"{name}-{width}-{scheme}", whole=whole)


def shoot_all(
    browser: Browser, daemon: Dashboard, to: Path, names: Iterable[tuple[str, str]], *, signed_in: bool = True
) -> None:
    """The pages of `names` (name, path)."""
    made = Screen(browser, daemon, signed_in=signed_in)
    for name, path in names:
        page = made.go(path)
        if page.query_selector("body[data-stream], #log[data-stream], #chain[data-stream]"):
            wait_live(page)
        each_look(page, to, name)
    made.close()


def decide(browser: Browser, daemon: Dashboard, to: Path) -> None:
    """The question in its dialog."""
    made = Screen(browser, daemon)
    page = made.go("/approvals")
    wait_live(page)
    page.locator("[data-approve]").first.click()
    page.locator("#ask .confirm").wait_for()
    each_look(page, to, "dialog", whole=False)
    made.close()


def name_of(path: str, before: str) -> str:
    """For a picture of the page of a path."""
    return f"{before}-{Address(path, path, True).name}"


def make_night(browser: Browser, to: Path) -> list[str]:
    """Every page of the route table, and every other state; the addresses that have no parameter."""
    with tempfile.TemporaryDirectory() as directory, stand_in_site(Path(directory)) as site:
        filled = site.ask(every_page.fill)
        pages = every_page.find(site, filled.samples)
        for signed_in in (True, False):
            shown = [page for page in pages if page.signed_in == signed_in and page.route != "/dashboard"]
            shoot_all(browser, site, to, [(page.name, page.path) for page in shown], signed_in=signed_in)
        decide(browser, site, to)
        screens = {role: Screen(browser, site, signed_in=role != OUT) for role in (every_state.ADMIN, OUT)}
        for state in every_state.states(filled):
            each_look(every_state.reach(screens[state.role], state), to, state.name)
        for made in screens.values():
            made.close()
        return [page.route for page in pages if page.signed_in and "{" not in page.route]


def make_new(browser: Browser, to: Path, paths: list[str]) -> None:
    """A daemon on which nothing has happened."""

    def empty(worker: StandIn) -> None:
        worker.bare = True

    with tempfile.TemporaryDirectory() as directory, stand_in_site(Path(directory)) as site:
        site.ask(empty)
        wanted = [path for path in paths if path not in (*every_state.QUESTIONS, "/dashboard", "/api/docs/")]
        shoot_all(browser, site, to, [(name_of(path, "new"), path) for path in wanted])


def make_away(browser: Browser, to: Path) -> None:
    """The dashboard while the worker does not answer."""
    with tempfile.TemporaryDirectory() as directory, stand_in_site(Path(directory), start_worker=False) as site:
        site.ask(every_page.fill)
        shoot_all(browser, site, to, [(name_of(path, "away"), path) for path in AWAY])


def make_demo(browser: Browser, to: Path) -> None:
    """Sessions of the real CLI."""
    with tempfile.TemporaryDirectory() as directory, demo(Path(directory) / "demo", tempo=0.7) as daemon:
        daemon.sign_in()
        daemon.wait_ended(1, 90)
        daemon.wait_ended(2, 90)  # the tier that the first handed over to
        stopped = daemon.json("sessions", "trigger", "--tier", "2", "--prompt", PROMPT)["id"]
        daemon.ctl("sessions", "stop", str(stopped))
        daemon.wait_ended(stopped, 60)
        names = {
            "demo-session-handed-over": "/sessions/1",
            "demo-session-completed": "/sessions/2",
            "demo-session-stopped": f"/sessions/{stopped}",
            "demo-sessions": "/sessions",
            "demo-chain": "/chains/1",
            "demo-system": "/system",
            "demo-overview": "/",
        }
        shoot_all(browser, daemon, to, names.items())


def make(to: Path) -> None:
    """All of them."""
    to.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        paths = make_night(browser, to)
        make_new(browser, to, paths)
        make_away(browser, to)
        make_demo(browser, to)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the directory for the pictures: python -m tests.browser.screenshots DIR")
    make(Path(sys.argv[1]))
    print(f"{len(list(Path(sys.argv[1]).glob('*.png')))} pictures in {sys.argv[1]}")
