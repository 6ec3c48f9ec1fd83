"""Browser tests: Chromium, a daemon, and screens that complain.

Chromium and daemons live for a module: Playwright keeps an event loop running, which asyncio's tests can't share.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.acceptance.harness import Daemon, running
from tests.browser.screens import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium() as found:
        yield found


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that serves, with the fake CLI."""
    with running(tmp_path / "daemon") as made:
        yield made.sign_in()
