"""What the tests of this directory share: a target, and services that are probed at it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon.services.probes.http import Http
from daemon.services.probes.requesting import Sessions
from tests.fakes.target import Target
from tests.integration.services.world import World


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with Target() as made:
        yield made


@pytest.fixture
async def world(tmp_path: Path, target: Target) -> AsyncIterator[World]:
    made = World(tmp_path, target)
    yield made
    await made.close()


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    sessions = Sessions()
    yield Http(sessions)
    await sessions.close()
