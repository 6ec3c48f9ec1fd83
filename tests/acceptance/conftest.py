"""Acceptance tests run whole daemons: each gets one of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.harness import Daemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that is not started yet."""
    made = Daemon(tmp_path / "daemon")
    yield made
    made.close()
