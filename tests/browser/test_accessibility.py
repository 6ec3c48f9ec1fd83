"""What sessions say by axe (WCAG 2.2 AA and target sizes) at two widths and in both themes; narrow pages; motion.

Every page of the route table is looked at by test_every_page.py.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.acceptance.harness import Daemon, running
from tests.browser.axe import CONTRAST, RULES
from tests.browser.screens import encoded, screen, wait_live
from tests.browser.test_notices import REPORT

PROSE = """## Found

| service | status | a long word |
|---|---|---|
| payments | down | aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa |

[EVENT:info:shop] fine
[EVENT:warning:search] slow
[EVENT:critical:payments] down, see [the page](https://example.com/x)

> quoted `code`

```
a block of code that is longer than a phone is wide, by far, and then some more of it
```
"""


def unfold(page: Page) -> None:
    """Opens all rows of a transcript."""
    page.evaluate("document.querySelectorAll('#log details').forEach(fold => { fold.open = true; })")


def said(*blocks: dict[str, Any], kind: str = "assistant") -> dict[str, Any]:
    return {"type": kind, "message": {"id": str(len(str(blocks))), "content": list(blocks)}}


EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "system", "subtype": "thinking_tokens", "estimated_tokens": 3},
    {"type": "system", "subtype": "thinking_tokens", "estimated_tokens": 9},
    said({"type": "thinking", "thinking": "I look."}),
    said({"type": "text", "text": PROSE}),
    said({"type": "tool_use", "id": "a", "name": "Bash", "input": {"command": "curl http://127.0.0.1/" + "x" * 90}}),
    said({"type": "tool_result", "tool_use_id": "a", "content": "\x1b[32mok\x1b[0m\n" * 60}, kind="user"),
    said({"type": "tool_use", "id": "b", "name": "Edit", "input": {"file_path": "/a/b", "old_string": "1"}}),
    said({"type": "tool_result", "tool_use_id": "b", "content": "no such file", "is_error": True}, kind="user"),
    said({"type": "tool_use", "id": "c", "name": "Read", "input": {"file_path": "/etc/hosts"}}),
    {"type": "from the future"},
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with a session of each kind: 1 failed, 2 completed with a report, 3 running."""
    settings = {"CLAUDEOPS_DEMO": "true", "CLAUDEOPS_APPRISE_URLS": "json://127.0.0.1:9"}
    with running(tmp_path_factory.mktemp("site") / "daemon", **settings) as made:
        made.sign_in()
        made.wait_ended(made.trigger(raw=encoded(*EVENTS), stderr=["a warning"], result=False, exit=1)["id"])
        end: dict[str, Any] = {"type": "result", "subtype": "success", "structured_output": REPORT, "num_turns": 1}
        made.wait_ended(made.trigger(raw=encoded(*EVENTS, end), result=False)["id"])
        made.trigger(raw=encoded(*EVENTS), hang=1)
        made.ctl("users", "add", "a-name-that-is-rather-long-for-a-phone@example.org")
        made.ctl("token", "create", "--name", "grafana", "--role", "viewer", "--expires", "90d")
        yield made


PAGES = {
    "overview": "/",
    "failed": "/sessions/1",
    "completed": "/sessions/2",
    "running": "/sessions/3",
    "stop": "/sessions/3/stop",
    "sessions": "/sessions",
    "no match": "/sessions?q=nothing",
    "system": "/system",
    "notifications": "/notifications",
    "users": "/users",
    "revoke token": "/users/tokens/1/revoke",
    "not found": "/sessions/4711",
}


RICH = ("failed", "completed", "running", "no match", "not found")


@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_in_what_sessions_say_or_where_nothing_is(site: Daemon, browser: Browser, width: int) -> None:
    axe = Axe()
    looks = {"viewport": {"width": width, "height": 800}, "color_scheme": "dark", "reduced_motion": "reduce"}
    found = []
    with screen(browser, site, **looks) as made:
        made.refusals.add(404)
        for name in RICH:
            page = made.go(PAGES[name])
            if page.locator("body[data-stream], #log[data-stream]").count():
                wait_live(page)
            unfold(page)
            reports = [axe.run(page, options=RULES).response]
            # Of all rules, only contrast depends on the theme.
            page.emulate_media(color_scheme="light")
            reports.append(axe.run(page, options=CONTRAST).response)
            page.emulate_media(color_scheme="dark")
            for report in reports:
                assert report["passes"], "axe has not looked"
                found += [(name, rule["id"], [node["html"] for node in rule["nodes"]]) for rule in report["violations"]]
            if page.evaluate("document.scrollingElement.scrollWidth > innerWidth"):
                found.append((name, "scrolls sideways", []))
    assert found == []


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_of_320_px_scrolls_in_one_direction_and_animates_nothing_on_request(
    site: Daemon, browser: Browser, path: str
) -> None:
    with screen(browser, site, viewport={"width": 320, "height": 640}, reduced_motion="reduce") as made:
        made.refusals.add(404)
        page = made.go(path)
        unfold(page)
        assert page.evaluate("document.scrollingElement.scrollWidth") == 320
        assert page.evaluate("document.getAnimations().length") == 0


def test_a_violation_would_be_found(site: Daemon, browser: Browser) -> None:
    with screen(browser, site) as made:
        page = made.go("/system")
        page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button><img src=x>')")
        ids = {rule["id"] for rule in Axe().run(page, options=RULES).response["violations"]}
        assert {"button-name", "image-alt"} <= ids
        made.complaints.clear()
