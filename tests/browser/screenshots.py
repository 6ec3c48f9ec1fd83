"""`make screenshots`: pictures of every page of the route table, phone and desk, dark and light, below .claudeops.

Every page shows a made-up night, over a stand-in worker: no demo has all of it at once. What a night can't show, a
session that runs, ended or was stopped, comes from a demo with the real CLI.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser import every_page
from tests.browser.demo import demo
from tests.browser.screens import Dashboard, Screen, chromium, wait_live
from tests.browser.stand_in_site import stand_in_site

SIZES = ((1440, 900), (360, 740))
TALLEST = 12_000
SCHEMES = ("dark", "light")
PROMPT = "Search feels slow since noon. Is it the index?"


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


def decide(browser: Browser, daemon: Dashboard, to: Path) -> None:
    """The question in its dialog."""
    for width, height in SIZES:
        for scheme in SCHEMES:
            made = Screen(browser, daemon, viewport={"width": width, "height": height}, color_scheme=scheme)
            page = made.go("/approvals")
            wait_live(page)
            page.locator("[data-approve]").first.click()
            page.locator("#ask .confirm").wait_for()
            shoot(page, to, f"dialog-{width}-{scheme}", whole=False)
            made.close()


def make_night(to: Path) -> None:
    """Every page of the route table."""
    with tempfile.TemporaryDirectory() as directory, stand_in_site(Path(directory)) as site, chromium() as browser:
        pages = every_page.find(site, site.ask(every_page.fill).samples)
        for signed_in in (True, False):
            names = {page.name: page.path for page in pages if page.signed_in == signed_in}
            shoot_all(browser, site, to, names, signed_in=signed_in)
        decide(browser, site, to)


def shoot_all(browser: Browser, daemon: Dashboard, to: Path, names: dict[str, str], *, signed_in: bool = True) -> None:
    """The pages of `names` (name: path) in each size and scheme."""
    for width, height in SIZES:
        for scheme in SCHEMES:
            made = Screen(
                browser, daemon, signed_in=signed_in, viewport={"width": width, "height": height}, color_scheme=scheme
            )
            for name, path in names.items():
                page = made.go(path)
                if page.query_selector("body[data-stream], #log[data-stream], #chain[data-stream]"):
                    wait_live(page)
                shoot(page, to, f"{name}-{width}-{scheme}")
            made.close()


def make(to: Path) -> None:
    """All of them."""
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, demo(Path(directory) / "demo", tempo=0.7) as daemon:
        daemon.sign_in()
        with chromium() as browser:
            daemon.wait_ended(1, 90)
            daemon.wait_ended(2, 90)  # the tier that the first handed over to
            stopped = daemon.json("sessions", "trigger", "--tier", "2", "--prompt", PROMPT)["id"]
            daemon.ctl("sessions", "stop", str(stopped))
            daemon.wait_ended(stopped, 60)
            running = daemon.json("sessions", "trigger", "--tier", "1")["id"]
            link = "/" + daemon.ctl("setup-link").stdout.strip().split("/", 3)[3]
            shoot_all(browser, daemon, to, {"sign-in": "/sign-in", "setup": link}, signed_in=False)
            live = {"session-running": f"/sessions/{running}", "overview": "/", "stop": f"/sessions/{running}/stop"}
            shoot_all(browser, daemon, to, live)
            daemon.wait_ended(running, 60)
            rest = {
                "session-completed": f"/sessions/{running}",
                "session-stopped": f"/sessions/{stopped}",
                "sessions": "/sessions",
                "sessions-nothing": "/sessions?q=nothing+like+it",
                "chain": "/chains/1",
                "system": "/system",
                "not-found": "/sessions/4711",
                "overview-after": "/",
            }
            shoot_all(browser, daemon, to, rest)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the directory for the pictures: python -m tests.browser.screenshots DIR")
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    make_night(Path(sys.argv[1]))
    make(Path(sys.argv[1]))
    print(f"{len(list(Path(sys.argv[1]).glob('*.png')))} pictures in {sys.argv[1]}")
