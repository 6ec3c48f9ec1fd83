"""What the tests of notifications share: receivers, and the part of the worker that sends, on a real database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.notifications.office import Office
from tests.integration.notifications.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """One that listens."""
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def other() -> Iterator[Receiver]:
    """Another one."""
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Without a channel; see `Office.work`."""
    found = Office(tmp_path)
    yield found
    await found.close()
