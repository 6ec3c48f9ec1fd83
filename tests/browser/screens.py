"""Opens the dashboard in Debian's Chromium, signed in, and keeps what a page complains of or fetches from elsewhere.

Used by the browser tests and by `tests.browser.screenshots`.
"""

import base64
import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse battery"
# A page that watches a stream of a process that was killed says that much, whatever the script does about it.
LOST_STREAM = re.compile(r"net::ERR_|status of 50[23]")
STATUS = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Dashboard(Protocol):
    """What a browser opens: the whole daemon, or the web process over a stand-in worker."""

    cookie: str

    @property
    def port(self) -> int:
        """Where it listens on loopback."""

    def sign_in(self) -> object:
        """Makes `cookie` the one of somebody who is signed in."""


def address(daemon: Dashboard, path: str = "/") -> str:
    """The address of a page."""
    return f"http://127.0.0.1:{daemon.port}{path}"


class Screen:
    """A browser with one page. `complaints`: console errors, refusals of the policy, requests to elsewhere."""

    def __init__(self, browser: Browser, daemon: Dashboard, *, signed_in: bool = True, **options: Any) -> None:
        self.daemon = daemon
        self.root = address(daemon, "")
        self.context: BrowserContext = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        self.context.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.refusals: set[int] = set()
        if signed_in:
            if not daemon.cookie:
                daemon.sign_in()
            name, _, value = daemon.cookie.partition("=")
            self.context.add_cookies([{"name": name, "value": value, "url": self.root}])
        self.context.on("request", lambda request: self._note_foreign(request.url))
        self.page = self.open()

    def _note_foreign(self, url: str) -> None:
        if not url.startswith((self.root, "data:", "blob:", "about:")):
            self.complaints.append(f"request to {url}")

    def open(self) -> Page:
        """Another page of the same browser."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"error {error}"))
        page.on(
            "console",
            lambda said: (
                self.complaints.append(f"{said.type} {said.text}") if said.type in ("error", "warning") else None
            ),
        )
        return page

    def go(self, path: str) -> Page:
        """Loads a page of the dashboard."""
        self.page.goto(self.root + path)
        return self.page

    def said(self, *, but_lost_streams: bool = False) -> list[str]:
        """The complaints but those of an answer whose status is in `refusals`."""
        found = []
        for line in self.complaints:
            status = STATUS.search(line)
            refused = status is not None and int(status[1]) in self.refusals
            if not (refused or (but_lost_streams and LOST_STREAM.search(line))):
                found.append(line)
        return found

    def close(self) -> None:
        """Closes it."""
        self.context.close()


@contextlib.contextmanager
def screen(browser: Browser, daemon: Dashboard, **options: Any) -> Iterator[Screen]:
    """A screen that is closed at the end, and had nothing to complain of."""
    made = Screen(browser, daemon, **options)
    try:
        yield made
        said = made.said(but_lost_streams=True)
        assert said == [], said
    finally:
        made.close()


def wait_until(page: Page, expression: str, seconds: float = 15, **more: Any) -> None:
    """Until a JavaScript expression is true; `n` in it is the argument of that name."""
    # As a function: the page's policy allows no eval, which Playwright would poll an expression with.
    page.wait_for_function(f"n => ({expression})", arg=more.get("n"), timeout=seconds * 1000)


def wait_live(page: Page) -> None:
    """Until the page's stream has spoken."""
    wait_until(page, "document.querySelector('#live').dataset.state === 'live'")


def wait_ended(page: Page, seconds: float = 40) -> None:
    """Until the page has been told of the session's end, or was loaded after it."""
    told = "document.querySelector('#live').dataset.state === 'ended'"
    wait_until(page, f"{told} || !document.querySelector('#log').dataset.stream", seconds)


def wait_rows(page: Page, more_than: int) -> None:
    """Until the transcript has more rows than that."""
    wait_until(page, "document.querySelectorAll('#log > .entry').length > n", 30, n=more_than)


def encoded(*lines: bytes | dict[str, Any]) -> list[str]:
    """Lines for the fake CLI to print as they are."""
    return [base64.b64encode(line if isinstance(line, bytes) else json.dumps(line).encode()).decode() for line in lines]


def texts(page: Page) -> list[tuple[str, str]]:
    """(id, words) of each row of a transcript, those of a subagent and what is folded included."""
    found = page.evaluate(
        "[...document.querySelectorAll('#log .entry')].map(e => [e.id, e.textContent.replace(/\\s+/g, ' ').trim()])"
    )
    return [(id_, words) for id_, words in found]
