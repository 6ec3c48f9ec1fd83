"""Stages for claudeopsctl: nothing there, a daemon with a worker, a daemon whose worker is dead."""

from collections.abc import Iterator

import pytest

from tests.integration.ctl.stage import Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Nothing runs yet."""
    made = Stage()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def served(stage: Stage) -> Stage:
    """The lock is held and a worker serves."""
    stage.hold_lock()
    stage.listen()
    stage.start_worker()
    return stage


@pytest.fixture
def orphaned(stage: Stage) -> Stage:
    """A supervisor lives, and its worker answers nothing: whoever connects waits in the backlog."""
    stage.start_supervisor()
    return stage
