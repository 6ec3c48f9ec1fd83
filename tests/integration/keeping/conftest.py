"""What the tests of this directory share: a state directory with a database in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.knowledge.place import Place


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """An empty one, with a directory for logs."""
    (tmp_path / "results").mkdir()
    found = Place(tmp_path)
    yield found
    await found.store.close()
