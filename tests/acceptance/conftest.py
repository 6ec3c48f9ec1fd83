"""Acceptance tests run whole daemons: each gets one of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.harness import Daemon
from tests.fakes import target as targets
from tests.fakes.target import Target
from tests.integration.notifications.receiver import Receiver


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that is not started yet."""
    made = Daemon(tmp_path / "daemon")
    yield made
    made.close()


@pytest.fixture
def target() -> Iterator[Target]:
    """A server that answers as it is told to, in a thread of its own."""
    with targets.beside() as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that takes notifications."""
    made = Receiver()
    yield made
    made.close()
