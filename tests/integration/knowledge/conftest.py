"""What the tests of this directory share: a database of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.knowledge.place import Place


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """An empty one."""
    found = Place(tmp_path)
    yield found
    await found.store.close()
