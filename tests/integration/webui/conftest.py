"""A dashboard for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.target import Target
from tests.integration.webui.site import Site, open_site
from webui.worker import Worker


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The dashboard, with a worker that answers."""
    async with open_site(tmp_path) as opened:
        yield opened


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    """Something that is probed."""
    async with Target() as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait half a second for a worker that does not answer, and not ten."""
    monkeypatch.setattr(Worker.call, "__kwdefaults__", {**(Worker.call.__kwdefaults__ or {}), "timeout": 0.5})
