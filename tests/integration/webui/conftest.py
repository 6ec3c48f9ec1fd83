"""A dashboard for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.webui.site import Site, open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The dashboard, with a worker that answers."""
    async with open_site(tmp_path) as opened:
        yield opened
